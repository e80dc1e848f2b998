"""Families of distributions: range, quantiles, density, and how parameters are found.

Parameters carry PyMC's names, so that a prior can be handed to PyMC as it stands.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import optimize, special, stats

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

type Parameters = dict[str, float]

# Gammas and betas of smaller shape sit on the ends of their range and say nothing in between.
LEAST_SHAPE = 0.05


@dataclass(frozen=True, slots=True)
class Link:
    """A monotone map onto the scale on which a family is Normal."""

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
    # SciPy's distribution of given parameters, on the scale of the link where there is one.
    base: Callable[..., Any] = lambda mu, sigma: stats.norm(mu, sigma)
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

    shape = math.exp(root(gap, math.log(LEAST_SHAPE), math.log(1e12)))
    return {"alpha": shape, "beta": float(special.gammaincinv(shape, p[-1]) / q[-1])}


def _two_point_beta(p: NDArray[np.float64], q: NDArray[np.float64]) -> Parameters:
    # Along the betas that have the first quantile, the second falls as alpha grows.
    def other(alpha: float) -> float:
        return float(special.btdtrib(alpha, p[0], q[0]))

    def gap(log_alpha: float) -> float:
        alpha = math.exp(log_alpha)
        return float(special.betaincc(alpha, other(alpha), q[-1])) - (1 - p[-1])

    alpha = math.exp(root(gap, math.log(LEAST_SHAPE), math.log(1e7)))
    return {"alpha": alpha, "beta": other(alpha)}


def root(gap: Callable[[float], float], low: float, high: float) -> float:
    """Return where `gap` is zero; raise ArithmeticError unless its signs at the ends differ."""
    if not gap(low) * gap(high) < 0:
        raise ArithmeticError("the ends bracket no root")
    return float(optimize.brentq(gap, low, high, xtol=1e-13))


LOG = Link(np.log, np.exp, lambda x: -np.log(x))
LOGIT = Link(special.logit, special.expit, lambda x: -np.log(x) - np.log1p(-np.asarray(x)))

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
            base=lambda alpha, beta: stats.beta(alpha, beta),
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
            base=lambda alpha, beta: stats.gamma(alpha, scale=1 / beta),
            at_mode=lambda mode, spread: {"alpha": 1 + 1 / spread, "beta": 1 / (spread * mode)},
            spread=(1e-12, 1e8),
        ),
        Family(
            name="HalfNormal",
            lower=0.0,
            upper=math.inf,
            quantiles=1,
            from_quantiles=lambda p, q: {"sigma": float(q[0] / special.ndtri((1 + p[0]) / 2))},
            base=lambda sigma: stats.halfnorm(scale=sigma),
        ),
        Family(
            name="Exponential",
            lower=0.0,
            upper=math.inf,
            quantiles=1,
            from_quantiles=lambda p, q: {"lam": float(-np.log1p(-p[0]) / q[0])},
            base=lambda lam: stats.expon(scale=1 / lam),
        ),
    )
}


def family_log_density(
    family: Family, parameters: Mapping[str, float], x: ArrayLike
) -> NDArray[np.float64]:
    """Return the natural log of the density at `x`; minus infinity outside the range."""
    values = np.asarray(x, dtype=float)
    base = family.base(**parameters)
    if family.link is None:
        return np.asarray(base.logpdf(values), dtype=float)
    inside = (values > family.lower) & (values < family.upper)
    safe = np.where(inside, values, 0.5)
    density = base.logpdf(family.link.forward(safe)) + family.link.log_slope(safe)
    return np.where(inside, density, -np.inf)


def family_quantile(
    family: Family, parameters: Mapping[str, float], p: ArrayLike
) -> NDArray[np.float64]:
    """Return the quantiles at probabilities `p`."""
    values = family.base(**parameters).ppf(np.asarray(p, dtype=float))
    return np.asarray(family.link.backward(values) if family.link else values, dtype=float)


def family_cumulative(
    family: Family, parameters: Mapping[str, float], x: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the probability of lying below each of `x`, which may be the ends of the range."""
    with np.errstate(divide="ignore"):
        values = family.link.forward(x) if family.link else x
    return np.asarray(family.base(**parameters).cdf(values), dtype=float)
