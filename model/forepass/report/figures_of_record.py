"""Figures of how forepass does: on rows left out, on the past, and on truths that are known."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from forepass.calibration.ranks import LEVEL
from forepass.report.drawing import INKS, LINE, Rows, beside, tabled, told_under
from forepass.tell.backtest_figures import draw_cover, draw_skill
from forepass.tell.backtest_text import words_of
from forepass.tell.figures import GREY, HUE, INK, VERMILION, house_style, plain_ticks
from forepass.tell.rounding import number_text

Document = Mapping[str, Any]
Record = Mapping[str, Any]

DARK = INKS[VERMILION]
RULES = {"upper bound": "x", "lower bound": "+", "roofline at 40%": "D"}
"""Simple forecasts of throughput and their marks."""
COUNTED = {"rows": "{rows:.0f}", "in 50%": "{cover50:.0%}", "in 80%": "{cover80:.0%}"}
"""Columns of what intervals hold, and how each is written."""
SEED, SIMULATED = 0, 20_000
CHANCE = 0.95
"""Of uniform ranks to lie within the bands of a calibration, one quantity alone."""


def throughput_rows(document: Document) -> Rows:
    """Return the scores of throughput on rows left out as a table."""
    columns = {"left out": "{kind}: {name}", **COUNTED}
    columns |= {"fold error, median": "{fold50:.2f}", "p90": "{fold90:.2f}"}
    columns |= {f"median, {rule}": f"{{{rule}}}" for rule in RULES}
    rows = [
        row | {rule: number_text(row[f"fold {rule}"], 0.1) for rule in RULES}
        for row in document["track_record"]["serving"]
    ]
    return tabled(rows, columns)


@house_style()
def draw_throughput(document: Document) -> Figure:
    """Return cover of intervals and fold errors on measurements left out, beside simple rules."""
    rows: list[Record | str] = []
    for row in document["track_record"]["serving"]:
        kind = row["kind"]
        words = {"date": "From a date on", "vendor": "Vendors"}.get(kind, f"One {kind} at a time")
        if words not in rows:
            rows.append(words)
        rows.append(row)
    figure = Figure(figsize=(10.5, LINE * len(rows) + 2.1), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(1.0, 1.25))
    for at, one in enumerate(rows):
        if isinstance(one, str):
            continue
        left.hlines(at, one["cover50"], one["cover80"], color=GREY, linewidth=1)
        left.plot(one["cover80"], at, "o", color=INK, markersize=6.5)
        left.plot(one["cover50"], at, "|", color=INK, markersize=11, markeredgewidth=1.8)
        right.hlines(at, one["fold50"], one["fold90"], color=HUE, alpha=0.5, linewidth=6)
        right.plot(one["fold50"], at, "o", color=INK, markersize=6.5)
        for rule, mark in RULES.items():
            fold = one[f"fold {rule}"]
            right.plot(fold, at, mark, color=DARK, markerfacecolor="white", markersize=6)
    labels = [one if isinstance(one, str) else f"{one['name']} ({one['rows']:.0f})" for one in rows]
    left.set_yticks(range(len(rows)), labels, fontsize=11)
    for label, one in zip(left.get_yticklabels(), rows, strict=True):
        label.set_fontweight("bold" if isinstance(one, str) else "normal")
    left.set_ylim(len(rows) - 0.4, -0.6)
    left.axvline(0.8, color=HUE, linewidth=1.5)
    left.axvline(0.5, color=HUE, linewidth=1.5, linestyle=":")
    left.set_xlim(0, 1.03)
    left.set_title("Share in the 80% interval\n(dot) and the 50% one (dash)")
    right.set_xscale("log")
    right.set_xlim(left=1.0)
    plain_ticks(right.xaxis, (1.0, 2.0, 5.0))
    right.set_title("Fold error: ours, median and (bar)\nto p90; simple rules, median")
    for axis in (left, right):
        axis.tick_params(axis="y", length=0)
    told_under(
        figure,
        document,
        "Each row was left out of the fit that predicts it; in brackets, how many. Lines: where "
        "shares should lie. Simple\nrules: the upper bound (x), the lower bound (+), and 40% of "
        "the roofline (diamond), as they stand.\n",
    )
    return figure


@house_style()
def draw_backtest(document: Document) -> Figure:
    """Return skill against simple forecasts by years ahead, and cover, of each target."""
    table = pd.DataFrame(document["track_record"]["backtest"])
    targets = list(dict.fromkeys(table["target"]))
    figure = Figure(figsize=(11.5, 2.2 + 0.4 * len(targets)), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1.5, 1.0))
    draw_skill(left, table, targets)
    draw_cover(right, table[table["horizon"] == "all"].set_index("target").loc[targets])
    told_under(
        figure,
        document,
        "Forecasts from what was known at earlier dates, scored against what came. Shaded: where "
        "the share in the 80% interval\nis meant to lie. * counted again later, and read as if "
        "counted a quarter after the date.\n",
    )
    return figure


@house_style()
def draw_calibration(document: Document) -> Figure:
    """Return where truths lay among the draws of refits, and how spread out, by block."""
    table = pd.DataFrame(document["track_record"]["calibration"])
    figure = Figure(figsize=(10.5, 7.6), layout="constrained")
    above, beneath = figure.subplots(2, 1, sharex=True)
    _strips(above, table, "mean_place")
    _strips(beneath, table, "spread")
    above.set_title("Mean place of the truth among draws (0.5 where a fit is right)")
    beneath.set_title("Spread of those places (1 where right; above it, intervals too narrow)")
    short = table[table["p_adjusted"] < LEVEL]
    told_under(
        figure,
        document,
        "A point for each quantity, in order, from fits to data made from drawn truths. Shaded: "
        f"where {CHANCE:.0%} of them\nlie if right, of so many refits. "
        + (
            f"Named: the {len(short)} whose ranks chance does not explain.\n"
            if len(short)
            else "No quantity's ranks differ from uniform by more than chance explains.\n"
        ),
    )
    return figure


def _strips(axis: Axes, table: pd.DataFrame, column: str) -> None:
    """Draw a column of each block's quantities, lowest first, on the band that chance leaves."""
    blocks = list(dict.fromkeys(table["block"]))
    for at, block in enumerate(blocks):
        rows = table[table["block"] == block].sort_values(column)
        across = at + np.linspace(-0.38, 0.38, len(rows))
        band = by_chance(int(rows["replicates"].median()))[column]
        axis.fill_between([at - 0.44, at + 0.44], *band, color=HUE, alpha=0.18, linewidth=0)
        axis.plot(across, rows[column], "o", color=HUE, markersize=4)
        wrong = (rows["p_adjusted"] < LEVEL).to_numpy()
        axis.plot(across[wrong], rows[column][wrong], "D", color=DARK, markersize=7)
        named = zip(across[wrong], rows[column][wrong], rows["variable"][wrong], strict=True)
        for x, y, name in named:
            words = name.replace("_", " ")
            beside(axis, words, (x, y), (0, 7), ha="center", fontsize=11, color=DARK)
    counts = table.groupby("block")["replicates"].median()
    names = [f"{name.replace('_', ' ')}\n{counts[name]:.0f} refits" for name in blocks]
    axis.set_xticks(range(len(blocks)), names)
    axis.axhline(0.5 if column == "mean_place" else 1.0, color=INK, linewidth=1)
    axis.set_xlim(-0.5, len(blocks) - 0.5)
    axis.grid(visible=False, axis="x")


def by_chance(replicates: int) -> dict[str, tuple[float, float]]:
    """Return where the mean and the spread of so many uniform places lie, `CHANCE` of the time."""
    places = np.random.default_rng(SEED).uniform(size=(SIMULATED, replicates))
    tails = [(1 - CHANCE) / 2, (1 + CHANCE) / 2]
    found = {"mean_place": places.mean(axis=1), "spread": places.std(axis=1) * np.sqrt(12)}
    return {name: tuple(np.quantile(values, tails)) for name, values in found.items()}


def throughput_alt(document: Document) -> str:
    """Say how well rows left out are predicted, beside the bounds."""
    rows = document["track_record"]["serving"]
    cover, fold = ([one[key] for one in rows] for key in ("cover80", "fold50"))
    upper, lower = ([one[f"fold {end} bound"] for one in rows] for end in ("upper", "lower"))
    return (
        f"On {len(rows)} sets of measurements left out, 80% intervals hold {min(cover):.0%} to "
        f"{max(cover):.0%} of them and the median is off {min(fold):.2f} to {max(fold):.2f}-fold; "
        f"the upper bound is off {number_text(min(upper), 1)} to {number_text(max(upper), 1)}-fold "
        f"and the lower {number_text(min(lower), 1)} to {number_text(max(lower), 1)}-fold."
    )


def backtest_alt(document: Document) -> str:
    """Say on how many targets forecasts beat simple ones, and their cover."""
    rows = [one for one in document["track_record"]["backtest"] if one["horizon"] == "all"]
    own, total = [one for one in rows if one["target"] != "all"], rows[-1]
    better = sum(one["versus best"] < 1 for one in own)
    return (
        f"On {better} of {len(own)} targets the error (CRPS) is below that of the best simple "
        f"forecast; 80% intervals hold {total['cover80']:.0%} of what came."
    )


def backtest_rows(document: Document) -> Rows:
    """Return the scores of every target over all years ahead."""
    rows = [
        one | {"words": words_of(one["block"], one["target"], one["mode"])}
        for one in document["track_record"]["backtest"]
        if one["horizon"] == "all"
    ]
    ratio = {"CRPS over best simple forecast": "{versus best:.2f}"}
    return tabled(rows, {"target": "{words}", **COUNTED, **ratio})


def calibration_alt(document: Document) -> str:
    """Say how many quantities differ from uniform ranks."""
    rows = document["track_record"]["calibration"]
    short = sum(one["p_adjusted"] < LEVEL for one in rows)
    blocks = ", ".join(dict.fromkeys(one["block"].replace("_", " ") for one in rows))
    return (
        f"Ranks of drawn truths among refitted draws for {len(rows)} quantities of {blocks}: "
        f"{short or 'none'} differ from uniform by more than chance explains."
    )


def calibration_rows(document: Document) -> Rows:
    """Return the ranks of every quantity, summed up."""
    rows = [
        one | {key: one[key].replace("_", " ") for key in ("block", "variable")}
        for one in document["track_record"]["calibration"]
    ]
    columns = {"block": "{block}", "quantity": "{variable}", "refits": "{replicates:.0f}"}
    columns |= {"mean place": "{mean_place:.2f}", "spread": "{spread:.2f}"}
    return tabled(rows, columns | {"adjusted p": "{p_adjusted:.2f}"})
