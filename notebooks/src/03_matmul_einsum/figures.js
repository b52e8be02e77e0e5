// Lesson 03: the equation reader of figures.py for the static page.
"use strict";

window.typed = (() => {
  const PALETTE = ["#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9",
    "#000000", "#767676", "#8C510A"];
  const [PLAIN, USED, NOW] = ["#E6E6E6", "#A9CCE3", "#D55E00"];
  const NAMES = ["X", "W", "V", "U", "T", "S"];
  const CELLS = 420; // drawn of all tensors together, at most
  // In hundredths of an inch: between sheets (of cells), beside and between
  // tensors.
  const [GAP, BAR, SIDE, BETWEEN] = [0.5, 40, 66, 45];

  const tuple = (n) => `(${n.join(", ")}${n.length === 1 ? "," : ""})`;
  const quoted = (s) =>
    s.includes("'") && !s.includes('"') ? `"${s}"` : `'${s}'`;
  const range = (n) => [...Array(n).keys()];
  const product = (numbers) => numbers.reduce((a, b) => a * b, 1);

  // --- reading

  // Shapes as a student types them: `(2, 3), (3, 4)`.
  function shapes(text, zh) {
    const plain = text.replace(/[（），［］]/g, (c) => "(),[]"["（），［］".indexOf(c)]);
    const tokens = [...(plain.match(/\d+|\S/g) ?? []), "]"];
    let at = 0;
    const fail = () => {
      throw new Error(
        zh
          ? `形状要写成 (2, 3), (3, 4) 这样，得到的是 ${quoted(text)}。`
          : `Shapes are written like (2, 3), (3, 4); got ${quoted(text)}.`,
      );
    };
    function items(close) {
      const found = [];
      let comma = false;
      while (tokens[at] !== close) {
        found.push(item());
        comma = tokens[at] === ",";
        if (comma) at++;
        else if (tokens[at] !== close) fail();
      }
      at++;
      const bare = close === ")" && found.length === 1 && !comma;
      return bare ? found[0] : found; // (3) is a number, (3,) is not
    }
    function item() {
      const token = tokens[at++] ?? "";
      if (/^(0+|[1-9]\d*)$/.test(token)) return Number(token);
      return token === "(" ? items(")") : token === "[" ? items("]") : fail();
    }
    const found = items("]").map((s) => (Array.isArray(s) ? s : [s]));
    if (at < tokens.length || found.flat().some(Array.isArray)) fail();
    return found;
  }

  // Splits a term into letters; an ellipsis is one of them.
  function split(word, zh) {
    const letters = [...word.replaceAll("...", "…")];
    for (const letter of letters)
      if (!/^[A-Za-z]$/.test(letter) && (letter !== "…" || word.includes("…")))
        throw new Error(
          zh
            ? `方程里不能有 ${quoted(letter)}：只能用英文字母、逗号、一个 -> 和三个点。`
            : `${quoted(letter)} cannot stand in an equation: only the ` +
              "letters a to z and A to Z, commas, one -> and three dots.",
        );
    if (letters.filter((letter) => letter === "…").length > 1)
      throw new Error(
        zh
          ? `${quoted(word)} 里有两处省略号，每一项最多一处。`
          : `${quoted(word)} has two ellipses; a term has one at most.`,
      );
    return letters;
  }

  const spread = (letters, dots) =>
    letters.flatMap((letter) => (letter === "…" ? dots : [letter]));

  // The letters of an operand's axes.
  function term(letters, shape, zh) {
    const dots = letters.includes("…");
    const hidden = shape.length - letters.length + (dots ? 1 : 0);
    if (hidden < 0 || (!dots && hidden)) {
      const [word, axes] = [quoted(letters.join("").replace("…", "...")),
        shape.length];
      throw new Error(
        zh
          ? `${word} 与形状 ${tuple(shape)} 对不上：字母要和轴一样多，这里有 ${axes} 个轴。`
          : `${word} does not fit the shape ${tuple(shape)}: each axis ` +
            `needs a letter, and there are ${axes} axes.`,
      );
    }
    return spread(letters, range(hidden).map((k) => `…${hidden - k}`));
  }

  function checkOutput(output, seen, zh) {
    for (const letter of output) {
      if (!seen.includes(letter))
        throw new Error(
          zh
            ? `结果里的 ${letter} 没有在任何操作数里出现，不知道它多大。`
            : `${letter} stands in the result but in no operand, so its ` +
              "size is unknown.",
        );
      if (output.filter((other) => other === letter).length > 1)
        throw new Error(
          zh
            ? `结果里的 ${letter} 出现了两次，每个字母只能出现一次。`
            : `${letter} stands twice in the result; once is allowed.`,
        );
    }
  }

  // Each letter's size; the letter that has two, and a sentence.
  function measure(terms, given) {
    const sizes = new Map();
    let [clash, problem] = ["", ""];
    terms.forEach((letters, k) => {
      const mine = new Map();
      letters.forEach((letter, i) => {
        const size = given[k][i];
        if (!mine.has(letter)) mine.set(letter, size);
        let before = mine.get(letter); // a diagonal: equal sizes
        if (before === size) {
          before = sizes.get(letter) ?? 1;
          if (before === 1 || size === 1) {
            sizes.set(letter, before === 1 ? size : before);
            return;
          }
        }
        if (before !== size && !clash) {
          clash = letter;
          problem = `${letter} has two sizes: ${before} and ${size}.`;
        }
      });
    });
    return { sizes, clash, problem };
  }

  // Reads an equation for operands of the given shapes.
  function read(equation, given, zh) {
    const [left, ...rest] = equation.replaceAll(" ", "").split("->");
    const words = left.split(",").map((word) => split(word, zh));
    const [n, m] = [words.length, given.length];
    if (n !== m)
      throw new Error(
        zh
          ? `方程里有 ${n} 个操作数，形状却给了 ${m} 个。`
          : `The equation names ${n} operand(s), but ${m} shape(s) came.`,
      );
    const terms = words.map((letters, k) => term(letters, given[k], zh));
    const seen = terms.flat();
    const names = [...new Set(seen)];
    const dots = names
      .filter((letter) => letter[0] === "…")
      .sort((a, b) => b.slice(1) - a.slice(1));
    let kept;
    if (rest.length) {
      kept = spread(split(rest.join("->"), zh), dots);
      checkOutput(kept, seen, zh);
    } else {
      const once = names.filter(
        (a) => a[0] !== "…" && seen.filter((b) => b === a).length === 1,
      );
      kept = [...dots, ...once.sort()];
    }
    const { sizes, clash, problem } = measure(terms, given);
    const summed = [...sizes.keys()].filter((a) => !kept.includes(a));
    const shape = clash ? null : kept.map((letter) => sizes.get(letter));
    const say = (letters) => letters.join(" ") || "nothing";
    const text = clash
      ? `error: ${problem}`
      : `keep ${say(kept)}; sum ${say(summed)}; result ${tuple(shape)}`;
    return { terms, kept, summed, given, sizes, clash, shape, text };
  }

  // --- drawing

  // Whether an axis runs to the right; level 0 is the last axis.
  const horizontal = (level) => level % 4 === 0 || level % 4 === 3;

  // Sizes that are drawn: long axes are cut until there is room.
  function cut(all) {
    for (let limit = 8; ; limit--) {
      const found = all.map((s) => s.map((n) => Math.min(n, limit)));
      const count = found.reduce((sum, s) => sum + product(s), 0);
      if (count <= CELLS || limit === 2) return found;
    }
  }

  // From the last axis on: the way it runs, its step, its extent.
  function grow(shape) {
    const [extent, gaps] = [[1, 1], [0, 0]];
    return [...shape].reverse().map((size, level) => {
      const way = horizontal(level) ? 0 : 1;
      const step = extent[way] + gaps[way];
      extent[way] += Math.max(size - 1, 0) * step;
      gaps[way] += GAP;
      return { way, step, extent: extent[way] };
    });
  }

  // The index of an element, counted row by row.
  function unravel(number, shape) {
    const index = [];
    for (const size of [...shape].reverse()) {
      index.unshift(number % size);
      number = Math.floor(number / size);
    }
    return index;
  }

  // For each tensor the index of this term, and whether an index is needed.
  function marks(reading, tensors, shown, element, chosen) {
    if (reading.clash || shown.flat().includes(0)) return null;
    const drawn = new Map();
    tensors.forEach(({ letters }, k) =>
      letters.forEach((a, i) =>
        drawn.set(a, Math.max(drawn.get(a) ?? 1, shown[k][i])),
      ),
    );
    const choose = (letters, number) => {
      const sizes = letters.map((a) => drawn.get(a));
      const index = unravel(number % product(sizes), sizes);
      return letters.map((a, i) => [a, index[i]]);
    };
    const fixed = new Map(choose(reading.kept, element));
    const where = new Map([...fixed, ...choose(reading.summed, chosen)]);
    return tensors.map(({ letters }, k) => {
      const last = shown[k].map((n) => n - 1);
      const now = letters.map((a, i) => Math.min(where.get(a), last[i]));
      const used = (index) =>
        letters.every((a, i) =>
          fixed.has(a)
            ? index[i] === Math.min(fixed.get(a), last[i])
            : index[i] === index[letters.indexOf(a)],
        );
      return { now, used };
    });
  }

  function cells(place, shape, mark) {
    const moves = grow(shape).reverse();
    let [found, frame] = ["", ""];
    for (const number of range(product(shape))) {
      const index = unravel(number, shape);
      const spot = [0, 0];
      moves.forEach(({ way, step }, i) => (spot[way] += index[i] * step));
      const [x, y] = [0, 1].map((w) => place.at[w] + spot[w] * place.step);
      const now = mark && mark.now.every((n, i) => n === index[i]);
      const colour = now ? NOW : mark?.used(index) ? USED : PLAIN;
      const box = `<rect x="${x}" y="${y}" width="${place.step}" ` +
        `height="${place.step}"`;
      found += `${box} fill="${colour}" stroke="white"/>`;
      if (now) frame = `${box} fill="none" stroke="black" stroke-width="3"/>`;
    }
    return found + frame;
  }

  const written = (x, y, text, more = "") =>
    `<text x="${x}" y="${y}" ${more}>${text}</text>`;

  // Each axis beside the cells, with its letter and its size.
  function bars(place, { letters, shape }, shown, reading) {
    const order = [...reading.sizes.keys()];
    const levels = [0, 0];
    const sizes = [...shape].reverse();
    const names = [...letters].reverse();
    const drawn = [...shown].reverse();
    return grow(shown).map(({ way, extent }, i) => {
      const summed = reading.summed.includes(names[i]);
      const wrong = names[i] === reading.clash;
      const colour = wrong
        ? NOW
        : PALETTE[order.indexOf(names[i]) % PALETTE.length];
      const word = (summed && !wrong ? "Σ " : "") +
        `${names[i]} = ${sizes[i]}` + (sizes[i] === drawn[i] ? "" : " …");
      const [left, top] = place.at;
      const length = extent * place.step;
      const style = `stroke="${colour}" stroke-width="5.5"` +
        (summed ? ' stroke-dasharray="6.6 3.4"' : "");
      const away = 10 + (way === 0 ? BAR : SIDE) * levels[way]++;
      return way === 0
        ? `<path d="M${left} ${top - away}h${length}" ${style}/>` +
            written(left + length / 2, top - away - 17, word)
        : `<path d="M${left - away} ${top}v${length}" ${style}/>` +
            written(left - away - 7, top + length / 2, word,
              'text-anchor="end"');
    }).join("");
  }

  function picture(reading, names, element, chosen) {
    const tensors = reading.terms.map((letters, k) => ({
      letters, shape: reading.given[k],
    }));
    if (!reading.clash)
      tensors.push({ letters: reading.kept, shape: reading.shape });
    const shown = cut(tensors.map(({ shape }) => shape));
    const marked = marks(reading, tensors, shown, element, chosen);
    const extents = shown.map((shape) => {
      const found = [1, 1];
      for (const { way, extent } of grow(shape)) found[way] = extent;
      return found;
    });
    const count = (letters, way) =>
      range(letters.length).filter((k) => horizontal(k) === (way === 0)).length;
    const above = BAR *
      Math.max(...tensors.map(({ letters }) => count(letters, 0)));
    const sides = tensors.map(({ letters }) => SIDE * count(letters, 1));
    const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);
    const taken = sum(sides) + BETWEEN * (tensors.length - 1) + 10;
    const [across, down] = [sum(extents.map((e) => e[0])),
      Math.max(...extents.map((e) => e[1]))];
    const step = Math.max(2, Math.min(
      42, (1000 - taken) / across, (200 - above) / down,
    ));
    const middle = above + 15 + (down * step) / 2;
    let [left, drawn] = [0, ""];
    tensors.forEach((tensor, k) => {
      left += sides[k];
      const [wide, high] = extents[k].map((extent) => extent * step);
      const place = { at: [left, middle - high / 2], step };
      drawn += cells(place, shown[k], marked?.[k]) +
        bars(place, tensor, shown[k], reading) +
        written(left + wide / 2, middle + high / 2 + 17,
          `<tspan font-style="italic">${names[k]}</tspan> ` +
          tuple(tensor.shape));
      left += wide + BETWEEN;
      if (k < tensors.length - 1)
        drawn += written(left - BETWEEN / 2, middle,
          k < reading.terms.length - 1 ? "·" : "=", 'class="sign"');
    });
    const text = marked
      ? sentence(reading, names, marked.map(({ now }) => now))
      : reading.text;
    const size = [taken + across * step, middle + (down * step) / 2 + 35];
    const box = `width="${size[0]}" viewBox="0 0 ${size.join(" ")}"`;
    const least = `style="min-width: ${0.62 * size[0]}px"`; // to be legible
    return { svg: `<svg ${box} ${least}>${drawn}</svg>`, text };
  }

  function sentence(reading, names, now) {
    const words = now.map(
      (index, k) => names[k] + (index.length ? `[${index.join(", ")}]` : ""),
    );
    const count = product(reading.summed.map((a) => reading.sizes.get(a)));
    const many = count === 1 ? "1 term" : `${count} terms`;
    const outlined = words.slice(0, -1).join(" · ");
    return `${words.at(-1)} has ${many}; outlined: ${outlined}.   ` +
      reading.text;
  }

  // The equation as a formula.
  function formula(reading, names) {
    const symbol = (name, letters) =>
      `${name}<sub>${letters.join("").replace(/(…\d+)+/g, "…")}</sub>`;
    const { terms, summed } = reading;
    const right = terms.map((letters, k) => symbol(`<i>${names[k]}</i>`, letters));
    if (summed.length) right.unshift(symbol("∑", summed));
    const left = symbol(`<i>${names.at(-1)}</i>`, reading.kept);
    return `<p class="formula">${left} = ${right.join(" ")}</p>`;
  }

  function draw({ equation, shapes: text, element, term }, zh) {
    const reading = read(equation, shapes(text, zh), zh);
    const count = reading.terms.length;
    const names = range(count).map((k) => NAMES[k] ?? `X${k + 1}`);
    names.push("Y");
    const { svg, text: said } = picture(
      reading, names, Number(element), Number(term),
    );
    return { html: formula(reading, names) + svg, text: said };
  }

  return { shapes, read, draw };
})();
