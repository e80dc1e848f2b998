"""Language models: which releases count, and what the typical frontier model is by year."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pymc as pm
import pytensor.tensor as pt
import pytest
import xarray as xr
from scipy import stats

from forepass.blocks import language_models
from forepass.blocks.growth import logit
from forepass.blocks.language_models.model import _bends
from forepass.blocks.language_models.paths import TRAITS, kinds_reached, plain, trait_path
from forepass.blocks.language_models.records import (
    KINDS,
    ReleaseRecords,
    decoder_releases,
    frontier_releases,
    published_gains,
    release_records,
)
from forepass.blocks.language_models.sizes import _log_seen
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
    """Draws of the priors, each structure's path a straight line from the start of 2025."""
    rng = np.random.default_rng(5)
    priors = load_priors("language_models")
    drawn = {
        name: (
            (("draw", "structure"), sample(prior, 2 * DRAWS, rng).reshape(DRAWS, 2))
            if name in language_models.TWICE
            else (("draw",), sample(prior, DRAWS, rng))
        )
        for name, prior in priors.items()
    }
    start = {trait: np.log(drawn[f"{trait}_2025"][1]) for trait in TRAITS}
    start["fraction"] = logit(drawn["fraction_2025"][1])
    slope = np.stack([drawn[f"{trait}_growth"][1] for trait in TRAITS], axis=1)
    level = np.stack([start[trait] for trait in TRAITS], axis=1)
    trend = level[:, None] + slope[:, None] * (RECORD - 2024.5)[:, None]
    return xr.Dataset(
        {
            **drawn,
            "trend": (
                ("draw", "structure", "record_year", "trait"),
                np.stack([trend, trend], axis=1),
            ),
            "slope_at_end": (("draw", "trait"), slope),
        },
        coords={
            "draw": np.arange(DRAWS),
            "structure": list(language_models.STRUCTURES),
            "record_year": RECORD,
            "trait": list(TRAITS),
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
    assert not {"gshard-600b", "switch-c", "bert-large"} & names
    assert {"gpt-4", "gpt-5", "ernie-5.0", "deepseek-v3", "gpt-2-1.5b"} <= names


@pytest.fixture(scope="module")
def records(tables: Mapping[str, pd.DataFrame]) -> ReleaseRecords:
    chosen = load_definitions()
    return release_records(
        tables["language_models"],
        factor=chosen.frontier_window_factor,
        window_years=chosen.frontier_window_years,
        first_year=chosen.first_year,
    )


def test_closed_models_enter_by_their_totals(records: ReleaseRecords) -> None:
    assert len(records.total.value) > 5
    assert (np.exp(records.total.value) > 1e11).all()
    assert records.total.probed.sum() > 3


def test_a_size_known_by_bounds_alone_enters_by_them(records: ReleaseRecords) -> None:
    bounded = records.active.high > records.active.low
    np.testing.assert_allclose(np.exp(records.active.high[bounded]), [2e11, 3e11, 7.2e10])
    assert (records.active.low[~bounded] == records.active.value[~bounded]).all()
    assert (records.total.high > records.total.low).sum() == 1


def test_attention_is_read_from_heavy_to_light(records: ReleaseRecords) -> None:
    mean = [records.kv[records.kv_kind == kind].mean() for kind in range(len(KINDS))]
    assert (np.diff(mean) < 0).all()


@pytest.mark.parametrize(
    ("low", "high"), [(-60.0, 1.0), (0.5, 2.0), (2.0, 60.0), (9.0, 60.0), (-60.0, -9.0)]
)
def test_bounds_count_by_the_probability_between_them(low: float, high: float) -> None:
    got = float(_log_seen(*map(pt.as_tensor, (0.7, 0.4, 0.8, low, high))).eval(mode="FAST_COMPILE"))
    z = np.array([low - 0.4, high - 0.4]) / 0.8
    turned = np.sort(np.where(z.sum() > 0, -z, z))
    assert got == pytest.approx(np.log(np.diff(stats.norm.cdf(turned))[0]))


def test_a_known_value_counts_by_its_density() -> None:
    got = float(_log_seen(*map(pt.as_tensor, (0.7, 0.4, 0.8, 0.7, 0.7))).eval(mode="FAST_COMPILE"))
    assert got == pytest.approx(stats.norm.logpdf(0.7, 0.4, 0.8))


def test_turned_bends_keep_the_prior_of_the_bends() -> None:
    since, knots = np.linspace(-4, 1.8, 30), np.arange(-3.0, 2.0)
    with pm.Model(coords={"knot": knots}):
        line = pt.as_tensor(np.array([3.0, -2.0]))
        bends = _bends("it", line, pt.as_tensor(0.5), since, knots)
        drawn = pm.draw(bends, draws=3000, random_seed=1)
    assert np.abs(drawn.mean(axis=0)).max() < 0.05
    np.testing.assert_allclose(np.cov(drawn.T), 0.25 * np.eye(len(knots)), atol=0.03)


def test_halving_times_and_yearly_factors_are_told_on_one_scale(
    tables: Mapping[str, pd.DataFrame],
) -> None:
    gains = published_gains(tables["published_trends"])
    rate = dict(zip(gains.names, np.exp(gains.log_rate), strict=True))
    assert rate["algorithmic_progress_factor"] == pytest.approx(np.log(3))
    assert rate["densing_law_doubling"] == pytest.approx(12 / 3.5 * np.log(2))
    stated = gains.error[gains.names.index("algorithmic_halving_time_pretraining_neurips")]
    assert stated == pytest.approx(np.log(22 / 2) / (2 * 1.6449), rel=1e-3)
    assert gains.price.sum() == 3


def test_every_quantity_is_positive_finite_and_says_its_unit(projected: xr.Dataset) -> None:
    for values in projected.data_vars.values():
        assert bool(((values > 0) & np.isfinite(values)).all())
        assert {"units", "long_name"} <= set(values.attrs)


def test_shares_lie_between_0_and_1(projected: xr.Dataset) -> None:
    for name in ("moe_activation_fraction", "moe_share"):
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
    for name in ("frontier_active_params", "max_context_tokens"):
        log = xr.ufuncs.log(projected[name]).sel(year=[2026, 2030, 2035])
        width = log.quantile(0.9, "draw") - log.quantile(0.1, "draw")
        assert bool((width.diff("year") > 0).all())


def test_a_saturating_trait_nears_its_limit_and_stays(posterior: xr.Dataset) -> None:
    still = posterior.assign(
        break_chance=xr.zeros_like(posterior["break_chance"]),
        context_pace=xr.full_like(posterior["context_pace"], 1.0),
    )
    path = trait_path(still, "context", YEARS, np.ones(DRAWS, dtype=int), np.random.default_rng(1))
    steps = np.diff(path[:, YEARS >= 2026], axis=1)
    assert (steps >= 0).all()
    np.testing.assert_allclose(steps[:, 1:], steps[:, :-1] * np.exp(-1.0))


def test_breaks_come_after_the_record_and_in_both_structures(posterior: xr.Dataset) -> None:
    sure = posterior.assign(
        break_chance=xr.ones_like(posterior["break_chance"]),
        active_break_size=xr.full_like(posterior["active_break_size"], 3.0),
    )
    calm = posterior.assign(break_chance=xr.zeros_like(posterior["break_chance"]))
    for structure in (0, 1):
        broken, straight = (
            trait_path(draws, "active", YEARS, np.full(DRAWS, structure), np.random.default_rng(1))
            for draws in (sure, calm)
        )
        moved = broken - straight
        assert not moved[:, YEARS <= 2026].any()
        assert moved[:, YEARS == 2027].std() == pytest.approx(3.0, rel=0.1)


def test_each_structure_alone_gives_other_futures_and_their_mixture_lies_between(
    posterior: xr.Dataset,
) -> None:
    def median(weight: float) -> float:
        sure = posterior.assign(
            active_saturating=xr.full_like(posterior["active_saturating"], weight),
            active_growth_longrun=xr.full_like(posterior["active_saturating"], 1.0),
        )
        ahead = language_models.project(sure, YEARS, np.random.default_rng(1))
        return float(np.log(ahead["frontier_active_params"].sel(year=2035).median()))

    assert median(1.0) + 1 < median(0.0)
    assert median(1.0) < median(0.5) < median(0.0)


def test_attention_never_goes_back_and_ends_compressed(posterior: xr.Dataset) -> None:
    lot = np.random.default_rng(1).uniform(size=(DRAWS, 1))
    when = np.arange(-2.0, 60.0)
    kind = kinds_reached(plain(posterior), when, lot)
    assert (np.diff(kind, axis=1) >= 0).all()
    assert (kind[:, 0] == 0).mean() > 0.5
    assert (kind[:, -1] == len(KINDS) - 1).mean() > 0.95


def test_the_algorithmic_gain_is_one_rate_for_each_draw(projected: xr.Dataset) -> None:
    assert projected["algorithmic_gain"].dims == ("draw",)


def test_faster_growth_in_the_long_run_makes_larger_models(
    posterior: xr.Dataset, projected: xr.Dataset
) -> None:
    faster = posterior.assign(active_growth_longrun=posterior["active_growth_longrun"] + 0.2)
    again = language_models.project(faster, YEARS, np.random.default_rng(1))
    ratio = again["frontier_active_params"] / projected["frontier_active_params"]
    np.testing.assert_allclose(ratio.sel(year=2026), 1)
    assert bool((ratio.sel(year=2035) >= 1).all())
    assert float((ratio.sel(year=2035) > 1).mean()) > 0.4


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
        language_models.build({**tables, "language_models": blank}, load_priors("language_models"))
