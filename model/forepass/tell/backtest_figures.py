"""Figures of a backtest: skill and calibration, and forecasts beside what came."""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from forepass.as_of import REPORTING_LAG
from forepass.backtest.runs import LONGEST, Result, Task
from forepass.backtest.targets import targets_of
from forepass.settings import Settings
from forepass.tell.backtest_text import AIM, ALL, words_of
from forepass.tell.figures import GREY, HUE, INK, house_style, label_values, panels, write_below

PLACES = 10  # of the histogram of where truth lay among the draws
SHOWN_EVERY = 2
"""Years between the origins whose fans are drawn; all of them would hide one another."""

type Fans = Mapping[tuple[str, str], Mapping[float, Mapping[str, list[float]]]]
"""By (block, target) and origin."""


@house_style()
def draw_scores(table: pd.DataFrame, rows: pd.DataFrame) -> Figure:
    """Return the figure: CRPS beside simple forecasts, cover by target, and places of truth.

    The table is that of `forepass.tell.backtest_text.table_of`; rows are all forecasts.
    """
    targets = list(dict.fromkeys(table["target"]))
    figure = Figure(figsize=(14, 1.6 + 0.42 * len(targets)), layout="constrained")
    left, middle, right = figure.subplots(1, 3, width_ratios=(1.5, 1.0, 1.0))
    draw_skill(left, table, targets)
    draw_cover(middle, table[table["horizon"] == ALL].set_index("target").loc[targets])
    _places(right, rows)
    return figure


def draw_skill(axis: Axes, table: pd.DataFrame, targets: list[str]) -> None:
    """Draw the ratio of CRPS to the best simple forecast's as numbers, darker the better."""
    columns = [*range(1, LONGEST + 1), ALL]
    cells = table.pivot(index="target", columns="horizon", values="versus best")
    ratio = cells.reindex(index=targets, columns=columns).to_numpy(float)
    first = table.drop_duplicates("target").set_index("target").loc[targets]
    axis.imshow(np.log(ratio), cmap="Greys_r", vmin=-2.0, vmax=0.0, alpha=0.6, aspect="auto")
    for row, column in np.argwhere(np.isfinite(ratio)):
        weight = "bold" if (value := ratio[row, column]) > 1 else "normal"
        axis.text(column, row, f"{value:.2f}", ha="center", va="center", fontweight=weight)
    axis.set_xticks(range(len(columns)), [f"{column}" for column in columns])
    axis.set_yticks(
        range(len(targets)),
        [words_of(first["block"][name], name, first["mode"][name]) for name in targets],
    )
    axis.grid(visible=False)
    axis.set_xlabel("years ahead")
    axis.set_title(
        "CRPS over that of the best simple forecast\n(below 1, dark: better; bold: worse)"
    )


def draw_cover(axis: Axes, whole: pd.DataFrame) -> None:
    """Draw the share of rows within the 80% interval, with its bootstrap range."""
    place = np.arange(len(whole))
    axis.axvspan(*AIM, color=HUE, alpha=0.15, linewidth=0)
    axis.hlines(place, whole["cover80_low"], whole["cover80_high"], color=GREY, linewidth=2)
    axis.plot(whole["cover80"], place, "o", color=INK, markersize=6)
    axis.plot(whole["cover50"], place, "|", color=INK, markersize=11, markeredgewidth=1.6)
    axis.axvline(0.5, color=GREY, linewidth=1, linestyle=":")
    axis.set_xlim(0, 1.03)
    axis.set_ylim(len(whole) - 0.5, -0.5)
    axis.set_yticks(place, [""] * len(whole))
    axis.set_xlabel("share of rows")
    axis.set_title("share in the 80% interval\n(dot) and the 50% one (dash)")


def _places(axis: Axes, rows: pd.DataFrame) -> None:
    """Draw the histogram of the place of truth among the draws, each target weighing the same."""
    weight = 1 / rows.groupby("target")["target"].transform("size") / rows["target"].nunique()
    axis.hist(
        rows["pit"], bins=PLACES, range=(0, 1), weights=weight, color=HUE, alpha=0.6, edgecolor=INK
    )
    axis.axhline(1 / PLACES, color=INK, linewidth=1, linestyle="--")
    axis.set_xlabel("0: below all draws; 1: above all")
    axis.set_title("place of what came among\nthe draws (dashed: even)")


def fans_of(results: Mapping[Task, Result], targets: Iterable[str]) -> Fans:
    """Return the fans of the targets asked for, by (block, target) and origin."""
    wanted: set[str] = set(targets)
    found: dict[tuple[str, str], dict[float, Mapping[str, list[float]]]] = {}
    for task, result in results.items():
        for target, fan in result.fans.items():
            if target in wanted:
                found.setdefault((task.block, target), {})[task.origin] = fan
    return found


@house_style()
def draw_fans(fans: Fans, settings: Settings) -> Figure:
    """Return the figure: median and 80% interval from some origins, and what came."""
    figure, axes = panels(len(fans), 3, 14, 4.3)
    for axis, ((block, target), by_origin) in zip(axes, fans.items(), strict=True):
        _fan(axis, block, target, by_origin, settings)
    write_below(
        figure,
        "Lines and bands: median and 80% interval forecast from what was known at the dot "
        "where they start. Points: what came, of all makers; dark those that the fan is of.",
    )
    return figure


def _fan(
    axis: Axes,
    block: str,
    target: str,
    by_origin: Mapping[float, Mapping[str, list[float]]],
    settings: Settings,
) -> None:
    module = targets_of(block)
    about, came = module.TARGETS[target], module.records(settings)[target]
    shown_from = [year for year in sorted(by_origin) if not year % SHOWN_EVERY]
    shown_from = shown_from or sorted(by_origin)
    if "scored" in came:  # of sets of makers: each origin's own
        of_fan = came["series"].isin({_newest_set(came, origin) for origin in shown_from})
        came, of_fan = came[of_fan], of_fan[of_fan]
    else:  # one maker's, or any maker's where the fan is of none on record
        of_fan = came["series"] == about.fan
        of_fan = of_fan if of_fan.any() else ~of_fan
    for order, origin in enumerate(shown_from):
        fan = {name: np.array(values) for name, values in by_origin[origin].items()}
        low, middle, high = (fan[name] * about.scale for name in ("p10", "p50", "p90"))
        axis.fill_between(fan["when"], low, high, color=HUE, alpha=0.14, linewidth=0)
        for edge in (low, high):
            axis.plot(fan["when"], edge, color=HUE, linewidth=0.8, linestyle=":")
        style = ("-", "--", "-.")[order % 3]
        axis.plot(fan["when"], middle, color=HUE, linewidth=2, linestyle=style)
        axis.plot(fan["when"][0], middle[0], "o", color=HUE, markersize=7)
    first = min(by_origin) - 2
    shown = came[came["when"] >= first]
    dark = of_fan.reindex(shown.index)
    values = np.exp(shown["value"]) * about.scale
    axis.scatter(shown["when"][~dark], values[~dark], s=16, facecolors="none", edgecolors=GREY)
    axis.scatter(shown["when"][dark], values[dark], s=18, color=INK, zorder=3)
    axis.set_yscale("log")
    axis.set_title(f"{about.words}, {about.shown_in}")
    label_values(axis)


def _newest_set(came: pd.DataFrame, origin: float) -> str:
    """Return the widest set of makers that had been counted by an origin, a lag after the date."""
    counted = came[came["when"] + REPORTING_LAG.days / 365.25 < origin]
    last = counted[counted["when"] == counted["when"].max()]
    return max(last["series"], key=len, default="")
