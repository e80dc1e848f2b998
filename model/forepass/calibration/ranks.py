"""Whether ranks of truths among draws are uniform, as they are where a refit is right.

The test is that of simultaneous bands for an empirical distribution function: of the counts of
ranks up to each value, binomial if ranks are uniform, the least likely one decides. How small that
gets by chance is found by simulation, so the p value is exact for any number of replicas. Over all
variables that are tested together, p values are adjusted by Holm's method: where every block is
right, the whole check fails in one run of twenty.

References
----------
.. [1] T. Säilynoja, P.-C. Bürkner, A. Vehtari, "Graphical test for discrete uniformity and its
   applications in goodness-of-fit evaluation and multiple sample comparison", Statistics and
   Computing 32, 2022.
.. [2] M. Modrák et al., "Simulation-based calibration checking for Bayesian computation: the
   choice of test quantities shapes sensitivity", Bayesian Analysis 20, 2025.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

type Floats = NDArray[np.float64]
type Integers = NDArray[np.int_]

LEVEL = 0.05
"""Chance that a check of blocks which are right falls short, over all that it tests."""
SIMULATED = 100_000
BINS = 8
"""Of the chi-square test, which is shown beside the other and decides nothing."""


def summary(ranks: Mapping[str, pd.DataFrame], *, places: int) -> pd.DataFrame:
    """Return the tests of every variable of every block.

    Parameters
    ----------
    ranks : by block, a row for each replica and a column for each variable; 0 to ``places - 1``.
    places : number of values that a rank can take.

    Returns
    -------
    pd.DataFrame
        ``block``, ``variable``, ``replicates``, ``statistic`` (the least tail probability), its
        ``p``, ``p_adjusted`` over all rows, ``chi_square`` with ``p_chi_square``, ``mean_place``
        of the truth (half where right; above, where draws lie too low) and ``spread`` of places
        over that of uniform ones (above 1, draws are too narrow).
    """
    rows = [
        {"block": block, "variable": str(name), **_tested(column.to_numpy(), places)}
        for block, frame in ranks.items()
        for name, column in frame.items()
    ]
    found = pd.DataFrame(rows)
    found.insert(5, "p_adjusted", _holm(found["p"].to_numpy()))
    return found


def band(replicas: int, places: int, level: float = LEVEL) -> tuple[Floats, Floats]:
    """Return the least and greatest share of ranks up to each place that uniform ones leave.

    All places together hold a sample of uniform ranks with probability 1 - ``level``.
    """
    least = np.quantile(_by_chance(replicas, places), level)
    inside = _tails(replicas, places) >= least
    counts = np.arange(replicas + 1)
    low = np.where(inside, counts, replicas).min(axis=1)
    high = np.where(inside, counts, 0).max(axis=1)
    return low / replicas, high / replicas


def _tested(ranks: Integers, places: int) -> dict[str, Any]:
    from scipy import stats

    statistic = float(_least_tail(np.bincount(ranks, minlength=places)[None, :])[0])
    chance = _by_chance(len(ranks), places)
    binned = np.bincount(ranks * BINS // places, minlength=BINS)
    chi_square = stats.chisquare(binned)
    place = (ranks + 0.5) / places
    return {
        "replicates": len(ranks),
        "statistic": statistic,
        "p": float((1 + (chance <= statistic).sum()) / (1 + len(chance))),
        "chi_square": float(chi_square.statistic),
        "p_chi_square": float(chi_square.pvalue),
        "mean_place": float(place.mean()),
        "spread": float(place.std() / np.sqrt((1 - places**-2.0) / 12)),
    }


@cache
def _tails(replicas: int, places: int) -> Floats:
    """Return twice the lesser tail probability of each count of ranks, dims (place, count)."""
    from scipy import stats

    counts, shares = np.arange(replicas + 1), np.arange(1, places)[:, None] / places
    below = stats.binom.cdf(counts, replicas, shares)
    above = stats.binom.sf(counts - 1, replicas, shares)
    return np.asarray(np.minimum(2 * np.minimum(below, above), 1.0))


def _least_tail(histograms: Integers) -> Floats:
    """Return the least tail probability over places, of histograms (sample, place)."""
    up_to = histograms.cumsum(axis=1)[:, :-1]
    tails = _tails(int(histograms[0].sum()), histograms.shape[1])
    return np.asarray(tails[np.arange(up_to.shape[1]), up_to].min(axis=1))


@cache
def _by_chance(replicas: int, places: int) -> Floats:
    """Return the statistic of samples of uniform ranks."""
    rng = np.random.default_rng([replicas, places])
    uniform = np.full(places, 1 / places)
    parts = [
        _least_tail(rng.multinomial(replicas, uniform, size=SIMULATED // 10)) for _ in range(10)
    ]
    return np.concatenate(parts)


def _holm(p: Floats) -> Floats:
    """Return p values adjusted for their number, so that a family of them errs as one would."""
    order = np.argsort(p)
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted
