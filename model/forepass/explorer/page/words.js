"use strict";
// Numbers as people read them: one scale for what stands together, and no more figures than the
// interval bears; as rounding.py has it.

const PREFIXES = ["", "k", "M", "G", "T", "P", "E", "Z", "Y"];
const COUNTS = ["", "thousand", "million", "billion", "trillion", "quadrillion"];
const MEASURED = { FLOP: "FLOP", "FLOP/s": "FLOP/s", W: "W", J: "J", bytes: "B", "bytes/s": "B/s" };
const UNSCALED = ["bits", "1", "ratio", "FLOP/byte", "FLOP per byte"];

// The unit to show, and what values are multiplied by.
function scaled(unit, values) {
  if (unit === "share") return { unit: "%", factor: 100 };
  const logs = values.filter((v) => Number.isFinite(v) && v !== 0).map((v) => Math.log10(Math.abs(v)));
  if (UNSCALED.includes(unit) || unit.startsWith("USD") || logs.length === 0) {
    return { unit: unit === "1" || unit === "ratio" ? "" : unit, factor: 1 };
  }
  const names = unit in MEASURED ? PREFIXES : COUNTS;
  const middle = (Math.min(...logs) + Math.max(...logs)) / 2;
  let rank = names === COUNTS && middle < 4 ? 0 : Math.floor(middle / 3);
  rank = Math.min(Math.max(rank, 0), names.length - 1);
  const shown = names === PREFIXES ? `${names[rank]}${MEASURED[unit]}` : `${names[rank]} ${unit}`;
  return { unit: shown.trim(), factor: 10 ** (-3 * rank) };
}

function figureStep(value, figures) {
  return value ? 10 ** (Math.floor(Math.log10(Math.abs(value)) + 1e-9) - figures + 1) : 1;
}

function numberText(value, step = figureStep(value, 3)) {
  if (!Number.isFinite(value)) return value === Infinity ? "∞" : "–";
  const places = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const near = Math.round(value / step) * step;
  if (near && Math.abs(near) < 1e-4) return near.toExponential(1);
  if (Math.abs(near) >= 1e7) return near.toExponential(1).replace("e+", "e");
  return near.toLocaleString("en", { minimumFractionDigits: places, maximumFractionDigits: places });
}

function intervalText(centre, low, high) {
  if (![centre, low, high].every(Number.isFinite)) return "–";
  if (low === high) return numberText(centre);
  if ([centre, low, high].every((v) => Number.isInteger(v) && Math.abs(v) < 100)) {
    return `${centre} (${low} to ${high})`;
  }
  const fifth = 10 ** Math.floor(Math.log10(Math.abs(high - low) / 5) + 1e-9);
  const [a, b, c] = [centre, low, high].map((v) => numberText(v, Math.min(fifth, figureStep(v, 2))));
  return `${a} (${b} to ${c})`;
}

// Five, ten or twenty of a hundred: a probability as text.
function percentText(share) {
  if (!Number.isFinite(share)) return "–";
  if (share > 0 && share < 0.01) return "<1%";
  return share > 0.99 && share < 1 ? ">99%" : `${Math.round(100 * share)}%`;
}

// A decimal date as its month; a month's end is in it.
function monthText(date, first, last) {
  if (date === -Infinity) return `before ${monthText(first)}`;
  if (!Number.isFinite(date)) return `after ${monthText(last)}`;
  const months = Math.ceil(Number((date * 12).toFixed(6))) - 1;
  return `${Math.floor(months / 12)}-${String((months % 12) + 1).padStart(2, "0")}`;
}

// A number that a command line takes, short and to six figures.
function typed(value) {
  return String(Number(value.toPrecision(6)));
}
