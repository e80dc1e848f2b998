"""The figure of a predictive check: calibration, and residuals against what they should not see."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from forepass.fit_checks.replicas import Quantity
from forepass.tell.figures import GREY, HUE, INK, house_style, plain_ticks, write_below

BINS = 20
ON_LOGS = {
    "concurrency_per_chip": "requests in flight per chip",
    "input_tokens": "input tokens per request",
    "output_tokens": "output tokens per request",
}
IN_GROUPS = {"weight_bits": "bits per weight", "engine": "serving software"}


@house_style()
def draw_check(found: Quantity) -> Figure:
    """Return the figure: a histogram of PIT values, and residuals against each covariate."""
    figure = Figure(figsize=(13.5, 7.4), layout="constrained")
    first, *others = figure.subplots(2, 3).flat
    _pit(first, found.pit)
    for axis, name in zip(others, (*ON_LOGS, *IN_GROUPS), strict=True):
        values = found.about[name].to_numpy()
        if name in ON_LOGS:
            _against_number(axis, values, found.residual, ON_LOGS[name])
        else:
            _against_group(axis, values.tolist(), found.residual, IN_GROUPS[name])
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


def _against_number(axis: Axes, values: Any, residual: Any, label: str) -> None:  # noqa: ANN401
    stated = values > 0
    axis.scatter(values[stated], np.exp(residual[stated]), s=9, color=HUE, alpha=0.5, linewidth=0)
    axis.set_xscale("log")
    axis.xaxis.set_major_formatter(lambda value, _: f"{value:,g}")
    _finish(axis, label)


def _against_group(axis: Axes, values: Sequence[object], residual: Any, label: str) -> None:  # noqa: ANN401
    names = sorted(set(values), key=lambda value: (str(type(value)), value))
    place = {name: number for number, name in enumerate(names)}
    # Points side by side rather than on top of each other, the same at every run.
    aside = np.random.default_rng(0).uniform(-0.3, 0.3, len(residual))
    at = np.array([place[value] for value in values]) + aside
    axis.scatter(at, np.exp(residual), s=9, color=HUE, alpha=0.5, linewidth=0)
    shown = [f"{name:g}" if isinstance(name, float) else str(name) for name in names]
    axis.set_xticks(range(len(names)), shown)
    _finish(axis, label)


def _finish(axis: Axes, label: str) -> None:
    axis.axhline(1, color=INK, linewidth=1)
    axis.set_yscale("log")
    plain_ticks(axis.yaxis, (1.0, 1.5, 2.0, 3.0, 5.0, 7.0))
    axis.set_ylabel("measured over predicted")
    axis.set_xlabel(label)
