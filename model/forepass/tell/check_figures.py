"""Figures of ``forepass check``: residuals of predictions, and ranks of truths in a calibration."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from forepass.calibration.ranks import LEVEL, band
from forepass.fit_checks.replicas import Quantity
from forepass.tell.figures import (
    GREY,
    HUE,
    INK,
    VERMILION,
    house_style,
    panels,
    plain_ticks,
    write_below,
)

BINS = 20
ON_LOGS = {
    "concurrency_per_chip": "requests in flight per chip",
    "input_tokens": "input tokens per request",
    "output_tokens": "output tokens per request",
}
LINE_OF_LABEL = 0.07
IN_GROUPS = {"weight_bits": "bits per weight", "engine": "serving software"}


@house_style()
def draw_check(found: Quantity) -> Figure:
    """Return the figure: a histogram of PIT values, and residuals against each covariate."""
    figure = Figure(figsize=(13.5, 7.4), layout="constrained")
    first, *others = figure.subplots(2, 3).flat
    _pit(first, found.pit)
    for axis, name in zip(others, (*ON_LOGS, *IN_GROUPS), strict=True):
        _against(axis, name, found.about[name].to_numpy(), found.residual)
    write_below(
        figure,
        f"{len(found.pit):,} measured rows against the posterior predictive, each row left out "
        "in turn for PIT; predicted: the median. Grey: where nine in ten bars of calibrated "
        "predictions end.",
        10,
    )
    return figure


def _pit(axis: Axes, pit: Any) -> None:  # noqa: ANN401 - an array
    """Draw the histogram with the range that nine in ten bins of uniform values fall in."""
    from scipy import stats

    low, high = (float(stats.binom.ppf(share, len(pit), 1 / BINS)) for share in (0.05, 0.95))
    axis.axhspan(low, high, color=GREY, alpha=0.25, linewidth=0)
    axis.hist(pit, bins=np.linspace(0, 1, BINS + 1).tolist(), color=HUE, edgecolor="white")
    axis.set_xlabel("share of draws below what was measured (PIT)")
    axis.set_ylabel("measured rows")


def _against(axis: Axes, about: str, values: Any, residual: Any) -> None:  # noqa: ANN401 - arrays
    if about in ON_LOGS:
        stated = values > 0
        at, residual = values[stated], residual[stated]
        axis.set_xscale("log")
        axis.xaxis.set_major_formatter(lambda value, _: f"{value:,g}")
    else:
        names, place = np.unique(values, return_inverse=True)
        # Points side by side rather than on top of each other, the same at every run.
        at = place + np.random.default_rng(0).uniform(-0.3, 0.3, len(residual))
        shown = [f"{name:g}" if isinstance(name, float) else str(name) for name in names]
        axis.set_xticks(range(len(names)), shown)
    axis.scatter(at, np.exp(residual), s=9, color=HUE, alpha=0.5, linewidth=0)
    axis.axhline(1, color=INK, linewidth=1)
    axis.set_yscale("log")
    plain_ticks(axis.yaxis, (1.0, 1.5, 2.0, 3.0, 5.0, 7.0))
    axis.set_ylabel("measured over predicted")
    axis.set_xlabel({**ON_LOGS, **IN_GROUPS}[about])


@house_style()
def draw_calibration(
    ranks: Mapping[str, pd.DataFrame], summary: pd.DataFrame, places: int
) -> Figure:
    """Return a panel for each block, with a line for each variable and the band of uniform ranks.

    Ranks, summary and places are as `forepass.calibration.ranks.summary` takes and returns them.
    """
    across = min(len(ranks), 3)
    figure, axes = panels(len(ranks), across, 4.4 * across + 0.4, 3.5, below=1.0)
    share = np.arange(1, places) / places
    for axis, (block, frame) in zip(axes, ranks.items(), strict=True):
        low, high = band(len(frame), places)
        axis.fill_between(share, low - share, high - share, color=GREY, alpha=0.25, lw=0)
        fell = set(summary.query("block == @block and p_adjusted < @LEVEL")["variable"])
        for name, column in frame.items():
            counts = np.bincount(column, minlength=places).cumsum()[:-1] / len(frame)
            colour, alpha, width = (VERMILION, 1.0, 1.6) if name in fell else (HUE, 0.35, 0.8)
            axis.plot(share, counts - share, color=colour, alpha=alpha, linewidth=width)
        for line, name in enumerate(sorted(fell)):
            place = (0.03, 0.96 - LINE_OF_LABEL * line)
            axis.text(*place, words(name), transform=axis.transAxes, color=VERMILION, va="top")
        axis.axhline(0, color=INK, linewidth=1)
        axis.set_title(f"{words(block).capitalize()}: {frame.shape[1]} in {len(frame)} refits")
        axis.set_xlim(0, 1)
    figure.supylabel("share of truths below, less the place", fontsize=12)
    figure.supxlabel(
        "place among the draws of a refit\n\nOne line for each quantity. Grey: where one line "
        f"lies, whole, with {1 - LEVEL:.0%} chance where a block is right; of many,\na few leave "
        "it. Orange, named: those that leave it by more than their number explains.",
        fontsize=11,
    )
    return figure


def words(name: str) -> str:
    """Return a variable's name as words."""
    return name.replace("_", " ")
