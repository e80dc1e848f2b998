"""The forecast by year: what it holds, what it hangs on and what it does not."""

import itertools
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray

from forepass.forward.deployed import (
    cells_of_world,
    of_chips,
    of_world,
    on_inference,
)
from forepass.forward.forecast import checked, forecast_of
from forepass.forward.overhang import overhang_of
from forepass.forward.projection import Projection
from forepass.forward.throughput import Load, Parts, served, throughput, workloads
from forepass.what_if.changed import Question

type Rerun = Callable[..., Projection]

DRAWS = 100
YEARS = np.arange(2020, 2036)
UNITS = {
    "chip_flops": "FLOP/s",
    "chip_bandwidth": "bytes/s",
    "chip_memory": "bytes",
    "memory_wall_ratio": "FLOP per byte",
    "frontier_active_params": "parameters",
    "moe_activation_fraction": "1",
    "weight_bits": "bits",
    "passes_upper_per_chip": "passes/s",
    "passes_lower_per_chip": "passes/s",
    "passes_realised_per_chip": "passes/s",
    "share_of_upper_bound": "share",
    "fleet_chips": "chips",
    "fleet_h100e": "H100e",
    "fleet_power": "W",
    "inference_share": "1",
    "world_tokens_per_s": "tokens/s",
    "world_tokens_per_s_reference": "tokens/s",
    "cost_usd_per_million_tokens": "USD per million tokens",
    "demand_tokens_per_s": "tokens/s",
    "lab_tokens_per_s": "tokens/s",
    "training_cluster_tokens_per_s": "tokens/s",
    "shortage": "probability",
    "supply_limit": "probability",
    "cost_usd_per_million_output_tokens": "USD per million tokens",
    "cost_usd_per_million_input_tokens": "USD per million tokens",
    "energy_j_per_token": "J",
    "chip_hour_cost_usd": "USD per chip-hour",
    "chip_hour_price_usd": "USD per chip-hour",
    "fleet_chip_power": "W",
    "fleet_server_power": "W",
    "contracted_power": "W",
}
PROBABILITIES = ["shortage", "supply_limit"]
ANSWERS = [forecast_of, overhang_of]
SEEDED = {
    *("world_tokens_per_s", "chip_bandwidth", "fleet_chips", "demand_tokens_per_s"),
    *("copies_world", "capacity_over_demand", "run_to_train_ratio"),
}
OF_THE_WORLD = ["world_tokens_per_s", "world_tokens_per_s_reference", "lab_tokens_per_s"]


@pytest.fixture(scope="module")
def forecasted(projection: Projection) -> xr.Dataset:
    return forecast_of(projection, YEARS)


def deployed(projection: Projection, chips: xr.DataArray) -> NDArray[np.float64]:
    """Return the world's rate on the frontier of each year, with these chips in the fleet."""
    fleet = projection.fleet.assign(fleet_chips_by_vintage=chips)
    at, _ = cells_of_world(projection)
    other = replace(projection, fleet=fleet)
    return of_world(other, served(projection, at), workloads(projection, at))


def test_every_quantity_is_there_with_its_unit_and_a_name_in_words(
    forecasted: xr.Dataset,
) -> None:
    assert set(forecasted.data_vars) == set(UNITS)
    for name, array in forecasted.data_vars.items():
        assert array.attrs["units"] == UNITS[str(name)]
        assert array.attrs["long_name"]
        by_limit = {"limit": 5} if name == "supply_limit" else {}
        assert dict(array.sizes) == {"draw": DRAWS, "year": len(YEARS)} | by_limit


def test_every_number_is_finite_and_positive(forecasted: xr.Dataset) -> None:
    for array in forecasted.drop_vars(PROBABILITIES).data_vars.values():
        assert np.isfinite(array).all()
        assert (array > 0).all()
    for name in PROBABILITIES:
        assert np.isin(forecasted[name], [0.0, 1.0]).all()


def test_shares_stay_between_nothing_and_all(forecasted: xr.Dataset) -> None:
    for name in ("share_of_upper_bound", "inference_share", "moe_activation_fraction"):
        assert (forecasted[name] <= 1 + 1e-12).all()
    assert np.isin(forecasted["weight_bits"], [4, 8, 16]).all()


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("years", [[2026], [2024, 2035], [2020, 2021, 2022]])
def test_a_year_does_not_depend_on_the_range_asked(
    projection: Projection, answer: Question, years: list[int]
) -> None:
    some = answer(projection, np.array(years))
    xr.testing.assert_identical(some, answer(projection, YEARS).sel(year=years))


@pytest.mark.parametrize("answer", ANSWERS)
def test_a_seed_gives_the_same_numbers_again_and_another_seed_others(
    projection: Projection, rerun: Rerun, answer: Question
) -> None:
    same, other = (answer(rerun(seed=seed), YEARS) for seed in (1, 2))
    xr.testing.assert_identical(same, answer(projection, YEARS))
    for name in SEEDED & set(same):
        assert not np.allclose(other[name].sel(year=2035), same[name].sel(year=2035))


def test_the_world_does_what_its_vintages_do_together(projection: Projection) -> None:
    chips = projection.fleet["fleet_chips_by_vintage"]
    one_by_one = sum(
        deployed(projection, chips.where(chips["vintage"] == vintage, 0.0))
        for vintage in chips["vintage"].values
    )
    np.testing.assert_allclose(deployed(projection, chips), one_by_one)


def test_twice_the_chips_do_twice_as_much(projection: Projection) -> None:
    chips = projection.fleet["fleet_chips_by_vintage"]
    np.testing.assert_allclose(deployed(projection, 2 * chips), 2 * deployed(projection, chips))


def test_a_world_without_chips_does_nothing(projection: Projection) -> None:
    chips = projection.fleet["fleet_chips_by_vintage"]
    assert (deployed(projection, 0 * chips) == 0).all()


def test_a_speed_that_everyone_has_anyway_takes_nothing_from_the_world(
    projection: Projection,
) -> None:
    # Who asks for a speed also has tokens drafted ahead, which is another matter.
    serving = projection.serving.assign(
        effect_speculative=0 * projection.serving["effect_speculative"]
    )
    plain = replace(projection, serving=serving)
    at, _ = cells_of_world(plain)
    what = served(plain, at)
    batches = workloads(plain, at)[-1]

    def world(load: Load) -> NDArray[np.float64]:
        return of_world(plain, what, [replace(load, share=np.ones(1))])

    free, slow = world(batches), world(replace(batches, speed=np.full((1, 1), 1e-12)))
    # But for draws in which not even one request fits, and a speed is asked for one.
    assert np.isclose(slow, free, rtol=1e-6).mean() > 0.95
    assert (slow >= free * (1 - 1e-6)).all()


def test_work_that_no_chip_can_do_leaves_the_chips_to_the_rest(projection: Projection) -> None:
    at, _ = cells_of_world(projection)
    what = served(projection, at)
    *_, batch = workloads(projection, at)
    alone = replace(batch, share=np.ones(1))
    hopeless = replace(alone, speed=np.full((1, 1), 1e12), accepted=None)
    np.testing.assert_allclose(
        of_world(projection, what, [hopeless, batch]), of_world(projection, what, [alone])
    )
    assert (of_world(projection, what, [hopeless]) == 0).all()


def test_a_mix_lies_between_what_its_kinds_of_work_yield(projection: Projection) -> None:
    what, parts = served(projection, YEARS), Parts(YEARS)
    loads = workloads(projection, YEARS)

    def output(kinds: list[Load]) -> NDArray[np.float64]:
        return of_chips(projection, what, kinds, parts, software_year=YEARS).output

    each = np.stack([output([load]) for load in loads])
    mixed = output(loads)
    able = np.where(each > 0, each, np.nan)
    assert (mixed <= np.nanmax(able, axis=0) * (1 + 1e-9)).all()
    assert (mixed >= np.nanmin(able, axis=0) * (1 - 1e-9)).all()


def test_the_world_serves_with_the_share_and_time_given_to_inference(
    forecasted: xr.Dataset, projection: Projection
) -> None:
    chips = projection.fleet["fleet_chips_by_vintage"]
    running = deployed(projection, chips) * on_inference(projection)
    np.testing.assert_allclose(forecasted["world_tokens_per_s"], running)
    fleet = projection.fleet
    shares = fleet["inference_share"] * fleet["duty_cycle"] * fleet["availability"]
    np.testing.assert_allclose(on_inference(projection), shares.transpose("draw", "year"))


def test_a_fleet_in_use_half_the_time_serves_half_and_nothing_else_moves(
    forecasted: xr.Dataset, rerun: Rerun
) -> None:
    idle = forecast_of(rerun("fleet", duty_cycle=lambda old: old["duty_cycle"] / 2), YEARS)
    for name in OF_THE_WORLD:
        xr.testing.assert_allclose(2 * idle[name], forecasted[name])
    hangs = [*OF_THE_WORLD, "shortage"]
    xr.testing.assert_identical(idle.drop_vars(hangs), forecasted.drop_vars(hangs))
    assert (idle["shortage"] >= forecasted["shortage"]).all()


def test_a_shortage_is_more_asked_for_than_can_be_served(
    forecasted: xr.Dataset, projection: Projection
) -> None:
    asked = projection.demand["demand_output_tokens_per_s"].transpose("draw", "year")
    short = (asked > forecasted["world_tokens_per_s"]).astype(float)
    np.testing.assert_array_equal(forecasted["shortage"], short)


def test_power_is_larger_at_each_step_from_the_chip_to_the_contract(
    forecasted: xr.Dataset,
) -> None:
    steps = ["fleet_chip_power", "fleet_server_power", "fleet_power", "contracted_power"]
    for inner, outer in itertools.pairwise(steps):
        assert (forecasted[inner] < forecasted[outer]).all()


def test_larger_models_give_fewer_tokens_on_the_same_chips(
    forecasted: xr.Dataset, rerun: Rerun
) -> None:
    run = rerun(
        "language_models", trend=lambda old: old["trend"] + np.log(2) * (old["trait"] == "active")
    )
    out = forecast_of(run, YEARS)
    xr.testing.assert_allclose(
        out["frontier_active_params"], 2 * forecasted["frontier_active_params"]
    )
    xr.testing.assert_allclose(
        2 * out["passes_upper_per_chip"], forecasted["passes_upper_per_chip"]
    )
    assert (out["world_tokens_per_s"] < forecasted["world_tokens_per_s"]).mean() > 0.95
    unmoved = ["world_tokens_per_s_reference", "fleet_chips", "chip_flops", "demand_tokens_per_s"]
    xr.testing.assert_identical(out[unmoved], forecasted[unmoved])


def test_more_bandwidth_raises_the_lower_bound_alike_and_leaves_the_chips_on_record(
    forecasted: xr.Dataset, rerun: Rerun
) -> None:
    run = rerun(
        "chips", level=lambda old: old["level"] + np.log(1.5) * (old["trait"] == "bandwidth")
    )
    out = forecast_of(run, YEARS)
    for name in ("chip_bandwidth", "passes_lower_per_chip"):
        xr.testing.assert_allclose(out[name], 1.5 * forecasted[name])
    # What a level is off by, the fleet of the record makes good: it has its own chips' bandwidth.
    early = {"year": slice(2020, 2025)}
    world = "world_tokens_per_s"
    xr.testing.assert_allclose(out[world].sel(early), forecasted[world].sel(early))


def test_more_bandwidth_in_the_fleet_never_lowers_the_world(projection: Projection) -> None:
    at, _ = cells_of_world(projection)
    # Where a speed is asked for, more bandwidth may go into speed instead.
    batches = workloads(projection, at)[-1:]
    faster = projection.fleet["vintage_bandwidth_per_chip"] * 1.5
    fleet = projection.fleet.assign(vintage_bandwidth_per_chip=faster)
    before, after = (
        of_world(world, served(world, at), batches)
        for world in (projection, replace(projection, fleet=fleet))
    )
    assert (after >= before * (1 - 1e-9)).all()
    assert (after > before).mean() > 0.9


def test_where_a_speed_is_out_of_reach_users_get_what_is_accepted_of_a_lone_ones(
    projection: Projection,
) -> None:
    what, parts = served(projection, YEARS), Parts(YEARS)
    *_, batch = workloads(projection, YEARS)

    def at(speed: float, accepted: float | None) -> NDArray[np.float64]:
        share = None if accepted is None else np.full((1, 1), accepted)
        load = replace(batch, speed=np.full((1, 1), speed), accepted=share)
        return throughput(projection, what, load, parts, software_year=YEARS).speed

    np.testing.assert_allclose(at(1e-9, 0.5), at(1e-9, None))
    half, quarter = at(1e12, 0.5), at(1e12, 0.25)
    assert (quarter <= half * (1 + 1e-6)).all()
    assert (quarter >= half / 2 * (1 - 1e-6)).all()


def test_a_draw_that_is_no_number_is_told_by_the_name_of_its_quantity() -> None:
    out = xr.Dataset({"good": ("draw", [1.0, 2.0]), "broken": ("draw", [1.0, np.nan])})
    with pytest.raises(ArithmeticError, match="a draw of broken"):
        checked(out)
    xr.testing.assert_identical(checked(out[["good"]]), out[["good"]])
