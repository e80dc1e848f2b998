"""Demand: which rows count tokens, and how the world's total runs on."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from forepass.blocks import demand
from forepass.errors import InputError
from forepass.inputs.elicitation import sample
from forepass.inputs.priors import load_priors
from forepass.inputs.tables import load_tables

DRAWS = 400
YEARS = np.arange(2020, 2036)
SECONDS_PER_DAY = 86400.0


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    return load_tables(demand.TABLES)


@pytest.fixture(scope="module")
def posterior() -> xr.Dataset:
    rng = np.random.default_rng(5)
    drawn = {
        name: (("draw",), sample(prior, DRAWS, rng))
        for name, prior in load_priors("demand").items()
    }
    return xr.Dataset(
        {
            **drawn,
            "growth_bends": (("draw", "knot"), np.abs(rng.standard_normal((DRAWS, 2)))),
            "log_world_tokens_per_s": (("draw", "report"), np.zeros((DRAWS, 2))),
        },
        coords={"knot": [3.0, 4.0], "report": [2.1, 4.5]},
    )


@pytest.fixture(scope="module")
def projected(posterior: xr.Dataset) -> xr.Dataset:
    return demand.project(posterior, YEARS, np.random.default_rng(1))


def _table(*rows: tuple[str, str, float]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["actor", "quantity", "central"])
    return frame.assign(date="2025-01", status="disclosed")


@pytest.mark.parametrize(
    ("period", "seconds"),
    [("minute", 60), ("day", 86400), ("week", 604800), ("year", 365.25 * 86400)],
)
def test_counts_are_brought_to_seconds(period: str, seconds: float) -> None:
    reports = demand.token_reports(_table(("a", f"tokens_per_{period}", 5 * seconds)))
    assert np.exp(reports.log_tokens_per_s) == pytest.approx(5)


def test_counts_over_different_periods_are_one_series() -> None:
    reports = demand.token_reports(
        _table(("a", "foundry_tokens_per_month", 1.0), ("a", "foundry_tokens_per_year", 12.0))
    )
    assert reports.series == ["a, foundry_tokens"]
    assert reports.log_tokens_per_s[0] == pytest.approx(reports.log_tokens_per_s[1])


def test_words_join_their_actors_series_of_tokens() -> None:
    reports = demand.token_reports(
        _table(("a", "words_generated_per_day", 1.0), ("a", "tokens_processed_per_day", 1.0))
    )
    assert reports.series == ["a, tokens_processed"]
    assert reports.words.tolist() == [True, False]


def test_parts_prices_and_users_are_not_counts_of_all_tokens() -> None:
    table = _table(
        ("a", "tokens_per_day", 1.0),
        ("a", "input_tokens_per_day", 1.0),
        ("a", "decode_tokens_per_s_per_node", 1.0),
        ("a", "customers_over_1e12_tokens_in_12_months", 1.0),
        ("a", "chatgpt_weekly_users", 1.0),
    )
    assert demand.token_reports(table).when.size == 1


def test_the_worlds_total_is_no_share_of_itself() -> None:
    reports = demand.token_reports(
        _table(("World", "tokens_per_day", 9.0), ("a", "tokens_per_day", 1.0))
    )
    assert reports.series == ["a, tokens"]
    assert reports.member.tolist() == [-1, 0]


def test_a_table_without_counts_is_refused() -> None:
    with pytest.raises(InputError, match=r"demand\.csv"):
        demand.token_reports(_table(("a", "chatgpt_weekly_users", 1.0)))


def test_output_is_a_part_of_what_is_processed(projected: xr.Dataset) -> None:
    assert bool((projected["demand_output_tokens_per_s"] < projected["demand_tokens_per_s"]).all())


def test_every_quantity_is_positive_finite_and_says_its_unit(projected: xr.Dataset) -> None:
    for name, values in projected.data_vars.items():
        assert {"units", "long_name"} <= set(values.attrs)
        # Nobody asks a speed of a batch.
        asked = values.sel(workload=["chat", "agents"]) if name == "workload_speed" else values
        assert bool(((asked > 0) & np.isfinite(asked)).all())


def test_the_kinds_of_work_share_all_of_the_compute(projected: xr.Dataset) -> None:
    share = projected["workload_share"]
    np.testing.assert_allclose(share.sum("workload"), 1.0)
    assert bool((share > 0).all())


def test_agents_have_their_elicited_shares_in_the_years_they_are_told_for(
    projected: xr.Dataset, posterior: xr.Dataset
) -> None:
    agents = projected["workload_share"].sel(workload="agents")
    for year in (2026, 2030):
        np.testing.assert_allclose(agents.sel(year=year), posterior[f"agents_share_{year}"])
    np.testing.assert_allclose(agents.sel(year=2035), agents.sel(year=2030))


def test_requests_of_2026_are_those_of_the_priors_and_all_kinds_lengthen_alike(
    projected: xr.Dataset, posterior: xr.Dataset
) -> None:
    inputs = projected["workload_input_tokens"]
    for kind in ("chat", "agents", "batch"):
        now = inputs.sel(year=2026, workload=kind)
        np.testing.assert_allclose(now, posterior[f"{kind}_input_tokens"])
    grown = inputs.sel(year=2033) / inputs.sel(year=2026)
    np.testing.assert_allclose(grown.sel(workload="chat"), grown.sel(workload="agents"))


def test_the_year_of_the_last_report_starts_from_the_fitted_level(
    posterior: xr.Dataset, projected: xr.Dataset
) -> None:
    np.testing.assert_allclose(
        projected["demand_tokens_per_s"].sel(year=2026), posterior["world_tokens_per_s"]
    )


def test_a_larger_start_moves_every_year(posterior: xr.Dataset, projected: xr.Dataset) -> None:
    larger = posterior.assign(world_tokens_per_s=3 * posterior["world_tokens_per_s"])
    again = demand.project(larger, YEARS, np.random.default_rng(1))
    np.testing.assert_allclose(again["demand_tokens_per_s"], 3 * projected["demand_tokens_per_s"])


def test_demand_grows_up_to_the_first_report_as_elicited(
    posterior: xr.Dataset, projected: xr.Dataset
) -> None:
    rise = xr.ufuncs.log(projected["demand_tokens_per_s"]).sel(year=slice(2020, 2023)).diff("year")
    np.testing.assert_allclose(
        rise, posterior["demand_growth_early"].to_numpy()[:, None].repeat(3, axis=1)
    )


def test_intervals_widen_with_the_horizon(projected: xr.Dataset) -> None:
    log = xr.ufuncs.log(projected["demand_tokens_per_s"]).sel(year=[2026, 2028, 2031, 2035])
    width = log.quantile(0.9, "draw") - log.quantile(0.1, "draw")
    assert bool((width.diff("year") > 0).all())


def test_the_same_seed_gives_the_same_numbers(posterior: xr.Dataset, projected: xr.Dataset) -> None:
    xr.testing.assert_identical(
        demand.project(posterior, YEARS, np.random.default_rng(1)), projected
    )


def test_other_years_leave_a_year_as_it_was(posterior: xr.Dataset, projected: xr.Dataset) -> None:
    few = demand.project(posterior, np.arange(2023, 2029), np.random.default_rng(1))
    np.testing.assert_allclose(
        few["demand_tokens_per_s"],
        projected["demand_tokens_per_s"].sel(year=few["year"]),
    )


def test_the_model_has_every_prior_and_a_finite_density(
    tables: Mapping[str, pd.DataFrame],
) -> None:
    model = demand.build(tables, load_priors("demand"))
    assert set(demand.PRIORS) <= {variable.name for variable in model.free_RVs}
    assert np.isfinite(list(model.point_logps().values())).all()
