"""The fleet: stock and flow add up, power binds, the horizon widens."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from numpy.typing import NDArray

from forepass.blocks import fleet
from forepass.blocks.fleet.shipments import PER_CHIP, quarterly_record
from forepass.blocks.fleet.stock import stock
from forepass.blocks.fleet.supply import LIMITS
from forepass.blocks.fleet.survival import surviving_share, waiting_share
from forepass.blocks.fleet.vintages import SPEC_OF_NEWEST, Shipped, ship
from forepass.errors import InputError
from forepass.inputs.elicitation import sample
from forepass.inputs.priors import load_priors
from forepass.inputs.tables import load_tables

DRAWS = 300
YEARS = np.arange(2020, 2036)
UNLIMITED = {f"{name}_limit": 1e40 for name in LIMITS}


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    return load_tables(fleet.TABLES)


@pytest.fixture(scope="module")
def posterior(tables: Mapping[str, pd.DataFrame]) -> xr.Dataset:
    rng = np.random.default_rng(5)
    record = quarterly_record(tables["chip_stock"], tables["chips"])
    cells = ("draw", "designer", "quarter")
    drawn = {
        name: (("draw",), sample(prior, DRAWS, rng)) for name, prior in load_priors("fleet").items()
    }
    paths = {
        "log_shipments": record.log_chips,
        **{f"log_{name}_per_chip": record.log_per_chip[name] for name in PER_CHIP},
    }
    noisy = {
        name: (cells, np.nan_to_num(path, nan=-9.0) + 0.1 * rng.standard_normal((DRAWS, 1, 1)))
        for name, path in paths.items()
    }
    return xr.Dataset(
        {**drawn, **noisy}, coords={"designer": record.designers, "quarter": record.quarters}
    )


@pytest.fixture(scope="module")
def newest() -> xr.Dataset:
    """Return specs of the newest part that grow, faster in some draws than in others."""
    growth = np.linspace(0.1, 0.5, DRAWS)[:, None] * (YEARS - 2025)
    levels = {"chip_flops_8bit": 5e15, "chip_power": 1e3, "chip_bandwidth": 8e12}
    paths = {
        name: (("draw", "year"), level * np.exp(growth * (0.5 if name == "chip_power" else 1.0)))
        for name, level in (levels | {"chip_memory": 2e11}).items()
    }
    return xr.Dataset(paths, coords={"year": YEARS})


@pytest.fixture(scope="module")
def projected(posterior: xr.Dataset, newest: xr.Dataset) -> xr.Dataset:
    return run(posterior, newest)


def run(posterior: xr.Dataset, newest: xr.Dataset, years: NDArray[np.int_] = YEARS) -> xr.Dataset:
    return fleet.project(posterior, years, np.random.default_rng(1), newest)


def _with(posterior: xr.Dataset, **values: float) -> xr.Dataset:
    return posterior.assign(
        {name: xr.full_like(posterior[name], value) for name, value in values.items()}
    )


def _width(values: xr.DataArray) -> xr.DataArray:
    low, high = (xr.ufuncs.log(values).quantile(p, "draw", keep_attrs=False) for p in (0.1, 0.9))
    return high - low


def test_chips_are_those_of_the_year_before_plus_shipped_less_retired(
    projected: xr.Dataset,
) -> None:
    held = projected["fleet_chips"] + projected["chips_waiting"]
    change = held.diff("year")
    flows = (projected["chips_shipped"] - projected["chips_retired"]).sel(year=change["year"])
    np.testing.assert_allclose(change, flows, rtol=1e-6, atol=1e-3 * float(held.mean()) * 1e-6)


def test_vintages_add_up_to_the_fleet(projected: xr.Dataset) -> None:
    by_vintage = projected["fleet_chips_by_vintage"]
    np.testing.assert_allclose(by_vintage.sum("vintage"), projected["fleet_chips"])
    h100e = (by_vintage * projected["vintage_h100e_per_chip"]).sum("vintage")
    np.testing.assert_allclose(h100e, projected["fleet_h100e"])


def test_no_vintage_runs_before_it_is_shipped(projected: xr.Dataset) -> None:
    later = projected["vintage"] > projected["year"]
    assert float(projected["fleet_chips_by_vintage"].where(later, 0.0).max()) == 0.0


def test_old_vintages_only_shrink_once_deployed(posterior: xr.Dataset, newest: xr.Dataset) -> None:
    prompt = run(_with(posterior, deployment_lag=0.5), newest)
    vintage = prompt["fleet_chips_by_vintage"].sel(vintage=2022, year=slice(2023, None))
    assert bool((vintage.diff("year") <= 0).all())


def test_every_quantity_is_finite_and_positive(projected: xr.Dataset) -> None:
    for name in ("fleet_chips", "fleet_h100e", "fleet_power", "fleet_chip_power", "chips_retired"):
        assert bool(np.isfinite(projected[name]).all())
        assert bool((projected[name] > 0).all())


def test_every_quantity_says_its_unit(projected: xr.Dataset) -> None:
    for name, values in projected.data_vars.items():
        assert {"units", "long_name"} <= set(values.attrs), name


def test_shares_lie_between_0_and_1(projected: xr.Dataset) -> None:
    for name in ("inference_share", "lab_share", "duty_cycle", "availability"):
        assert 0 < float(projected[name].min()) < float(projected[name].max()) < 1


def test_facility_power_exceeds_chip_power(projected: xr.Dataset) -> None:
    assert bool((projected["fleet_power"] > projected["fleet_chip_power"]).all())


def test_intervals_widen_with_the_horizon(projected: xr.Dataset) -> None:
    width = _width(projected["fleet_h100e"]).sel(year=[2025, 2028, 2031, 2035])
    assert bool((width.diff("year") > 0).all())


def test_the_same_seed_gives_the_same_numbers(
    posterior: xr.Dataset, projected: xr.Dataset, newest: xr.Dataset
) -> None:
    again = run(posterior, newest)
    xr.testing.assert_identical(again, projected)


def test_a_longer_horizon_leaves_earlier_years_as_they_were(
    posterior: xr.Dataset, newest: xr.Dataset, projected: xr.Dataset
) -> None:
    short = run(posterior, newest, np.arange(2023, 2031))
    for name, values in short.data_vars.items():
        kept = {dim: short[dim] for dim in ("year", "vintage") if dim in values.dims}
        np.testing.assert_allclose(values, projected[name].sel(kept), err_msg=str(name))


def test_twice_the_shipments_on_record_are_twice_the_fleet_where_power_allows(
    posterior: xr.Dataset, newest: xr.Dataset
) -> None:
    free = _with(posterior, **UNLIMITED)
    doubled = free.assign(log_shipments=free["log_shipments"] + np.log(2.0))
    ratio = run(doubled, newest)["fleet_chips"] / run(free, newest)["fleet_chips"]
    np.testing.assert_allclose(ratio, 2.0, rtol=1e-6)


def test_the_order_of_designers_does_not_matter(
    posterior: xr.Dataset, projected: xr.Dataset, newest: xr.Dataset
) -> None:
    turned = run(posterior.isel(designer=slice(None, None, -1)), newest)
    np.testing.assert_allclose(turned["fleet_h100e"], projected["fleet_h100e"], rtol=1e-9)


@pytest.mark.parametrize("limit", LIMITS)
def test_less_of_what_chips_need_means_fewer_chips_and_is_said(
    posterior: xr.Dataset, newest: xr.Dataset, limit: str
) -> None:
    free = _with(posterior, **UNLIMITED)
    name = f"{limit}_limit"
    tight = run(_with(free, **{name: 1e-3 * float(posterior[name].median())}), newest)
    last = {"year": YEARS[-1]}
    loose = run(free, newest)
    assert bool((tight["fleet_chips"].sel(last) < loose["fleet_chips"].sel(last)).all())
    binds = tight["supply_limit"].sel(last).mean("draw")
    assert float(binds.sel(limit=limit)) > 0.9
    assert float(loose["supply_limit"].sel(**last, limit="none").mean()) == 1.0


def test_one_thing_sets_the_shipments_of_each_year(projected: xr.Dataset) -> None:
    assert bool((projected["supply_limit"].sum("limit") == 1).all())
    past = projected["supply_limit"].sel(year=slice(None, 2025), limit="none")
    assert bool((past == 1).all())


def test_what_a_limit_allows_is_never_exceeded(posterior: xr.Dataset, newest: xr.Dataset) -> None:
    shipped = ship(posterior, newest, 2035, np.random.default_rng(1))
    ahead = shipped.vintages > 2025
    facility = (posterior["server_overhead"] * posterior["pue"]).to_numpy()[:, None]
    added = (shipped.chips * shipped.per_chip["tdp"])[:, ahead] * facility
    years = shipped.vintages[ahead]
    halflife = posterior["limit_growth_halflife"].to_numpy()[:, None]
    # The growth of a limit, summed in small steps, halves every so many years.
    steps = np.linspace(0, 1, 2001)[1:] - 1 / 4000
    left = [
        np.mean(2 ** (-(steps * (year - 2026)) / halflife), axis=1) * (year - 2026)
        for year in years
    ]
    yearly = posterior["power_limit_growth"] + posterior["limit_growth_common"]
    growth = yearly.to_numpy()[:, None] * np.stack(left, axis=1)
    allowed = posterior["power_limit"].to_numpy()[:, None] * np.exp(growth)
    assert (added <= allowed * (1 + 1e-6)).all()


def test_shipments_of_the_record_are_not_cut_by_the_power_limit(
    posterior: xr.Dataset, newest: xr.Dataset
) -> None:
    tight, loose = (
        ship(_with(posterior, power_limit=w), newest, 2030, np.random.default_rng(1))
        for w in (1e3, 1e14)
    )
    past = tight.vintages <= 2025
    np.testing.assert_array_equal(tight.chips[:, past], loose.chips[:, past])
    assert (tight.chips[:, ~past] < loose.chips[:, ~past]).all()


def test_without_growth_shipped_power_stays_flat_whatever_the_chips_become(
    posterior: xr.Dataset, newest: xr.Dataset
) -> None:
    still = _with(
        posterior,
        shipment_growth=0.0,
        shipment_growth_longrun=0.0,
        shipment_growth_shock=0.0,
        missing_share_growth=0.0,
        **UNLIMITED,
    )
    flat = run(still, newest)
    watts = flat["chips_shipped"].sel(year=slice(2026, None)).to_numpy() * (
        flat["vintage_tdp_per_chip"].sel(vintage=slice(2026, None)).to_numpy()
    )
    np.testing.assert_allclose(watts, np.repeat(watts[:, :1], watts.shape[1], axis=1), rtol=1e-9)


@pytest.mark.parametrize("spec", PER_CHIP)
def test_vintages_to_come_follow_the_newest_part_by_the_lag(
    posterior: xr.Dataset, newest: xr.Dataset, spec: str
) -> None:
    exact = _with(posterior, mix_drift=0.0, mix_lag=1.0, missing_share_growth=0.0, **UNLIMITED)
    level = _with(exact, shipment_growth=0.0, shipment_growth_longrun=0.0)
    steady = _with(level, shipment_growth_shock=0.0)
    shipped = ship(steady, newest, 2035, np.random.default_rng(1))
    ahead = shipped.vintages >= 2027
    gains = np.diff(np.log(shipped.per_chip[spec][:, ahead]), axis=1)
    part = np.log(newest[SPEC_OF_NEWEST[spec]].sel(year=slice(2026, 2034)).to_numpy())
    np.testing.assert_allclose(gains, np.diff(part, axis=1), rtol=1e-6)


def test_a_revision_larger_than_printed_errors_widens_them(
    tables: Mapping[str, pd.DataFrame],
) -> None:
    record = quarterly_record(tables["chip_stock"], tables["chips"])
    revisions = tables["stock_revisions"]
    moved = (revisions["later"] / revisions["earlier"]).map(np.log).abs().to_numpy()
    printed = record.printed_sd[[record.designers.index(who) for who in revisions["designer"]]]
    assert (moved > printed * np.sqrt(2)).all()


def test_a_counted_chip_without_a_sheet_is_refused(tables: Mapping[str, pd.DataFrame]) -> None:
    bare = tables["chips"].copy()
    bare.loc[bare["chip"] == "h100-sxm", "memory_bandwidth_bytes_per_s"] = np.nan
    with pytest.raises(InputError, match="h100-sxm must have memory_bandwidth"):
        quarterly_record(tables["chip_stock"], bare)


def test_the_mean_bandwidth_of_a_quarter_lies_within_its_chips(
    tables: Mapping[str, pd.DataFrame],
) -> None:
    record = quarterly_record(tables["chip_stock"], tables["chips"])
    stock_table, chips = tables["chip_stock"], tables["chips"].set_index("chip")
    for place, designer in enumerate(record.designers):
        own = stock_table[(stock_table["designer"] == designer) & (stock_table["chip"] != "all")]
        sheet = chips.loc[own["chip"].unique(), "memory_bandwidth_bytes_per_s"]
        seen = np.exp(record.log_per_chip["bandwidth"][place])
        known = seen[~np.isnan(seen)]
        assert (known >= sheet.min() * (1 - 1e-9)).all()
        assert (known <= sheet.max() * (1 + 1e-9)).all()


def test_longer_lives_leave_more_chips(posterior: xr.Dataset, newest: xr.Dataset) -> None:
    short, long = (run(_with(posterior, life=life), newest) for life in (3.0, 9.0))
    assert bool((short["fleet_chips"] < long["fleet_chips"]).all())


def test_years_before_the_first_vintage_are_refused(
    posterior: xr.Dataset, newest: xr.Dataset
) -> None:
    shipped = ship(posterior, newest, 2025, np.random.default_rng(1))
    with pytest.raises(ValueError, match="must start after"):
        stock(posterior, shipped, np.array([shipped.vintages[0]]))


def test_years_that_skip_are_refused(posterior: xr.Dataset, newest: xr.Dataset) -> None:
    with pytest.raises(ValueError, match="follow one another"):
        run(posterior, newest, np.array([2025, 2027]))


def test_everything_is_there_at_age_0_and_half_wears_out_by_the_median_life() -> None:
    at = surviving_share(
        np.array([0.0, 6.0, 60.0]),
        life=np.array(6.0),
        shape=np.array(3.0),
        failure_rate=np.array(0.0),
    )
    np.testing.assert_allclose(at, [1.0, 0.5, 0.0], atol=1e-12)


def test_a_longer_lag_leaves_more_waiting_and_none_leaves_none() -> None:
    shipped = np.ones((3, 1, 4))
    waiting = waiting_share(shipped, np.array([1e-3, 1.0, 2.0]))[:, 0]
    assert waiting[0] < 1e-3 < waiting[1] < waiting[2] < 1


def test_shipments_add_up_to_the_cumulative_counts(tables: Mapping[str, pd.DataFrame]) -> None:
    stock_table = tables["chip_stock"]
    record = quarterly_record(stock_table, tables["chips"])
    totals = stock_table[stock_table["chip"] == "all"]
    final = totals.sort_values("quarter_end").groupby("designer")["units_p50"].last()
    added = np.nansum(np.exp(record.log_chips), axis=1)
    np.testing.assert_allclose(added, final[record.designers])


def test_a_count_that_falls_is_refused(tables: Mapping[str, pd.DataFrame]) -> None:
    fallen = tables["chip_stock"].copy()
    row = fallen[(fallen["chip"] == "all") & (fallen["quarter_end"] == "2025-06-30")].index[0]
    fallen.loc[row, "units_p50"] = 1.0
    with pytest.raises(InputError, match="must rise"):
        quarterly_record(fallen, tables["chips"])


def test_the_model_has_every_prior_and_a_finite_density(
    tables: Mapping[str, pd.DataFrame],
) -> None:
    model = fleet.build(tables, load_priors("fleet"))
    assert set(fleet.PRIORS) <= {variable.name for variable in model.free_RVs}
    assert np.isfinite(list(model.point_logps().values())).all()


def test_a_missing_prior_is_refused(tables: Mapping[str, pd.DataFrame]) -> None:
    priors = load_priors("fleet")
    del priors["life"]
    with pytest.raises(InputError, match="life"):
        fleet.build(tables, priors)


def test_shipments_asked_for_are_bounded_by_the_limits_and_the_limit_is_told(
    posterior: xr.Dataset, newest: xr.Dataset
) -> None:
    others = {name: 1e40 for name in UNLIMITED if name != "power_limit"}
    own = {"power_limit": 3e10, "power_limit_growth": 0.0, "limit_growth_common": 0.0}
    tight = _with(posterior, **others, **own)

    def tenfold(found: Shipped, record_end: int) -> Shipped:
        ahead = found.vintages > record_end
        return replace(found, chips=np.where(ahead, 10 * found.chips, found.chips))

    asked = fleet.project(tight, YEARS, np.random.default_rng(1), newest, tenfold)
    facility = asked["chips_shipped"].sel(year=slice(2026, None)) * (
        asked["vintage_tdp_per_chip"].sel(vintage=slice(2026, None)).rename(vintage="year")
    )
    added = facility * tight["server_overhead"] * tight["pue"]
    assert float(added.max()) <= 3e10 * (1 + 1e-6)
    late = asked["supply_limit"].sel(year=2030)
    assert float(late.sel(limit="power").mean()) > 0.95
    plain = run(tight, newest)
    assert bool((asked["chips_shipped"] >= plain["chips_shipped"] * (1 - 1e-9)).all())
