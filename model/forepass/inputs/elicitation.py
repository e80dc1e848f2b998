"""From stated quantiles, or a stated mode and interval, to a distribution, and back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from forepass.inputs.families import (
    FAMILIES,
    Family,
    Parameters,
    family_cumulative,
    family_log_density,
    family_quantile,
    root,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from forepass.inputs.priors import Prior

LEVELS = {
    "p05": 0.05,
    "p10": 0.10,
    "p25": 0.25,
    "p50": 0.50,
    "p75": 0.75,
    "p90": 0.90,
    "p95": 0.95,
}

# A third quantile may miss the family by this share of the p10-p90 width.
AGREEMENT = 0.10
# Solvers must give back what was stated to this share of the stated width.
PRECISION = 1e-6

# Quantiles of these take a root search for each draw, a microsecond apiece.
SEARCHED = ("Beta", "Gamma")
# Of more draws than this, a table of quantiles and their slopes costs less than the searches.
MANY = 20_000
NODES = 4097
# Beyond these probabilities a table says nothing.
TABLE_ENDS = (1e-7, 1 - 1e-7)


class ElicitationError(ValueError):
    """No distribution of the family says what was stated."""


def parameters_from_quantiles(distribution: str, quantiles: Mapping[str, float]) -> Parameters:
    """Return the parameters, under PyMC's names, at which the family has the stated quantiles.

    The outermost two fix a two-parameter family; a third, between them, is a check on it.

    Parameters
    ----------
    quantiles
        Value at each of the levels named in `LEVELS`, such as ``{"p10": 0.2, "p90": 0.5}``.

    Raises
    ------
    ElicitationError
        If the quantiles are too few, too many, crossed, outside the family's range, or at odds
        with the family.
    """
    family = FAMILIES[distribution]
    stated = sorted(quantiles.items(), key=lambda item: LEVELS[item[0]])
    _check_statement(family, stated)
    p = np.array([LEVELS[label] for label, _ in stated])
    q = np.array([value for _, value in stated], dtype=float)
    try:
        parameters = family.from_quantiles(p, q)
    except ArithmeticError as error:
        ends = " and ".join(f"{label} = {value:g}" for label, value in (stated[0], stated[-1]))
        raise ElicitationError(
            f"no {distribution} has {ends}: change them, or choose another distribution"
        ) from error
    _check_agreement(family, parameters, stated)
    return parameters


def parameters_from_mode(
    distribution: str, *, mode: float, interval: tuple[float, float], mass: float
) -> Parameters:
    """Return the parameters at which the family peaks at `mode` and holds `mass` in `interval`.

    The tails left and right of the interval need not be equal: two parameters cannot fix the
    peak and both ends.

    Raises
    ------
    ElicitationError
        If the family has no such member.
    """
    family = FAMILIES[distribution]
    low, high = interval
    if family.at_mode is None:
        raise ElicitationError(f"{distribution} always peaks at 0; state one quantile instead")
    if not 0 < mass < 1:
        raise ElicitationError(f"mass must be between 0 and 1, got {mass:g}")
    if not low < mode < high:
        raise ElicitationError(
            f"mode = {mode:g} must lie inside interval = [{low:g}, {high:g}], low end first"
        )
    if not family.lower <= low < mode < high <= family.upper:
        raise ElicitationError(f"{distribution} takes values {family.range}; move the interval")
    at_mode = family.at_mode
    # Normal's spread has the quantity's unit; the others' are pure numbers.
    unit = high - low if distribution == "Normal" else 1.0

    def gap(log_spread: float) -> float:
        ends = family_cumulative(
            family, at_mode(mode, unit * math.exp(log_spread)), np.array(interval)
        )
        return float(ends[1] - ends[0]) - mass

    try:
        log_spread = root(gap, *map(math.log, family.spread))
    except ArithmeticError as error:
        raise ElicitationError(
            f"no {distribution} with mode = {mode:g} has {mass:g} of its mass in "
            f"[{low:g}, {high:g}]: narrow the interval, raise the mass, or state quantiles"
        ) from error
    return at_mode(mode, unit * math.exp(log_spread))


def quantile(prior: Prior, p: ArrayLike) -> NDArray[np.float64]:
    """Return the quantiles of a prior at probabilities `p`, in the prior's unit."""
    return family_quantile(FAMILIES[prior.distribution], prior.parameters, p)


def sample(
    prior: Prior, size: int | tuple[int, ...], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return independent draws of a prior.

    They come through the quantile function, so that one seed gives matching draws before and after
    a prior is changed. Many draws of a beta or a gamma are read off a table, to 1e-12 of their
    value, and to 1e-5 at the least shapes.
    """
    p = rng.uniform(np.finfo(float).tiny, 1.0, size)
    if prior.distribution in SEARCHED and p.size > MANY:
        return _by_table(prior, p)
    return quantile(prior, p)


def _by_table(prior: Prior, p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return quantiles by cubics between nodes even in the log odds of their probability."""
    from scipy.interpolate import CubicHermiteSpline

    low, high = special.logit(TABLE_ENDS)
    nodes = np.linspace(low, high, NODES)
    at = special.expit(nodes)
    values = quantile(prior, at)
    slopes = at * (1 - at) / np.exp(log_density(prior, values))
    drawn = np.asarray(CubicHermiteSpline(nodes, values, slopes)(special.logit(p)))
    beyond = (p < TABLE_ENDS[0]) | (p > TABLE_ENDS[1])
    drawn[beyond] = quantile(prior, p[beyond])
    return drawn


def log_density(prior: Prior, x: ArrayLike) -> NDArray[np.float64]:
    """Return the natural log of a prior's density at `x`; minus infinity outside its range."""
    return family_log_density(FAMILIES[prior.distribution], prior.parameters, x)


def _check_statement(family: Family, stated: list[tuple[str, float]]) -> None:
    wanted = "one quantile" if family.quantiles == 1 else "two or three quantiles"
    if not family.quantiles <= len(stated) <= (1 if family.quantiles == 1 else 3):
        got = ", ".join(label for label, _ in stated) or "none"
        raise ElicitationError(f"{family.name} needs {wanted}, got {got}")
    for (low_label, low), (high_label, high) in pairwise(stated):
        if not low < high:
            raise ElicitationError(
                f"{low_label} = {low:g} must be below {high_label} = {high:g}; "
                "put the quantiles in rising order"
            )
    for label, value in stated:
        if not family.lower < value < family.upper:
            others = ", ".join(f.name for f in FAMILIES.values() if f.lower < value < f.upper)
            raise ElicitationError(
                f"{label} = {value:g} is impossible: {family.name} takes values {family.range}; "
                f"choose among {others}, or check the unit"
            )


def _check_agreement(
    family: Family, parameters: Mapping[str, float], stated: list[tuple[str, float]]
) -> None:
    """Refuse parameters that miss what was stated, on the plain scale or on the family's own."""
    numbers = np.array([value for _, value in stated], dtype=float)
    given = family_quantile(family, parameters, [LEVELS[label] for label, _ in stated])
    outer = family_quantile(family, parameters, [LEVELS["p10"], LEVELS["p90"]])
    if not np.all(np.isfinite([*parameters.values(), *given, *outer])):
        raise ElicitationError(f"no {family.name} has these quantiles; bring them closer together")
    for forward in (lambda x: x, *([family.link.forward] if family.link else [])):
        width = float(np.diff(forward(outer))[0])
        misses = np.abs(forward(given) - forward(numbers)) / width
        for index, (label, value) in enumerate(stated):
            middle = 0 < index < len(stated) - 1
            if misses[index] > (AGREEMENT if middle else PRECISION):
                ends = f"{stated[0][0]} = {numbers[0]:g} and {stated[-1][0]} = {numbers[-1]:g}"
                raise ElicitationError(
                    f"{label} = {value:g} does not fit: the {family.name} through {ends} has "
                    f"{label} = {given[index]:.4g}; change it, leave it out, or choose another "
                    "distribution"
                )
