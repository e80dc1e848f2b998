"""Contraction and back-casts: what data did to beliefs, and where the record contradicts them."""

import numpy as np
import pytest

from forepass.fit_checks import beliefs
from forepass.inputs.elicitation import sample
from forepass.inputs.priors import Prior, load_priors
from forepass.inputs.tables import load_tables
from forepass.posterior import block_module
from forepass.sensitivities.beliefs import Belief
from forepass.settings import Settings

GROWTH = "record_growth"


def believed(prior: Prior, *, scale: float = 1.0, shift: float = 0.0) -> Belief:
    drawn = sample(prior, 4000, np.random.default_rng(2))
    middle = np.median(drawn)
    moved = middle + shift * drawn.std() + scale * (drawn - middle)
    return Belief("training", prior.name, "", None, moved, prior)


@pytest.fixture(scope="module")
def prior() -> Prior:
    return load_priors("training")[GROWTH]


@pytest.mark.parametrize(
    ("scale", "shift", "informed", "words"),
    [
        (1.0, 0.0, False, None),
        (0.3, 1.0, True, None),
        (1.4, 0.0, True, "wider than prior"),
        (0.3, 4.0, True, "outer 1%"),
        (1.0, 0.5, False, "no row informs"),
    ],
)
def test_beliefs_that_data_contradict_fall_short(
    prior: Prior, scale: float, shift: float, informed: bool, words: str | None
) -> None:
    told = frozenset({GROWTH}) if informed else frozenset()
    found = beliefs.contractions("training", [believed(prior, scale=scale, shift=shift)], told)
    assert found.passed == (words is None)
    assert words is None or words in found.short[0]


def test_a_slope_is_that_within_groups() -> None:
    when = np.array([0.0, 1.0, 2.0, 5.0, 6.0, 7.0])
    group = np.array(["a"] * 3 + ["b"] * 3)
    value = 0.7 * when + np.where(group == "a", 0.0, -9.0)
    assert beliefs.fitted_slope(when, value, group) == pytest.approx((0.7, 0.0))
    assert beliefs.fitted_slope(when, np.where(when == 1, np.nan, value), group)[0] == (
        pytest.approx(0.7)
    )


def test_every_recorded_rate_is_a_belief_and_one_far_from_its_belief_is_marked() -> None:
    for block in beliefs.RECORDED:
        rates = beliefs.recorded_rates(block, load_tables(block_module(block).TABLES), Settings())
        assert set(rates) <= set(load_priors(block))
        assert all(np.isfinite(rate).all() for rate in rates.values())
    slope = rates["demand_growth"][0]
    assert beliefs.Rate("x", (slope + 1, slope + 2), (0, 0), slope, 0.1, ahead=False).outside
    assert not beliefs.Rate("x", (slope - 1, slope + 2), (0, 0), slope, 0.1, ahead=False).outside
