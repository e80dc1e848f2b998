"""Predicted throughput: what is unknown widens it, what is known keeps its effect, bounds hold."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from numpy.typing import NDArray

from forepass import physics
from forepass.blocks.serving.model import CENTRED
from forepass.blocks.serving.prediction import (
    Drawn,
    at_speed,
    draw_effects,
    draw_parameters,
    log_rate_draws,
)
from forepass.blocks.serving.rows import LEVELS, Rows, make_rows

SEED = 7
SLOW, USUAL, FAST = 2.0, 20.0, 60.0

type Floats = NDArray[np.float64]


@pytest.fixture(scope="module")
def few(known: Rows) -> Rows:
    """Return a spread of measured configurations."""
    return known.take(np.linspace(0, len(known) - 1, 25).astype(int))


@pytest.fixture(scope="module")
def informed(posterior: xr.Dataset) -> xr.Dataset:
    """Return a posterior that has learned each group's effect to a tenth of the spread."""
    groups = [name for name in posterior.data_vars if str(name).startswith(("z_", "of_"))]
    return posterior.assign({name: posterior[name] / 10 for name in groups})


def _regrouped(rows: Rows, level: str, group: str) -> Rows:
    """Return the rows as members of one group of a kind."""
    return replace(rows, levels={**rows.levels, level: np.full(len(rows), group)})


def _fields(rows: Rows) -> dict[str, Floats]:
    return {name: values[None, :] for name, values in rows.fields.items()}


def _drawn(posterior: xr.Dataset, rows: Rows, speed: float | None) -> Drawn:
    p = draw_parameters(posterior, rows, SEED)
    return at_speed(_fields(rows), p, draw_effects(posterior, rows, SEED), speed)


@pytest.mark.parametrize("level", LEVELS)
def test_an_unknown_group_widens_the_spread(level: str, informed: xr.Dataset, few: Rows) -> None:
    unknown = _regrouped(few, level, "unheard-of")
    spread = {
        rows is unknown: draw_effects(informed, rows, SEED, groups=(level,)).std(axis=0)
        for rows in (few, unknown)
    }
    shared = draw_effects(informed, few, SEED, groups=()).std(axis=0)
    assert np.all(spread[True] > shared)
    assert np.mean(spread[True] ** 2 - spread[False] ** 2) > 0


@pytest.mark.parametrize(
    "column", ["chip", "model", "software"], ids=["new chip", "new model", "new engine"]
)
def test_a_configuration_never_measured_is_predicted_less_surely(
    column: str,
    informed: xr.Dataset,
    tables: Mapping[str, pd.DataFrame],
    configure: Callable[..., pd.DataFrame],
) -> None:
    chips, models = tables["chips"], tables["language_models"]
    chip = chips[chips["chip"] == "a100-sxm-80gb"].assign(
        chip="z9", generation="unheard-of", aliases=np.nan
    )
    model = models[models["model"] == "llama-3.1-70b"].assign(model="llama-z9", aliases=np.nan)
    extended = {
        **tables,
        "chips": pd.concat([chips, chip]),
        "language_models": pd.concat([models, model]),
    }
    new = {"chip": "z9", "model": "llama-z9", "software": None}[column]
    seen = make_rows(configure(software="vLLM"), extended)
    unseen = make_rows(configure(**{"software": "vLLM", column: new}), extended)
    groups = tuple(level for level in LEVELS if level not in CENTRED)

    def width(rows: Rows) -> float:
        low, high = np.quantile(log_rate_draws(informed, rows, SEED, groups=groups), [0.1, 0.9])
        return float(high - low)

    assert width(unseen) > width(seen)


@pytest.mark.parametrize("level", LEVELS)
def test_a_known_group_keeps_its_effect(level: str, posterior: xr.Dataset, few: Rows) -> None:
    group = few.levels[level][0]
    name = f"of_{level}" if level in CENTRED else f"z_{level}"
    raised = posterior.assign({name: posterior[name] + (posterior[level] == group)})
    change = draw_effects(raised, few, SEED) - draw_effects(posterior, few, SEED)
    size = 1.0 if level in CENTRED else np.asarray(posterior[f"{level}_spread"])[:, None]
    expected = np.broadcast_to(size * (few.levels[level] == group), change.shape)
    np.testing.assert_allclose(change, expected, atol=1e-12)


def test_a_known_group_does_not_hear_the_seed(posterior: xr.Dataset, few: Rows) -> None:
    first, second = (log_rate_draws(posterior, few, seed) for seed in (1, 2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("level", LEVELS)
def test_a_new_group_is_drawn_from_the_seed(level: str, posterior: xr.Dataset, few: Rows) -> None:
    new = _regrouped(few, level, "unheard-of")
    first, again, other = (draw_effects(posterior, new, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.all(first != other)


def test_two_new_groups_are_drawn_apart(posterior: xr.Dataset, few: Rows) -> None:
    one, two = (
        draw_effects(posterior, _regrouped(few, "model", name), SEED) for name in ("new-1", "new-2")
    )
    assert np.all(one != two)


@pytest.mark.parametrize(("mark", "factor"), [("whole", 1.0), ("split", 3.0)])
def test_a_new_cell_scatters_wider_where_a_deployment_is_split(
    mark: str, factor: float, posterior: xr.Dataset, few: Rows
) -> None:
    new = _regrouped(few, "cell", f"new/{mark}")
    once = xr.ones_like(posterior["split_cell_factor"])
    alike, wider = (
        draw_effects(posterior.assign(split_cell_factor=of), new, SEED, groups=("cell",))
        - draw_effects(posterior, new, SEED, groups=())
        for of in (once, 3 * once)
    )
    np.testing.assert_allclose(wider, factor * alike, atol=1e-9)


def test_rows_of_one_new_group_share_its_effect(posterior: xr.Dataset, few: Rows) -> None:
    new = draw_effects(
        posterior, _regrouped(few, "generation", "unheard-of"), SEED, groups=("generation",)
    ) - draw_effects(posterior, few, SEED, groups=())
    np.testing.assert_allclose(new, np.broadcast_to(new[:, :1], new.shape), atol=1e-12)


def test_a_row_is_predicted_alike_whatever_rows_are_around_it(
    posterior: xr.Dataset, few: Rows
) -> None:
    new = few
    for level in ("generation", "stack", "cell"):
        new = _regrouped(new, level, "unheard-of")
    together = log_rate_draws(posterior, new, SEED)
    backward = log_rate_draws(posterior, new.take(slice(None, None, -1)), SEED)
    np.testing.assert_array_equal(backward[:, ::-1], together)
    for place in (0, 11, 24):
        alone = log_rate_draws(posterior, new.take(np.array([place])), SEED)
        np.testing.assert_array_equal(alone[:, 0], together[:, place])


def test_noise_comes_from_its_own_source(posterior: xr.Dataset, few: Rows) -> None:
    quiet = log_rate_draws(posterior, few, SEED)
    noisy, again = (
        log_rate_draws(posterior, few, SEED, noise=np.random.default_rng(1)) for _ in range(2)
    )
    np.testing.assert_array_equal(noisy, again)
    assert noisy.std() > quiet.std()


def test_a_long_average_leaves_out_the_groups_it_is_told_to(
    posterior: xr.Dataset, few: Rows
) -> None:
    kept = tuple(level for level in LEVELS if level not in CENTRED)
    new = _regrouped(_regrouped(few, "campaign", "one"), "cell", "one")
    other = _regrouped(_regrouped(few, "campaign", "two"), "cell", "two")
    np.testing.assert_array_equal(
        draw_effects(posterior, new, SEED, groups=kept),
        draw_effects(posterior, other, SEED, groups=kept),
    )


def test_predictions_have_a_draw_for_each_draw_and_row(posterior: xr.Dataset, few: Rows) -> None:
    drawn = log_rate_draws(posterior, few, SEED)
    assert drawn.shape == (posterior.sizes["draw"], len(few))
    assert np.all(np.isfinite(drawn))


def _most(rows: Rows) -> Floats:
    flop = physics.weight_flop_per_token(rows.fields["active_params"])
    return np.asarray(physics.upper_bound(rows.fields["flops"], flop))


def test_no_effect_lifts_a_row_above_every_flop_of_the_sheet(
    posterior: xr.Dataset, few: Rows
) -> None:
    excessive = posterior.assign(effect_software_date=posterior["effect_software_date"] + 100)
    late = replace(few, effects={**few.effects, "software_date": np.ones(len(few))})
    noise = np.random.default_rng(1)
    rates = np.exp(log_rate_draws(excessive, late, SEED, noise=noise))
    np.testing.assert_allclose(rates, np.broadcast_to(_most(late), rates.shape))
    assert np.all(_drawn(excessive, late, None).rate <= _most(late) * (1 + 1e-9))


def test_every_draw_stays_below_every_flop_of_the_sheet(posterior: xr.Dataset, known: Rows) -> None:
    noise = np.random.default_rng(1)
    rates = np.exp(log_rate_draws(posterior, known, SEED, noise=noise))
    assert np.all(rates <= _most(known) * (1 + 1e-9))


@pytest.mark.parametrize("speed", [None, USUAL])
def test_shares_of_time_sum_to_one(speed: float | None, posterior: xr.Dataset, few: Rows) -> None:
    shares = _drawn(posterior, few, speed).shares
    resources = ("compute", "weights", "kv_cache", "latency")
    total = sum(shares[name] for name in resources)
    np.testing.assert_allclose(total, np.ones((posterior.sizes["draw"], len(few))))
    assert all(np.all(shares[name] >= 0) for name in resources)
    assert np.all((shares["prefill"] >= 0) & (shares["prefill"] <= shares["compute"]))


def test_the_speed_asked_for_is_given_or_nothing_is(posterior: xr.Dataset, few: Rows) -> None:
    drawn = _drawn(posterior, few, USUAL)
    had = np.isfinite(drawn.rate)
    assert 0 < had.mean() < 1
    assert np.all(drawn.speed[had] >= USUAL * (1 - 1e-6))
    assert np.all(drawn.speed[~had] < USUAL)


def test_the_largest_batch_that_gives_the_speed_is_taken(posterior: xr.Dataset, few: Rows) -> None:
    at_any, at_usual = (_drawn(posterior, few, speed) for speed in (1e-6, USUAL))
    bound = np.isfinite(at_usual.rate) & (at_usual.batch < 0.99 * at_any.batch)
    assert bound.any()
    np.testing.assert_allclose(at_usual.speed[bound], USUAL, rtol=1e-6)


def test_a_larger_speed_never_gives_more_throughput(posterior: xr.Dataset, few: Rows) -> None:
    slow, usual, fast = (_drawn(posterior, few, speed).rate for speed in (SLOW, USUAL, FAST))
    for more, less in ((slow, usual), (usual, fast)):
        both = np.isfinite(more) & np.isfinite(less)
        assert np.all(less[both] <= more[both] * (1 + 1e-9))
        assert np.all(np.isfinite(more) | np.isnan(less))


def test_without_a_speed_the_rows_own_load_is_served(posterior: xr.Dataset, few: Rows) -> None:
    drawn = _drawn(posterior, few, None)
    loaded = few.fields["concurrency"] > 0
    assert np.all(drawn.batch[:, loaded] <= few.fields["concurrency"][loaded] * (1 + 1e-9))
    assert np.all(np.isfinite(drawn.rate))


def test_the_rate_of_the_own_load_is_the_predicted_rate(posterior: xr.Dataset, few: Rows) -> None:
    whole: Any = (few.fields["decode_only"] + few.fields["prefill_only"]) == 0
    deployments = few.take(whole)
    rates = _drawn(posterior, deployments, None).rate
    np.testing.assert_allclose(np.log(rates), log_rate_draws(posterior, deployments, SEED))


def test_an_unstated_campaign_is_one_on_record_or_a_new_one(
    posterior: xr.Dataset,
    tables: Mapping[str, pd.DataFrame],
    configure: Callable[..., pd.DataFrame],
) -> None:
    def effects(weight: float, **cells: object) -> NDArray[np.float64]:
        given = posterior.assign(
            new_campaign_weight=("draw", np.full(posterior.sizes["draw"], weight))
        )
        rows = make_rows(configure(**cells), tables)
        return draw_effects(given, rows, 1, groups=("campaign",))[:, 0]

    without = draw_effects(posterior, make_rows(configure(), tables), 1, groups=())[:, 0]
    on_record = effects(0.0) - without
    swept = posterior["of_campaign"].sel(campaign=["aiconfigurator", "inferencex"]).values
    assert np.all(np.isclose(on_record[:, None], swept).any(axis=1))
    shares = np.isclose(on_record[:, None], swept).mean(axis=0)
    counts = posterior["campaign_rows"].isel(draw=0).sel(scenario="closed_loop")
    expected = counts.sel(campaign=["aiconfigurator", "inferencex"]) / counts.sum()
    np.testing.assert_allclose(shares, expected, atol=2 / np.sqrt(posterior.sizes["draw"]))
    assert not np.isclose((effects(1e9) - without)[:, None], swept).any()


def test_a_scenario_that_no_table_holds_has_a_new_campaign(
    posterior: xr.Dataset,
    tables: Mapping[str, pd.DataFrame],
    configure: Callable[..., pd.DataFrame],
) -> None:
    rows = make_rows(configure(scenario="soak test"), tables)
    found = draw_effects(posterior, rows, 1, groups=("campaign",))
    assert np.all(np.isfinite(found))
