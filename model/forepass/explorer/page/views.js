"use strict";
// What is told of a state, as text and tables: numbers carry themselves in full in data-value.

const BARS = 12;

function cell(text, value) {
  return element("td", value === undefined ? { textContent: text } : { textContent: text, "data-value": value });
}

function row(heading, ...cells) {
  return element("tr", {}, element("th", { scope: "row" }, heading), ...cells);
}

// One line for eyes and ears: the headline of the year, and what it was.
function answerText(now, was, headline, { year, moved }) {
  const { unit, factor } = scaled(headline.unit, [...now, ...was].filter((value) => value > 0));
  const text = (q) => intervalText(...[q[3], q[1], q[5]].map((value) => value * factor));
  return {
    now: `${year}: ${text(now)}${unit && ` ${unit}`}`,
    was: moved ? `(80% interval), as believed ${text(was)}` : "(80% interval)",
  };
}

function trustText(answers) {
  const { k, ess, faults, draws } = answers;
  if (answers.weights === answers.equal) return { sound: true, text: `all ${numberText(draws, 1)} draws count alike` };
  const worth = `worth ${numberText(ess, 1)} of ${numberText(draws, 1)} draws, Pareto k ${numberText(k, 0.01)}`;
  if (faults.length === 0) return { sound: true, text: `${worth}: reliable` };
  return { sound: false, text: `The draws cannot answer this: ${faults.join(", and ")} (${worth}). Refit with the command below.` };
}

// Whether a headline follows what is set exactly.
function exactText(answers, headline) {
  const { several, between, untold } = answers.followed(headline);
  if (untold.length) {
    const titles = untold.map((name) => answers.levers[name].title.toLowerCase());
    return `Does not follow ${titles.join(" and ")}: the command below does.`;
  }
  if (several) {
    return "Rough: several levers act on it, each as it does alone; the lower tail may be far off. The command below is exact.";
  }
  if (between) return "Interpolated in logs, draw by draw, between runs of the model.";
  return Object.keys(answers.set).length ? "Worked out exactly for what is set." : "";
}

function showNumbers(body, answers, headline, rows, believed) {
  const { factor } = scaled(headline.unit, rows.flat().filter((value) => value > 0));
  body.replaceChildren(
    ...answers.years.map((year, t) =>
      row(
        String(year),
        ...rows[t].map((value) => cell(numberText(value * factor), value)),
        cell(numberText(believed[t] * factor), believed[t]),
      ),
    ),
  );
}

function showHeadlines(body, answers, state, choose) {
  const t = answers.years.indexOf(state.year);
  const rows = Object.values(answers.headlines).map((headline) => {
    const now = answers.quantiles(headline, t);
    const was = answers.quantiles(headline, t, { believed: true });
    const { unit, factor } = scaled(headline.unit, [...now, ...was].filter((value) => value > 0));
    const chosen = headline.name === state.headline;
    const name = element("button", {
      type: "button",
      className: "link",
      textContent: headline.title,
      "aria-pressed": String(chosen),
      onclick: () => choose(headline.name),
    });
    const text = (q) => intervalText(...[q[3], q[1], q[5]].map((value) => value * factor));
    const ratio = now[3] / was[3];
    const found = row(
      name,
      element("td", { textContent: text(now), "data-value": now[3], "data-low": now[1], "data-high": now[5] }),
      cell(unit),
      cell(text(was), was[3]),
      cell(Number.isFinite(ratio) ? `× ${numberText(ratio)}` : "–", ratio),
    );
    found.dataset.headline = headline.name;
    return found;
  });
  body.replaceChildren(...rows);
}

function showTornado(body, answers, headline, t, movers) {
  const { values, order } = answers.drawn(headline, t);
  const median = weightedQuantiles(values, order, answers.trusted, [0.5])[0];
  const bars = movers.slice(0, BARS).map((mover) => ({ mover, ends: answers.swing(mover, headline, t) }));
  bars.sort((a, b) => Math.abs(Math.log(b.ends[1] / b.ends[0])) - Math.abs(Math.log(a.ends[1] / a.ends[0])));
  const known = bars.flatMap(({ ends }) => ends).filter((value) => value > 0);
  const { unit, factor } = scaled(headline.unit, known);
  const far = Math.max(...known.map((value) => Math.abs(Math.log(value / median))), 1e-9);
  const share = (value) => (value > 0 ? 50 + (48 * Math.log(value / median)) / far : 2);
  body.replaceChildren(
    ...bars.map(({ mover, ends }) => {
      const bar = element("div", { className: "bar", "aria-hidden": "true" });
      ends.forEach((end, at) => {
        const piece = element("span", { className: at ? "high" : "low" });
        piece.style.left = `${Math.min(50, share(end))}%`;
        piece.style.width = `${Math.abs(share(end) - 50)}%`;
        bar.append(piece);
      });
      return row(
        mover.words,
        cell(numberText(ends[0] * factor), ends[0]),
        element("td", { className: "bars" }, bar),
        cell(numberText(ends[1] * factor), ends[1]),
        cell(mover.prior.rests_on),
      );
    }),
  );
  return unit;
}

function showParts(home, answers, headline, t) {
  home.hidden = headline.parts.length === 0;
  if (home.hidden) return;
  const rows = headline.parts.map(([name, factors]) => {
    const values = answers.product(factors, t, answers.set);
    const q = weightedQuantiles(values, orderOf(values), answers.weights, [0.1, 0.5, 0.9]);
    return row(name, cell(intervalText(q[1], q[0], q[2]), q[1]));
  });
  home.querySelector("tbody").replaceChildren(...rows);
}

function showPassing(home, answers, headline, state) {
  const told = home.querySelector(".dates");
  const body = home.querySelector("tbody");
  const found = state.threshold > 0 ? answers.passing(headline, state.threshold, state.above) : null;
  home.querySelector("table").hidden = found === null;
  if (!found) {
    told.textContent = "Give a value to see when it is passed.";
    body.replaceChildren();
    return;
  }
  const date = (at) => monthText(found.quantiles[at], found.first, found.last);
  told.textContent = `Median date ${date(3)}, 80% interval ${date(1)} to ${date(5)}.`;
  body.replaceChildren(
    ...found.passed.map((passed, t) => {
      const meter = element("meter", { min: 0, max: 1, value: passed, "aria-hidden": "true" });
      return row(
        String(answers.years[t]),
        cell(percentText(passed), passed),
        element("td", {}, meter),
        cell(percentText(found.beyond[t]), found.beyond[t]),
      );
    }),
  );
}

// All headlines with all their quantiles by year, as rows of a file.
function allRows(answers) {
  return Object.values(answers.headlines).flatMap((headline) =>
    answers.years.map((year, t) => {
      const found = answers.quantiles(headline, t);
      const numbers = found.map((value) => (Number.isFinite(value) ? value : null));
      return {
        quantity: headline.name,
        unit: headline.unit,
        year,
        ...Object.fromEntries(LEVEL_NAMES.map((name, at) => [name, numbers[at]])),
      };
    }),
  );
}

function asCsv(rows) {
  const field = (value) => {
    const text = value === null ? "" : String(value);
    return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const lines = [Object.keys(rows[0]), ...rows.map(Object.values)];
  return `${lines.map((line) => line.map(field).join(",")).join("\n")}\n`;
}

function download(name, type, text) {
  const link = element("a", { href: URL.createObjectURL(new Blob([text], { type })), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
