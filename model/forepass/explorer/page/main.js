"use strict";
// The page: one state, a picture of it that follows within a frame, and tables right after.

(async () => {
  const find = (id) => document.getElementById(id);
  const contents = JSON.parse(find("contents").textContent);
  const answers = new Answers(contents, await unpacked(find("packed").textContent, contents.places));
  let state = startState(contents);
  let movers = [];
  let due = false;
  const timings = [];
  const fan = new Fan(find("fan"));

  const headlineNow = () => answers.headlines[state.headline];
  const yearPlace = () => answers.years.indexOf(state.year);
  const changed = () => {
    if (due) return;
    due = true;
    const asked = performance.now();
    requestAnimationFrame(() => {
      due = false;
      picture();
      // After the frame is painted, not when the work is done.
      setTimeout(() => {
        timings.push(performance.now() - asked);
        if (!due) tables();
      });
    });
  };

  const controls = contents.levers.map((lever) => leverControl(lever, () => state, changed));
  find("levers").append(...controls.map(({ home }) => home));
  const list = new PriorList(
    ...["priors", "search", "more", "found"].map(find),
    answers,
    () => state,
    changed,
  );

  for (const headline of contents.headlines) {
    find("headline").append(element("option", { value: headline.name, textContent: headline.title }));
  }
  for (const year of contents.years) {
    find("year").append(element("option", { value: String(year), textContent: String(year) }));
  }

  function choose(name) {
    state.headline = name;
    state.threshold = null;
    look();
    find("headline").focus();
    find("answer").scrollIntoView({ block: "start" });
  }

  // The beliefs that matter are other ones once the question is another.
  function look() {
    picture();
    tables();
    list.order(movers);
  }

  function picture() {
    answers.move(state);
    const headline = headlineNow();
    const t = yearPlace();
    const rows = answers.years.map((_, at) => answers.quantiles(headline, at));
    const believed = answers.years.map((_, at) => answers.quantiles(headline, at, { believed: true })[3]);
    const moved = Object.keys(state.levers).length + Object.keys(state.priors).length > 0;
    const trust = trustText(answers);
    const told = answerText(rows[t], answers.quantiles(headline, t, { believed: true }), headline, {
      year: state.year,
      moved,
    });
    find("headline").value = state.headline;
    find("year").value = String(state.year);
    find("now").textContent = told.now;
    find("was").textContent = told.was;
    find("trust").textContent = trust.text;
    find("answer").classList.toggle("doubtful", !trust.sound);
    find("defined").textContent = `${headline.title}: ${headline.about}.`;
    find("exact").textContent = exactText(answers, headline);
    find("reset").disabled = !moved;
    const { threshold } = state;
    fan.draw({
      years: answers.years,
      rows,
      believed,
      unit: headline.unit,
      threshold,
      year: state.year,
      doubtful: !trust.sound,
    });
    find("fan").setAttribute("aria-label", chartText(headline, told));
    for (const { show: showControl } of controls) showControl();
    list.show();
    say(`${headline.title}, ${told.now}. ${trust.text}`);
  }

  function tables() {
    const headline = headlineNow();
    const t = yearPlace();
    const rows = answers.years.map((_, at) => answers.quantiles(headline, at));
    const believed = answers.years.map((_, at) => answers.quantiles(headline, at, { believed: true })[3]);
    movers = answers.movers(headline, t);
    showNumbers(find("numbers").tBodies[0], answers, headline, rows, believed);
    find("numbers-unit").textContent = scaled(headline.unit, rows.flat().filter((v) => v > 0)).unit || "ratio";
    showHeadlines(find("all").tBodies[0], answers, state, choose);
    const unit = showTornado(find("tornado").tBodies[0], answers, headline, t, movers);
    for (const cellOf of document.querySelectorAll(".tornado-unit")) cellOf.textContent = unit;
    showParts(find("parts"), answers, headline, t);
    showThreshold(headline);
    for (const year of document.querySelectorAll(".year-shown")) year.textContent = state.year;
    find("command").value = commandLine(state, answers);
    const file = Object.keys(state.priors).length > 0;
    find("file").hidden = !file;
    find("file-text").textContent = file ? scenarioFile(state, answers) : "";
    keepAddress();
  }

  function chartText(headline, { now }) {
    const moved = Object.keys(state.levers).length + Object.keys(state.priors).length;
    const [first, last] = [answers.years[0], answers.years[answers.years.length - 1]];
    return `${headline.title}, fan from ${first} to ${last}, ${moved} assumptions moved. ${now}. The numbers are in the table below.`;
  }

  // A threshold is typed in the unit that the answer is shown in.
  function thresholdScale(headline) {
    const all = answers.years.flatMap((_, at) => answers.quantiles(headline, at, { believed: true }));
    return scaled(headline.unit, all.filter((value) => value > 0));
  }

  function showThreshold(headline) {
    const { unit, factor } = thresholdScale(headline);
    find("threshold-unit").textContent = unit || "ratio";
    const input = find("threshold");
    if (document.activeElement !== input) {
      input.value = state.threshold === null ? "" : typed(state.threshold * factor);
    }
    find("relation").value = state.above ? "above" : "below";
    showPassing(find("passing"), answers, headline, state);
  }

  // Said once a slider rests: every step would be talked over by the next.
  let saying = 0;
  function say(text) {
    clearTimeout(saying);
    saying = setTimeout(() => (find("said").textContent = text), 600);
  }

  let keeping = 0;
  function keepAddress() {
    clearTimeout(keeping);
    keeping = setTimeout(() => {
      const hash = asHash(state, contents);
      if (hash !== location.hash.slice(1)) history.replaceState(null, "", `#${hash}`);
    }, 150);
  }

  function takeAddress() {
    const found = fromHash(location.hash, answers);
    state = found.state;
    find("ignored").textContent = found.ignored.length
      ? `Left out of the link, as this page does not have it: ${found.ignored.join(", ")}.`
      : "";
    find("ignored").hidden = found.ignored.length === 0;
    look();
  }

  async function copy(text, button) {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "copied";
    } catch {
      button.textContent = "select it and copy";
    }
    setTimeout(() => (button.textContent = button.dataset.words), 2000);
  }

  const on = (id, event, does) => find(id).addEventListener(event, does);
  on("headline", "change", () => choose(find("headline").value));
  on("year", "change", () => {
    state.year = Number(find("year").value);
    look();
  });
  on("relation", "change", () => {
    state.above = find("relation").value === "above";
    changed();
  });
  on("threshold", "input", () => {
    const value = Number(find("threshold").value) / thresholdScale(headlineNow()).factor;
    state.threshold = value > 0 && Number.isFinite(value) ? value : null;
    changed();
  });
  on("reset", "click", () => {
    state.levers = {};
    state.priors = {};
    look();
  });
  // The address is taken: it carries the state.
  on("skip", "click", (event) => {
    event.preventDefault();
    find("moving").focus();
  });
  on("copy-command", "click", (event) => copy(find("command").value, event.target));
  on("copy-link", "click", (event) => {
    history.replaceState(null, "", `#${asHash(state, contents)}`);
    copy(location.href, event.target);
  });
  on("csv", "click", () => download("forepass-explorer.csv", "text/csv", asCsv(allRows(answers))));
  on("json", "click", () => {
    const { k, ess, draws } = answers;
    const told = {
      forepass: contents.forepass,
      seed: contents.seed,
      as_of: contents.as_of,
      state,
      command: commandLine(state, answers),
      draws: { count: draws, worth: ess, pareto_k: Number.isFinite(k) ? k : null },
      rows: allRows(answers),
    };
    download("forepass-explorer.json", "application/json", `${JSON.stringify(told, null, 2)}\n`);
  });
  on("toml", "click", () => download("moved.toml", "application/toml", scenarioFile(state, answers)));
  addEventListener("hashchange", takeAddress);

  find("about").textContent =
    `forepass ${contents.forepass}, sources to ${contents.as_of}, seed ${contents.seed}, ` +
    `${numberText(contents.draws, 1)} draws.`;
  find("since").textContent = Math.max(...contents.levers.map((lever) => lever.since));
  find("notes").append(...contents.notes.map((note) => element("li", { textContent: note })));
  find("notes").hidden = contents.notes.length === 0;
  takeAddress();
  // What tests of the page, and the curious, may ask.
  globalThis.explorer = { answers, timings, state: () => state };
  document.documentElement.dataset.ready = "true";
})().catch((error) => {
  document.getElementById("now").textContent =
    "This browser cannot work the page out: it takes one of 2023 or later.";
  throw error;
});
