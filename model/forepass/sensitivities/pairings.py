"""Forward runs that pair the blocks' draws anew: any number, each a task, a number kept of each.

One task runs the draws that there are forward once, or in one factorial; what it holds meanwhile is
the same however many follow. Kept are one number for each run, and the sums of the factorials.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from forepass.sensitivities import runs
from forepass.sensitivities.runs import Question
from forepass.sensitivities.variance_shares import sums_of_factorial

FACTORIAL_DRAWS = 400
PAIRINGS = 3
"""Times at least that every draw of every block is paired, the forecast's own pairing the first."""
RESAMPLES = 60
OTHER_FUTURES = 1_000_000
"""Between the seed of the first factorial's shocks and those of the others."""

type Floats = NDArray[np.float64]
type Posteriors = Mapping[str, xr.Dataset]
type ShareOut = Callable[..., Iterator[tuple[Any, Any]]]
"""Does tasks as `forepass.tasks.run` does, on what it knows of."""


@dataclass(frozen=True, slots=True)
class Paired:
    """Logs of the quantity for rows that pair the blocks' draws, and which draw each block gave.

    Attributes
    ----------
    logs : of the forecast's own pairing, dims (draw,).
    output : of all rows where it is a number, dims (row,).
    places : by block, dims (row,).
    """

    logs: Floats
    output: Floats
    places: dict[str, NDArray[np.integer]]

    def means(self, block: str) -> tuple[NDArray[np.bool_], Floats]:
        """Return the draws of a block that have rows, and the mean output of each.

        Rows of one draw differ in the other blocks, whose noise the mean has less of.
        """
        count = np.bincount(self.places[block], minlength=len(self.logs))
        total = np.bincount(self.places[block], self.output, minlength=len(self.logs))
        return count > 0, total[count > 0] / count[count > 0]


def repaired(
    question: Question,
    posteriors: Posteriors,
    active: Sequence[str],
    draws: int,
    share_out: ShareOut,
) -> Paired:
    """Return the quantity of the forecast's own pairing and of others, with other shocks too."""
    size = next(iter(posteriors.values())).sizes["draw"]
    same = np.arange(size, dtype=np.min_scalar_type(size))
    rng = np.random.default_rng([question.seed, 1])
    places = [dict.fromkeys(posteriors, same)]
    places += [
        places[0] | {block: rng.permutation(same) for block in active}
        for _ in range(1, max(PAIRINGS, math.ceil(draws / size)))
    ]
    found = {
        place: logs
        for (place, _), logs in share_out(_paired, enumerate(places), (question, dict(posteriors)))
    }
    output = np.concatenate([found[place] for place in range(len(places))])
    fine = np.isfinite(output)
    joined = {block: np.concatenate([p[block] for p in places])[fine] for block in posteriors}
    return Paired(found[0], output[fine], joined)


def _paired(
    task: tuple[int, dict[str, NDArray[np.integer]]], given: tuple[Question, dict[str, xr.Dataset]]
) -> Floats:
    """Return the log of the quantity with the blocks' draws in other places and other shocks."""
    (again, places), (question, posteriors) = task, given
    if not again:
        return runs.values(question, posteriors)
    # Apart from the seeds of the forecast and of the second sample.
    seeds = dict.fromkeys(posteriors, question.seed + 10 + again)
    paired = {block: draws.isel(draw=places[block]) for block, draws in posteriors.items()}
    return runs.values(question, paired, seeds=seeds)


def factorials(
    question: Question,
    posteriors: Posteriors,
    active: Sequence[str],
    draws: int,
    share_out: ShareOut,
    centre: float,
) -> Floats:
    """Return the sums over factorials of the blocks and, last, of future shocks.

    Parameters
    ----------
    draws : forward runs, at least; one factorial otherwise.
    centre : near the mean of the logs.

    Returns
    -------
    ndarray
        As `forepass.sensitivities.variance_shares.sums_of_factorial` gives them; the first as they
        are, the others resampled `RESAMPLES` times.
    """
    each = 2 ** (len(active) + 1) * FACTORIAL_DRAWS
    asked = [(place, tuple(active)) for place in range(max(1, math.ceil(draws / each)))]
    sums = dict(share_out(_factorial, asked, (question, dict(posteriors), float(centre))))
    # Added up in their own order, for sums hang on it in the last digit.
    return np.sum([sums[task] for task in asked], axis=0)


def _factorial(
    task: tuple[int, tuple[str, ...]], given: tuple[Question, dict[str, xr.Dataset], float]
) -> Floats:
    """Return the sums of one factorial of blocks and shocks, as they are and resampled."""
    (again, active), (question, posteriors, centre) = task, given
    seed, rng = question.seed, np.random.default_rng(question.seed)
    if again:
        seed, rng = seed + OTHER_FUTURES + 2 * again, np.random.default_rng([seed, 2, again])
        size = next(iter(posteriors.values())).sizes["draw"]
        posteriors = {n: one.isel(draw=rng.permutation(size)) for n, one in posteriors.items()}
    first, second = two_samples(posteriors)
    memory: runs.Memory = {}
    outputs = []
    for place in range(2 ** (len(active) + 1)):
        changed = [block for j, block in enumerate(active) if place >> j & 1]
        mixed = {**first, **{block: second[block] for block in changed}}
        seeds = dict.fromkeys(posteriors, seed + (place >> len(active) & 1))
        outputs.append(runs.values(question, mixed, seeds=seeds, memory=memory))
    table = np.array(outputs)
    table = table[:, np.isfinite(table).all(axis=0)]
    even = np.full(table.shape[1], 1 / table.shape[1])
    weights = rng.multinomial(table.shape[1], even, RESAMPLES).astype(float)
    weights = np.vstack([np.ones(table.shape[1]), weights])
    return sums_of_factorial(table, weights, centre=centre)


def two_samples(posteriors: Posteriors) -> list[dict[str, xr.Dataset]]:
    """Return two sets of draws, none in both."""
    size = next(iter(posteriors.values())).sizes["draw"]
    draws = min(FACTORIAL_DRAWS, size // 2)
    return [runs.thinned(posteriors, draws, offset) for offset in (0.0, 0.5)]
