"""Growth that drifts and damps: how a level of today runs on into years without data."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["as_years", "damped_log_path", "drifting_logit", "logit", "regime_breaks", "sigmoid"]

type Array = NDArray[np.float64]


def damped_log_path(
    *,
    growth_now: Array,
    growth_longrun: Array,
    halflife: Array,
    shock: Array,
    steps: int,
    step: float,
    rng: np.random.Generator,
) -> Array:
    """Return the log of a level relative to its last observed value, at each step ahead.

    Growth starts at ``growth_now``, closes half of its distance to ``growth_longrun`` in each
    ``halflife``, and wanders about that course by shocks which fade with the same half-life (a
    damped local trend). A longer horizon only appends: the earlier steps keep their numbers.

    Parameters
    ----------
    growth_now, growth_longrun : log per year, dims (draw).
    halflife : years, dims (draw).
    shock : standard deviation of a year's change of growth, log per year, dims (draw).
    steps : number of steps ahead.
    step : length of a step, years.
    rng : source of the shocks.

    Returns
    -------
    Natural log, dims (draw, step).

    References
    ----------
    .. [1] E. Gardner and E. McKenzie, "Forecasting trends in time series", Management Science
       31(10), 1985.
    """
    kept = 0.5 ** (step / halflife)
    course = np.array(growth_now, dtype=np.float64)
    wander = np.zeros_like(course)
    level = np.zeros_like(course)
    path = np.empty((course.size, steps))
    shocks = rng.standard_normal((steps, course.size))
    for ahead in range(steps):
        course = growth_longrun + kept * (course - growth_longrun)
        wander = kept * wander + shock * np.sqrt(step) * shocks[ahead]
        level = level + step * (course + wander)
        path[:, ahead] = level
    return path


def regime_breaks(
    *, chance: Array, size: Array, halflife: Array, steps: int, rng: np.random.Generator
) -> Array:
    """Return how far breaks with its trend have moved a level, at each year ahead.

    In a year a break comes with a chance and moves the level at once; what it moved fades. A longer
    horizon only appends.

    Parameters
    ----------
    chance : of a break in a year, dims (draw).
    size : standard deviation of the move, log (or logit), dims (draw).
    halflife : years until half of a move is undone, dims (draw).
    steps : number of years ahead.
    rng : source of the breaks.

    Returns
    -------
    Natural log (or logit), dims (draw, step).
    """
    kept = 0.5 ** (1 / halflife)
    moved = np.zeros_like(kept)
    path = np.empty((kept.size, steps))
    lots, moves = rng.spawn(2)
    breaks = lots.uniform(size=(steps, kept.size)) < chance
    for ahead, move in enumerate(moves.standard_normal((steps, kept.size))):
        moved = kept * moved + breaks[ahead] * size * move
        path[:, ahead] = moved
    return path


def drifting_logit(
    trend: Array, *, drift: Array, ahead: NDArray[np.bool_], rng: np.random.Generator
) -> Array:
    """Return a share whose logit follows ``trend`` and, in years ahead, also a random walk.

    Parameters
    ----------
    trend : logit, dims (draw, year), years in order and one apart.
    drift : standard deviation of a year's step, logit, dims (draw).
    ahead : whether a year lies after the record, dims (year).
    rng : source of the steps.

    Returns
    -------
    Share in (0, 1), dims (draw, year).
    """
    steps = rng.standard_normal((trend.shape[1], trend.shape[0])).T
    return sigmoid(trend + np.cumsum(drift[:, None] * steps * ahead, axis=1))


def sigmoid(x: Any) -> Any:  # noqa: ANN401
    """Return the share whose logit is ``x``."""
    return 1.0 / (1.0 + np.exp(-x))


def logit(share: Any) -> Any:  # noqa: ANN401
    """Return the log odds of ``share``."""
    return np.log(share) - np.log1p(-share)


def as_years(years: NDArray[np.int_]) -> NDArray[np.int_]:
    """Return ``years`` as an array, refusing any that are not in order and one apart.

    Raises
    ------
    ValueError
        If the years are empty, repeat, skip or run backwards.
    """
    years = np.asarray(years)
    if years.size == 0 or (years.size > 1 and not (np.diff(years) == 1).all()):
        raise ValueError(f"years must follow one another, got {years.tolist()}")
    return years
