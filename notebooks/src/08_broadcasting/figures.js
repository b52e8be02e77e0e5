// Lesson 08: the aligner of figures.py for the static page.
"use strict";

window.typed = {
  SLOTS: 5,

  // Reads a shape that somebody typed; brackets may stand around it.
  sizes(text, zh) {
    const parts = text.replace(/[()[\],，（）]/g, " ").trim().split(/\s+/);
    const found = parts.filter(Boolean).map((part) => part.normalize("NFKC"));
    if (found.length > this.SLOTS || !found.every((n) => /^\d{1,4}$/.test(n)))
      throw new Error(
        zh
          ? `最多写 ${this.SLOTS} 个大小，例如 2, 1, 4；得到 '${text}'`
          : `write at most ${this.SLOTS} sizes, such as 2, 1, 4: '${text}'`,
      );
    return found.map(Number);
  },

  // The three rows of the table, each cell as [kind, text], and the verdict.
  align(a, b) {
    const rows = [a, b].map((shape) => [
      ...Array(this.SLOTS - shape.length).fill("-"),
      ...shape,
    ]);
    const table = [[], [], []];
    const result = [];
    for (let k = 0; k < this.SLOTS; k++) {
      const pair = [rows[0][k], rows[1][k]];
      const [p, q] = pair.map((size) => (size === "-" ? 1 : size));
      const clash = p !== q && p !== 1 && q !== 1;
      result.push(clash ? "clash" : p === 1 ? q : p);
      [...pair, result[k]].forEach((size, i) => {
        const same = clash || size === result[k];
        const kind = clash ? "clash" : same ? "same" : "stretched";
        const told = same ? `${size}` : `${size} → ${result[k]}`;
        const none = pair[0] === "-" && pair[1] === "-";
        table[i].push(none ? ["nothing", ""] : [kind, told]);
      });
    }
    const tuple = (n) => `(${n.join(", ")}${n.length === 1 ? "," : ""})`;
    const shape = result.slice(this.SLOTS - Math.max(a.length, b.length));
    const verdict = shape.includes("clash") ? "error" : `fits, ${tuple(shape)}`;
    return { table, text: `${tuple(a)} with ${tuple(b)}: ${verdict}` };
  },

  draw({ a, b }, zh) {
    const colors = { same: "#56B4E9", stretched: "#E69F00", clash: "#D55E00" };
    const [one, other] = [a, b].map((text) => this.sizes(text, zh));
    const { table, text } = this.align(one, other);
    const cell = ([kind, told]) =>
      `<td style="background: ${colors[kind] ?? "white"}">${told}</td>`;
    const row = (name, k) => `<th>${name}</th>${table[k].map(cell).join("")}`;
    const axes = [...Array(this.SLOTS).keys()].map(
      (k) => `<th>axis ${k - this.SLOTS}</th>`,
    );
    const lines = ["a", "b", "result"].map(row);
    const html = [...lines, `<td></td>${axes.join("")}`]
      .map((line) => `<tr>${line}</tr>`)
      .join("");
    return { html: `<table class="aligned">${html}</table>`, text };
  },
};
