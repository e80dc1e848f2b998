"use strict";
// Sliders: levers that set a quantity, and priors that are moved and stretched.

const MOST_MOVED = 2.5; // in normal scores
const MOST_WIDENED = 2;
const LISTED = 8;
const MORE = 20;
const STEPS = 200;

let made = 0;

// An element with properties, attributes where their names have a dash, and children.
function element(name, properties = {}, ...children) {
  const found = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key.includes("-")) found.setAttribute(key, value);
    else found[key] = value;
  }
  found.append(...children);
  return found;
}

function slider(label, { min, max, step, value }, oninput) {
  const id = `slider-${++made}`;
  const input = element("input", { type: "range", id, min, max, step, value, oninput });
  return { input, label: element("label", { htmlFor: id, textContent: label }) };
}

function leverControl(lever, state, changed) {
  const home = element("div", { className: "lever", "data-lever": lever.name });
  const told = element("output", { className: "value" });
  const stops = stopsOf(lever);
  const to = (at) => {
    if (stops.length) return stops[at];
    if (!lever.log) return Number(at);
    return Number((lever.low * (lever.high / lever.low) ** (at / STEPS)).toPrecision(2));
  };
  const from = (value) => {
    if (stops.length) return stops.indexOf(value);
    if (!lever.log) return value;
    return (STEPS * Math.log(value / lever.low)) / Math.log(lever.high / lever.low);
  };
  const set = (value) => {
    if (value === null) delete state().levers[lever.name];
    else state().levers[lever.name] = value;
    changed();
  };
  if (stops.length && lever.base === null) {
    const id = `slider-${++made}`;
    const choose = element(
      "select",
      { id, onchange: () => set(choose.value === "" ? null : Number(choose.value)) },
      element("option", { value: "", textContent: "as forecast" }),
      ...stops.map((level) =>
        element("option", { value: String(level), textContent: `${level} ${lever.unit}` }),
      ),
    );
    home.append(element("label", { htmlFor: id, textContent: lever.title }), choose);
    return { home, show: () => (choose.value = String(state().levers[lever.name] ?? "")) };
  }
  const last = stops.length ? stops.length - 1 : STEPS;
  const range =
    stops.length || lever.log
      ? { min: 0, max: last, step: 1 }
      : { min: lever.low, max: lever.high, step: 0.01 };
  const { input, label } = slider(lever.title, { ...range, value: from(lever.start) }, () =>
    set(to(Number(input.value))),
  );
  const free = element("button", {
    type: "button",
    className: "small",
    textContent: "as forecast",
    "aria-label": `${lever.title}: as forecast`,
    onclick: () => set(null),
  });
  home.append(label, told, input, free);
  const show = () => {
    const value = state().levers[lever.name];
    const { unit, factor } = scaled(lever.unit, [value ?? lever.start]);
    told.textContent = value === undefined ? "as forecast" : `${numberText(value * factor)} ${unit}`;
    if (value === undefined) input.value = from(lever.start);
    else if (to(Number(input.value)) !== value) input.value = from(value);
    input.setAttribute("aria-valuetext", told.textContent);
    home.classList.toggle("set", value !== undefined);
    free.disabled = value === undefined;
  };
  return { home, show };
}

function priorControl(key, prior, state, changed, scoresAt) {
  const home = element("li", { className: "prior", "data-prior": key });
  const told = element("output", { className: "value" });
  const was = movedTo(prior, [0, 1], scoresAt);
  const text = ({ p10, p50, p90 }) => {
    const { unit: word, factor } = scaled("", [p10, p50, p90]);
    return `${intervalText(...[p50, p10, p90].map((value) => value * factor))} ${word}`.trim();
  };
  const take = () => {
    const moved = [Number(median.input.value), 2 ** Number(width.input.value)];
    if (moved[0] === 0 && moved[1] === 1) delete state().priors[key];
    else state().priors[key] = moved;
    changed();
  };
  const range = { min: -MOST_MOVED, max: MOST_MOVED, step: 0.05, value: 0 };
  const median = slider("Median", range, take);
  const width = slider("Width", { min: -1, max: 1, step: 0.05, value: 0 }, take);
  const back = element("button", {
    type: "button",
    className: "small",
    textContent: "as believed",
    "aria-label": `${prior.title}: as believed`,
    onclick: () => {
      delete state().priors[key];
      changed();
    },
  });
  for (const { input } of [median, width]) {
    input.setAttribute("aria-describedby", `about-${made}`);
  }
  const about = element(
    "details",
    {},
    element("summary", { textContent: "why, and where from" }),
    element("p", { textContent: prior.rationale }),
    element("p", { textContent: `${prior.distribution}; source: ${prior.source}; ${key}` }),
  );
  home.append(
    element("h3", { id: `about-${made}`, textContent: prior.title }),
    element("p", { className: "unit", textContent: `${prior.unit} · ${prior.rests_on}` }),
    element("p", { className: "belief" }, told),
    element("div", { className: "pair" }, median.label, median.input, width.label, width.input, back),
    about,
  );
  const show = () => {
    const moved = state().priors[key];
    const [shift, stretch] = moved || [0, 1];
    const now = text(movedTo(prior, [shift, stretch], scoresAt));
    told.textContent = moved ? `${now}, was ${text(was)}` : now;
    if (Number(median.input.value) !== shift) median.input.value = shift;
    if (2 ** Number(width.input.value) !== stretch) width.input.value = Math.log2(stretch);
    median.input.setAttribute("aria-valuetext", now);
    width.input.setAttribute("aria-valuetext", `${numberText(stretch)} times as wide`);
    home.classList.toggle("set", moved !== undefined);
    back.disabled = moved === undefined;
  };
  return { home, show };
}

// The list of beliefs: those moved, then those that go closest with the headline, or that match.
class PriorList {
  constructor(list, search, more, count, answers, state, changed) {
    Object.assign(this, { list, search, more, count, answers, state, changed });
    this.controls = new Map();
    this.length = LISTED;
    search.addEventListener("input", () => {
      this.length = LISTED;
      this.order();
    });
    more.addEventListener("click", () => {
      this.length += MORE;
      this.order();
      more.focus();
    });
  }

  #control(key) {
    if (!this.controls.has(key)) {
      const prior = this.answers.priors[key];
      const at = this.answers.contents.scores_at;
      this.controls.set(key, priorControl(key, prior, this.state, this.changed, at));
    }
    return this.controls.get(key);
  }

  // movers: as Answers.movers gives them; without, the last ones.
  order(movers = this.movers) {
    this.movers = movers;
    const wanted = this.search.value.trim().toLowerCase();
    const ranked = new Set(movers.map(({ prior }) => `${prior.block}.${prior.name}`));
    const known = [...new Set([...ranked, ...Object.keys(this.answers.priors)])];
    const moved = Object.keys(this.state().priors);
    const matching = known.filter((key) => {
      const { title, unit, source } = this.answers.priors[key];
      const text = `${key} ${key.replaceAll("_", " ")} ${title} ${unit} ${source}`.toLowerCase();
      return wanted.split(/\s+/).every((word) => text.includes(word));
    });
    const shown = [...new Set([...moved, ...matching.slice(0, this.length)])];
    const focused = document.activeElement;
    this.list.replaceChildren(...shown.map((key) => this.#control(key).home));
    if (this.list.contains(focused)) focused.focus();
    this.more.hidden = matching.length <= this.length;
    this.count.textContent = `${matching.length} of ${known.length} beliefs${wanted ? " match" : ""}`;
    this.show();
  }

  show() {
    for (const { show } of this.controls.values()) show();
  }
}
