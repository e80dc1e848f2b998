"""Training runs: what counts as a record, and what a run of some compute takes."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from forepass.blocks import training
from forepass.errors import InputError
from forepass.inputs.definitions import load_definitions
from forepass.inputs.elicitation import sample
from forepass.inputs.priors import load_priors
from forepass.inputs.tables import load_tables

DRAWS = 400
YEARS = np.arange(2020, 2036)
H100_FLOPS = 989e12


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    return load_tables(training.TABLES)


@pytest.fixture(scope="module")
def posterior() -> xr.Dataset:
    rng = np.random.default_rng(5)
    drawn = {
        name: (("draw",), sample(prior, DRAWS, rng))
        for name, prior in load_priors("training").items()
    }
    log_flop = np.log(drawn["record_flop_2022"][1])
    return xr.Dataset(
        {
            **drawn,
            "log_record_h100e_days_2022": (("draw",), log_flop - np.log(H100_FLOPS * 86400)),
            "log_record_flop": (("draw", "record"), np.zeros((DRAWS, 2))),
        },
        coords={"draw": np.arange(DRAWS), "record": [-1.6, 3.5]},
    )


@pytest.fixture(scope="module")
def projected(posterior: xr.Dataset) -> xr.Dataset:
    return training.project(posterior, YEARS, np.random.default_rng(1))


def _runs(rows: list[tuple[str, float]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["release_date", "training_flop"])


def test_a_record_is_larger_than_all_before_it() -> None:
    runs = _runs([("2023-01", 5.0), ("2020-01", 1.0), ("2021-01", 3.0), ("2022-01", 2.0)])
    assert training.record_runs(runs)["training_flop"].tolist() == [1.0, 3.0, 5.0]


def test_of_two_records_of_one_date_the_larger_counts() -> None:
    runs = _runs([("2023-01", 5.0), ("2023-01", 8.0)])
    assert training.record_runs(runs)["training_flop"].tolist() == [8.0]


def test_a_run_a_tenth_of_the_record_is_not_large() -> None:
    runs = _runs([("2020-01", 100.0), ("2021-01", 10.0), ("2022-01", 11.0)])
    assert training.large_runs(runs)["training_flop"].tolist() == [100.0, 11.0]


def test_a_run_without_compute_is_neither() -> None:
    runs = _runs([("2020-01", np.nan), ("2021-01", 1.0)])
    assert len(training.record_runs(runs)) == len(training.large_runs(runs)) == 1


def test_the_cluster_does_the_run_in_its_days(projected: xr.Dataset) -> None:
    done = (
        projected["training_cluster_flops"]
        * projected["training_utilisation"]
        * projected["training_days"]
        * 86400
    )
    np.testing.assert_allclose(done, projected["training_flop"])


def test_h100e_are_peak_over_the_h100s_dense_16_bit_rate(projected: xr.Dataset) -> None:
    np.testing.assert_allclose(
        projected["training_cluster_flops"] / projected["training_cluster_h100e"], H100_FLOPS
    )


def test_tokens_and_active_parameters_take_six_flop_each(projected: xr.Dataset) -> None:
    tokens, ratio = projected["training_tokens"], projected["training_tokens_per_param"]
    np.testing.assert_allclose(6 * tokens * (tokens / ratio), projected["training_flop"])


def test_a_run_bound_by_its_limit_levels_off_below_it(posterior: xr.Dataset) -> None:
    bound = posterior.assign(
        record_limit_bound=xr.ones_like(posterior["record_limit_bound"]),
        record_limit=xr.full_like(posterior["record_limit"], 1e28),
        record_scatter=xr.zeros_like(posterior["record_scatter"]),
    )
    course = xr.ufuncs.log(
        training.project(bound, YEARS, np.random.default_rng(1))["training_flop"]
    )
    assert bool((course.sel(year=2035) <= np.log(1e28)).all())
    growth = course.diff("year").sel(year=slice(2027, None))
    assert bool((growth.diff("year") <= 1e-9).all())


def test_utilisation_lies_between_0_and_1(projected: xr.Dataset) -> None:
    used = projected["training_utilisation"]
    assert 0 < float(used.min()) < float(used.max()) < 1


def test_every_quantity_is_positive_finite_and_says_its_unit(projected: xr.Dataset) -> None:
    for values in projected.data_vars.values():
        assert bool(((values > 0) & np.isfinite(values)).all())
        assert {"units", "long_name"} <= set(values.attrs)


def test_intervals_widen_with_the_horizon(projected: xr.Dataset) -> None:
    log_flop = xr.ufuncs.log(projected["training_flop"]).sel(year=[2025, 2027, 2030, 2035])
    width = log_flop.quantile(0.9, "draw") - log_flop.quantile(0.1, "draw")
    assert bool((width.diff("year") > 0).all())


def test_breaks_widen_overtraining_and_its_drift_the_length_after_the_record_alone(
    posterior: xr.Dataset, projected: xr.Dataset
) -> None:
    calm = posterior.assign(
        overtraining_break_chance=xr.zeros_like(posterior["overtraining_break_chance"]),
        duration_drift=xr.zeros_like(posterior["duration_drift"]),
    )
    without = training.project(calm, YEARS, np.random.default_rng(1))
    for name in ("training_tokens_per_param", "training_days"):
        xr.testing.assert_allclose(without[name].sel(year=2025), projected[name].sel(year=2025))
        spread = [xr.ufuncs.log(run[name].sel(year=2032)).std() for run in (without, projected)]
        assert float(spread[1]) > 1.05 * float(spread[0]), name
    xr.testing.assert_identical(without["training_flop"], projected["training_flop"])


def test_growth_slows_after_the_record(projected: xr.Dataset) -> None:
    growth = xr.ufuncs.log(projected["training_flop"]).median("draw").diff("year")
    assert float(growth.sel(year=slice(2031, None)).mean()) < float(
        growth.sel(year=slice(None, 2025)).mean()
    )


def test_a_larger_start_moves_every_year(posterior: xr.Dataset, projected: xr.Dataset) -> None:
    larger = posterior.assign(
        record_flop_2022=2 * posterior["record_flop_2022"],
        record_limit=2 * posterior["record_limit"],
    )
    again = training.project(larger, YEARS, np.random.default_rng(1))
    np.testing.assert_allclose(again["training_flop"], 2 * projected["training_flop"])


def test_the_same_seed_gives_the_same_numbers(posterior: xr.Dataset, projected: xr.Dataset) -> None:
    xr.testing.assert_identical(
        training.project(posterior, YEARS, np.random.default_rng(1)), projected
    )


def test_other_years_leave_a_year_as_it_was(posterior: xr.Dataset, projected: xr.Dataset) -> None:
    few = training.project(posterior, np.arange(2024, 2030), np.random.default_rng(1))
    xr.testing.assert_allclose(few, projected.sel(year=few["year"]))


def test_the_model_has_every_prior_and_a_finite_density(
    tables: Mapping[str, pd.DataFrame],
) -> None:
    model = training.build(tables, load_priors("training"))
    assert set(training.PRIORS) == {variable.name for variable in model.free_RVs}
    assert np.isfinite(list(model.point_logps().values())).all()


def test_a_table_without_compute_is_refused(tables: Mapping[str, pd.DataFrame]) -> None:
    blank = tables["training"].assign(training_flop=np.nan)
    with pytest.raises(InputError, match=r"training\.csv"):
        training.build({**tables, "training": blank}, load_priors("training"))


def test_clusters_count_in_the_unit_that_the_definitions_choose(
    tables: Mapping[str, pd.DataFrame],
) -> None:
    chosen = load_definitions()
    half = replace(chosen, h100_equivalent_ops_per_s=chosen.h100_equivalent_ops_per_s / 2)
    days = [
        training.build(tables, load_priors("training"), definitions=definitions)[
            "log_record_h100e_days_2022"
        ].eval({"record_flop_2022": 1e24})
        for definitions in (chosen, half)
    ]
    assert days[1] - days[0] == pytest.approx(np.log(2))
    assert days[0] == pytest.approx(np.log(1e24 / 9.895e14 / 86400))
