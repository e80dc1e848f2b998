"""Trends whose slope drifts: the design of a fit, and its run forward in time.

Time is in years since the start of 2022. Values are natural logs (or logits), slopes are per
year. A trend is a straight line through the origin of time, bent at the turns of years.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from forepass.inputs.dates import EPOCH_YEAR, year_fraction

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    type Floats = NDArray[np.float64]


def times(dates: pd.Series) -> Floats:
    """Return a column of dates as years since 2022.0; NaN where missing."""
    return np.array([year_fraction(date) for date in dates], dtype=float)


def mid_year(years: NDArray[np.int_]) -> Floats:
    """Return the middle of calendar years as years since 2022.0."""
    return np.asarray(years, dtype=float) + 0.5 - EPOCH_YEAR


def calendar_years(when: Floats) -> NDArray[np.int_]:
    """Return the calendar year of each time."""
    return np.floor(when).astype(int) + EPOCH_YEAR


def knots_within(when: Floats) -> Floats:
    """Return the turns of the year inside the span of times, where a slope may bend.

    Within one year there is none: its start stands for them, on whose far side no time lies.
    """
    first = np.floor(when.min())
    turns = np.arange(first + 1, np.floor(when.max()) + 1)
    return turns if turns.size else np.array([first])


def hinges(when: Floats, knots: Floats, *, origin: float = 0.0) -> Floats:
    """Return how far each time lies beyond each knot, counted away from the origin.

    Parameters
    ----------
    when
        Times, shape (n,).
    knots
        Times at which the slope may change, shape (k,).
    origin
        Time at which the slope is the unbent one.

    Returns
    -------
    NDArray
        Shape (n, k). A unit bend at a knot changes the slope by one on its far side from the
        origin and nothing on its near side, so bends are a random walk both ways.
    """
    beyond = when[:, None] - knots
    return np.maximum(np.where(knots >= origin, beyond, -beyond), 0.0)


def mean_slopes(knots: Floats, first: float, last: float, *, origin: float = 0.0) -> Floats:
    """Return what a unit bend at each knot adds to the mean slope between two times, shape (k,)."""
    ends = hinges(np.array([first, last]), knots, origin=origin)
    return np.asarray((ends[1] - ends[0]) / (last - first))


def path_in_record(
    level: Floats,
    growth: Floats,
    bends: Floats,
    *,
    when: Floats,
    knots: Floats,
    origin: float = 0.0,
) -> Floats:
    """Return a fitted trend at times inside the record.

    Parameters
    ----------
    level, growth
        Value at time zero of the unbent line and its slope, shape (draw, ...).
    bends
        Changes of slope, shape (draw, knot, ...).
    when, knots
        Times, shape (time,), and knots, shape (knot,).
    origin
        Time at which the slope is the unbent one.

    Returns
    -------
    NDArray
        Shape (draw, time, ...).
    """
    bent = np.einsum("tk,dk...->dt...", hinges(when, knots, origin=origin), bends)
    straight = np.multiply.outer(when, growth)
    return np.asarray(level[:, None] + np.moveaxis(straight, 0, 1) + bent)


def slope_at_end(growth: Floats, bends: Floats, knots: Floats, *, origin: float = 0.0) -> Floats:
    """Return the slope past the last knot, shape (draw, ...)."""
    return np.asarray(growth + bends[:, knots >= origin].sum(axis=1))


def future_slopes(
    slope: Floats, shocks: Floats, *, pull: Floats | float, anchor: Floats | float
) -> Floats:
    """Return slopes of coming years: each is drawn towards an anchor, and shocked.

    Parameters
    ----------
    slope
        Slope at the end of the record, shape (draw, ...).
    shocks
        Yearly changes of slope, shape (draw, step, ...).
    pull
        Share of the distance to the anchor that closes each year, broadcast to `slope`.
    anchor
        Slope that the trend settles to, broadcast to `slope`.

    Returns
    -------
    NDArray
        Shape (draw, step, ...).
    """
    slopes = np.empty_like(shocks)
    for step in range(shocks.shape[1]):
        slope = anchor + (1 - pull) * (slope - anchor) + shocks[:, step]
        slopes[:, step] = slope
    return slopes


def persistent_path(start: Floats, shocks: Floats, *, persistence: Floats) -> Floats:
    """Return a first-order autoregression of unit spread, run on from its last value.

    Parameters
    ----------
    start
        Last value, shape (draw, ...), in units of its stationary spread.
    shocks
        Standard normals, shape (draw, step, ...).
    persistence
        Correlation from one year to the next, broadcast to `start`.

    Returns
    -------
    NDArray
        Shape (draw, step, ...).
    """
    path = np.empty_like(shocks)
    fresh = np.sqrt(1 - persistence**2)
    for step in range(shocks.shape[1]):
        start = persistence * start + fresh * shocks[:, step]
        path[:, step] = start
    return path


def between_years(path: Floats, years: NDArray[np.int_], when: Floats) -> Floats:
    """Return a path by year, shape (draw, year), at times between the middles of its years."""
    place = np.clip(when - mid_year(years)[0], 0.0, len(years) - 1.0)
    before = np.minimum(place.astype(int), len(years) - 2)
    part = place - before
    return np.asarray(path[:, before] * (1 - part) + path[:, before + 1] * part)


def autoregression(persistence: Any, steps: int) -> Any:  # noqa: ANN401 - floats and tensors alike
    """Return what each step's news weighs at each step of a first-order autoregression.

    Parameters
    ----------
    persistence
        Correlation from one step to the next, a number.
    steps
        Number of steps, the first of which is all news.

    Returns
    -------
    Any
        Shape (step, news): times standard normals, a path of unit spread.
    """
    age = np.subtract.outer(np.arange(steps), np.arange(steps))
    later = np.arange(steps) > 0
    fresh = later * (1 - persistence**2) ** 0.5 + (1 - later)
    return (age >= 0) * persistence ** np.maximum(age, 0) * fresh


def standard_shocks(rng: np.random.Generator, steps: int, shape: tuple[int, ...]) -> Floats:
    """Return standard normals, shape (draw, step, ...), which a longer horizon only adds to."""
    return np.moveaxis(rng.standard_normal((steps, *shape)), 0, 1)
