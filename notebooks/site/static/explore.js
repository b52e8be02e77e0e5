// The sliders of a page: a control moves, and a picture drawn before is shown.
"use strict";

const zh = document.documentElement.lang.startsWith("zh");

function make(tag, attributes = {}) {
  return Object.assign(document.createElement(tag), attributes);
}

// A control in its label; `where` is the number of its value.
function control({ name, kind, values, at }) {
  const field = make(kind === "Dropdown" ? "select" : "input");
  const label = make("label");
  label.append(make("span", { textContent: name }), field);
  if (kind === "Text") {
    Object.assign(field, { value: values[0], spellcheck: false });
    return { label, field, get value() { return field.value; } };
  }
  let place = "value";
  const output = make("output", { ariaLive: "off" }); // a slider tells it
  if (kind === "Dropdown") {
    field.append(...values.map((value) => new Option(value)));
    place = "selectedIndex";
  } else if (kind === "Checkbox") {
    field.type = "checkbox";
    place = "checked";
  } else {
    Object.assign(field, { type: "range", min: 0, max: values.length - 1 });
    label.append(output);
  }
  const found = {
    label, field,
    get where() { return Number(field[place]); },
    set where(k) {
      field[place] = k;
      output.textContent = values[k];
      field.setAttribute("aria-valuetext", values[k]);
    },
    get value() { return values[found.where]; },
  };
  found.where = at;
  return found;
}

// The picture of the point where the controls stand. Where none is stored,
// that of the nearest point with the same `moved`; the others go there.
function frames(box, told, controls) {
  const picture = box.querySelector("img");
  const spoken = make("p", { className: "spoken", role: "status" });
  box.append(spoken);
  const stored = told.points.map((_, k) => `${told.folder}/${k}.png`);
  addEventListener("load", () => {
    told.loaded = stored.map((src) => make("img", { src }));
  });
  return (moved) => {
    const here = controls.map((c) => c.where);
    const i = controls.indexOf(moved);
    const away = told.points.map((point) =>
      point[i] === here[i]
        ? point.filter((k, j) => k !== here[j]).length
        : Infinity,
    );
    const k = away.indexOf(Math.min(...away));
    controls.forEach((c, j) => (c.where = told.points[k][j]));
    picture.src = stored[k];
    picture.alt = spoken.textContent = told.alts[k];
  };
}

// What is typed: drawn by the lesson's own script, or told why it is wrong.
function typing(box, told, controls) {
  const picture = make("div", { className: "drawn" });
  const said = make("p", { className: "said", role: "status" });
  box.append(picture, said);
  const show = (moved) => {
    if (moved?.where !== undefined) moved.where = moved.where;
    const values = controls.map((c, k) => [told.controls[k].name, c.value]);
    try {
      const { html, text } = typed.draw(Object.fromEntries(values), zh);
      picture.innerHTML = html;
      said.textContent = text;
    } catch (error) {
      said.textContent = `⚠ ${error.message}`;
    }
  };
  show();
  return show;
}

for (const box of document.querySelectorAll(".explore")) {
  const told = JSON.parse(box.querySelector("script[type]").text);
  const controls = told.controls.map(control);
  const panel = make("div", { className: "controls" });
  panel.append(...controls.map((c) => c.label));
  box.prepend(panel);
  const show = (told.points.length ? frames : typing)(box, told, controls);
  for (const c of controls) {
    const text = c.where === undefined; // shown when Enter is pressed
    c.field.addEventListener(text ? "change" : "input", () => show(c));
  }
}
