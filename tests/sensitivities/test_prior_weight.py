"""Priors made weaker or stronger: how far the answer moves, and when draws cannot tell."""

import warnings

import numpy as np
import pytest

from forepass.sensitivities.prior_weight import POWERS, SENSITIVE, moved_by_refit, power_scaled

DRAWS = 4000


def normal_posterior(precision_of_data: float) -> tuple[np.ndarray, np.ndarray]:
    """Return draws of a mean with a standard normal prior and data at 2, and their log prior."""
    total = 1 + precision_of_data
    rng = np.random.default_rng(1)
    draws = 2 * precision_of_data / total + rng.standard_normal(DRAWS) / np.sqrt(total)
    return draws, -0.5 * draws**2


def test_an_answer_that_data_decide_does_not_move() -> None:
    assert power_scaled(*normal_posterior(400.0)).sensitivity < SENSITIVE


def test_an_answer_that_a_prior_decides_moves() -> None:
    found = power_scaled(*normal_posterior(1.0))
    assert found.sensitivity > SENSITIVE
    assert found.trusted


def test_reweighed_draws_are_as_far_as_draws_of_the_scaled_posterior() -> None:
    draws, log_prior = normal_posterior(1.0)
    distances = []
    for power in (0.8, 1.25):
        rng = np.random.default_rng(2)
        total = power + 1
        fitted = 2 / total + rng.standard_normal(DRAWS) / np.sqrt(total)
        both = np.concatenate([draws, fitted])
        # Draws of the one and the other, each told apart by weights, next to none for the rest.
        first = np.concatenate([np.ones(DRAWS), np.full(DRAWS, 1e-12)])
        distances.append(_distance(both, first, first[::-1]))
    expected = np.mean(distances) / np.log2(1.25)
    assert power_scaled(draws, log_prior).sensitivity == pytest.approx(expected, rel=0.2)


def _distance(values: np.ndarray, one: np.ndarray, other: np.ndarray) -> float:
    """Return the cumulative Jensen-Shannon distance of two weighings, by its definition."""

    def half(values: np.ndarray) -> float:
        order = np.argsort(values)
        width = np.diff(values[order])
        p, q = (np.cumsum(w[order] / w.sum())[:-1].clip(1e-12, 1) for w in (one, other))
        m = (p + q) / 2
        pq = np.sum(width * p * np.log2(p / m)) + 0.5 / np.log(2) * np.sum(width * (q - p))
        qp = np.sum(width * q * np.log2(q / m)) + 0.5 / np.log(2) * np.sum(width * (p - q))
        return float(np.sqrt((pq + qp) / np.sum(width * (p + q))))

    return max(half(values), half(-values))


def test_weights_of_many_priors_at_once_take_smaller_steps_and_move_by_chance_alone() -> None:
    rng = np.random.default_rng(3)
    many = -0.5 * (rng.standard_normal((DRAWS, 2000)) ** 2).sum(axis=1)
    found = power_scaled(rng.standard_normal(DRAWS), many)
    assert found.power < POWERS[0]
    assert found.trusted
    # Far above what counts for one prior, and still no more than chance.
    assert found.sensitivity > SENSITIVE
    assert not found.moves


def test_weights_that_no_step_can_carry_are_not_trusted() -> None:
    rng = np.random.default_rng(5)
    wild = 1e4 * rng.standard_t(1.0, DRAWS)
    assert not power_scaled(rng.standard_normal(DRAWS), wild).trusted


def test_an_answer_that_hangs_on_the_prior_moves_beyond_chance() -> None:
    draws, log_prior = normal_posterior(1.0)
    found = power_scaled(draws, log_prior)
    assert found.moves
    assert found.sensitivity > 2 * found.noise


def test_a_prior_that_never_moves_decides_nothing() -> None:
    found = power_scaled(np.random.default_rng(4).standard_normal(100), np.zeros(100))
    assert (found.sensitivity, found.pareto_k) == (0.0, 0.0)


def test_draws_without_a_number_are_left_out() -> None:
    draws, log_prior = normal_posterior(1.0)
    gaps = np.append(draws, np.nan)
    assert power_scaled(gaps, np.append(log_prior, 0.0)) == power_scaled(draws, log_prior)


def scaled_posterior(power: float, seed: int) -> np.ndarray:
    """Return draws of a mean with data at 2 and a standard normal prior to a power."""
    total = power + 1
    rng = np.random.default_rng(seed)
    return 2 / total + rng.standard_normal(DRAWS) / np.sqrt(total)


def test_a_refit_moves_as_far_as_its_draws_lie_from_those_before() -> None:
    draws, again = scaled_posterior(1.0, 1), scaled_posterior(2.0, 2)
    both = np.concatenate([draws, again])
    first = np.concatenate([np.ones(DRAWS), np.full(DRAWS, 1e-12)])
    found = moved_by_refit(np.append(draws, np.nan), again, 2.0)
    assert found.sensitivity == pytest.approx(_distance(both, first, first[::-1]), rel=0.1)
    assert found.moves
    # Twice the step at the same distance is half as far for each doubling.
    assert moved_by_refit(draws, again, 4.0).sensitivity == pytest.approx(found.sensitivity / 2)


def test_a_refit_that_gives_the_same_posterior_moves_by_chance_alone() -> None:
    found = moved_by_refit(scaled_posterior(1.0, 1), scaled_posterior(1.0, 2), 2.0)
    assert not found.moves
    assert found.sensitivity < 2 * found.noise


def test_smoothing_warns_nobody() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        power_scaled(*normal_posterior(1.0))
