"""Whether priors or data decide an answer: how it moves as they weigh a little more or less."""

import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from arviz_stats.base import array
from numpy.typing import NDArray

from forepass.inputs.elicitation import log_density
from forepass.sensitivities import GOOD_K
from forepass.sensitivities.beliefs import Belief

POWERS = (1.25, 1.1, 1.03, 1.01)
"""Powers, and their inverses, to which priors or likelihoods are raised: the first is that of the
reference, the next ones are for where draws cannot carry so large a step."""
SENSITIVE = 0.05
"""From which on an answer counts as moved by its priors, as in the reference."""
UNBOUNDED_K = 99.0
"""What stands for a Pareto k without bound, which JSON has no number for."""
PERMUTATIONS = 12

STATS: Any = array.array_stats  # its functions have no types

type Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PriorWeight:
    """How far an answer moves with the power of priors, or of a likelihood.

    Attributes
    ----------
    sensitivity : distance between the answer's distributions, for each doubling of the power.
    pareto_k : of the importance weights, the worse of the power and its inverse.
    power : the largest of `POWERS` that the draws can carry, or the last.
    noise : what the sensitivity of an answer that hangs on nothing would come to, 9 times in 10.
    """

    sensitivity: float
    pareto_k: float
    power: float
    noise: float

    @property
    def trusted(self) -> bool:
        """Whether importance sampling can be relied on."""
        return self.pareto_k <= GOOD_K

    @property
    def moves(self) -> bool:
        """Whether the answer moves, by as much as counts and by more than chance would have it."""
        return self.sensitivity >= max(SENSITIVE, self.noise)


def log_prior(beliefs: Iterable[Belief], draws: int) -> Floats:
    """Return the log density of the elicited beliefs at their draws, all together, dims (draw,)."""
    total = np.zeros(draws)
    for belief in beliefs:
        if belief.prior is not None:
            total += log_density(belief.prior, belief.draws)
    return total


def power_scaled(logs: Floats, log_weights: Floats) -> PriorWeight:
    """Return how far a quantity's distribution moves as priors, or data, are raised to a power.

    Draws are reweighed by importance sampling with Pareto smoothing, and the distance is the
    cumulative Jensen-Shannon distance between the distributions [1]_, over the power's log. Where
    the draws cannot carry a step, a smaller one is taken: the nearer the posterior, the closer to
    the slope at the posterior itself.

    Parameters
    ----------
    logs : of the quantity, dims (draw,); draws without a number are left out.
    log_weights
        Log density of the priors, or log likelihood of the data, that are scaled, dims (draw,).

    References
    ----------
    .. [1] N. Kallioinen, T. Paananen, P.-C. Bürkner, A. Vehtari, "Detecting and diagnosing prior
       and likelihood sensitivity with power-scaling", Statistics and Computing 34, 2024.
    """
    known = np.isfinite(logs) & np.isfinite(log_weights)
    if np.ptp(log_weights[known]) == 0:
        return PriorWeight(0.0, 0.0, POWERS[0], 0.0)
    for power in POWERS:
        found = _at_power(logs[known], log_weights[known], power)
        if found.trusted:
            break
    return found


def _at_power(logs: Floats, log_weights: Floats, power: float) -> PriorWeight:
    weights, tails = [], []
    for raised in (1 / power, power):
        with warnings.catch_warnings():
            # A high Pareto k is told as a number.
            warnings.simplefilter("ignore")
            smoothed, k = STATS.psislw((1 - raised) * log_weights)
        weights.append(np.exp(smoothed - np.max(smoothed)))
        tails.append(float(k))

    # The weights of many densities at once vary much, and finitely many draws move by chance.
    rng = np.random.default_rng(0)
    by_chance = [_moved(rng.permutation(logs), weights, power) for _ in range(PERMUTATIONS)]
    noise = float(np.quantile(by_chance, 0.9))
    # What has no k had no tail left to fit.
    worst = np.max(np.nan_to_num(tails, nan=UNBOUNDED_K, posinf=UNBOUNDED_K, neginf=0.0))
    return PriorWeight(_moved(logs, weights, power), float(worst), power, noise)


def moved_by_refit(logs: Floats, refitted: Floats, power: float) -> PriorWeight:
    """Return how far a quantity's distribution moved in a fit with priors raised to a power.

    The distance is that of `power_scaled`; what chance would make of it is told by dealing the
    draws of both out anew.

    Parameters
    ----------
    logs, refitted
        Of the quantity, dims (draw,), before and after; draws without a number are left out.
    power : to which the priors were raised.
    """
    before, after = (of[np.isfinite(of)] for of in (logs, refitted))

    def distance(one: Floats, other: Floats) -> float:
        # The draws of the one, weighed so that below each lies as much as in the other.
        one = np.sort(one)
        below = np.searchsorted(np.sort(other), one, side="right") / len(other)
        below[-1] = 1.0
        weights = np.diff(below, prepend=0.0)
        return _moved(one, [weights, weights], power)

    rng = np.random.default_rng(0)
    both = np.concatenate([before, after])
    dealt = [rng.permutation(both) for _ in range(PERMUTATIONS)]
    by_chance = [distance(one[: len(before)], one[len(before) :]) for one in dealt]
    return PriorWeight(distance(before, after), 0.0, power, float(np.quantile(by_chance, 0.9)))


def _moved(logs: Floats, weights: list[Floats], power: float) -> float:
    """Return the mean distance, for each doubling, to both weighings of a quantity's draws."""
    one_chain = [values[None] for values in (logs, *weights)]
    return float(
        STATS.power_scale_sense(
            *one_chain, lower_alpha=1 / power, upper_alpha=power, chain_axis=0, draw_axis=1
        )
    )
