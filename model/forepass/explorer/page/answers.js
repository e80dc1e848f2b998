"use strict";
// From levers and moved priors to draws of each headline, their weights, and what is told of them.

class Answers {
  constructor(contents, arrays) {
    this.contents = contents;
    this.arrays = arrays;
    this.years = contents.years;
    this.draws = contents.draws;
    this.levers = Object.fromEntries(contents.levers.map((lever) => [lever.name, lever]));
    this.headlines = Object.fromEntries(contents.headlines.map((one) => [one.name, one]));
    this.priors = Object.fromEntries(
      contents.priors.map((prior) => [`${prior.block}.${prior.name}`, prior]),
    );
    this.equal = new Float64Array(this.draws).fill(1 / this.draws);
    this.kept = { "": new Map() };
    this.ranked = new Map();
    this.move({ levers: {}, priors: {} });
  }

  // Take up levers that are set, by name, and priors that are moved, as [shift, width] by key.
  move({ levers, priors }) {
    this.set = levers;
    const key = JSON.stringify(Object.entries(levers).sort());
    this.key = key === "[]" ? "" : key;
    // What stands as believed is kept for good, and of other states the last.
    this.kept = { "": this.kept[""], [this.key]: this.kept[this.key] || new Map() };
    const moved = Object.entries(priors);
    if (moved.length === 0) {
      Object.assign(this, { weights: this.equal, k: 0, ess: this.draws, faults: [] });
      this.trusted = this.equal;
      return;
    }
    const logs = new Float64Array(this.draws);
    for (const [name, [shift, width]] of moved) {
      for (const [column] of this.priors[name].columns) {
        addLogRatio(logs, partOf(this.arrays.scores, column), shift, width);
      }
    }
    const { weights, k, ess } = smoothedWeights(logs);
    Object.assign(this, { weights, k, ess, faults: judged(k, ess, this.draws) });
    // A handful of draws says nothing of what goes with what.
    this.trusted = this.faults.length ? this.equal : weights;
  }

  // An ingredient in a year: one number, or one for each draw.
  ingredient(name, t, levers) {
    let values = name in this.contents.constants ? this.contents.constants[name] : null;
    if (values === null) values = partOf(this.arrays[name], ...this.#place(name, t));
    for (const [called, setting] of Object.entries(levers)) {
      const lever = this.levers[called];
      if (this.years[t] < lever.since) continue;
      if (lever.sets === name) values = setting;
      if (name in lever.changes) {
        const base = partOf(this.arrays[name], t);
        values = combined(base, values, this.#between(lever, name, t, setting));
      }
    }
    return values;
  }

  #place(name, t) {
    return this.arrays[name].shape.length > 1 ? [t] : [];
  }

  // What the model gave at the levels of a lever on either side of its setting, in logs between.
  #between(lever, name, t, setting) {
    if (setting === lever.base) return partOf(this.arrays[name], t);
    const array = this.arrays[lever.changes[name]];
    const year = t - (this.years.length - array.shape[1]);
    const { at, part } = bracket(lever.levels, setting);
    const low = partOf(array, at, year);
    if (part === 0) return low;
    const high = partOf(array, at + 1, year);
    return low.map((a, i) => {
      const b = high[i];
      return a > 0 && b > 0 ? a ** (1 - part) * b ** part : (1 - part) * a + part * b;
    });
  }

  // Draws of a product of factors in a year, NaN where a factor lies beyond the last year.
  product(factors, t, levers) {
    const found = new Float64Array(this.draws).fill(1);
    for (const [name, power, ahead = 0] of factors) {
      if (t + ahead >= this.years.length) return found.fill(NaN);
      const values = this.ingredient(name, t + ahead, levers);
      const each = typeof values !== "number";
      for (let i = 0; i < found.length; i++) {
        const value = each ? values[i] : values;
        found[i] *= power === 1 ? value : power === -1 ? 1 / value : value ** power;
      }
    }
    return found;
  }

  // Draws of a headline in a year with their order, as set or as believed.
  drawn(headline, t, { believed = false } = {}) {
    const kept = this.kept[believed ? "" : this.key];
    const place = `${headline.name} ${t}`;
    if (!kept.has(place)) {
      const values = this.product(headline.factors, t, believed ? {} : this.set);
      kept.set(place, { values, order: orderOf(values) });
    }
    return kept.get(place);
  }

  quantiles(headline, t, { believed = false, levels = LEVELS } = {}) {
    const { values, order } = this.drawn(headline, t, { believed });
    return weightedQuantiles(values, order, believed ? this.equal : this.weights, levels);
  }

  // How a headline follows the levers that are set: exactly, between levels, or not at all.
  followed(headline) {
    const touched = Object.entries(this.set).map(([name, setting]) => {
      const lever = this.levers[name];
      const changes = headline.factors.filter(([factor]) => factor in lever.changes);
      return { lever, changes, between: lever.between && bracket(lever.levels, setting).part > 0 };
    });
    const several = headline.factors.some(
      ([factor]) => touched.filter(({ lever }) => factor in lever.changes).length > 1,
    );
    const untold = headline.parts.length > 0 ? ["weight_bits", "frontier_active_params"] : [];
    return {
      several,
      between: touched.some(({ changes, between }) => between && changes.length > 0),
      untold: untold.filter((name) => name in this.set),
    };
  }

  // When a headline passes a threshold, and how likely it is to have passed by each year.
  passing(headline, threshold, above) {
    const known = this.years
      .map((year, t) => ({ date: year + headline.holds_at, values: this.drawn(headline, t).values }))
      .filter(({ values }) => !Number.isNaN(values[0]));
    const dates = known.map(({ date }) => date);
    const values = known.map((one) => one.values);
    const found = datesOfPassing(values, dates, headline.unit, threshold, above);
    const weigh = (holds) => {
      let sum = 0;
      for (let i = 0; i < this.draws; i++) if (holds(i)) sum += this.weights[i];
      return sum;
    };
    return {
      first: dates[0],
      last: dates[dates.length - 1],
      quantiles: LEVELS.map((level) => dateQuantile(found, this.weights, level)),
      passed: dates.map((date) => weigh((i) => found[i] <= date)),
      beyond: values.map((of) => weigh((i) => (above ? of[i] > threshold : of[i] < threshold))),
    };
  }

  // Each number believed, with how closely a headline of a year goes with it, closest first.
  movers(headline, t) {
    const { values, order } = this.drawn(headline, t);
    const ranks = new Float64Array(this.draws);
    order.forEach((i, rank) => (ranks[i] = rank));
    const found = this.contents.priors.flatMap((prior) =>
      prior.columns.map(([column, words]) => {
        const scores = partOf(this.arrays.scores, column);
        return { prior, column, words, r: weightedCorrelation(scores, ranks, this.trusted) };
      }),
    );
    return Number.isNaN(values[0]) ? [] : found.sort((a, b) => b.r * b.r - a.r * a.r);
  }

  // Medians of a headline among the draws with the least and the greatest fifth of a belief.
  swing({ column }, headline, t) {
    const { values, order } = this.drawn(headline, t);
    const ranks = this.#ranks(column);
    const fifth = this.draws / 5;
    const median = (inside) => {
      const weights = this.trusted.map((weight, i) => (inside(ranks[i]) ? weight : 0));
      const whole = weights.reduce((sum, weight) => sum + weight, 0);
      return weightedQuantiles(values, order, weights.map((w) => w / whole), [0.5])[0];
    };
    return [median((rank) => rank < fifth), median((rank) => rank >= this.draws - fifth)];
  }

  #ranks(column) {
    if (!this.ranked.has(column)) {
      const scores = partOf(this.arrays.scores, column);
      const ranks = new Uint16Array(this.draws);
      // Scores have two signs; their exponentials are in the same order.
      orderOf(Float64Array.from(scores, Math.exp)).forEach((i, rank) => (ranks[i] = rank));
      this.ranked.set(column, ranks);
    }
    return this.ranked.get(column);
  }
}

// The values that a lever stops at; none where it takes any.
function stopsOf(lever) {
  if (lever.between || lever.levels.length === 0) return [];
  return [...lever.levels, ...(lever.base === null ? [] : [lever.base])].sort((a, b) => a - b);
}

// The level below a setting and how far it lies, in logs, on the way to the next.
function bracket(levels, setting) {
  if (levels.length === 0) return { at: 0, part: 0 };
  let at = levels.findLastIndex((level) => level <= setting * (1 + 1e-9));
  at = Math.min(Math.max(at, 0), levels.length - 1);
  const close = Math.abs(setting / levels[at] - 1) < 1e-9 || at === levels.length - 1;
  return { at, part: close ? 0 : Math.log(setting / levels[at]) / Math.log(levels[at + 1] / levels[at]) };
}

// Values changed by one lever after another: each multiplies what the others left. Where nothing
// was to be had as believed, there is no ratio, and the larger stands.
function combined(base, before, now) {
  if (before === base || (before.buffer === base.buffer && before.byteOffset === base.byteOffset)) {
    return now;
  }
  return base.map((value, i) => {
    return value > 0 ? (before[i] * now[i]) / value : Math.max(before[i], now[i]);
  });
}

function weightedCorrelation(x, y, weights) {
  let [sx, sy, sxx, syy, sxy] = [0, 0, 0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    const w = weights[i];
    sx += w * x[i];
    sy += w * y[i];
    sxx += w * x[i] * x[i];
    syy += w * y[i] * y[i];
    sxy += w * x[i] * y[i];
  }
  return (sxy - sx * sy) / Math.sqrt((sxx - sx * sx) * (syy - sy * sy)) || 0;
}

// The value of a prior at a normal score.
function valueAt(prior, score, scoresAt) {
  const step = scoresAt[1] - scoresAt[0];
  const at = Math.min(Math.max((score - scoresAt[0]) / step, 0), scoresAt.length - 1 - 1e-9);
  const place = Math.floor(at);
  const part = at - place;
  const [low, high] = [prior.at_scores[place], prior.at_scores[place + 1]];
  if (low > 0 && high > 0) {
    const inUnit = /Logit|Beta/.test(prior.distribution);
    const to = (v) => (inUnit ? Math.log(v) - Math.log1p(-v) : Math.log(v));
    if (prior.distribution !== "Normal" && Number.isFinite(to(low)) && Number.isFinite(to(high))) {
      const between = (1 - part) * to(low) + part * to(high);
      return inUnit ? 1 / (1 + Math.exp(-between)) : Math.exp(between);
    }
  }
  return (1 - part) * low + part * high;
}
