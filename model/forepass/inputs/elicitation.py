"""From stated quantiles to the parameters of a distribution, and back.

Parameters carry PyMC's names, so that a prior can be handed to PyMC as it stands.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import optimize, special, stats

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from forepass.inputs.priors import Prior

type Parameters = dict[str, float]

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
# Gammas and betas of smaller shape sit on the ends of their range and say nothing in between.
LEAST_SHAPE = 0.05


class ElicitationError(ValueError):
    """No distribution of the family says what was stated."""


@dataclass(frozen=True, slots=True)
class Link:
    """A monotone map onto the scale on which a family is Normal."""

    name: str
    forward: Callable[[Any], Any]
    backward: Callable[[Any], Any]
    log_slope: Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Family:
    """A family of distributions: its range, and how it is found from statements."""

    name: str
    lower: float
    upper: float
    quantiles: int
    from_quantiles: Callable[[NDArray[np.float64], NDArray[np.float64]], Parameters]
    # Parameters at a mode and a spread in (0, inf), and the bounds searched for the spread.
    at_mode: Callable[[float, float], Parameters] | None = None
    spread: tuple[float, float] = (1e-8, 1e8)
    link: Link | None = None

    @property
    def range(self) -> str:
        """Say where values of the family lie."""
        if math.isinf(self.lower):
            return "of any size"
        return "above 0" if math.isinf(self.upper) else "between 0 and 1"


def _two_point_normal(p: NDArray[np.float64], q: NDArray[np.float64]) -> Parameters:
    z = special.ndtri(p)
    sigma = (q[-1] - q[0]) / (z[-1] - z[0])
    return {"mu": float(q[0] - sigma * z[0]), "sigma": float(sigma)}


def _two_point_gamma(p: NDArray[np.float64], q: NDArray[np.float64]) -> Parameters:
    # The ratio of two quantiles falls as the shape grows and does not depend on the rate.
    target = math.log(q[-1] / q[0])

    def gap(log_shape: float) -> float:
        low, high = special.gammaincinv(math.exp(log_shape), p[[0, -1]])
        return math.log(high / low) - target

    shape = math.exp(_root(gap, math.log(LEAST_SHAPE), math.log(1e12)))
    return {"alpha": shape, "beta": float(special.gammaincinv(shape, p[-1]) / q[-1])}


def _two_point_beta(p: NDArray[np.float64], q: NDArray[np.float64]) -> Parameters:
    # Along the betas that have the first quantile, the second falls as alpha grows.
    def other(alpha: float) -> float:
        return float(special.btdtrib(alpha, p[0], q[0]))

    def gap(log_alpha: float) -> float:
        alpha = math.exp(log_alpha)
        return float(special.betaincc(alpha, other(alpha), q[-1])) - (1 - p[-1])

    alpha = math.exp(_root(gap, math.log(LEAST_SHAPE), math.log(1e7)))
    return {"alpha": alpha, "beta": other(alpha)}


def _root(gap: Callable[[float], float], low: float, high: float) -> float:
    if not gap(low) * gap(high) < 0:
        raise ArithmeticError("the ends bracket no root")
    return float(optimize.brentq(gap, low, high, xtol=1e-13))


LOG = Link("log", np.log, np.exp, lambda x: -np.log(x))
LOGIT = Link("logit", special.logit, special.expit, lambda x: -np.log(x) - np.log1p(-np.asarray(x)))

FAMILIES = {
    family.name: family
    for family in (
        Family(
            name="Normal",
            lower=-math.inf,
            upper=math.inf,
            quantiles=2,
            from_quantiles=_two_point_normal,
            at_mode=lambda mode, spread: {"mu": mode, "sigma": spread},
        ),
        Family(
            name="LogNormal",
            lower=0.0,
            upper=math.inf,
            quantiles=2,
            from_quantiles=lambda p, q: _two_point_normal(p, np.log(q)),
            at_mode=lambda mode, spread: {"mu": math.log(mode) + spread**2, "sigma": spread},
            spread=(1e-8, 20.0),
            link=LOG,
        ),
        Family(
            name="LogitNormal",
            lower=0.0,
            upper=1.0,
            quantiles=2,
            from_quantiles=lambda p, q: _two_point_normal(p, special.logit(q)),
            at_mode=lambda mode, spread: {
                "mu": float(special.logit(mode)) - spread**2 * (2 * mode - 1),
                "sigma": spread,
            },
            # Beyond a variance of 2 the density can have two modes.
            spread=(1e-8, math.sqrt(2)),
            link=LOGIT,
        ),
        Family(
            name="Beta",
            lower=0.0,
            upper=1.0,
            quantiles=2,
            from_quantiles=_two_point_beta,
            at_mode=lambda mode, spread: {
                "alpha": 1 + mode / spread,
                "beta": 1 + (1 - mode) / spread,
            },
            spread=(1e-12, 1e8),
        ),
        Family(
            name="Gamma",
            lower=0.0,
            upper=math.inf,
            quantiles=2,
            from_quantiles=_two_point_gamma,
            at_mode=lambda mode, spread: {"alpha": 1 + 1 / spread, "beta": 1 / (spread * mode)},
            spread=(1e-12, 1e8),
        ),
        Family(
            name="HalfNormal",
            lower=0.0,
            upper=math.inf,
            quantiles=1,
            from_quantiles=lambda p, q: {"sigma": float(q[0] / special.ndtri((1 + p[0]) / 2))},
        ),
        Family(
            name="Exponential",
            lower=0.0,
            upper=math.inf,
            quantiles=1,
            from_quantiles=lambda p, q: {"lam": float(-np.log1p(-p[0]) / q[0])},
        ),
    )
}


def parameters_from_quantiles(distribution: str, quantiles: Mapping[str, float]) -> Parameters:
    """Return the parameters at which the family has the stated quantiles.

    The outermost two fix a two-parameter family; a third, between them, is a check on it.

    Parameters
    ----------
    distribution
        A key of `FAMILIES`.
    quantiles
        Value at each of the levels named in `LEVELS`, such as ``{"p10": 0.2, "p90": 0.5}``.

    Returns
    -------
    dict[str, float]
        Parameters under PyMC's names.

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
        ends = _cumulative(family, at_mode(mode, unit * math.exp(log_spread)), np.array(interval))
        return float(ends[1] - ends[0]) - mass

    try:
        log_spread = _root(gap, *map(math.log, family.spread))
    except ArithmeticError as error:
        raise ElicitationError(
            f"no {distribution} with mode = {mode:g} has {mass:g} of its mass in "
            f"[{low:g}, {high:g}]: narrow the interval, raise the mass, or state quantiles"
        ) from error
    return at_mode(mode, unit * math.exp(log_spread))


def quantile(prior: Prior, p: ArrayLike) -> NDArray[np.float64]:
    """Return the quantiles of a prior at probabilities `p`, in the prior's unit."""
    return _quantile(FAMILIES[prior.distribution], prior.parameters, p)


def sample(
    prior: Prior, size: int | tuple[int, ...], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return independent draws of a prior.

    Draws come through the quantile function, so that one seed gives matching draws before and
    after a prior is changed.
    """
    return quantile(prior, rng.uniform(np.finfo(float).tiny, 1.0, size))


def log_density(prior: Prior, x: ArrayLike) -> NDArray[np.float64]:
    """Return the natural log of a prior's density at `x`; minus infinity outside its range."""
    family = FAMILIES[prior.distribution]
    values = np.asarray(x, dtype=float)
    base = _base(family, prior.parameters)
    if family.link is None:
        return np.asarray(base.logpdf(values), dtype=float)
    inside = (values > family.lower) & (values < family.upper)
    safe = np.where(inside, values, 0.5)
    density = base.logpdf(family.link.forward(safe)) + family.link.log_slope(safe)
    return np.where(inside, density, -np.inf)


def _base(family: Family, parameters: Mapping[str, float]) -> Any:  # noqa: ANN401 - SciPy's own
    match family.name:
        case "Beta":
            return stats.beta(parameters["alpha"], parameters["beta"])
        case "Gamma":
            return stats.gamma(parameters["alpha"], scale=1 / parameters["beta"])
        case "HalfNormal":
            return stats.halfnorm(scale=parameters["sigma"])
        case "Exponential":
            return stats.expon(scale=1 / parameters["lam"])
        case _:
            return stats.norm(parameters["mu"], parameters["sigma"])


def _quantile(family: Family, parameters: Mapping[str, float], p: ArrayLike) -> NDArray[np.float64]:
    values = _base(family, parameters).ppf(np.asarray(p, dtype=float))
    return np.asarray(family.link.backward(values) if family.link else values, dtype=float)


def _cumulative(
    family: Family, parameters: Mapping[str, float], x: NDArray[np.float64]
) -> NDArray[np.float64]:
    with np.errstate(divide="ignore"):
        values = family.link.forward(x) if family.link else x
    return np.asarray(_base(family, parameters).cdf(values), dtype=float)


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
            others = ", ".join(_families_holding(value))
            raise ElicitationError(
                f"{label} = {value:g} is impossible: {family.name} takes values {family.range}; "
                f"choose among {others}, or check the unit"
            )


def _families_holding(value: float) -> list[str]:
    return [family.name for family in FAMILIES.values() if family.lower < value < family.upper]


def _check_agreement(
    family: Family, parameters: Mapping[str, float], stated: list[tuple[str, float]]
) -> None:
    """Refuse parameters that miss what was stated, on the plain scale or on the family's own."""
    numbers = np.array([value for _, value in stated], dtype=float)
    given = _quantile(family, parameters, [LEVELS[label] for label, _ in stated])
    outer = _quantile(family, parameters, [LEVELS["p10"], LEVELS["p90"]])
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
