"""Whether priors would have found a record surprising, and posteriors do; fans of trends."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from forepass.backtest.baselines import log_linear
from forepass.tell.figures import house_style, label_values
from forepass.trend_checks.chip_figures import bands

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_fans", "place_text", "posterior_line"]

NAIVE = "#D55E00"  # vermilion of the same palette as the fan's blue
POINT = "#222222"

type Floats = NDArray[np.float64]


def posterior_line(name: str, drawn: Floats, truth: Floats) -> str:
    """Return in words how the rows that a fit has seen lie in its predictive."""
    within = {}
    for share in (0.5, 0.8):
        low, high = np.quantile(drawn, [(1 - share) / 2, (1 + share) / 2], axis=0)
        within[share] = np.mean((low <= truth) & (truth <= high))
    off = np.median(truth - np.median(drawn, axis=0))
    return (
        f"posterior predictive, {name}: of {truth.size} rows seen {within[0.5]:.0%} lie in the 50% "
        f"interval, {within[0.8]:.0%} in the 80% interval; median residual {off:+.2f} log"
    )


def place_text(name: str, drawn: Floats, truth: float, unit: str) -> str:
    """Return in words where what came lies in the prior predictive, and whether it surprises."""
    place = float((drawn < truth).mean())
    low, middle, high = np.quantile(drawn, [0.1, 0.5, 0.9])
    verdict = "a surprise" if min(place, 1 - place) < 0.01 else "no surprise"
    return (
        f"prior predictive, {name}: {middle:.3g} ({low:.3g} to {high:.3g}) {unit}; it was "
        f"{truth:.3g}, at the {place:.0%} point: {verdict}"
    )


def draw_fans(
    forward: xr.Dataset,
    panels: Mapping[str, tuple[str, float]],
    records: Mapping[str, pd.DataFrame],
) -> "Figure":
    """Return the figure: each quantity as recorded, fitted and forecast, beside a fitted line.

    Parameters
    ----------
    forward
        Projection, dims (draw, year).
    panels
        Title and factor of scale, by variable of the projection.
    records
        Rows with `when` and `value`, the natural log, by the same names.
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
                _seen(axis, records[name], middle, factor)
            axis.set_yscale("log")
            axis.set_ylim(*_range(drawn, records.get(name), factor))
            axis.set_title(title)
            label_values(axis)
        for axis in axes[len(panels) :]:
            axis.remove()
        figure.supxlabel(
            "Blue: the typical frontier model or the largest run, median with 50, 80 and 90% "
            "intervals. Points: what was seen.\nVermilion: line through the points by least "
            "squares with its 80% prediction interval.",
            fontsize=11,
            x=0.01,
            ha="left",
        )
    return figure


def _seen(axis: "Axes", record: pd.DataFrame, when: Floats, factor: float) -> None:
    axis.scatter(record["when"], np.exp(record["value"]) * factor, s=16, color=POINT, zorder=3)
    ahead = when[when > record["when"].max()]
    late = pd.DataFrame({"when": ahead})
    naive = np.exp(np.quantile(log_linear(record, late), [0.1, 0.5, 0.9], axis=0)) * factor
    for line, style in zip(naive, (":", "--", ":"), strict=True):
        axis.plot(ahead, line, color=NAIVE, linewidth=1.6, linestyle=style)


def _range(drawn: Floats, record: pd.DataFrame | None, factor: float) -> tuple[float, float]:
    """Return the limits that show the fan and the points, whatever the naive line does."""
    low, high = np.quantile(drawn, 0.05, axis=0).min(), np.quantile(drawn, 0.95, axis=0).max()
    if record is not None:
        seen = np.exp(record["value"].to_numpy()) * factor
        low, high = min(low, seen.min()), max(high, seen.max())
    return float(low / 1.5), float(high * 1.5)
