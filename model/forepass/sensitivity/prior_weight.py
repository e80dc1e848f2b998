"""Whether priors decide an answer: how it moves as they are made a little stronger or weaker."""

import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from arviz_stats.base import array
from numpy.typing import NDArray

from forepass.inputs.elicitation import log_density
from forepass.sensitivity.beliefs import Belief

__all__ = ["GOOD_K", "SENSITIVE", "PriorWeight", "log_prior", "power_scaled"]

WEAKER, STRONGER = 0.8, 1.25
"""Powers that the priors are raised to, a step of log2 1.25 to either side."""
SENSITIVE = 0.05
"""From which on an answer counts as moved by its priors, as in the reference."""
GOOD_K = 0.7
"""Above this Pareto k the draws cannot stand for the other posterior: it has to be fitted."""

STATS: Any = array.array_stats  # its functions have no types

type Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PriorWeight:
    """How far an answer moves with the power of priors.

    Attributes
    ----------
    sensitivity : distance between the answer's distributions, for each doubling of the power.
    pareto_k : of the importance weights, the worse of the two powers.
    """

    sensitivity: float
    pareto_k: float

    @property
    def trusted(self) -> bool:
        """Whether importance sampling can be relied on."""
        return self.pareto_k <= GOOD_K


def log_prior(beliefs: Iterable[Belief], draws: int) -> Floats:
    """Return the log density of the elicited beliefs at their draws, all together, dims (draw,)."""
    total = np.zeros(draws)
    for belief in beliefs:
        if belief.prior is not None:
            total += log_density(belief.prior, belief.draws)
    return total


def power_scaled(logs: Floats, log_priors: Floats) -> PriorWeight:
    """Return how far a quantity's distribution moves as priors are raised to a power.

    Draws are reweighed by importance sampling with Pareto smoothing, and the distance is the
    cumulative Jensen-Shannon distance between the distributions [1]_.

    Parameters
    ----------
    logs
        Of the quantity, dims (draw,); draws without a number are left out.
    log_priors
        Of the priors that are scaled, dims (draw,).

    References
    ----------
    .. [1] N. Kallioinen, T. Paananen, P.-C. Bürkner, A. Vehtari, "Detecting and diagnosing prior
       and likelihood sensitivity with power-scaling", Statistics and Computing 34, 2024.
    """
    known = np.isfinite(logs) & np.isfinite(log_priors)
    if np.ptp(log_priors[known]) == 0:
        return PriorWeight(0.0, 0.0)
    weights, tails = [], []
    for power in (WEAKER, STRONGER):
        with warnings.catch_warnings():
            # A high Pareto k is told as a number.
            warnings.simplefilter("ignore")
            log_weights, k = STATS.psislw((1 - power) * log_priors[known])
        weights.append(np.exp(log_weights - np.max(log_weights)))
        tails.append(float(k))
    one_chain = [values[None] for values in (logs[known], *weights)]
    moved = STATS.power_scale_sense(
        *one_chain, lower_alpha=WEAKER, upper_alpha=STRONGER, chain_axis=0, draw_axis=1
    )
    finite = [tail for tail in tails if np.isfinite(tail)]
    return PriorWeight(float(moved), max(finite, default=0.0))
