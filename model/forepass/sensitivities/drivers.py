"""What drives the spread of a quantity: shares of blocks, of subjects, of beliefs, of evidence.

The blocks' posteriors are independent, so that exchanging their draws gives the shares of blocks
and of future shocks exactly but for sampling. Within a block beliefs depend on one another, and
splines fitted to draws tell them apart; what no single belief explains stays with the block.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from forepass import tasks
from forepass.forward.projection import FORWARD
from forepass.sensitivities import runs
from forepass.sensitivities.beliefs import CHOICES, KINDS, SHOCKS, UNTRACED, Belief, kind
from forepass.sensitivities.pairings import (
    RESAMPLES,
    Paired,
    ShareOut,
    factorials,
    repaired,
    two_samples,
)
from forepass.sensitivities.runs import Question
from forepass.sensitivities.variance_shares import (
    Smoothed,
    closed_of_covariance,
    closed_of_sums,
    first_order,
    interval,
    normal_scores,
    shapley,
    smoothed,
    totals,
)

BLOCKS = (*FORWARD, "serving")
SCREENED = 30
"""Beliefs of a block that are told apart, those that explain most by themselves."""
ALONE = 6
"""Of the elicited among them, how many are players of their own; the rest play as one."""
LEAST_EXPLAINED = 0.004
"""Of the mean output of a draw; by chance alone one belief in 200 explains as much."""


type Floats = NDArray[np.float64]
type Posteriors = Mapping[str, xr.Dataset]


@dataclass(frozen=True, slots=True)
class Share:
    """What one thing explains of the variance of the log of a quantity.

    Attributes
    ----------
    name : of a block, subject, belief or kind of evidence.
    first : share explained when it alone is known.
    total : share left when all else is known (of a part of a block: all else of the block).
    shapley : its Shapley effect; over everything they sum to one.
    low, high : ends of the 90% bootstrap interval of that.
    """

    name: str
    first: float
    total: float
    shapley: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Input:
    """An elicited belief, or all that was fitted along with a subject's (then ``belief`` is None).

    Attributes
    ----------
    share : under the belief's key, or the subject's name.
    """

    block: str
    belief: Belief | None
    share: Share


@dataclass(frozen=True, slots=True)
class Drivers:
    """Shares at every level, and the draws that they came from.

    Attributes
    ----------
    blocks, subjects, kinds : shares by name; blocks with `SHOCKS`.
    inputs : elicited beliefs told apart, and what was fitted to the record, by subject; largest
        Shapley effect first.
    rows : the quantity, paired as the forecast does and anew.
    """

    blocks: list[Share]
    subjects: list[Share]
    kinds: list[Share]
    inputs: list[Input]
    rows: Paired


def drivers(
    question: Question,
    posteriors: Posteriors,
    beliefs: Sequence[Belief],
    *,
    draws: int = 0,
    share_out: ShareOut = tasks.here,
) -> Drivers:
    """Return the shares of variance of the log of a quantity.

    Parameters
    ----------
    posteriors : draws of every block.
    beliefs : of the blocks, as `forepass.sensitivities.beliefs.all_beliefs` yields them.
    draws : forward runs, at least, for the shares of beliefs and as many again for those of blocks,
        beyond those of `forepass.sensitivities.pairings`, which says what is held of them.
    share_out : does the runs, one pairing of all draws or one factorial at a time.

    Raises
    ------
    InputError
        Where the quantity is the same in all draws, or most have no number.
    """
    active = _active(question, posteriors)
    rows = repaired(question, posteriors, active, draws, share_out)
    runs.check_spread(question, rows.logs)
    sums = factorials(question, posteriors, active, draws, share_out, rows.output.mean())
    closed, *resampled = closed_of_sums(sums)
    blocks = _shares([*active, SHOCKS], closed, np.array(resampled))
    shocks = blocks[-1]
    subjects = list(_of_shocks(question, posteriors, active, shocks))
    kinds: list[Share] = []
    inputs: list[Input] = []
    for block, share in zip(active, blocks, strict=False):
        split = _fitted(rows, beliefs, share, question.seed)
        within = split.beliefs
        rest = f"{block.replace('_', ' ')}, {UNTRACED}"
        subjects += split.by([belief.subject for belief in within], rest=rest)
        kinds += split.by([kind(belief) for belief in within], rest=UNTRACED)
        inputs += split.inputs()
    lots = _structure_by_lot(question, posteriors, active, rows.logs)
    ends = (max(shocks.low - lots, 0.0), max(shocks.high - lots, 0.0))
    kinds += [
        Share("structure", lots, lots, lots, lots, lots),
        Share(SHOCKS, shocks.first - lots, shocks.total - lots, shocks.shapley - lots, *ends),
    ]
    return Drivers(
        blocks=sorted(blocks, key=lambda share: -share.shapley),
        subjects=sorted(subjects, key=lambda share: -share.shapley),
        kinds=_summed(kinds),
        inputs=sorted(inputs, key=lambda one: -one.share.shapley),
        rows=rows,
    )


def _active(question: Question, posteriors: Posteriors) -> list[str]:
    """Return the blocks whose draws the quantity depends on."""
    few = runs.thinned(posteriors, 40)
    memory: runs.Memory = {}
    base = runs.values(question, few, memory=memory)
    found = []
    for block in BLOCKS:
        shifted = {**few, block: few[block].roll(draw=1, roll_coords=False)}
        if not np.array_equal(base, runs.values(question, shifted, memory=memory), equal_nan=True):
            found.append(block)
    return found


def _shares(
    names: Sequence[str], closed: Floats, resampled: Floats, scale: float = 1.0
) -> list[Share]:
    """Return a share for each name from closed shares by set, Shapley effects to a scale."""
    ends = interval(scale * shapley(resampled))
    columns = (first_order(closed), totals(closed), scale * shapley(closed), *ends)
    return [Share(name, *map(float, row)) for name, *row in zip(names, *columns, strict=True)]


def _of_shocks(
    question: Question, posteriors: Posteriors, active: Sequence[str], whole: Share
) -> Iterator[Share]:
    """Yield the share of each block's shocks: the whole's, in proportion to their total effects.

    References
    ----------
    .. [1] M. Jansen, "Analysis of variance designs for model output", Computer Physics
       Communications 117, 1999 (the estimator of total effects).
    """
    first, _ = two_samples(posteriors)
    memory: runs.Memory = {}
    base = runs.values(question, first, memory=memory)
    apart = {}
    for block in active:
        other = runs.values(question, first, seeds={block: question.seed + 1}, memory=memory)
        apart[block] = float(np.nanmean((base - other) ** 2)) / 2 / float(np.nanvar(base))
    everything = max(sum(apart.values()), 1e-12)
    for block, total in apart.items():
        part = total / everything
        words = f"{SHOCKS}: {block.replace('_', ' ')}"
        ends = (part * whole.low, part * whole.high)
        yield Share(words, part * whole.first, total, part * whole.shapley, *ends)


@dataclass(frozen=True, slots=True)
class _Split:
    """How the Shapley effect of a block falls to beliefs, the likeliest first.

    Attributes
    ----------
    told : what each belief tells of the mean output of its block's draws.
    unit : variance of those means over that of the quantity.
    """

    whole: Share
    beliefs: list[Belief]
    told: Smoothed
    unit: float

    def by(self, labels: Sequence[str], *, rest: str) -> Iterator[Share]:
        """Yield the shares of beliefs by label, then what none explains under ``rest``."""
        names = list(dict.fromkeys(labels))
        groups = [np.array([i for i, one in enumerate(labels) if one == n]) for n in names]
        closed = self._closed(self.told.covariance, groups)
        # The block's own share is the better known: its parts divide it, and leave a rest.
        known = max(self.whole.first, float(closed[-1]), 1e-12)
        scale = self.whole.shapley / known
        if names:
            resampled = self._closed(self.told.resampled, groups)
            yield from _shares(names, closed, resampled, scale)
        left = known - float(closed[-1])
        yield Share(rest, left, left, left * scale, left * scale, left * scale)

    def inputs(self) -> Iterator[Input]:
        """Yield the likeliest elicited beliefs one by one, and what was fitted by subject."""
        elicited = [belief for belief in self.beliefs if belief.prior is not None]
        alone = {belief.key: belief for belief in elicited[:ALONE]}
        labels = [
            belief.key
            if belief.key in alone
            else "the others"
            if belief.prior is not None
            else f"{belief.subject}, as fitted to the record"
            for belief in self.beliefs
        ]
        for share in self.by(labels, rest=UNTRACED):
            if share.name not in ("the others", UNTRACED):
                yield Input(self.whole.name, alone.get(share.name), share)

    def _closed(self, covariance: Floats, groups: Sequence[NDArray[np.int_]]) -> Floats:
        return self.unit * closed_of_covariance(covariance, groups, self.told.rows)


def _fitted(rows: Paired, beliefs: Sequence[Belief], whole: Share, seed: int) -> _Split:
    """Return splines of the beliefs of a block that explain most by themselves, each once."""
    own = [belief for belief in beliefs if belief.block == whole.name]
    seen, output = rows.means(whole.name)
    chosen = _screened([belief.draws[seen] for belief in own], output)
    inputs = np.array([own[i].draws[seen] for i in chosen]).reshape(len(chosen), -1).T
    told = smoothed(inputs, output, resamples=RESAMPLES, seed=seed)
    unit = float(output.var() / rows.output.var())
    return _Split(whole, [own[i] for i in chosen], told, unit)


def _screened(inputs: Sequence[Floats], output: Floats) -> list[int]:
    """Return the places of the inputs that explain most by themselves, straight or bent."""
    output = (output - output.mean()) / output.std()
    scores = np.array([normal_scores(values) for values in inputs])
    scores -= scores.mean(axis=1, keepdims=True)
    scores /= scores.std(axis=1, keepdims=True)
    bent = scores**2 - 1
    bent /= np.maximum(bent.std(axis=1, keepdims=True), 1e-9)
    explained = ((scores @ output) / len(output)) ** 2 + ((bent @ output) / len(output)) ** 2
    found: list[int] = []
    for i in np.argsort(-explained).tolist():
        if explained[i] < LEAST_EXPLAINED or len(found) == SCREENED:
            break
        # The same number under two names, as a belief and what is worked out from it.
        if all(abs(scores[i] @ scores[j]) < 0.995 * len(output) for j in found):
            found.append(i)
    return found


def _structure_by_lot(
    question: Question, posteriors: Posteriors, active: Sequence[str], logs: Floats
) -> float:
    """Return the share of variance between structures that draws take by lot when run forward.

    By intervention: all draws take the one and then the other, and the variance between the two
    means is what the choice adds at the weight believed.
    """
    few, _ = two_samples(posteriors)
    memory: runs.Memory = {}
    between = 0.0
    for block, weight in CHOICES:
        if block not in active:
            continue
        taken, left = (
            runs.values(question, runs.held_at(few, block, weight, value), memory=memory)
            for value in (1.0, 0.0)
        )
        chance = float(few[block][weight].mean())
        between += chance * (1 - chance) * float(np.nanmean(taken - left)) ** 2
    return between / float(np.nanvar(logs))


def _summed(shares: Sequence[Share]) -> list[Share]:
    """Return one share for each kind of evidence, in their order, shocks last."""
    found = []
    for name in (*KINDS, UNTRACED, SHOCKS):
        own = [share for share in shares if share.name == name]
        fields = ("first", "total", "shapley")
        first, total, effect = (float(sum(getattr(share, f) for share in own)) for f in fields)
        # Blocks are independent, so that errors add in squares.
        down = sum((share.shapley - share.low) ** 2 for share in own) ** 0.5
        up = sum((share.high - share.shapley) ** 2 for share in own) ** 0.5
        found.append(Share(name, first, total, effect, effect - down, effect + up))
    return found
