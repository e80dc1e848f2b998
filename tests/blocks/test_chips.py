"""Chips: what the table gives, what the model says of it, and its run forward."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import stats

from forepass.blocks import chips
from forepass.blocks.chips.likelihood import factorised, kinds, log_density
from forepass.blocks.chips.paths import part_specs
from forepass.blocks.chips.records import (
    SPECS,
    TRAITS,
    ChipRecords,
    chip_records,
    specs_from_traits,
)
from forepass.inputs.dates import EPOCH_YEAR
from forepass.inputs.definitions import load_definitions
from forepass.inputs.priors import expect, load_priors
from forepass.inputs.tables import load_tables

if TYPE_CHECKING:
    import pymc as pm
    from numpy.typing import NDArray

YEARS = np.arange(2020, 2036)
ERRORS = ("spec_error", "price_error", "roadmap_error")


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    return dict(load_tables(chips.TABLES))


@pytest.fixture(scope="module")
def records(tables: dict[str, pd.DataFrame]) -> ChipRecords:
    return _records(tables["chips"], tables["chip_prices"])


@pytest.fixture(scope="module")
def model(tables: dict[str, pd.DataFrame]) -> pm.Model:
    return chips.build(tables, load_priors("chips"))


@pytest.fixture(scope="module")
def prior(model: pm.Model) -> xr.Dataset:
    import pymc as pm

    with model:
        draws = pm.sample_prior_predictive(300, random_seed=3)
    joined = xr.merge([draws["prior"].dataset, draws["prior_predictive"].dataset])
    return joined.isel(chain=0, drop=True)


@pytest.fixture(scope="module")
def projected(prior: xr.Dataset) -> xr.Dataset:
    return _project(prior)


def _records(table: pd.DataFrame, prices: pd.DataFrame) -> ChipRecords:
    definitions = load_definitions()
    return chip_records(
        table,
        prices,
        minimum_bandwidth=definitions.chip_minimum_bandwidth_bytes_per_s,
        line_share=definitions.chip_line_share,
    )


def _project(posterior: xr.Dataset, years: NDArray[np.int_] = YEARS, seed: int = 7) -> xr.Dataset:
    return chips.project(posterior, years, np.random.default_rng(seed))


def _spread(values: xr.DataArray) -> xr.DataArray:
    # A quantile of 300 draws is too noisy to rise every year.
    return xr.apply_ufunc(np.log, values).std("draw")


def test_parts_cut_down_or_without_stacked_memory_stay_out(records: ChipRecords) -> None:
    assert {"a100-sxm-80gb", "h100-sxm", "tpu-v7", "mi300x", "rubin"} <= set(records.names)
    assert not {"h20", "l4", "mtia-v2", "groq-3-lpu", "rubin-cpx", "feynman"} & set(records.names)


def test_an_8bit_rate_below_the_16bit_rate_counts_as_missing(
    tables: dict[str, pd.DataFrame],
) -> None:
    table = tables["chips"].copy()
    row = table["chip"] == "b300"
    table.loc[row, "flops_fp8_flop_per_s"] = np.nan
    records = _records(table, tables["chip_prices"])
    assert not records.present[records.names.index("b300"), SPECS.index("flops_8bit")]


def test_gaps_are_kept_apart_from_figures(records: ChipRecords) -> None:
    assert np.isfinite(records.log_specs).all()
    assert not records.log_specs[~records.present].any()
    assert (records.log_specs[records.present] > 0).all()


def test_rates_are_their_ratio_times_the_8bit_rate() -> None:
    traits = np.zeros((2, len(TRAITS)))
    traits[:, TRAITS.index("flops_8bit")] = 3.0
    traits[:, TRAITS.index("ratio_4bit")] = 0.7
    specs = dict(zip(SPECS, specs_from_traits(traits)[0], strict=True))
    assert specs["flops_8bit"] == specs["flops_16bit"] == 3.0
    assert specs["flops_4bit"] == 3.7
    assert specs["bandwidth"] == 0.0


def test_every_prior_of_the_file_is_a_variable_of_the_model(model: pm.Model) -> None:
    priors = load_priors("chips")
    expect(priors, chips.PRIORS, "chips")
    assert set(priors) <= {variable.name for variable in model.free_RVs}


def test_prior_draws_are_finite(prior: xr.Dataset) -> None:
    figures = prior.drop_vars("first_shipped")
    assert all(np.isfinite(figures[name]).all() for name in figures.data_vars)


def test_the_record_would_not_have_surprised_the_prior(
    prior: xr.Dataset, records: ChipRecords
) -> None:
    low, high = prior["log_specs"].quantile([0.1, 0.9], "draw").values
    inside = (records.log_specs >= low) & (records.log_specs <= high)
    seen = records.present & ~records.announced[:, None]
    assert inside[seen].mean() > 0.8


def test_missing_specs_are_integrated_out(model: pm.Model, records: ChipRecords) -> None:
    mu, logp, scale, correlation, spec_error, price_error, roadmap_error = _at_start(model)
    loading = specs_from_traits((scale[:, None] * correlation).T).T
    covariance = loading @ loading.T
    for chip, here in enumerate(records.present):
        variance = records.error[chip] ** 2 + spec_error**2
        variance = variance + (np.array(SPECS) == "price") * price_error**2
        variance = variance + records.announced[chip] * roadmap_error**2
        joint = (covariance + np.diag(variance))[np.ix_(here, here)]
        seen = records.log_specs[chip, here]
        expected = stats.multivariate_normal(mu[chip, here], joint).logpdf(seen)
        constant = stats.norm.logpdf(0.0) * (~here).sum()
        np.testing.assert_allclose(logp[chip], expected + constant, rtol=1e-6)


def test_held_factors_leave_the_gradient_of_the_likelihood_as_it_is() -> None:
    import pytensor.tensor as pt
    from pytensor.compile.maker import function as compiled
    from pytensor.gradient import grad

    n = len(SPECS)
    rng = np.random.default_rng(2)
    root, mu = pt.dtensor3("root"), pt.dmatrix("mu")
    covariance = (root[:, :, None, :] * root[:, None, :, :]).sum(axis=-1)
    chol, precision, log_det = factorised(covariance)
    value = pt.as_tensor(rng.normal(size=(2, n)))
    logp = log_density(value, mu, chol, precision, covariance, log_det)
    off = value - mu
    plain = [
        -(
            off[at] @ pt.linalg.inv(covariance[at]) @ off[at]
            + pt.linalg.slogdet(covariance[at])[1]
            + n * np.log(2 * np.pi)
        )
        / 2
        for at in range(2)
    ]
    total = pt.stack(plain)
    gradients: list[Any] = [
        grad(density.sum(), wrt) for density in (logp, total) for wrt in (root, mu)
    ]
    function = compiled([root, mu], [logp, total, *gradients], mode="FAST_COMPILE")
    at = np.tril(rng.normal(size=(2, n, n))) + 2 * np.eye(n)
    held, straight, *slopes = function(at, rng.normal(size=(2, n)))
    np.testing.assert_allclose(held, straight, rtol=1e-9)
    for mine, theirs in zip(slopes[:2], slopes[2:], strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-7, atol=1e-10)


def _at_start(model: pm.Model) -> list[NDArray[np.float64]]:
    """Return mean, log likelihood by chip, scales and errors at the model's initial point."""
    observed = model["log_specs"]
    mean = observed.owner.op.dist_params(observed.owner)[0]
    free = [model[name] for name in ("residual_scale", "correlation", *ERRORS)]
    logp = model.logp(vars=[observed], sum=False)[0]
    values = model.replace_rvs_by_values([mean, *free])
    function = model.compile_fn(
        [values[0], logp, *values[1:]], inputs=model.value_vars, on_unused_input="ignore"
    )
    return list(function(model.initial_point()))


def test_projections_are_positive_and_carry_units(projected: xr.Dataset) -> None:
    for name, values in projected.data_vars.items():
        assert values.dims == ("draw", "year"), name
        assert values.attrs["units"], name
        assert values.attrs["long_name"], name
        assert np.isfinite(values).all(), name
        if name != "memory_wall":
            assert (values > 0).all(), name


def test_a_rent_is_cost_times_the_margin_and_less_sure_than_cost_ahead(
    prior: xr.Dataset, projected: xr.Dataset
) -> None:
    margin = projected["chip_hour_price_usd"] / projected["chip_hour_cost_usd"]
    assert float(margin.sel(year=2035).median()) == pytest.approx(
        float(prior["rent_margin"].median()), rel=0.15
    )
    calm = _project(prior.assign(rent_margin_scale=xr.zeros_like(prior["rent_margin_scale"])))
    flat = calm["chip_hour_price_usd"] / calm["chip_hour_cost_usd"]
    np.testing.assert_allclose(flat.sel(year=2030), prior["rent_margin"])
    xr.testing.assert_identical(calm["chip_hour_cost_usd"], projected["chip_hour_cost_usd"])


def test_intervals_widen_with_the_horizon(projected: xr.Dataset) -> None:
    for name in ("chip_flops_8bit", "chip_bandwidth", "chip_memory"):
        spread = _spread(projected[name]).sel(year=slice(2029, 2035))
        assert (spread.diff("year") > 0).all(), name


def test_a_narrower_format_never_runs_slower(projected: xr.Dataset) -> None:
    assert (projected["chip_flops_8bit"] >= projected["chip_flops_16bit"]).all()
    assert (projected["chip_flops_4bit"] >= projected["chip_flops_8bit"]).all()


def test_before_a_format_shipped_its_rate_is_the_wider_ones(projected: xr.Dataset) -> None:
    then = projected.sel(year=2022)
    np.testing.assert_array_equal(then["chip_flops_4bit"], then["chip_flops_8bit"])


def test_one_seed_gives_one_projection(prior: xr.Dataset, projected: xr.Dataset) -> None:
    assert projected.identical(_project(prior))


def test_a_shorter_horizon_gives_the_same_years(prior: xr.Dataset, projected: xr.Dataset) -> None:
    short = _project(prior, np.arange(2024, 2031))
    xr.testing.assert_identical(short, projected.sel(year=slice(2024, 2030)))


def test_slower_growth_ends_lower(prior: xr.Dataset, projected: xr.Dataset) -> None:
    slowed = _project(prior.assign(slowdown=prior["slowdown"] + 0.1))
    for name in ("chip_flops_8bit", "chip_bandwidth"):
        end, before = (run[name].sel(year=2035).median() for run in (slowed, projected))
        assert end < before, name


def test_a_wall_sure_to_revert_ends_at_its_long_run(prior: xr.Dataset) -> None:
    sure = prior.assign(
        wall_reversion_chance=xr.ones_like(prior["slowdown"]),
        wall_reversion_years=xr.ones_like(prior["slowdown"]),
        slowdown=xr.zeros_like(prior["slowdown"]),
    )
    end = _project(sure)["memory_wall"].sel(year=2035)
    np.testing.assert_allclose(end, prior["memory_wall_long_run"], rtol=1e-9)


def test_growth_that_leans_back_at_once_is_that_of_the_record(prior: xr.Dataset) -> None:
    none = xr.zeros_like(prior["slowdown"])
    calm = prior.assign(
        bend_reversion=none + 1, bend_scale=none, slowdown=none, wall_reversion_chance=none
    )
    end = _project(calm)["memory_wall"].sel(year=2035)
    np.testing.assert_allclose(end, prior["memory_wall"], rtol=1e-9)


def test_a_reference_vendor_without_chips_falls_back_to_the_population_and_says_so(
    tables: dict[str, pd.DataFrame],
) -> None:
    sheet = tables["chips"]
    few = tables | {"chips": sheet[sheet["vendor"] != "NVIDIA"]}
    with pytest.warns(UserWarning, match="too few shipped chips of NVIDIA"):
        model = chips.build(few, load_priors("chips"))
    assert not model["reference_effect"].eval().any()


def test_sheets_are_drawn_for_vendors_seen_and_unseen_and_widen_with_time(
    prior: xr.Dataset,
) -> None:
    drawn = part_specs(
        prior,
        when=np.array([2.0, 12.0, 2.0]),
        vendor=np.array(["NVIDIA", "NVIDIA", "nobody yet"]),
        reference="NVIDIA",
        rng=np.random.default_rng(5),
    )
    assert drawn.shape == (prior.sizes["draw"], 3, len(SPECS))
    assert np.isfinite(drawn).all()
    assert (drawn[:, 1].std(axis=0) > drawn[:, 0].std(axis=0)).all()


def test_chips_of_which_nothing_is_seen_say_nothing(model: pm.Model, records: ChipRecords) -> None:
    none = len(kinds(records)[0]) - 1
    model.set_data("present_seen", np.zeros_like(records.log_specs))
    model.set_data("log_specs_seen", np.zeros_like(records.log_specs))
    model.set_data("kind_seen", np.full(len(records.names), none))
    logp = _at_start(model)[1]
    np.testing.assert_allclose(logp, stats.norm.logpdf(0.0) * len(SPECS))


def test_the_lead_of_the_newest_part_is_sold_on_and_fades(prior: xr.Dataset) -> None:
    eight = prior["spec"] == "flops_8bit"
    none = prior.assign(newest_lead=xr.zeros_like(prior["newest_lead"]))
    ahead = none.assign(
        newest_lead=none["newest_lead"] + eight * 0.7,
        lead_life=xr.full_like(prior["lead_life"], 2.0),
    )
    since = float(prior["newest_since"].isel(draw=0)) + EPOCH_YEAR
    gained = xr.ufuncs.log(
        _project(ahead)["chip_flops_8bit"] / _project(none)["chip_flops_8bit"]
    ).transpose("draw", "year")
    years = gained["year"].values
    before = years + 0.5 < since
    assert before.any()
    np.testing.assert_allclose(gained[:, before], 0.0, atol=1e-9)
    left = 0.7 * np.exp(-(years[~before] + 0.5 - since) / 2.0)
    # A rate that would fall below a wider format's is that format's, and gains less or more.
    close = np.isclose(gained[:, ~before], left[None, :], atol=1e-6)
    assert close.mean() > 0.8


def test_the_newest_part_is_the_last_that_the_reference_vendor_shipped(
    prior: xr.Dataset, records: ChipRecords
) -> None:
    own = records.of(load_definitions().reference_vendor) & ~records.announced
    np.testing.assert_allclose(prior["newest_since"], records.when[own].max())
    newest = np.flatnonzero(own)[records.when[own].argmax()]
    unknown = ~records.present[newest]
    np.testing.assert_array_equal(prior["newest_lead"].values[:, unknown], 0.0)
    assert (prior["newest_lead"].values[:, ~unknown].std(axis=0) > 0).all()
