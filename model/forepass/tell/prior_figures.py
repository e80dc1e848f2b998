"""Figures of priors: one small density each, with the quantiles that people state marked."""

import math
import textwrap
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from forepass.inputs.elicitation import log_density, quantile
from forepass.inputs.priors import Prior
from forepass.tell.figures import HUE, VERMILION, house_style, panels

COLUMNS = 4
PANEL_INCHES = (2.6, 1.9)
# A LogNormal wider than this is drawn on a log axis.
LOG_AXIS_RATIO = 30.0
POINTS = 301


@house_style()
def draw_figure(priors: Sequence[Prior]) -> Figure:
    """Return a figure with one panel for each prior: density, p10 to p90 shaded, p50 as a line."""
    columns = min(COLUMNS, len(priors))
    width, height = PANEL_INCHES
    figure, axes = panels(len(priors), columns, max(columns, 2) * width, height, below=0.5)
    for prior, panel in zip(priors, axes, strict=True):
        _draw_panel(panel, prior)
    figure.suptitle("Prior densities. Shaded: 80% between p10 and p90; line: p50", fontsize=9)
    return figure


def _draw_panel(panel: Axes, prior: Prior) -> None:
    p10, p50, p90 = marks = quantile(prior, [0.1, 0.5, 0.9])
    low, high = quantile(prior, [0.01, 0.985])
    in_logs = prior.distribution == "LogNormal" and high / low > LOG_AXIS_RATIO
    x = np.geomspace(low, high, POINTS) if in_logs else np.linspace(low, high, POINTS)
    y = _density(prior, x, in_logs=in_logs)
    panel.plot(x, y, color=HUE, linewidth=1.2)
    shaded = np.concatenate([[p10], x[(x > p10) & (x < p90)], [p90]])
    panel.fill_between(
        shaded, _density(prior, shaded, in_logs=in_logs), color=HUE, alpha=0.25, linewidth=0
    )
    panel.vlines(
        p50, 0, _density(prior, marks[1:2], in_logs=in_logs), color=VERMILION, linewidth=1.5
    )
    if in_logs:
        panel.set_xscale("log")
    power = _power(marks)
    panel.set_xticks(marks, [f"{mark / 10.0**power:.3g}" for mark in marks])
    panel.set_xticks([], minor=True)
    panel.set_yticks([])
    panel.grid(visible=False)
    panel.set_ylim(bottom=0)
    panel.spines[["left", "right", "top"]].set_visible(False)
    panel.tick_params(labelsize=7)
    panel.set_title(prior.name, fontsize=8, loc="center")
    panel.set_xlabel(_unit(prior, power) + (" (log axis)" if in_logs else ""), fontsize=7)


def _power(marks: NDArray[np.float64]) -> int:
    """Return the power of ten to take out of the numbers, in threes: 0 for plain ones."""
    size = math.floor(math.log10(np.abs(marks).max()))
    return 0 if -3 <= size <= 3 else size // 3 * 3


def _unit(prior: Prior, power: int) -> str:
    # Matplotlib reads dollar signs as mathematics.
    unit = "no unit" if prior.unit == "1" else prior.unit.replace("$", r"\$")
    return textwrap.fill(unit, 34) if power == 0 else f"$10^{{{power}}}$ {textwrap.fill(unit, 30)}"


def _density(prior: Prior, x: NDArray[np.float64], *, in_logs: bool) -> NDArray[np.float64]:
    """Return the density per unit, or per unit of the log where the axis is in logs."""
    density = np.exp(log_density(prior, x))
    return density * x if in_logs else density
