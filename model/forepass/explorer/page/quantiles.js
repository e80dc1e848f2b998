"use strict";
// Orders and quantiles of weighted draws, and dates of passing a threshold.

const LEVELS = [0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95];
const LEVEL_NAMES = ["p05", "p10", "p25", "p50", "p75", "p90", "p95"];
const MOST_DRAWS = 65536;

// Places of values from the least to the greatest; those that are no number come last.
// Floats of one sign are in the order of their bits, so that one array of whole numbers, bits
// before place, is sorted at the speed of the browser's own.
function orderOf(values) {
  const singles = Float32Array.from(values);
  const bits = new Uint32Array(singles.buffer);
  const keys = new Float64Array(values.length);
  for (let i = 0; i < keys.length; i++) keys[i] = bits[i] * MOST_DRAWS + i;
  keys.sort();
  const order = new Uint16Array(keys.length);
  for (let i = 0; i < keys.length; i++) order[i] = keys[i] % MOST_DRAWS;
  return order;
}

// Quantiles of weighted values; of equal weights, those that NumPy gives. The least value is
// quantile 0, the greatest quantile 1, and between neighbours it runs straight by half of the
// weight of each. None where half of the weight has no number.
function weightedQuantiles(values, order, weights, levels) {
  const found = new Array(levels.length).fill(NaN);
  let count = order.length;
  while (count > 0 && Number.isNaN(values[order[count - 1]])) count--;
  let whole = 0;
  for (let i = 0; i < count; i++) whole += weights[order[i]];
  if (count === 0 || whole <= 0.5) return found;
  const first = weights[order[0]] / 2;
  const span = whole - first - weights[order[count - 1]] / 2;
  let at = 0;
  let before = 0;
  let reached = weights[order[0]];
  let value = values[order[0]];
  let next = 0;
  for (let i = 1; i <= count && next < levels.length; i++) {
    const last = i === count;
    const weight = last ? 0 : weights[order[i]];
    before = at;
    at = last ? Infinity : (reached + weight / 2 - first) / span;
    const following = last ? value : values[order[i]];
    while (next < levels.length && levels[next] <= at) {
      const part = at > before && !last ? (levels[next] - before) / (at - before) : 0;
      found[next++] = value + part * (following - value);
    }
    reached += weight;
    value = following;
  }
  return found;
}

// The scale on which values run straight between years: logs, or logits of shares.
function straight(value, unit) {
  return unit === "share" ? Math.log(value) - Math.log1p(-Math.min(value, 1)) : Math.log(value);
}

// The decimal date at which each draw first passes a threshold: infinite where it never does,
// minus infinity where it is beyond at the first date.
function datesOfPassing(byYear, dates, unit, threshold, above) {
  const sign = above ? 1 : -1;
  const limit = sign * straight(threshold, unit);
  const draws = byYear[0].length;
  const found = new Float64Array(draws).fill(Infinity);
  for (let i = 0; i < draws; i++) {
    let before = NaN;
    for (let t = 0; t < dates.length; t++) {
      const value = sign * straight(byYear[t][i], unit);
      if (value > limit) {
        const part = (limit - before) / (value - before);
        const steps = Number.isFinite(part) && unit !== "bits" ? part : 1;
        found[i] = t === 0 ? -Infinity : dates[t - 1] + steps * (dates[t] - dates[t - 1]);
        break;
      }
      before = value;
    }
  }
  return found;
}

// The date by which a share of the weight has passed, of dates that may be infinite.
function dateQuantile(dates, weights, level) {
  const order = Array.from(dates.keys()).sort((a, b) => dates[a] - dates[b] || 0);
  let reached = 0;
  for (const i of order) {
    reached += weights[i];
    if (reached >= level - 1e-12) return dates[i];
  }
  return Infinity;
}
