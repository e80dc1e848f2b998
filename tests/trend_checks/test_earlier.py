"""Weights of structures by what came, and rows of releases as the scores take them."""

import numpy as np
import pytest

from forepass.inputs.priors import load_priors
from forepass.settings import Settings
from forepass.trend_checks import language_models, training
from forepass.trend_checks.earlier import seen_from_then, weight_of_second
from forepass.trend_checks.predictive import place_text

RNG = np.random.default_rng(3)
TRUTH = RNG.normal(0, 1, 40)


def pieces(first: float, second: float) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Return forecasts of structures that are off by so much, of 40 rows."""
    noise = np.random.default_rng(4).normal(0, 1, (2, 800, TRUTH.size))
    return [(first + noise[0], second + noise[1], TRUTH)]


@pytest.mark.parametrize(("first", "second", "weight"), [(0.0, 4.0, 0.0), (4.0, 0.0, 1.0)])
def test_the_structure_that_knew_takes_the_weight(
    first: float, second: float, weight: float
) -> None:
    assert weight_of_second(pieces(first, second), seed=1)["best"] == pytest.approx(weight, abs=0.1)


def test_structures_that_miss_on_opposite_sides_share_the_weight() -> None:
    found = weight_of_second(pieces(-1.5, 1.5), seed=1)
    assert 0.3 < found["best"] < 0.7
    assert found["p10"] <= found["best"] <= found["p90"]


def test_a_belief_is_widened_on_its_own_scale_and_moved_with_the_rows() -> None:
    prior = load_priors("language_models")["moe_middle"]
    then = seen_from_then(prior, wider=2.0, later=5)
    assert then.parameters["sigma"] == pytest.approx(2 * prior.parameters["sigma"])
    assert then.parameters["mu"] == pytest.approx(prior.parameters["mu"] + 5)


def test_what_is_widened_and_moved_are_priors() -> None:
    assert set(language_models.WIDER) | set(language_models.DATED) <= set(
        load_priors("language_models")
    )
    assert set(training.WIDER) <= set(load_priors("training"))


def test_scored_sizes_are_known_ones_and_shares_are_below_1() -> None:
    records = language_models.records_of(Settings())
    assert (records["fraction"]["value"] < 0).all()
    # Bounds are not values: the range of gpt-5's active size, the floor of qwen3-max's total.
    assert not np.isclose(records["active"]["value"], np.log(1.2e11)).any()
    assert records["total"]["probed"].any()
    assert not records["active"]["off_frontier"].any()


def test_only_what_few_prior_draws_reach_is_a_surprise() -> None:
    drawn = np.random.default_rng(1).normal(0, 1, 4000)
    assert place_text("it", drawn, 0.5, "log").endswith("no surprise")
    assert place_text("it", drawn, 4.0, "log").endswith(": a surprise")
