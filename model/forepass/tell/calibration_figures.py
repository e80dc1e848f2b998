"""The figure of a calibration: how far ranks of truths lie from uniform, block by block."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from forepass.calibration.ranks import LEVEL, band
from forepass.tell.figures import GREY, HUE, INK, house_style, panels

FAILED = "#D55E00"
LINE_OF_LABEL = 0.07


@house_style()
def draw_calibration(
    ranks: Mapping[str, pd.DataFrame], summary: pd.DataFrame, places: int
) -> Figure:
    """Return a panel for each block, with a line for each variable and the band of uniform ranks.

    Parameters
    ----------
    ranks, summary, places
        As `forepass.calibration.ranks.summary` takes and returns them.
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
            colour, alpha, width = (FAILED, 1.0, 1.6) if name in fell else (HUE, 0.35, 0.8)
            axis.plot(share, counts - share, color=colour, alpha=alpha, linewidth=width)
        for line, name in enumerate(sorted(fell)):
            place = (0.03, 0.96 - LINE_OF_LABEL * line)
            axis.text(*place, words(name), transform=axis.transAxes, color=FAILED, va="top")
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
