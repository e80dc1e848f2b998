"use strict";
// The fan of a headline by year, drawn by uPlot on a canvas; the table beside it says the same.

const BANDS = [
  ["p05", "p95", "--band90"],
  ["p10", "p90", "--band80"],
  ["p25", "p75", "--band50"],
];
const WIDE = 12; // greatest over least from which on an axis is in logs

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

// Values that a log axis can show: nothing at all stands at its foot.
function above(values, foot) {
  return values.map((value) => (Number.isNaN(value) ? null : Math.max(value, foot)));
}

class Fan {
  constructor(home) {
    this.home = home;
    this.chart = null;
    new ResizeObserver(() => this.#resize()).observe(home);
    for (const query of ["(prefers-color-scheme: dark)", "print"]) {
      matchMedia(query).addEventListener("change", () => this.told && this.draw(this.told));
    }
  }

  #size() {
    const width = Math.max(this.home.clientWidth, 240);
    return { width, height: Math.round(Math.min(Math.max(width * 0.47, 150), 380)) };
  }

  #resize() {
    if (this.chart && this.chart.width !== this.#size().width) this.chart.setSize(this.#size());
  }

  // rows: quantiles by year; believed: medians by year before anything was moved.
  draw(told) {
    const { years, rows, believed, unit, threshold, year } = told;
    this.told = told;
    const all = [...rows.flat(), ...believed].filter((value) => value > 0);
    const { unit: shown, factor } = scaled(unit, [Math.min(...all), Math.max(...all)]);
    const log = unit !== "share" && Math.max(...all) > WIDE * Math.min(...all);
    const positive = rows.map((row) => row[3]).filter((value) => value > 0);
    const foot = log ? Math.max(Math.min(...all), Math.min(...positive, ...all) / 10) * factor : 0;
    const series = LEVELS.map((_, at) => above(rows.map((row) => row[at] * factor), foot));
    series.push(above(believed.map((value) => value * factor), foot));
    series.push(years.map(() => (threshold === null ? null : threshold * factor)));
    const data = [years, ...series];
    const look = JSON.stringify([log, shown, told.doubtful, years, colour("--ink")]);
    this.marked = year;
    if (this.chart && this.look === look) {
      this.chart.setData(data);
      return;
    }
    if (this.chart) this.chart.destroy();
    this.look = look;
    this.chart = new uPlot(this.#options(log, shown, told.doubtful), data, this.home);
  }

  #options(log, shown, doubtful) {
    const ink = colour("--ink-soft");
    const grid = { stroke: colour("--line"), width: 1 };
    const axis = { stroke: ink, grid, ticks: grid, font: "13px system-ui, sans-serif" };
    // Of a log axis, powers of ten alone have lines and words.
    const filter = log ? (_, ticks) => ticks.map((tick) => (isTen(tick) ? tick : null)) : undefined;
    const plain = (stroke, width, dash) => ({ stroke, width, dash, points: { show: false } });
    const none = plain("transparent", 0);
    const main = colour(doubtful ? "--doubt" : "--main");
    const at = (name) => LEVEL_NAMES.indexOf(name) + 1;
    return {
      ...this.#size(),
      legend: { show: false },
      cursor: { show: false },
      scales: {
        x: { time: false, range: (_, low, high) => [low - 0.2, high + 0.2] },
        y: log ? { distr: 3 } : { range: (_, low, high) => [Math.min(low, 0), high * 1.05] },
      },
      axes: [
        { ...axis, values: (_, ticks) => ticks.map((tick) => (tick % 1 ? "" : String(tick))) },
        {
          ...axis,
          filter,
          grid: { ...grid, filter },
          ticks: { ...grid, filter },
          size: 62,
          label: shown || "ratio",
          labelFont: "13px system-ui, sans-serif",
          values: (_, ticks) => ticks.map(tickText),
        },
      ],
      series: [
        {},
        ...LEVEL_NAMES.map((name) => (name === "p50" ? plain(main, 2.5) : none)),
        plain(ink, 1.5, [5, 4]),
        plain(colour("--threshold"), 1.5, [2, 3]),
      ],
      bands: BANDS.map(([low, high, name]) => ({
        series: [at(high), at(low)],
        fill: colour(doubtful ? name.replace("band", "doubt") : name),
      })),
      hooks: { draw: [(chart) => this.#markYear(chart, ink)] },
    };
  }

  #markYear(chart, ink) {
    const x = Math.round(chart.valToPos(this.marked, "x", true));
    const { ctx, bbox } = chart;
    ctx.save();
    ctx.strokeStyle = ink;
    ctx.globalAlpha = 0.5;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.restore();
  }
}

function isTen(tick) {
  return Math.abs(Math.log10(tick) - Math.round(Math.log10(tick))) < 1e-6;
}

function tickText(tick) {
  if (tick === null) return "";
  if (tick && (tick >= 1e6 || tick < 1e-3)) return tick.toExponential(0).replace("e+", "e");
  return tick.toLocaleString("en", { maximumSignificantDigits: 3 });
}
