"""One quantity of one year is what the whole forecast says, however the draws are paired."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import pytest
import xarray as xr

from forepass.errors import InputError
from forepass.forward.forecast import forecast_of
from forepass.forward.overhang import ORDER, overhang_of
from forepass.sensitivities import runs

if TYPE_CHECKING:
    from forepass.forward.projection import Projection
    from forepass.sensitivities.runs import Question

Ask = Callable[[str], "Question"]


@pytest.fixture(scope="module")
def whole(projection: "Projection") -> xr.Dataset:
    found = [answer(projection, np.array([2030])) for answer in (forecast_of, overhang_of)]
    return found[0].merge(found[1][list(ORDER)])


@pytest.mark.parametrize("name", runs.KNOWN)
def test_a_quantity_of_a_year_is_the_forecasts(
    name: str, whole: xr.Dataset, posteriors: Mapping[str, xr.Dataset], asked: Ask
) -> None:
    found = runs.quantity(asked(name), posteriors)
    np.testing.assert_allclose(found.values, whole[name].isel(year=0).values, rtol=1e-12)
    assert found.attrs["units"] == whole[name].attrs["units"]


def test_what_is_remembered_changes_nothing(
    posteriors: Mapping[str, xr.Dataset], asked: Ask
) -> None:
    question, memory = asked("world_tokens_per_s"), dict[tuple[object, ...], tuple[object, ...]]()
    other = {**posteriors, "chips": posteriors["chips"].roll(draw=1, roll_coords=False)}
    seeds = {"fleet": 7}
    for draws, own in ((posteriors, None), (other, None), (other, seeds), (posteriors, seeds)):
        with_it = runs.values(question, draws, seeds=own, memory=memory)
        np.testing.assert_array_equal(with_it, runs.values(question, draws, seeds=own))


def test_other_seeds_change_the_shocks_of_their_block_alone(
    posteriors: Mapping[str, xr.Dataset], asked: Ask
) -> None:
    fleet, demand = asked("fleet_power"), asked("demand_tokens_per_s")
    for question, moved in ((fleet, True), (demand, False)):
        same = runs.values(question, posteriors)
        other = runs.values(question, posteriors, seeds={"fleet": 2})
        assert np.array_equal(same, other) != moved


def test_one_place_of_a_variable_is_held_and_nothing_else(
    posteriors: Mapping[str, xr.Dataset],
) -> None:
    before = posteriors["language_models"]["active_scatter"]
    held = runs.held_at(posteriors, "language_models", "active_scatter", 0.25, 1)
    after = held["language_models"]["active_scatter"]
    assert (after.isel(structure=1) == 0.25).all()
    assert after.isel(structure=0).equals(before.isel(structure=0))
    assert held["fleet"] is posteriors["fleet"]


def test_two_thinned_sets_half_a_step_apart_share_no_draw(
    posteriors: Mapping[str, xr.Dataset],
) -> None:
    one, other = (runs.thinned(posteriors, 40, offset)["fleet"]["pue"] for offset in (0.0, 0.5))
    assert one.sizes["draw"] == other.sizes["draw"] == 40
    assert not set(one.values) & set(other.values)


def test_a_quantity_needs_a_spread_and_numbers(asked: Ask) -> None:
    question = asked("fleet_power")
    runs.check_spread(question, np.array([1.0, 2.0, np.nan]))
    with pytest.raises(InputError, match="fleet_power in 2030 is the same in all draws"):
        runs.check_spread(question, np.array([1.0, 1.0, np.nan]))
    with pytest.raises(InputError, match="above 0 in 33% of draws only"):
        runs.check_spread(question, np.array([1.0, np.nan, np.nan]))


def test_an_unknown_quantity_is_refused_with_the_closest() -> None:
    with pytest.raises(InputError, match="did you mean copies_world"):
        runs.check_quantity("copies_wrld")
