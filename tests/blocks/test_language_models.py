"""Language models: which releases count, and what the typical frontier model is by year."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from forepass.blocks import language_models
from forepass.blocks.language_model_records import (
    decoder_releases,
    frontier_releases,
    release_records,
)
from forepass.errors import InputError
from forepass.inputs.definitions import load_definitions
from forepass.inputs.elicitation import sample
from forepass.inputs.priors import load_priors
from forepass.inputs.tables import load_tables

DRAWS = 400
YEARS = np.arange(2020, 2036)
RECORD = np.arange(2020, 2027)


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    return load_tables(language_models.TABLES)


@pytest.fixture(scope="module")
def posterior() -> xr.Dataset:
    rng = np.random.default_rng(5)
    drawn = {
        name: (("draw",), sample(prior, DRAWS, rng))
        for name, prior in load_priors("language_models").items()
    }
    share = drawn["fraction_2025"][1]
    start = np.stack(
        [np.log(drawn["active_2025"][1]), np.log(share / (1 - share)), np.log(drawn["kv_2025"][1])],
        axis=1,
    )
    slope = np.stack([drawn[f"{trait}_growth"][1] for trait in ("active", "fraction", "kv")], 1)
    trend = start[:, None] + slope[:, None] * (RECORD - 2024.5)[:, None]
    return xr.Dataset(
        {
            **drawn,
            "trend": (("draw", "record_year", "trait"), trend),
            "slope_at_end": (("draw", "trait"), slope),
        },
        coords={
            "draw": np.arange(DRAWS),
            "record_year": RECORD,
            "trait": ["active", "fraction", "kv"],
        },
    )


@pytest.fixture(scope="module")
def projected(posterior: xr.Dataset) -> xr.Dataset:
    return language_models.project(posterior, YEARS, np.random.default_rng(1))


def _releases(rows: list[tuple[str, float, float]]) -> pd.DataFrame:
    models = pd.DataFrame(rows, columns=["model", "when", "total_params"])
    return models.assign(
        developer=models["model"], active_params=1.0, n_layers=1.0, native_weight_bits=16.0
    )


def test_a_release_far_below_the_largest_before_it_is_off_the_frontier() -> None:
    models = _releases([("large", 0.0, 100.0), ("small", 1.0, 19.0), ("middle", 1.0, 20.0)])
    frontier = frontier_releases(models, factor=5, window_years=1.5)
    assert frontier["model"].tolist() == ["large", "middle"]


def test_the_largest_no_longer_counts_when_its_window_is_over() -> None:
    models = _releases([("large", 0.0, 100.0), ("small", 2.0, 1.0)])
    assert len(frontier_releases(models, factor=5, window_years=1.5)) == 2


def test_a_network_released_again_in_the_same_format_counts_once() -> None:
    models = _releases([("first", 0.0, 1.0), ("again", 0.5, 1.0), ("narrow", 0.6, 1.0)]).assign(
        developer="one", native_weight_bits=[8.0, 8.0, 4.0]
    )
    frontier = frontier_releases(models, factor=5, window_years=1.5)
    assert frontier["model"].tolist() == ["first", "narrow"]


def test_translation_models_are_left_out_and_closed_ones_stay(
    tables: Mapping[str, pd.DataFrame],
) -> None:
    names = set(decoder_releases(tables["language_models"])["model"])
    assert not {"gshard-600b", "switch-c"} & names
    assert {"gpt-4", "gpt-5", "ernie-5.0", "deepseek-v3"} <= names


def test_closed_models_enter_by_their_totals(tables: Mapping[str, pd.DataFrame]) -> None:
    chosen = load_definitions()
    records = release_records(
        tables["language_models"],
        factor=chosen.frontier_window_factor,
        window_years=chosen.frontier_window_years,
        first_year=chosen.first_year,
    )
    assert len(records.total.value) > 5
    assert (np.exp(records.total.value) > 1e11).all()
    assert len(records.active.value) == len(records.dense)


def test_every_quantity_is_positive_finite_and_says_its_unit(projected: xr.Dataset) -> None:
    for values in projected.data_vars.values():
        assert bool(((values > 0) & np.isfinite(values)).all())
        assert {"units", "long_name"} <= set(values.attrs)


def test_shares_lie_between_0_and_1(projected: xr.Dataset) -> None:
    for name in ("moe_activation_fraction", "moe_share", "cached_share"):
        assert float(projected[name].max()) <= 1


def test_a_model_has_no_fewer_parameters_than_it_uses(projected: xr.Dataset) -> None:
    assert bool((projected["frontier_total_params"] >= projected["frontier_active_params"]).all())


def test_a_mixture_of_experts_uses_its_active_share(projected: xr.Dataset) -> None:
    late = projected.sel(year=2035)
    used = late["frontier_active_params"] / late["frontier_total_params"]
    mixture = used < 1
    assert float(mixture.mean()) > 0.9
    np.testing.assert_allclose(used[mixture], late["moe_activation_fraction"][mixture])


def test_served_formats_are_known_and_never_widen(projected: xr.Dataset) -> None:
    bits = projected["weight_bits"]
    assert set(np.unique(bits)) == {4.0, 8.0, 16.0}
    assert bool((bits.diff("year") <= 0).all())


def test_intervals_widen_with_the_horizon(projected: xr.Dataset) -> None:
    for name in ("frontier_active_params", "kv_bytes_per_token", "input_tokens"):
        log = xr.ufuncs.log(projected[name]).sel(year=[2026, 2030, 2035])
        width = log.quantile(0.9, "draw") - log.quantile(0.1, "draw")
        assert bool((width.diff("year") > 0).all())


def test_the_algorithmic_gain_is_one_rate_for_each_draw(projected: xr.Dataset) -> None:
    assert projected["algorithmic_gain"].dims == ("draw",)


def test_faster_growth_in_the_long_run_makes_larger_models(
    posterior: xr.Dataset, projected: xr.Dataset
) -> None:
    faster = posterior.assign(active_growth_longrun=posterior["active_growth_longrun"] + 0.2)
    again = language_models.project(faster, YEARS, np.random.default_rng(1))
    ratio = again["frontier_active_params"] / projected["frontier_active_params"]
    np.testing.assert_allclose(ratio.sel(year=2026), 1)
    assert bool((ratio.sel(year=2035) > 1).all())


def test_a_longer_lead_of_serving_narrows_formats(
    posterior: xr.Dataset, projected: xr.Dataset
) -> None:
    ahead = posterior.assign(serving_bits_lead=posterior["serving_bits_lead"] + 2)
    again = language_models.project(ahead, YEARS, np.random.default_rng(1))
    assert bool((again["weight_bits"] <= projected["weight_bits"]).all())
    assert float(again["weight_bits"].mean()) < float(projected["weight_bits"].mean())


def test_the_same_seed_gives_the_same_numbers(posterior: xr.Dataset, projected: xr.Dataset) -> None:
    xr.testing.assert_identical(
        language_models.project(posterior, YEARS, np.random.default_rng(1)), projected
    )


def test_other_years_leave_a_year_as_it_was(posterior: xr.Dataset, projected: xr.Dataset) -> None:
    few = language_models.project(posterior, np.arange(2024, 2030), np.random.default_rng(1))
    xr.testing.assert_allclose(few, projected.sel(year=few["year"]))


def test_the_model_has_every_prior_and_a_finite_density(
    tables: Mapping[str, pd.DataFrame],
) -> None:
    model = language_models.build(tables, load_priors("language_models"))
    assert set(language_models.PRIORS) <= {variable.name for variable in model.free_RVs}
    assert np.isfinite(list(model.point_logps().values())).all()


def test_a_table_without_active_sizes_is_refused(tables: Mapping[str, pd.DataFrame]) -> None:
    blank = tables["language_models"].assign(active_params=np.nan)
    with pytest.raises(InputError, match="active_params"):
        language_models.build({"language_models": blank}, load_priors("language_models"))
