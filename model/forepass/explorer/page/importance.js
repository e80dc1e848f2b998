"use strict";
// Importance weights of moved priors, smoothed by a Pareto tail (Vehtari, Simpson, Gelman, Yao and
// Gabry, 2024), whose shape k tells whether the draws can stand for the other posterior.

const GOOD_K = 0.7;
const LEAST_SHARE = 0.1; // of the draws, that must be left by weight
const EPSILON = 2.220446049250313e-16;

// Log of new over old prior density at normal scores, for a prior moved by s and stretched by w.
function addLogRatio(total, scores, moved, width) {
  const log = Math.log(width);
  for (let i = 0; i < total.length; i++) {
    const off = (scores[i] - moved) / width;
    total[i] += 0.5 * (scores[i] * scores[i] - off * off) - log;
  }
}

function logSumExp(values) {
  let most = -Infinity;
  for (const value of values) if (value > most) most = value;
  let sum = 0;
  for (const value of values) sum += Math.exp(value - most);
  return most + Math.log(sum);
}

// Shape and scale of the generalised Pareto distribution of rising values (Zhang and Stephens,
// 2009), with the shape drawn a little towards a half.
function paretoFit(rising) {
  const n = rising.length;
  const points = 30 + Math.floor(Math.sqrt(n));
  const quarter = rising[Math.floor(n / 4 + 0.5) - 1];
  if (quarter <= rising[0]) return { k: NaN, scale: NaN };
  const meanLog = (b) => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += Math.log1p(-b * rising[i]);
    return sum / n;
  };
  let at = [];
  let fits = [];
  for (let j = 1; j <= points; j++) {
    const b = (1 - Math.sqrt(points / (j - 0.5))) / (3 * quarter) + 1 / rising[n - 1];
    const k = meanLog(b);
    at.push(b);
    fits.push(n * (Math.log(-b / k) - k - 1));
  }
  const whole = logSumExp(fits);
  let weights = fits.map((fit) => Math.exp(fit - whole));
  const counted = weights.map((weight) => weight >= 10 * EPSILON);
  at = at.filter((_, j) => counted[j]);
  weights = weights.filter((_, j) => counted[j]);
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const b = at.reduce((total, value, j) => total + (value * weights[j]) / sum, 0);
  const k = meanLog(b);
  const scale = -k / b;
  return Number.isNaN(k) ? { k: Infinity, scale: NaN } : { k: (n * k + 5) / (n + 10), scale };
}

// Weights that sum to one, with Pareto k and the number of equal draws that they are worth.
function smoothedWeights(logRatios) {
  const n = logRatios.length;
  const most = logRatios.reduce((a, b) => Math.max(a, b), -Infinity);
  const logs = Float64Array.from(logRatios, (value) => value - most);
  const tail = n > 225 ? Math.floor(3 * Math.sqrt(n)) : Math.floor(n / 5);
  // The logs are none above 0: by size, and back.
  const order = orderOf(logs.map(Math.abs)).reverse();
  const first = n - tail;
  let k = 0;
  const least = logs[order[first]];
  if (tail >= 5 && -least > Number.MIN_VALUE) {
    const cutoff = Math.exp(logs[order[first - 1]]);
    const rising = new Float64Array(tail);
    for (let i = 0; i < tail; i++) rising[i] = Math.exp(logs[order[first + i]]) - cutoff;
    const fit = paretoFit(rising);
    k = fit.k;
    if (Number.isFinite(k) && fit.scale > 0) {
      for (let i = 0; i < tail; i++) {
        const p = (i + 0.5) / tail;
        const beyond = Math.abs(k) < EPSILON ? -Math.log1p(-p) : Math.expm1(-k * Math.log1p(-p)) / k;
        logs[order[first + i]] = Math.min(Math.log(cutoff + fit.scale * beyond), 0);
      }
    }
  }
  const whole = logSumExp(logs);
  const weights = logs.map((value) => Math.exp(value - whole));
  const ess = 1 / weights.reduce((sum, weight) => sum + weight * weight, 0);
  return { weights, k, ess };
}

// Whether draws so weighed can be relied on, and if not, why.
function judged(k, ess, draws) {
  const faults = [];
  if (!(k <= GOOD_K)) faults.push(`Pareto k is above ${GOOD_K}`);
  if (ess < LEAST_SHARE * draws) {
    faults.push(`fewer than ${Math.round(LEAST_SHARE * draws)} draws are left by weight`);
  }
  return faults;
}
