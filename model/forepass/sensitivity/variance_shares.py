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
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy import interpolate, special, stats

__all__ = [
    "Surrogate",
    "closed_of_covariance",
    "closed_of_factorial",
    "first_order",
    "shapley",
    "surrogate",
    "totals",
]

KNOTS = 4
"""Inside each spline, at even steps of the ranks: enough for what rises, falls or turns once."""
FOLDS = 40
"""Runs of neighbouring draws that are resampled whole, as draws of a chain resemble each other."""
PENALTIES = tuple(10.0**power for power in range(-3, 4))
"""On the bends of the splines, for each row; the best by what it predicts is taken."""
LEAST_RIDGE = 1e-4

type Floats = NDArray[np.float64]


def closed_of_factorial(outputs: Floats, weights: Floats | None = None) -> Floats:
    """Return the closed share of each set of independent inputs, from two samples of each.

    Every two outputs that take the inputs of a set from the same sample and the others from
    different ones estimate the set's share ("pick and freeze" [1]_): all of them are averaged.

    Parameters
    ----------
    outputs
        Dims (2**k, draw): place c takes input j from the second sample where bit j of c is set.
    weights
        Of the draws, as a bootstrap gives them; all alike unless given.

    Returns
    -------
    ndarray
        Dims (2**k,): place s is of the inputs whose bits are set.

    References
    ----------
    .. [1] A. Janon et al., "Asymptotic normality and efficiency of two Sobol index estimators",
       ESAIM: Probability and Statistics 18, 2014.
    """
    every = len(outputs)
    weight = np.full(outputs.shape[1], 1.0) if weights is None else weights
    weight = weight / weight.sum()
    centred = outputs - (outputs @ weight).mean()
    products = (centred * weight) @ centred.T
    place = np.arange(every)
    variance = products[place, place].mean()
    shares = [products[place, place ^ (every - 1) ^ s].mean() / variance for s in range(every)]
    # The empty set explains nothing and all inputs everything: what is off is error of the mean.
    return (np.asarray(shares) - shares[0]) / (shares[-1] - shares[0])


def totals(closed: Floats) -> Floats:
    """Return the total effect of each input: what is left when all the others are known."""
    every = len(closed) - 1
    return np.array([closed[-1] - closed[every ^ (1 << j)] for j in range(_players(closed))])


def first_order(closed: Floats) -> Floats:
    """Return the first-order share of each input, from closed shares by set."""
    return np.array([closed[1 << j] for j in range(_players(closed))])


def shapley(closed: Floats) -> Floats:
    """Return the Shapley effect of each input, which sum to the share of them all."""
    k = _players(closed)
    size = np.array([place.bit_count() for place in range(len(closed))])
    weight = np.array([1 / (k * math.comb(k - 1, s)) if s < k else 0.0 for s in range(k + 1)])
    place = np.arange(len(closed))
    found = []
    for j in range(k):
        without = place[place >> j & 1 == 0]
        gain = closed[without | 1 << j] - closed[without]
        found.append(float(np.sum(weight[size[without]] * gain)))
    return np.array(found)


def _players(closed: Floats) -> int:
    return len(closed).bit_length() - 1


def closed_of_covariance(covariance: Floats, groups: Sequence[NDArray[np.int_]]) -> Floats:
    """Return Var(E[sum | set]) of each set of groups, for parts of a sum that vary together.

    Parameters
    ----------
    covariance
        Of the parts, dims (part, part); expectations are taken as linear in the parts, which is
        exact for parts that are jointly normal.
    groups
        Places of the parts of each group; a part in no group is known in no set.
    """
    if not groups:
        return np.zeros(1)
    # Sums within a group would lose what its parts tell apart; so parts stay, with a tiny ridge.
    with_sum = covariance.sum(axis=1)
    scale = max(float(np.trace(covariance)), 1e-300)
    found = np.zeros(2 ** len(groups))
    for size in range(1, len(groups) + 1):
        for chosen in combinations(range(len(groups)), size):
            at = np.concatenate([groups[j] for j in chosen])
            if not len(at):
                continue
            inner = covariance[np.ix_(at, at)] + 1e-9 * scale * np.eye(len(at))
            share = with_sum[at] @ np.linalg.solve(inner, with_sum[at])
            found[sum(1 << j for j in chosen)] = share
    return found


@dataclass(frozen=True, slots=True)
class Surrogate:
    """A sum of splines of single inputs, fitted to draws.

    Attributes
    ----------
    covariance : of the splines over the draws, dims (input, input), in shares of the output's
        variance and without what their errors add.
    resampled : the same of each resample of folds, dims (resample, input, input).
    explained : share of the variance of the outputs that it predicts out of sample.
    """

    covariance: Floats
    resampled: Floats
    explained: float


def surrogate(
    inputs: Floats,
    output: Floats,
    *,
    places: NDArray[np.int_] | None = None,
    resamples: int = 0,
    seed: int = 0,
    knots: int = KNOTS,
) -> Surrogate:
    """Return the sum of splines of the inputs that follows the output, dependent inputs allowed.

    Penalised regression splines [1]_ of the normal scores of each input. Each half of the folds is
    fitted by itself and the covariance is between the halves' splines, so that errors of one half,
    which the other does not share, add nothing to it.

    Parameters
    ----------
    inputs
        Dims (draw, input).
    output
        Dims (draw,) or (row,).
    places
        Draw of each input in each row, dims (row, input), where rows pair independent inputs anew.
    resamples
        How many resamples of the folds to refit.
    seed
        Of the resamples.
    knots
        Inside each spline.

    References
    ----------
    .. [1] P. Eilers, B. Marx, "Flexible smoothing with B-splines and penalties", Statistical
       Science 11, 1996.
    """
    basis = np.stack([_splines(column, knots) for column in inputs.T], axis=1)
    n_draws, n_inputs, width = basis.shape
    rows = np.arange(n_draws)[:, None] if places is None else places
    rows = np.broadcast_to(rows, (len(rows), n_inputs))
    design = basis[rows, np.arange(n_inputs)].reshape(len(rows), -1)
    centred = output - output.mean()
    fold = (rows[:, 0] * min(FOLDS, n_draws)) // n_draws
    folds = [_moments(design[fold == f], centred[fold == f]) for f in range(fold.max() + 1)]
    within = np.einsum("dia,djb->iajb", basis, basis) / n_draws
    roughness = np.kron(np.eye(n_inputs), _roughness(width))
    halves = [list(range(half, len(folds), 2)) for half in (0, 1)]
    penalty, error = _best_penalty(folds, halves, roughness)

    def covariance(chosen: Sequence[Sequence[int]]) -> Floats:
        fits = [_solved(_summed(folds, half), roughness, penalty) for half in chosen]
        one, other = (fit.reshape(n_inputs, width) for fit in fits)
        both = np.einsum("ia,iajb,jb->ij", one, within, other)
        return _nearest_covariance((both + both.T) / 2) / float(np.mean(centred**2))

    rng = np.random.default_rng(seed)
    drawn = [covariance([rng.choice(half, len(half)) for half in halves]) for _ in range(resamples)]
    empty = np.zeros((0, n_inputs, n_inputs))
    return Surrogate(covariance(halves), np.array(drawn) if drawn else empty, 1 - error)


type Moments = tuple[Floats, Floats, float, int]


def _moments(design: Floats, output: Floats) -> Moments:
    return design.T @ design, design.T @ output, float(output @ output), len(output)


def _summed(folds: Sequence[Moments], chosen: Sequence[int]) -> Moments:
    parts = [folds[fold] for fold in chosen]
    return (
        np.sum([part[0] for part in parts], axis=0),
        np.sum([part[1] for part in parts], axis=0),
        sum(part[2] for part in parts),
        sum(part[3] for part in parts),
    )


def _solved(moments: Moments, roughness: Floats, penalty: float) -> Floats:
    gram, with_output, _, rows = moments
    held = penalty * roughness + LEAST_RIDGE * np.eye(len(gram))
    return np.asarray(np.linalg.solve(gram + rows * held, with_output))


def _best_penalty(
    folds: Sequence[Moments], halves: Sequence[Sequence[int]], roughness: Floats
) -> tuple[float, float]:
    """Return the penalty whose fit of one half best predicts the other, and the error's share."""
    sums = [_summed(folds, half) for half in halves]

    def error(penalty: float) -> float:
        lost = 0.0
        for fitted, (gram, with_output, square, _) in zip(sums, reversed(sums), strict=True):
            found = _solved(fitted, roughness, penalty)
            lost += square - 2 * found @ with_output + found @ gram @ found
        return float(lost / sum(square for _, _, square, _ in sums))

    best = min(PENALTIES, key=error)
    return best, error(best)


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


def _roughness(width: int) -> Floats:
    bends = np.diff(np.eye(width), n=2, axis=0)
    return np.asarray(bends.T @ bends)


def _nearest_covariance(matrix: Floats) -> Floats:
    """Return the matrix without negative eigenvalues, which errors of estimation leave."""
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * np.maximum(values, 0.0)) @ vectors.T)


def interval(
    of: Callable[[int], Floats], resamples: int, level: float = 0.9
) -> tuple[Floats, Floats]:
    """Return the ends of the bootstrap interval, of what each resample gives, equal-tailed."""
    drawn = np.array([of(resample) for resample in range(resamples)])
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return low, high
