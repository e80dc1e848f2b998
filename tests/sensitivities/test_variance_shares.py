"""Shares of variance against cases whose shares are known in closed form, and against SALib."""

from itertools import permutations

import numpy as np
import pytest
from numpy.typing import NDArray
from SALib.analyze import sobol
from SALib.sample import sobol as sobol_sample

from forepass.sensitivities import variance_shares as vs

type Floats = NDArray[np.float64]


def ishigami(x: Floats) -> Floats:
    return np.asarray(np.sin(x[0]) + 7 * np.sin(x[1]) ** 2 + 0.1 * x[2] ** 4 * np.sin(x[0]))


G = np.array([0.0, 1.0, 4.5, 9.0])


def g_function(u: Floats) -> Floats:
    return np.asarray(np.prod((np.abs(4 * u - 2) + G[:, None]) / (1 + G[:, None]), axis=0))


def factorial(function: object, draws: int, k: int, low: float, high: float, seed: int) -> Floats:
    rng = np.random.default_rng(seed)
    one, two = rng.uniform(low, high, (2, k, draws))
    out = []
    for place in range(2**k):
        second = np.array([place >> j & 1 for j in range(k)], dtype=bool)[:, None]
        out.append(function(np.where(second, two, one)))  # type: ignore[operator]
    return np.array(out)


def closed_of(outputs: Floats) -> Floats:
    return vs.closed_of_sums(vs.sums_of_factorial(outputs))[0]


def closed_by_hand(partial: dict[tuple[int, ...], float], k: int) -> Floats:
    return np.array(
        [
            sum(v for s, v in partial.items() if all(place >> j & 1 for j in s))
            for place in range(2**k)
        ]
    )


def ishigami_closed() -> Floats:
    a, b, pi = 7.0, 0.1, np.pi
    parts = {
        (0,): 0.5 * (1 + b * pi**4 / 5) ** 2,
        (1,): a**2 / 8,
        (0, 2): b**2 * pi**8 * (1 / 18 - 1 / 50),
    }
    return closed_by_hand(parts, 3) / sum(parts.values())


def g_closed() -> Floats:
    each = 1 / (3 * (1 + G) ** 2)
    closed = [np.prod([1 + each[j] for j in range(4) if s >> j & 1]) - 1 for s in range(16)]
    return np.array(closed) / closed[-1]


def test_sums_of_parts_of_a_factorial_give_the_shares_of_the_whole() -> None:
    whole = factorial(ishigami, 1000, 3, -np.pi, np.pi, 1) + 1e3
    parts = [vs.sums_of_factorial(part, centre=1e3) for part in np.split(whole, [300, 800], axis=1)]
    found = vs.closed_of_sums(np.sum(parts, axis=0))[0]
    np.testing.assert_allclose(found, closed_of(whole), atol=1e-6)
    np.testing.assert_allclose(found, closed_of(whole - 1e3), atol=1e-12)


def test_a_factorial_gives_the_shares_of_the_ishigami_function() -> None:
    found = closed_of(factorial(ishigami, 4000, 3, -np.pi, np.pi, 1))
    known = ishigami_closed()
    np.testing.assert_allclose(found, known, atol=0.03)
    np.testing.assert_allclose(vs.totals(found), vs.totals(known), atol=0.03)
    np.testing.assert_allclose(vs.shapley(found), vs.shapley(known), atol=0.03)
    assert vs.first_order(found)[2] == pytest.approx(0, abs=0.03)
    assert vs.totals(found)[2] == pytest.approx(0.244, abs=0.03)


def test_a_factorial_gives_the_shares_of_the_g_function() -> None:
    found = closed_of(factorial(g_function, 4000, 4, 0, 1, 2))
    np.testing.assert_allclose(found, g_closed(), atol=0.03)
    assert vs.shapley(found).sum() == pytest.approx(1)


def test_first_and_total_shares_agree_with_salib() -> None:
    problem = {"num_vars": 4, "names": list("abcd"), "bounds": [[0, 1]] * 4}
    sample = sobol_sample.sample(problem, 2048, calc_second_order=False, seed=3)
    theirs = sobol.analyze(problem, g_function(sample.T), calc_second_order=False, seed=3)
    ours = closed_of(factorial(g_function, 4000, 4, 0, 1, 4))
    np.testing.assert_allclose(vs.first_order(ours), theirs["S1"], atol=0.03)
    np.testing.assert_allclose(vs.totals(ours), theirs["ST"], atol=0.03)


def test_shapley_effects_are_the_average_over_all_orders() -> None:
    closed = np.concatenate([[0.0], np.random.default_rng(5).random(15)])
    gains = np.zeros(4)
    orders = list(permutations(range(4)))
    for order in orders:
        known = 0
        for j in order:
            gains[j] += closed[known | 1 << j] - closed[known]
            known |= 1 << j
    np.testing.assert_allclose(vs.shapley(closed), gains / len(orders))


SLOPES = np.array([1.0, 1.0, 2.0])
COVARIANCE = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.8], [0.0, 0.8, 1.0]])
ALONE = [np.array([j]) for j in range(3)]


def gaussian_closed() -> Floats:
    found = np.zeros(8)
    for s in range(1, 8):
        at = [j for j in range(3) if s >> j & 1]
        with_output = COVARIANCE[at] @ SLOPES
        found[s] = with_output @ np.linalg.inv(COVARIANCE[np.ix_(at, at)]) @ with_output
    return found / found[-1]


def test_draws_of_a_correlated_gaussian_give_its_shapley_effects() -> None:
    rng = np.random.default_rng(6)
    x = rng.multivariate_normal(np.zeros(3), COVARIANCE, 2400)
    signal = x @ SLOPES
    noise = rng.standard_normal(2400) * signal.std()
    found = vs.smoothed(x, signal + noise, resamples=200, seed=1)
    closed = vs.closed_of_covariance(found.covariance, ALONE, found.rows)
    # Half of the variance is noise, which belongs to none of the inputs.
    np.testing.assert_allclose(2 * closed, gaussian_closed(), atol=0.06)
    known = vs.shapley(gaussian_closed()) / 2
    np.testing.assert_allclose(vs.shapley(closed), known, atol=0.03)
    resampled = vs.closed_of_covariance(found.resampled, ALONE, found.rows)
    low, high = vs.interval(vs.shapley(resampled))
    assert np.all(low < known)
    assert np.all(known < high)


def test_a_known_covariance_gives_closed_forms_exactly() -> None:
    with_output = COVARIANCE @ SLOPES
    joint = np.block(
        [[COVARIANCE, with_output[:, None]], [with_output, np.array(SLOPES @ with_output)]]
    )
    np.testing.assert_allclose(vs.closed_of_covariance(joint, ALONE), gaussian_closed(), atol=1e-6)
    grouped = vs.closed_of_covariance(joint, [np.array([0, 2]), np.array([1])])
    np.testing.assert_allclose(grouped, gaussian_closed()[[0, 5, 2, 7]], atol=1e-6)


def test_draws_give_the_first_order_shares_of_the_ishigami_function() -> None:
    x = np.random.default_rng(7).uniform(-np.pi, np.pi, (4000, 3))
    found = vs.smoothed(x, ishigami(x.T), knots=14)
    closed = vs.closed_of_covariance(found.covariance, ALONE, found.rows)
    known = vs.first_order(ishigami_closed())
    np.testing.assert_allclose(vs.first_order(closed), known, atol=0.03)


def test_noise_inputs_gain_nothing_from_their_number() -> None:
    rng = np.random.default_rng(8)
    found = vs.smoothed(rng.standard_normal((1200, 40)), rng.standard_normal(1200))
    groups = [np.arange(40)]
    assert vs.closed_of_covariance(found.covariance, groups, found.rows)[1] < 0.03
