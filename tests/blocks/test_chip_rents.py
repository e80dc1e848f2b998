"""What an hour of a chip costs and rents for: quotes, their model, and the margin by year."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from forepass.blocks import chips
from forepass.blocks.chips.rents import (
    CONTRACTS,
    COSTS,
    RENTS,
    RentQuotes,
    hourly_cost,
    join_rents,
    margin_by_year,
    rent_quotes,
)
from forepass.inputs.priors import load_priors
from forepass.inputs.tables import load_tables

DRAWS = 4000


@pytest.fixture(scope="module")
def quotes() -> RentQuotes:
    tables = load_tables(chips.TABLES)
    return rent_quotes(tables["chips"], tables["chip_prices"], "NVIDIA")


@pytest.fixture
def posterior() -> xr.Dataset:
    halves = 2022 + 0.5 * np.arange(6)
    return xr.Dataset(
        {
            "rent_margin": ("draw", np.full(DRAWS, 1.5)),
            "rent_margin_scale": ("draw", np.full(DRAWS, 0.3)),
            "rent_margin_persistence": ("draw", np.full(DRAWS, 0.5)),
            "rent_wander_unit": (("draw", "half_year"), np.full((DRAWS, 6), 2.0)),
        },
        coords={"half_year": halves},
    )


def test_a_chip_hour_costs_its_write_off_capital_power_and_hosting() -> None:
    beliefs = xr.Dataset(
        {
            "attached_share": 0.5,
            "depreciation_years": 5.0,
            "capital_cost": 0.1,
            "facility_power_ratio": 2.0,
            "electricity_price": 0.1,
            "hosting_price": 100.0,
            "hours_sold_share": 1.0,
        }
    )
    expected = (30_000 * (1 / 5 + 0.05) + 0.1 * 8766 + 100 * 12) / 8766
    np.testing.assert_allclose(hourly_cost(20_000.0, 500.0, beliefs), expected)


def test_quotes_are_rents_of_one_vendor_since_2022(quotes: RentQuotes) -> None:
    assert len(quotes.log_rent) > 30
    assert set(quotes.contract) == {0, 1, 2}
    assert (np.exp(quotes.log_rent) < 20).all()
    assert quotes.half_year.min() >= 0
    assert quotes.starts[-1] == 2022 + quotes.half_year.max() / 2
    assert (quotes.age > -0.5).all()


def test_a_quote_without_a_purchase_price_is_left_out() -> None:
    tables = load_tables(chips.TABLES)
    prices = tables["chip_prices"]
    unpriced = prices[~((prices["chip"] == "h100-sxm") & (prices["price_type"] == "purchase"))]
    fewer = rent_quotes(tables["chips"], unpriced, "NVIDIA")
    assert 0 < len(fewer.log_rent) < len(rent_quotes(tables["chips"], prices, "NVIDIA").log_rent)


def test_a_margin_stays_where_it_was_fitted_and_returns_to_its_mean(posterior: xr.Dataset) -> None:
    years = np.arange(2020, 2036)
    path = np.log(margin_by_year(posterior, years, np.random.default_rng(1)))
    np.testing.assert_allclose(path[:, years <= 2024], np.log(1.5) + 0.6)
    middle = np.median(path, axis=0)
    assert middle[years == 2025] == pytest.approx(np.log(1.5) + 0.6 * 0.5**0.75, abs=0.03)
    assert middle[-1] == pytest.approx(np.log(1.5), abs=0.02)
    # Two halves of a year are nearly one: their mean strays a little less than a half by itself.
    assert 0.26 < path[:, -1].std() < 0.3


def test_a_longer_horizon_leaves_margins_as_they_were(posterior: xr.Dataset) -> None:
    short, long = (
        margin_by_year(posterior, np.arange(2022, last), np.random.default_rng(1))
        for last in (2028, 2034)
    )
    np.testing.assert_array_equal(short, long[:, : short.shape[1]])


def test_rents_above_cost_raise_the_margin_and_old_or_reserved_parts_do_not(
    quotes: RentQuotes,
) -> None:
    low, high = (_likelihood(quotes, rent_margin=margin) for margin in (0.2, 1.5))
    assert high > low
    assert _likelihood(quotes, rent_reserved=-0.2) > _likelihood(quotes, rent_reserved=1.5)


def _likelihood(quotes: RentQuotes, **fixed: float) -> float:
    import pymc as pm

    priors = load_priors("chips")
    with pm.Model(coords={"half_year": quotes.starts, "contract": list(CONTRACTS)}) as model:
        join_rents({name: priors[name] for name in (*COSTS, *RENTS)}, quotes)
    held = pm.do(model, dict(fixed))
    logp = held.compile_logp(vars=[held["log_rents"]], mode="FAST_COMPILE")
    return float(logp(held.initial_point()))
