"""Tornado and break-even where the answer follows from arithmetic."""

from collections.abc import Callable, Mapping

import numpy as np
import pytest
import xarray as xr

from forepass.sensitivities import runs
from forepass.sensitivities.beliefs import Belief, find
from forepass.sensitivities.runs import Question
from forepass.sensitivities.what_if import Pairs, break_even, pairs, swing

Ask = Callable[[str], Question]


@pytest.fixture(scope="module")
def power(posteriors: Mapping[str, xr.Dataset], asked: Ask) -> Pairs:
    """Return the power contracted for, which is what is drawn times a ratio, to try beliefs on."""
    question = asked("contracted_power")
    return pairs(question, posteriors, runs.values(question, posteriors), draws=50)


def test_what_is_proportional_swings_with_its_belief(power: Pairs, beliefs: list[Belief]) -> None:
    found = swing(power, find("contracted_over_drawn", beliefs))
    assert found.at_high / found.at_low == pytest.approx(found.high / found.low)
    assert (found.low, found.high) == pytest.approx(
        tuple(np.quantile(find("contracted_over_drawn", beliefs).draws, [0.1, 0.9]))
    )


def test_what_acts_through_the_fit_alone_does_not_swing(
    power: Pairs, beliefs: list[Belief]
) -> None:
    found = swing(power, find("source_error", beliefs))
    assert found.at_high == found.at_low


def test_levels_are_of_all_draws_though_few_are_tried(
    power: Pairs, posteriors: Mapping[str, xr.Dataset], asked: Ask, beliefs: list[Belief]
) -> None:
    ratio = find("contracted_over_drawn", beliefs)
    drawn = runs.values(asked("fleet_power"), posteriors)
    exact = np.median(drawn) + np.log(1.3)
    assert power.at(ratio, 1.3) == pytest.approx(exact, abs=0.15)
    assert power.log_median == np.median(runs.values(asked("contracted_power"), posteriors))


@pytest.mark.parametrize("above", [True, False])
def test_the_break_even_is_where_the_product_crosses(
    power: Pairs, beliefs: list[Belief], above: bool
) -> None:
    ratio = find("contracted_over_drawn", beliefs)
    threshold = float(np.exp(power.at(ratio, 1.0)) * np.quantile(ratio.draws, 0.7))
    found = break_even(power, ratio, above=above, threshold=threshold)
    assert found.value == pytest.approx(np.quantile(ratio.draws, 0.7), rel=1e-3)
    assert found.probability == pytest.approx(0.3 if above else 0.7, abs=0.02)
    assert found.crossings == 1


def test_no_break_even_where_no_value_crosses(power: Pairs, beliefs: list[Belief]) -> None:
    found = break_even(power, find("contracted_over_drawn", beliefs), above=True, threshold=1.0)
    assert (found.value, found.probability, found.crossings) == (None, 1.0, 0)
    assert 1.0 < found.least < found.most
