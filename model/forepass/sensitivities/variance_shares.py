"""Shares of variance: of independent inputs from a full factorial, of dependent ones from draws.

An output's variance is shared out by what its mean given some of the inputs explains of it: the
closed share of a set of inputs is Var(E[output | set]) / Var(output). First-order shares are of one
input, total effects are one less the share of all the others, and Shapley effects [1]_ are averages
over all orders in which inputs may become known, so that they sum to one whatever depends on what.

References
----------
.. [1] A. Owen, C. Prieur, "On Shapley value for measuring importance of dependent inputs", SIAM/ASA
   Journal on Uncertainty Quantification 5, 2017.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import interpolate, special, stats

KNOTS = 3
"""Inside each spline, at even steps of the ranks: enough for what rises, falls or turns once."""
FOLDS = 40
"""Runs of neighbouring draws that are resampled whole, as draws of a chain resemble each other."""
PENALTIES = (1e-4, 1e-2, 1.0, 100.0)
"""On the bends of a spline, for each row: from next to free to next to straight."""
LEAST_RIDGE = 1e-6

type Floats = NDArray[np.float64]


def sums_of_factorial(
    outputs: Floats, weights: Floats | None = None, *, centre: float = 0.0
) -> Floats:
    """Return what closed shares of independent inputs follow from, two samples of each.

    Every two outputs that take the inputs of a set from the same sample and the others from
    different ones estimate the set's share ("pick and freeze" [1]_): all of them are averaged.

    Parameters
    ----------
    outputs
        Dims (2**k, draw): place c takes input j from the second sample where bit j of c is set.
    weights : of the draws, as a bootstrap gives them, dims (resample, draw); one of all alike
        unless given.
    centre : near the mean, and the same for all that are added up, so that no digits are lost.

    Returns
    -------
    ndarray
        Dims (resample, 2 + 2**k), to be added up over any number of factorials: weight, total, and
        for each set the products of its pairs, place s of the inputs whose bits are set.

    References
    ----------
    .. [1] A. Janon et al., "Asymptotic normality and efficiency of two Sobol index estimators",
       ESAIM: Probability and Statistics 18, 2014.
    """
    weights = np.ones((1, outputs.shape[1])) if weights is None else weights
    values, place = outputs - centre, np.arange(len(outputs))
    pairs = [(values * values[place ^ place[-1] ^ s]).mean(axis=0) for s in place]
    each = [np.ones(values.shape[1]), values.mean(axis=0), *pairs]
    return weights @ np.array(each).T


def closed_of_sums(sums: Floats) -> Floats:
    """Return the closed share of each set, dims (resample, 2**k), of `sums_of_factorial`."""
    mean = sums[:, 1:2] / sums[:, :1]
    shares = sums[:, 2:] / sums[:, :1] - mean**2
    # The empty set explains nothing and all inputs everything: what is off is error of the mean.
    return (shares - shares[:, :1]) / (shares[:, -1:] - shares[:, :1])


def totals(closed: Floats) -> Floats:
    """Return the total effect of each input: what is left when all the others are known."""
    every = closed.shape[-1] - 1
    return closed[..., -1:] - closed[..., [every ^ 1 << j for j in range(_players(closed))]]


def first_order(closed: Floats) -> Floats:
    """Return the first-order share of each input, from closed shares by set."""
    return closed[..., [1 << j for j in range(_players(closed))]]


def shapley(closed: Floats) -> Floats:
    """Return the Shapley effect of each input, dims (..., k), which sum to the share of all.

    ``closed`` are the closed shares by set, dims (..., 2**k).
    """
    k = _players(closed)
    place = np.arange(closed.shape[-1])
    size = np.bitwise_count(place)
    weight = np.array([1 / (k * math.comb(k - 1, s)) if s < k else 0.0 for s in range(k + 1)])
    found = []
    for j in range(k):
        without = place[place >> j & 1 == 0]
        gain = closed[..., without | 1 << j] - closed[..., without]
        found.append(gain @ weight[size[without]])
    return np.stack(found, axis=-1)


def _players(closed: Floats) -> int:
    return closed.shape[-1].bit_length() - 1


def closed_of_covariance(
    covariance: Floats, groups: Sequence[NDArray[np.int_]], rows: int | None = None
) -> Floats:
    """Return the closed share of each set of groups of inputs that may depend on one another.

    Parameters
    ----------
    covariance : of the inputs and, last, of the output, dims (..., input + 1, input + 1).
        Expectations are taken as linear in the inputs, which is exact where all are jointly normal.
    groups : places of the inputs of each group.
    rows : draws that the covariance was estimated from, so that what as many inputs of pure noise
        would seem to explain is taken off; None where it is known.

    Returns
    -------
    ndarray
        Dims (..., 2**k); place s is of the groups whose bits are set.
    """
    with_output, variance = covariance[..., :-1, -1], covariance[..., -1, -1]
    found = np.zeros((*variance.shape, 2 ** len(groups)))
    for place in range(1, 2 ** len(groups)):
        at = np.concatenate([group for j, group in enumerate(groups) if place >> j & 1])
        within = covariance[..., at[:, None], at]
        # Inputs that say the same would leave nothing to solve for, but for a tiny ridge.
        ridge = 1e-9 * np.trace(within, axis1=-2, axis2=-1)[..., None, None] + 1e-300
        known = with_output[..., at]
        slopes = np.linalg.solve(within + ridge * np.eye(len(at)), known[..., None])[..., 0]
        share = np.sum(known * slopes, axis=-1) / variance
        if rows is not None:
            share = 1 - (1 - share) * (rows - 1) / (rows - 1 - len(at))
        found[..., place] = share
    return found


@dataclass(frozen=True, slots=True)
class Smoothed:
    """What each input tells of an output, and how these vary together over draws.

    Attributes
    ----------
    covariance : of the output's expected value given each input by itself and, last, of the output.
    resampled : the same of each resample of folds, dims (resample, input + 1, input + 1).
    rows : draws that they come from.
    """

    covariance: Floats
    resampled: Floats
    rows: int


def smoothed(
    inputs: Floats, output: Floats, *, resamples: int = 0, seed: int = 0, knots: int = KNOTS
) -> Smoothed:
    """Return what each input by itself tells of the output, and how these vary together.

    Penalised regression splines [1]_ of the normal scores of each input. Each half of the folds is
    smoothed by splines fitted to the other, so that no spline is judged by draws it has seen.

    Parameters
    ----------
    inputs : dims (draw, input).
    output : dims (draw,).
    resamples : how many times the folds are resampled.
    seed : of the resamples.
    knots : inside each spline.

    References
    ----------
    .. [1] P. Eilers, B. Marx, "Flexible smoothing with B-splines and penalties", Statistical
       Science 11, 1996.
    """
    size = len(output)
    basis = np.stack([_splines(column, knots) for column in inputs.T])
    fold = (np.arange(size) * FOLDS) // size
    half = fold % 2
    centred = output - output.mean()
    seen = np.empty((len(basis), size))
    for other in (0, 1):
        seen[:, half == other] = _fitted(
            basis[:, half != other], centred[half != other], basis[:, half == other]
        )
    together = np.concatenate([seen, centred[None]])
    # Means of halves differ by chance; that is no part of what an input tells.
    for other in (0, 1):
        together[:, half == other] -= together[:, half == other].mean(axis=1, keepdims=True)
    moments = np.array([together[:, fold == f] @ together[:, fold == f].T for f in range(FOLDS)])
    times = np.random.default_rng(seed).multinomial(FOLDS, [1 / FOLDS] * FOLDS, resamples)
    return Smoothed(
        moments.sum(axis=0) / size, np.einsum("rf,fij->rij", times, moments) / size, size
    )


def _fitted(basis: Floats, output: Floats, at: Floats) -> Floats:
    """Return the spline of each input at other draws, each with the penalty that suits it.

    Generalised cross-validation chooses among `PENALTIES`.
    """
    gram = np.einsum("ida,idb->iab", basis, basis, optimize=True)
    with_output = basis.transpose(0, 2, 1) @ output
    rows, width = len(output), basis.shape[2]
    bends = np.diff(np.eye(width), n=2, axis=0)
    best = np.full(len(basis), np.inf)
    slopes = np.zeros((len(basis), width))
    for penalty in PENALTIES:
        held = gram + rows * (penalty * bends.T @ bends + LEAST_RIDGE * np.eye(width))
        found = np.linalg.solve(held, with_output[..., None])[..., 0]
        freedom = np.trace(np.linalg.solve(held, gram), axis1=1, axis2=2)
        explained = 2 * np.sum(found * with_output, 1) - np.einsum(
            "ia,iab,ib->i", found, gram, found
        )
        error = (output @ output - explained) / (1 - freedom / rows) ** 2
        better = error < best
        best, slopes[better] = np.where(better, error, best), found[better]
    return np.asarray(np.einsum("ida,ia->id", at, slopes, optimize=True))


def normal_scores(values: Floats) -> Floats:
    """Return the normal scores of the ranks; ties share theirs."""
    ranks = stats.rankdata(values)
    return np.asarray(special.ndtri((ranks - 0.5) / len(ranks)))


def _splines(values: Floats, knots: int) -> Floats:
    """Return centred cubic B-splines of the normal scores, dims (draw, spline)."""
    score = normal_scores(values)
    low, high = score.min() - 1e-9, score.max() + 1e-9
    inner = special.ndtri(np.arange(1, knots + 1) / (knots + 1))
    inner = inner[(inner > low) & (inner < high)]
    places = np.concatenate([np.full(4, low), inner, np.full(4, high)])
    found = interpolate.BSpline.design_matrix(score, places, 3).toarray()
    # Of an input with few values the ends lie inside the knots: the same width for all.
    found = np.pad(found, ((0, 0), (0, knots + 4 - found.shape[1])))
    return np.asarray(found - found.mean(axis=0))


def interval(resampled: Floats, level: float = 0.9) -> tuple[Floats, Floats]:
    """Return the ends of the equal-tailed bootstrap interval, of dims (resample, ...)."""
    low, high = np.quantile(resampled, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return low, high
