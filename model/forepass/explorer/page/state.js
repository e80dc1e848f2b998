"use strict";
// What a reader chose, as the address carries it, and as a command line and a scenario file say it.

const Z90 = 1.2815515655446004;

function startState(contents) {
  return {
    headline: contents.headlines[0].name,
    year: contents.years.includes(2030) ? 2030 : contents.years[contents.years.length - 1],
    above: true,
    threshold: null,
    levers: {},
    priors: {},
  };
}

function asHash(state, contents) {
  const start = startState(contents);
  const words = new URLSearchParams();
  if (state.headline !== start.headline) words.set("show", state.headline);
  if (state.year !== start.year) words.set("year", state.year);
  if (state.threshold !== null) {
    words.set("cross", `${state.above ? "above" : "below"},${typed(state.threshold)}`);
  }
  for (const [name, value] of Object.entries(state.levers)) words.set(`set.${name}`, typed(value));
  for (const [name, moved] of Object.entries(state.priors)) {
    words.set(`prior.${name}`, moved.map(typed).join(","));
  }
  return words.toString();
}

// The state that an address carries; what is not of this page is left out, and said.
function fromHash(hash, answers) {
  const state = startState(answers.contents);
  const ignored = [];
  for (const [key, text] of new URLSearchParams(hash.replace(/^#/, ""))) {
    if (!understood(state, key, text, answers)) ignored.push(key);
  }
  return { state, ignored };
}

function understood(state, key, text, answers) {
  const dot = key.indexOf(".");
  const [kind, name] = dot < 0 ? [key, ""] : [key.slice(0, dot), key.slice(dot + 1)];
  const own = (table, one) => Object.prototype.hasOwnProperty.call(table, one);
  const numbers = text.split(",").map((part) => (part.trim() === "" ? NaN : Number(part)));
  const [first, second] = numbers;
  if (kind === "show" && own(answers.headlines, text)) state.headline = text;
  else if (kind === "year" && answers.years.includes(first)) state.year = first;
  else if (kind === "cross" && /^(above|below),/.test(text) && second > 0 && second < Infinity) {
    state.above = text.startsWith("above");
    state.threshold = second;
  } else if (kind === "set" && own(answers.levers, name)) {
    const lever = answers.levers[name];
    if (!(first >= lever.low && first <= lever.high)) return false;
    const stops = stopsOf(lever);
    if (stops.length && !stops.includes(first)) return false;
    state.levers[name] = first;
  } else if (kind === "prior" && own(answers.priors, name)) {
    if (!(Math.abs(first) <= MOST_MOVED && second >= 1 / MOST_WIDENED && second <= MOST_WIDENED)) {
      return false;
    }
    state.priors[name] = [first, second];
  } else return false;
  return true;
}

// The ends of a prior's 80% interval and its median, as moved.
function movedTo(prior, [shift, width], scoresAt) {
  const at = (score) => valueAt(prior, shift + width * score, scoresAt);
  return { p10: at(-Z90), p50: at(0), p90: at(Z90) };
}

function quoted(word) {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

// The command line that answers what the page shows; moved priors are in a file beside it.
function commandLine(state, answers) {
  const { contents } = answers;
  const headline = answers.headlines[state.headline];
  const moved = Object.keys(state.priors).length > 0;
  const named = moved ? "moved.toml" : contents.request.scenario_named;
  const words = [
    ...["forepass", headline.command],
    ...(state.threshold === null
      ? ["--years", String(state.year)]
      : ["--when", headline.name, state.above ? "above" : "below", typed(state.threshold)]),
    ...(contents.seed === 1 ? [] : ["--seed", String(contents.seed)]),
    ...(named ? ["--scenario", named] : []),
    ...optionsBelow(contents.request.options, state, answers),
    ...Object.entries(state.levers).flatMap(([name, value]) => [
      "--set",
      `${answers.levers[name].option}=${typed(value)}`,
    ]),
  ];
  return words.map(quoted).join(" ");
}

// What the page itself was asked to set, but for what its reader set otherwise.
function optionsBelow(options, state, answers) {
  const nameOf = (text) => text.split(/[@=]/)[0].trim();
  const set = Object.keys(state.levers).map((name) => nameOf(answers.levers[name].option));
  const texts = options.filter((word) => word !== "--set");
  const left = texts.filter((text) => !set.includes(nameOf(text)));
  return left.flatMap((text) => ["--set", text]);
}

// A scenario file with the moved priors: what fits them anew where the draws no longer can.
function scenarioFile(state, answers) {
  const { contents } = answers;
  const text = JSON.stringify;
  const lines = [
    "[scenario]",
    'title = "Priors as moved in the explorer"',
    `story = ${text(`Moved by hand: ${Object.keys(state.priors).join(", ")}.`)}`,
    'source = "judgement"',
  ];
  if (contents.request.scenario_named) lines.push(`inherits = ${text(contents.request.scenario_named)}`);
  for (const [name, moved] of Object.entries(state.priors)) {
    const prior = answers.priors[name];
    const to = movedTo(prior, moved, contents.scores_at);
    const stated = prior.quantiles_stated > 1 ? ["p10", "p90"] : ["p90"];
    lines.push(
      "",
      `[priors.${name}]`,
      `distribution = ${text(prior.distribution)}`,
      ...stated.map((level) => `${level} = ${decimal(to[level])}`),
      `unit = ${text(prior.unit)}`,
      'source = "judgement"',
      `rationale = ${text(`Moved in the explorer from ${prior.source}.`)}`,
    );
    const [low, high] = prior.support;
    if (low !== null || high !== null) {
      lines.push(`support = [${low === null ? "-inf" : decimal(low)}, ${high === null ? "inf" : decimal(high)}]`);
    }
  }
  return `${lines.join("\n")}\n`;
}

// A number as TOML has it, where 1 and 1.0 differ and 1e9 may not be written 1.e9.
function decimal(value) {
  const text = typed(value);
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}
