"""Whether priors would have found a record surprising; fans of trends."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from forepass.backtest.baselines import log_linear
from forepass.tell.figures import (
    BANDS,
    GREY,
    HUE,
    INK,
    VERMILION,
    house_style,
    label_values,
    write_below,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FEWEST_OF_A_LINE = 4

type Floats = NDArray[np.float64]


def interval(drawn: Floats, form: str = ".3g") -> str:
    """Return the median of draws with their 80% interval."""
    low, middle, high = np.quantile(drawn, [0.1, 0.5, 0.9])
    return f"{middle:{form}} ({low:{form}} to {high:{form}})"


def place_text(name: str, drawn: Floats, truth: float, unit: str) -> str:
    """Return in words where what came lies in the prior predictive, and whether it surprises."""
    place = float((drawn < truth).mean())
    verdict = "a surprise" if min(place, 1 - place) < 0.01 else "no surprise"
    return (
        f"prior predictive, {name}: {interval(drawn)} {unit}; it was "
        f"{truth:.3g}, at the {place:.0%} point: {verdict}"
    )


def draw_fans(
    forward: xr.Dataset,
    panels: Mapping[str, tuple[str, float]],
    records: Mapping[str, pd.DataFrame],
    *,
    series: str = "",
    words: str = "the typical frontier model or the largest run",
) -> "Figure":
    """Return the figure: each quantity as recorded, fitted and forecast, beside a fitted line.

    Parameters
    ----------
    forward : projection, dims (draw, year).
    panels : title and factor of scale, by variable of the projection.
    records : rows with `when` and `value`, the natural log, by the same names.
    series : where rows are of several, the one that is forecast; points of the others are hollow.
    words : what is forecast.
    """
    from matplotlib.figure import Figure

    middle = forward["year"].to_numpy() + 0.5
    rows = -(-len(panels) // 3)
    with house_style():
        figure = Figure(figsize=(14, 4.1 * rows + 0.5), layout="constrained")
        axes = list(figure.subplots(rows, 3, squeeze=False).flat)
        for axis, (name, (title, factor)) in zip(axes, panels.items(), strict=False):
            drawn = forward[name].transpose("draw", "year").to_numpy() * factor
            bands(axis, middle, drawn)
            if name in records:
                seen = records[name]
                own = seen[seen["series"] == series] if series else seen
                others = seen.drop(own.index)
                axis.scatter(
                    others["when"], _shown(others, factor), 16, edgecolors=GREY, facecolors="none"
                )
                axis.scatter(own["when"], _shown(own, factor), s=16, color=INK, zorder=3)
                if len(own) >= FEWEST_OF_A_LINE:
                    _naive(axis, own, middle, factor)
            axis.set_yscale("log")
            axis.set_ylim(*_range(drawn, records.get(name), factor))
            axis.set_title(title)
            label_values(axis)
        for axis in axes[len(panels) :]:
            axis.remove()
        points = f"what was seen, {series}'s filled" if series else "what was seen"
        write_below(
            figure,
            f"Blue: {words}, median with 50, 80 and 90% intervals. Points: {points}.\n"
            "Vermilion: line through the points by least squares with its 80% prediction interval.",
        )
    return figure


def bands(axis: "Axes", when: Floats, drawn: Floats) -> None:
    """Draw median and nested intervals of draws, dims (draw, time)."""
    for low, high, opacity in BANDS:
        ends = np.quantile(drawn, [int(low[1:]) / 100, int(high[1:]) / 100], axis=0)
        axis.fill_between(when, *ends, color=HUE, alpha=opacity, linewidth=0)
    axis.plot(when, np.median(drawn, axis=0), color=INK, linewidth=2)


def _naive(axis: "Axes", record: pd.DataFrame, when: Floats, factor: float) -> None:
    """Draw a line through a record forward by least squares, with its 80% interval."""
    ahead = when[when > record["when"].max()]
    drawn = log_linear(record, pd.DataFrame({"when": ahead}))
    for level, style in ((0.1, ":"), (0.5, "--"), (0.9, ":")):
        line = np.exp(np.quantile(drawn, level, axis=0)) * factor
        axis.plot(ahead, line, color=VERMILION, linewidth=1.6, linestyle=style)


def _shown(record: pd.DataFrame, factor: float) -> Floats:
    return np.exp(record["value"].to_numpy()) * factor


def _range(drawn: Floats, record: pd.DataFrame | None, factor: float) -> tuple[float, float]:
    """Return the limits that show the fan and the points, whatever the naive line does."""
    low, high = np.quantile(drawn, 0.05, axis=0).min(), np.quantile(drawn, 0.95, axis=0).max()
    if record is not None:
        seen = _shown(record, factor)
        low, high = min(low, seen.min()), max(high, seen.max())
    return float(low / 1.5), float(high * 1.5)
