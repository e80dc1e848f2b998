"""The compute overhang in its five senses, each held to its definition."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from forepass.forward.deployed import cells_of_world, of_world
from forepass.forward.forecast import forecast_of
from forepass.forward.overhang import ORDER, overhang_of
from forepass.forward.projection import Projection
from forepass.forward.throughput import copies_at_work, served
from forepass.inputs.definitions import load_definitions
from forepass.posterior import Fit

type Rerun = Callable[..., Projection]

DRAWS = 100
YEARS = np.arange(2020, 2036)
HOURS_PER_YEAR = 24 * 365.25
SECONDS_PER_DAY = 86400
SPEED = load_definitions().copy_speed_tokens_per_s
COMPUTE = ("training_cluster", "lab", "world")
UNITS = {
    **{f"copies_{who}": "copies" for who in COMPUTE},
    **{f"worker_equivalents_{who}": "workers" for who in COMPUTE},
    "run_to_train_ratio": "ratio",
    "capacity_over_demand": "ratio",
    "release_overhang": "ratio",
    "inference_over_training_utilisation": "ratio",
}
PARTS = ["fleet", "chips", "software", "precision", "cheaper models"]


@pytest.fixture(scope="module")
def out(projection: Projection) -> xr.Dataset:
    return overhang_of(projection, YEARS)


@pytest.fixture(scope="module")
def release(out: xr.Dataset) -> xr.DataArray:
    return out["release_overhang"]


def test_every_quantity_is_there_with_its_unit_and_a_name_in_words(out: xr.Dataset) -> None:
    assert set(out.data_vars) == set(UNITS)
    assert set(ORDER) == {name for name, array in out.items() if array.dims == ("draw", "year")}
    for name, array in out.data_vars.items():
        assert array.attrs["units"] == UNITS[str(name)]
        assert array.attrs["long_name"]
        assert array.sizes["draw"] == DRAWS
        assert array["year"].values.tolist() == YEARS.tolist()


def test_every_number_but_of_releases_is_finite_and_none_is_negative(out: xr.Dataset) -> None:
    for array in out.drop_vars("release_overhang").data_vars.values():
        assert np.isfinite(array).all()
        assert (array >= 0).all()
    assert (out["capacity_over_demand"] > 0).all()


def test_the_lab_has_its_share_of_the_copies_of_the_world(
    out: xr.Dataset, projection: Projection
) -> None:
    share = projection.fleet["lab_share"].transpose("draw", "year")
    np.testing.assert_allclose(out["copies_lab"], share * out["copies_world"])


@pytest.mark.parametrize("who", COMPUTE)
def test_workers_are_tokens_over_what_a_person_does_in_the_hours_that_a_person_works(
    out: xr.Dataset, projection: Projection, who: str
) -> None:
    tokens_per_year = out[f"copies_{who}"] * SPEED * HOURS_PER_YEAR
    demand = projection.demand
    of_a_person = demand["human_tokens_per_s"] * demand["human_hours_per_year"]
    np.testing.assert_allclose(out[f"worker_equivalents_{who}"], tokens_per_year / of_a_person)


def test_the_cluster_generates_copies_times_speed_for_as_long_as_it_trained(
    out: xr.Dataset, projection: Projection
) -> None:
    training = projection.training
    seconds = training["training_days"] * SECONDS_PER_DAY
    generated = out["copies_training_cluster"] * SPEED * seconds
    np.testing.assert_allclose(out["run_to_train_ratio"], generated / training["training_tokens"])


def test_a_run_in_half_the_time_takes_twice_the_cluster_which_then_has_half_as_long(
    out: xr.Dataset, rerun: Rerun
) -> None:
    run = rerun("training", duration_2022=lambda old: old["duration_2022"] / 2)
    double = overhang_of(run, YEARS)
    bounded = run.training["run_bounded_by_fleet"] > 0
    free = ~bounded.transpose("draw", "year").values
    assert free.mean() > 0.3
    for name in ("copies_training_cluster", "worker_equivalents_training_cluster"):
        np.testing.assert_allclose(double[name].values[free], 2 * out[name].values[free])
    np.testing.assert_allclose(
        double["run_to_train_ratio"].values[free], out["run_to_train_ratio"].values[free]
    )
    xr.testing.assert_identical(double["copies_world"], out["copies_world"])


def test_copies_at_their_speed_are_within_what_the_world_does_at_any(
    out: xr.Dataset, projection: Projection
) -> None:
    at, _ = cells_of_world(projection)
    (copy,) = copies_at_work(projection, at, SPEED)
    free = of_world(projection, served(projection, at), [replace(copy, speed=None)])
    drafted = np.exp(projection.serving["effect_speculative"].clip(min=0).values)[:, None]
    # But for draws in which not even one request fits, and a speed is asked for one.
    within = out["copies_world"].values * SPEED <= free * drafted * (1 + 1e-9)
    assert within.mean() > 0.95


def test_faster_copies_are_never_more_of_them(out: xr.Dataset, rerun: Rerun) -> None:
    fast = overhang_of(rerun(defined={"copy_speed_tokens_per_s": 2 * SPEED}), YEARS)
    for who in COMPUTE:
        copies, faster = out[f"copies_{who}"], fast[f"copies_{who}"]
        assert (faster <= copies / 2 * (1 + 1e-6)).all()
        assert (faster < copies).any()


def test_a_person_who_works_faster_is_worth_more_copies(out: xr.Dataset, rerun: Rerun) -> None:
    run = rerun("demand", human_tokens_per_s=lambda old: 2 * old["human_tokens_per_s"])
    quick = overhang_of(run, YEARS)
    for who in COMPUTE:
        np.testing.assert_allclose(
            2 * quick[f"worker_equivalents_{who}"], out[f"worker_equivalents_{who}"]
        )
        xr.testing.assert_identical(quick[f"copies_{who}"], out[f"copies_{who}"])


def test_capacity_over_demand_agrees_with_the_forecast(
    out: xr.Dataset, forward_fits: Mapping[str, Fit], projection: Projection
) -> None:
    foretold = forecast_of(projection, YEARS)
    asked = foretold["demand_tokens_per_s"] * forward_fits["demand"].posterior["output_share"]
    np.testing.assert_allclose(out["capacity_over_demand"], foretold["world_tokens_per_s"] / asked)


def test_the_parts_of_a_release_overhang_multiply_to_all(release: xr.DataArray) -> None:
    assert set(release["part"].values.tolist()) == {*PARTS, "all"}
    product = release.sel(part=PARTS).prod("part", skipna=False)
    xr.testing.assert_allclose(product, release.sel(part="all", drop=True))


def test_releases_are_missing_where_the_years_run_past_the_horizon_and_nowhere_else(
    release: xr.DataArray,
) -> None:
    assert release["years_since_release"].values.tolist() == [1, 2, 3]
    past = release["year"] + release["years_since_release"] > load_definitions().last_year
    missing = release.isnull().transpose("draw", "part", "year", "years_since_release")
    assert (missing == past).all()
    assert (release.where(~past, 1.0) > 0).all()


def test_the_fleet_part_is_how_the_power_of_chips_grew(
    release: xr.DataArray, projection: Projection
) -> None:
    chips = projection.fleet["fleet_chip_power"].transpose("draw", "year")
    grown = chips.sel(year=2028).values / chips.sel(year=2026).values
    part = release.sel(year=2026, years_since_release=2, part="fleet")
    np.testing.assert_allclose(part, grown)


def test_fleet_and_chips_together_are_the_growth_of_h100_equivalents(
    release: xr.DataArray, projection: Projection
) -> None:
    h100e = projection.fleet["fleet_h100e"].transpose("draw", "year")
    grown = h100e.sel(year=2033).values / h100e.sel(year=2030).values
    parts = release.sel(year=2030, years_since_release=3, part=["fleet", "chips"]).prod("part")
    np.testing.assert_allclose(parts, grown)


def test_cheaper_models_compound_by_the_year(release: xr.DataArray) -> None:
    cheaper = release.sel(part="cheaper models", year=2025)
    once = cheaper.sel(years_since_release=1, drop=True)
    xr.testing.assert_allclose(cheaper.sel(years_since_release=3, drop=True), once**3)


def test_a_training_cluster_is_never_more_than_the_leading_labs_fleet(out: xr.Dataset) -> None:
    # Both are tokens at one speed; the cluster is of newest parts, which do more per 16-bit FLOP.
    assert (out["copies_training_cluster"] <= 3 * out["copies_world"] + 1).mean() > 0.97


def test_software_adds_nothing_where_neither_its_date_nor_the_age_of_chips_matters(
    rerun: Rerun,
) -> None:
    effects = ("effect_software_date", "effect_chip_age", "effect_speculative")
    still = {name: lambda old, name=name: 0.0 * old[name] for name in effects}
    out = overhang_of(rerun("serving", **still), YEARS)
    software = out["release_overhang"].sel(part="software", years_since_release=3)
    np.testing.assert_allclose(software.sel(year=slice(2020, 2032)), 1.0)


def test_precision_adds_nothing_where_the_served_format_stays(
    release: xr.DataArray, projection: Projection
) -> None:
    bits = projection.language_models["weight_bits"].transpose("draw", "year")
    stays = bits.sel(year=2027).values == bits.sel(year=2025).values
    part = release.sel(year=2025, years_since_release=2, part="precision").values
    assert stays.any()
    np.testing.assert_allclose(part[stays], 1.0)
