"""The join of the blocks: what a year's newest part does with a model, draw by draw."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from numpy.typing import NDArray

from forepass.forward.projection import Projection
from forepass.forward.throughput import (
    Load,
    Parts,
    Served,
    copies_at_work,
    reference_load,
    reference_served,
    served,
    throughput,
    workloads,
)
from forepass.inputs.dates import year_fraction
from forepass.inputs.definitions import load_definitions
from forepass.inputs.records import LanguageModel, model_record
from forepass.streams import block_rng

type Tables = Mapping[str, pd.DataFrame]
type Rerun = Callable[..., Projection]

DRAWS = 100
YEARS = np.arange(2020, 2036)
FLAT_CHIP = {
    "chip_flops_16bit": 1e15,
    "chip_flops_8bit": 2e15,
    "chip_flops_4bit": 4e15,
    "chip_bandwidth": 3e12,
    "chip_memory": 1e11,
    "chip_scale_up_bandwidth": 9e11,
}
DENSE_MODEL = {
    "frontier_active_params": 7e10,
    "frontier_total_params": 7e10,
    "frontier_layers": 80.0,
    "kv_bytes_per_token": 3e5,
    "weight_bits": 16.0,
}
LOAD = Load(
    {
        "input_tokens": np.full(1, 1000.0),
        "output_tokens": np.full(1, 500.0),
        "cached_share": np.zeros(1),
    },
    np.ones(1),
    None,
)


@pytest.fixture(scope="module")
def flat(projection: Projection) -> Projection:
    """Return a world in which the chip and the model are the same in every year."""
    still = changed(projection, "language_models", **DENSE_MODEL)
    return changed(
        changed(still, "chips", **FLAT_CHIP),
        "serving",
        effect_chip_age=0.0,
        effect_software_date=0.0,
        effect_speculative=0.0,
        # Groups differ little, lest the draws at hand reach the upper bound and stop there.
        generation_spread=0.1,
        model_spread=0.1,
        engine_spread=0.1,
    )


def changed(projection: Projection, block: str, **values: float) -> Projection:
    old: xr.Dataset = getattr(projection, block)
    new = {name: xr.full_like(old[name], value) for name, value in values.items()}
    blocks: dict[str, Any] = {block: old.assign(new)}
    return replace(projection, **blocks)


def rates(
    projection: Projection,
    what: Served,
    *,
    chip: list[int],
    software: list[int] | None = None,
    scale: float = 1.0,
    speed: float | None = None,
) -> NDArray[np.float64]:
    asked = None if speed is None else np.full((1, 1), speed)
    return throughput(
        projection,
        what,
        replace(LOAD, speed=asked),
        Parts(np.array(chip), scale, scale, scale),
        software_year=np.array(chip if software is None else software),
    ).rate


def dense_record(tables: Tables) -> LanguageModel:
    return replace(
        model_record("llama-3.1-70b", tables),
        active_params=7e10,
        total_params=7e10,
        n_layers=80.0,
        kv_layers=np.nan,
        kv_bytes_per_token_16bit=3e5,
        attention=None,
    )


def test_a_frontier_that_stands_still_is_a_fixed_model(
    flat: Projection, question_tables: Tables
) -> None:
    # The fit knows the one by name and not the other, so that what names add is left out.
    alike = changed(flat, "serving", model_spread=0.0, model_prefill_spread=0.0)
    known = served(alike, YEARS, fixed=dense_record(question_tables))
    chip = YEARS.tolist()
    np.testing.assert_allclose(
        rates(alike, served(alike, YEARS), chip=chip), rates(alike, known, chip=chip)
    )


def test_work_is_that_of_the_year_and_batches_ask_for_no_speed(projection: Projection) -> None:
    years = np.array([2024, 2031])
    demand = projection.demand
    for kind, load in zip(demand["workload"].values, workloads(projection, years), strict=True):
        own = demand.sel(workload=kind, year=years)
        requests = own["workload_input_tokens"].transpose("draw", "year")
        np.testing.assert_array_equal(load.fields["input_tokens"], requests)
        np.testing.assert_array_equal(load.share, own["workload_share"].transpose("draw", "year"))
        assert (load.speed is None) == (kind == "batch")


def test_a_copy_does_agents_work_at_its_speed(projection: Projection) -> None:
    (copy,) = copies_at_work(projection, YEARS, 70.0)
    agents = projection.demand.sel(workload="agents")["workload_input_tokens"]
    np.testing.assert_array_equal(copy.fields["input_tokens"], agents.transpose("draw", "year"))
    assert copy.speed is not None
    assert copy.speed.item() == 70.0


def test_no_run_takes_more_than_the_leading_labs_fleet(
    rerun: Rerun,
) -> None:
    bounded = rerun("training", record_flop_2022=lambda old: 1e15 * old["record_flop_2022"])
    training, fleet, chips = bounded.training, bounded.fleet, bounded.chips
    # Where a limit of what can be afforded holds instead, no fleet needs to.
    assert float(training["run_bounded_by_fleet"].mean()) > 0.5
    # In units of the year's newest part, a lab cannot have more than it would if all its H100
    # equivalents ran 16-bit arithmetic at their 8-bit rate.
    most = fleet["fleet_h100e"] * fleet["lab_share"] * 1.979e15
    assert bool((training["training_cluster_flops"] <= most * (1 + 1e-9)).all())
    seconds = training["training_days"] * 86400 * training["training_utilisation"]
    np.testing.assert_allclose(
        training["training_flop"], training["training_cluster_flops"] * seconds, rtol=1e-6
    )
    assert chips.sizes["draw"] == DRAWS


def test_precision_can_be_taken_from_another_year_than_the_model(projection: Projection) -> None:
    then, later = np.array([2022, 2023]), np.array([2032, 2033])
    moved = served(projection, then, bits_year=later).fields
    bits = projection.language_models["weight_bits"].transpose("draw", "year")
    active = projection.language_models["frontier_active_params"].transpose("draw", "year")
    np.testing.assert_array_equal(moved["weight_bits"], bits.sel(year=later))
    np.testing.assert_array_equal(moved["active_params"], active.sel(year=then))


def test_the_reference_is_the_defined_model_and_load_at_the_precision_of_the_year(
    projection: Projection,
) -> None:
    what = reference_served(projection, YEARS)
    (load,) = reference_load(projection)
    definitions = load_definitions()
    assert what.name == definitions.reference_model
    assert what.fields["active_params"].item() == 280e9
    assert load.fields["output_tokens"].item() == definitions.reference_output_tokens
    bits = projection.language_models["weight_bits"].transpose("draw", "year")
    np.testing.assert_array_equal(what.fields["weight_bits"], bits)


def test_without_4_bit_arithmetic_weights_at_4_bits_are_multiplied_at_16(
    flat: Projection,
) -> None:
    four = changed(flat, "language_models", weight_bits=4.0)
    what = served(four, np.array([2024]))

    def at(rate_8: float, rate_4: float) -> NDArray[np.float64]:
        chips = changed(four, "chips", chip_flops_8bit=rate_8, chip_flops_4bit=rate_4)
        return rates(chips, what, chip=[2024])

    # A rate no higher than at 8 bits is how a part without the format is written.
    np.testing.assert_array_equal(at(2e15, 2e15), at(3e15, 3e15))
    assert (at(2e15, 8e15) > at(2e15, 4e15)).all()


def test_without_8_bit_arithmetic_weights_at_8_bits_are_multiplied_at_16(
    flat: Projection,
) -> None:
    eight = changed(flat, "language_models", weight_bits=8.0)
    what = served(eight, np.array([2021]))

    def at(rate_8: float) -> NDArray[np.float64]:
        chips = changed(eight, "chips", chip_flops_8bit=rate_8, chip_flops_4bit=1e17)
        return rates(chips, what, chip=[2021])

    bare = changed(eight, "chips", chip_flops_8bit=1e15, chip_flops_4bit=1e15)
    np.testing.assert_array_equal(at(1e15), rates(bare, what, chip=[2021]))
    assert (at(4e15) > at(2e15)).all()


def test_software_gains_hold_while_measured_and_then_fade(flat: Projection) -> None:
    gain, halflife = 0.05, 3.0
    gaining = changed(flat, "serving", effect_software_date=gain, software_gain_halflife=halflife)
    years = np.arange(2023, 2036)
    rate = rates(gaining, served(gaining, years), chip=[2023] * len(years), software=years.tolist())
    gains = np.diff(np.log(rate), axis=1)
    assert (gains > 0).all()
    measured = year_fraction(load_definitions().software_date) + 2022
    inside = years[1:] + 0.5 < measured
    np.testing.assert_allclose(gains[:, inside], gain)
    # Past the measurements a year's gain is what is left of the yearly one, halving on and on.
    for place in np.flatnonzero(years[:-1] + 0.5 > measured):
        elapsed = np.linspace(years[place], years[place + 1], 1001) + 0.5 - measured
        left = np.trapezoid(gain * 2 ** (-elapsed / halflife), elapsed)
        np.testing.assert_allclose(gains[:, place], left, rtol=1e-5)
    start = np.flatnonzero(inside)[-1] + 1
    assert (gains[:, start:].sum(axis=1) < gain * (1 + halflife / np.log(2))).all()


def test_what_a_new_chip_lacks_goes_with_its_age(flat: Projection) -> None:
    young = changed(flat, "serving", effect_chip_age=-0.5)
    years = np.array([2025, 2026, 2034])
    what = served(young, years)
    log_rate = np.log(rates(young, what, chip=[2025] * 3, software=years.tolist()))
    np.testing.assert_allclose(log_rate[:, 1] - log_rate[:, 0], 0.5 * (1 - np.exp(-1)))
    np.testing.assert_allclose(log_rate[:, 2] - log_rate[:, 0], 0.5, atol=1e-3)


def test_generations_are_the_newest_that_the_reference_vendor_ships(rerun: Rerun) -> None:
    own = load_definitions().reference_vendor
    chips = pd.DataFrame(
        [
            (own, "first", "2021-03", True, 1e12),
            (own, "second", "2022-09", True, 2e12),
            (own, "thin", "2023-03", True, 1e11),
            ("another", "other", "2024-03", True, 4e12),
            (own, "third", "2025-02", True, 4e12),
            (own, "promised", "2025-04", False, 9e12),
        ],
        columns=["vendor", "generation", "release_date", "shipped", "memory_bandwidth_bytes_per_s"],
    )
    found = rerun(tables={"chips": chips}).generations
    assert found == {2022: "first", 2023: "second", 2024: "second", 2025: "third"}


def test_the_record_of_chips_gives_the_generations_in_turn(projection: Projection) -> None:
    found = projection.generations
    assert found[2021] == "ampere"
    assert found[2024] == "hopper"
    assert found[2026] == "blackwell"
    assert 2030 not in found


def test_two_questions_about_a_future_year_share_its_generation(
    flat: Projection, question_tables: Tables
) -> None:
    frontier = served(flat, np.array([2030, 2031]))
    known = served(flat, np.array([2030, 2031]), fixed=dense_record(question_tables))
    first, second = (rates(flat, what, chip=[2032, 2033]) for what in (frontier, known))
    # On one chip and one load, nothing but the generation tells the two years apart.
    np.testing.assert_allclose(first[:, 1] / first[:, 0], second[:, 1] / second[:, 0])
    assert np.std(np.log(first[:, 1] / first[:, 0])) > 0


def test_a_year_gives_the_same_draws_alone_or_beside_others(projection: Projection) -> None:
    alone = rates(projection, served(projection, np.array([2033])), chip=[2033])
    years = np.array([2025, 2033, 2028])
    among = rates(projection, served(projection, years), chip=years.tolist())
    np.testing.assert_allclose(alone[:, 0], among[:, 1])


def test_a_better_chip_never_does_less(flat: Projection) -> None:
    what = served(flat, np.array([2030]))
    scaled = [rates(flat, what, chip=[2030], scale=scale) for scale in (1.0, 1.5, 3.0)]
    assert (scaled[0] < scaled[1]).all()
    assert (scaled[1] < scaled[2]).all()


def test_a_speed_for_each_user_takes_throughput_or_is_out_of_reach(flat: Projection) -> None:
    what = served(flat, np.array([2030]))
    free, slow, fast = (
        np.nan_to_num(rates(flat, what, chip=[2030], speed=speed)) for speed in (0.001, 20.0, 60.0)
    )
    assert (slow <= free * (1 + 1e-6)).all()
    assert (fast <= slow * (1 + 1e-6)).all()
    np.testing.assert_allclose(free, rates(flat, what, chip=[2030]), rtol=1e-6)


def test_a_changed_block_leaves_the_futures_of_the_others(
    projection: Projection, rerun: Rerun
) -> None:
    other = rerun("chips", level=lambda old: old["level"] + 1.0)
    # Vintages to come are chips of that block, and a run is bounded by the fleet.
    for block in ("language_models", "demand"):
        xr.testing.assert_identical(getattr(other, block), getattr(projection, block))
    watts = "vintage_tdp_per_chip"
    xr.testing.assert_identical(
        other.fleet[watts].sel(vintage=slice(None, 2025)),
        projection.fleet[watts].sel(vintage=slice(None, 2025)),
    )
    assert (other.chips["chip_bandwidth"] > projection.chips["chip_bandwidth"]).all()


def test_blocks_and_seeds_have_streams_of_their_own() -> None:
    streams = [(1, "chips"), (1, "fleet"), (2, "chips")]
    first = [block_rng(*stream).standard_normal() for stream in streams]
    assert len(set(first)) == 3
    assert first == [block_rng(*stream).standard_normal() for stream in streams]
