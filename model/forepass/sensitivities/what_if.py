"""What the answer would be if a belief were low or high, and where it crosses a threshold."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from forepass.sensitivities import runs
from forepass.sensitivities.beliefs import Belief
from forepass.sensitivities.runs import Question

ENDS = (0.1, 0.9)
GRID = (0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999)
"""Quantiles of the belief at which the median is tried before the crossing is closed in on."""
STEPS = 12

type Floats = NDArray[np.float64]
type Posteriors = Mapping[str, xr.Dataset]


@dataclass(frozen=True, slots=True)
class Swing:
    """The median of a quantity where a belief is at its 10th and at its 90th percentile.

    Attributes
    ----------
    low, high : those percentiles of the belief's posterior.
    at_low, at_high : medians of the quantity, in its unit; the same where the belief acts through
        the fit alone.
    """

    low: float
    high: float
    at_low: float
    at_high: float


@dataclass(frozen=True, slots=True)
class BreakEven:
    """Where the median of a quantity crosses a threshold as one belief changes.

    Attributes
    ----------
    value : of the belief at the crossing nearest to its median; None where there is none.
    probability : that the belief has a value at which the median is beyond.
    crossings : over what is thought possible of the belief.
    least, most : medians of the quantity over that range.
    low, high : ends of that range: of the belief's posterior, 0.1% and 99.9%.
    """

    value: float | None
    probability: float
    crossings: int
    least: float
    most: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Pairs:
    """Few draws of the blocks, to try beliefs on, and where the median of all draws lies.

    What a change does is told by the few, with the same shocks before and after; the level that it
    starts from is of all the draws.

    Attributes
    ----------
    log_median : of all the draws.
    log_median_of_few : of the few, unchanged.
    memory : blocks that were run forward already.
    """

    question: Question
    posteriors: Posteriors
    log_median: float
    log_median_of_few: float
    memory: runs.Memory

    def at(self, belief: Belief, value: float) -> float:
        """Return the log of the median where all draws have one value of a belief."""
        held = runs.held_at(self.posteriors, belief.block, belief.variable, value, belief.place)
        found = float(np.nanmedian(runs.values(self.question, held, memory=self.memory)))
        return self.log_median + found - self.log_median_of_few


def pairs(question: Question, posteriors: Posteriors, logs: Floats, *, draws: int) -> Pairs:
    """Return so many draws to try beliefs on; ``logs`` are of the quantity in all of them."""
    few = runs.thinned(posteriors, draws)
    memory: runs.Memory = {}
    of_few = float(np.nanmedian(runs.values(question, few, memory=memory)))
    return Pairs(question, few, float(np.nanmedian(logs)), of_few, memory)


def swing(few: Pairs, belief: Belief) -> Swing:
    """Return the quantity's median at both ends of a belief, by intervention on the forward run."""
    low, high = (float(end) for end in np.quantile(belief.draws, ENDS))
    return Swing(low, high, *(float(np.exp(few.at(belief, end))) for end in (low, high)))


def break_even(few: Pairs, belief: Belief, *, above: bool, threshold: float) -> BreakEven:
    """Return the value of a belief at which the quantity's median crosses a threshold.

    Found by intervention with paired draws, between the values tried as a straight line, closed in
    on by halving.
    """
    tried = np.unique(np.quantile(belief.draws, GRID))
    level, sign = np.log(threshold), 1.0 if above else -1.0

    def beyond(value: float) -> float:
        return sign * (few.at(belief, value) - level)

    found = np.array([beyond(float(value)) for value in tried])
    turns = np.flatnonzero((found[:-1] > 0) != (found[1:] > 0))
    medians = np.exp(sign * found + level)
    value = None
    if len(turns):
        centre = np.searchsorted(tried, np.median(belief.draws))
        at = int(turns[np.argmin(np.abs(turns + 0.5 - centre))])
        low, high = float(tried[at]), float(tried[at + 1])
        for _ in range(STEPS):
            middle = (low + high) / 2
            low, high = (middle, high) if (beyond(middle) > 0) == (found[at] > 0) else (low, middle)
        value = (low + high) / 2
        tried, found = np.insert(tried, at + 1, value), np.insert(found, at + 1, 0.0)
    probability = float(np.mean(np.interp(belief.draws, tried, found) > 0))
    ends = (float(medians.min()), float(medians.max()), float(tried[0]), float(tried[-1]))
    return BreakEven(value, probability, len(turns), *ends)
