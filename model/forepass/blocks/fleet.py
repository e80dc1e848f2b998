"""The world's accelerators: shipments by vintage, survival, power, and who uses them for what."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from forepass.blocks.fleet_stock import stock
from forepass.blocks.growth import as_years, drifting_logit, logit
from forepass.blocks.shipments import QUARTERS_PER_YEAR, Record, quarterly_record, shipment_walks
from forepass.blocks.survival import waiting_weight
from forepass.blocks.trends import times
from forepass.blocks.variables import prior_variable
from forepass.blocks.vintages import ship
from forepass.inputs.dates import EPOCH_YEAR
from forepass.inputs.priors import expect

if TYPE_CHECKING:
    import pandas as pd
    import pymc as pm

    from forepass.inputs.priors import Prior

TABLES = ("chip_stock", "fleet")
PRIORS = (
    "source_error",
    "designer_error_scale",
    "shipment_growth",
    "h100e_per_chip_growth",
    "tdp_per_chip_growth",
    "growth_spread",
    "shipment_step",
    "spec_step",
    "shipment_noise",
    "spec_noise",
    "base_shipment_growth",
    "base_h100e_per_chip_growth",
    "base_tdp_per_chip_growth",
    "missing_share",
    "missing_share_growth",
    "deployment_lag",
    "life",
    "life_shape",
    "failure_rate",
    "server_overhead",
    "pue",
    "count_offset",
    "count_scatter",
    "power_scatter",
    "shipment_growth_longrun",
    "efficiency_growth_longrun",
    "tdp_per_chip_growth_longrun",
    "growth_halflife",
    "shipment_growth_shock",
    "spec_growth_shock",
    "power_added_limit",
    "power_added_limit_growth",
    "power_limit_sharpness",
    "inference_share_2025",
    "inference_share_2030",
    "share_drift",
    "duty_cycle",
    "availability",
    "lab_share_2025",
    "lab_share_growth",
    "lab_share_2030",
    "lab_scatter",
)
INSTALLED = "installed_h100_equivalents_world"
POWER = "ai_datacenter_power"
LAB_FLEET = "_lab_fleet_h100e"
# The years that the shares named after them, and the missing makers' share, are elicited for.
ANCHORS = (2025, 2030)
SHARES = {
    "inference_share": "share of the fleet's compute that serves models",
    "lab_share": "share of the world's deployed H100 equivalents that the leading lab uses",
    "duty_cycle": "mean over peak load of serving chips",
    "availability": "share of time that a deployed chip is fit for work",
}


def build(tables: Mapping[str, pd.DataFrame], priors: Mapping[str, Prior]) -> pm.Model:
    """Return the model of shipments, and of the world counts that they must agree with.

    Parameters
    ----------
    tables : ``chip_stock`` (cumulative counts by designer) and ``fleet`` (world counts).
    priors : every key of `PRIORS`.

    Raises
    ------
    InputError
        If a prior is missing or unused, or a cumulative count falls.
    """
    import pymc as pm

    expect(priors, PRIORS, "fleet")
    record = quarterly_record(tables["chip_stock"])
    coords = {"designer": record.designers, "quarter": record.quarters}
    with pm.Model(coords=coords) as model:
        beliefs = {name: prior_variable(priors[name]) for name in PRIORS}
        shipment_walks(record, beliefs)
        _agree_with_world(record, tables["fleet"], beliefs, model)
    return model


def _agree_with_world(
    record: Record, fleet: pd.DataFrame, beliefs: Mapping[str, Any], model: pm.Model
) -> None:
    """Condition on others' figures: the world's count and power, the leading lab's fleet."""
    import pymc as pm
    import pytensor.tensor as pt

    chips = pt.exp(model["log_shipments"])
    per_chip = {
        "h100e_per_chip": pt.exp(model["log_h100e_per_chip"]),
        "tdp_per_chip": pt.exp(model["log_tdp_per_chip"]),
    }
    start = int(record.quarters[0][:4]) - EPOCH_YEAR
    end = start + np.arange(1, len(record.quarters) + 1) / QUARTERS_PER_YEAR
    ahead = beliefs["missing_share_growth"] * (end - _year_end(ANCHORS[0]))
    missing = _shifted(beliefs["missing_share"], ahead)

    def counted(what: str, rows: pd.DataFrame, lag: Any) -> Any:  # noqa: ANN401
        shipped = (chips * per_chip[what]).sum(axis=0) / (1 - missing)
        growth = beliefs["base_shipment_growth"] + beliefs[f"base_{what}_growth"]
        base = shipped[:QUARTERS_PER_YEAR].sum() / (math.e**growth - 1)
        back = np.rint((times(rows["date"])[:, None] - end) * QUARTERS_PER_YEAR)
        running = (back >= 0) * (1.0 if lag is None else 1 - waiting_weight(np.abs(back), lag))
        return base + (running * shipped).sum(axis=1)

    counts = _rows(fleet, fleet["quantity"] == INSTALLED, end)
    power = _rows(fleet, fleet["quantity"].str.startswith(POWER), end)
    labs = _rows(fleet, fleet["quantity"].str.endswith(LAB_FLEET), end)
    labs = labs.loc[labs.groupby("date")["central"].idxmax()]
    lag = beliefs["deployment_lag"]
    facility = pt.log(beliefs["server_overhead"] * beliefs["pue"])
    since = times(labs["date"]) - _year_end(ANCHORS[0])
    share = _shifted(beliefs["lab_share_2025"], beliefs["lab_share_growth"] * since)
    expected = {
        "count": (counts, counted("h100e_per_chip", counts, lag), beliefs["count_offset"]),
        "power": (power, counted("tdp_per_chip", power, None), facility),
        "lab": (labs, counted("h100e_per_chip", labs, lag), pt.log(share)),
    }
    for name, (rows, total, offset) in expected.items():
        scatter, seen = beliefs[f"{name}_scatter"], np.log(rows["central"])
        pm.Normal(f"{name}_seen", pt.log(total) + offset, scatter, observed=seen)


def _shifted(share: Any, by: Any) -> Any:  # noqa: ANN401
    """Return a share moved by so much in logits."""
    import pytensor.tensor as pt

    return pt.sigmoid(pt.log(share / (1 - share)) + by)


def _rows(fleet: pd.DataFrame, wanted: pd.Series, ends: NDArray[np.float64]) -> pd.DataFrame:
    """Return the wanted rows with a central value, dated within the record."""
    rows = fleet[wanted & fleet["central"].notna()]
    when = times(rows["date"])
    month = 1 / 12
    return rows[(when > ends[0] - month) & (when < ends[-1] + month)]


def _year_end(year: int) -> float:
    return year + 1 - EPOCH_YEAR


def project(posterior: xr.Dataset, years: NDArray[np.int_], rng: np.random.Generator) -> xr.Dataset:
    """Return the fleet at the end of each year, by vintage, with its power and its use.

    Parameters
    ----------
    posterior : draws of the fitted model, dims (draw, ...).
    years : calendar years in order, none before the first but one vintage.
    rng : source of future shocks. More years only append numbers.

    Returns
    -------
    Dims (draw, year) and (draw, year, vintage); units in attributes. Vintages are years of
    shipment; the first holds everything shipped up to then. A vintage after the year is zero.

    Raises
    ------
    ValueError
        If the years skip, or start before there are vintages.
    """
    years = as_years(years)
    flow_rng, share_rng, lab_rng = rng.spawn(3)
    fleet = stock(posterior, ship(posterior, int(years.max()), flow_rng), years)
    per_year = {
        "inference_share": _share(posterior, "inference_share", years, share_rng),
        "lab_share": _share(posterior, "lab_share", years, lab_rng),
        "duty_cycle": _constant(posterior, "duty_cycle", years),
        "availability": _constant(posterior, "availability", years),
    }
    for name, values in per_year.items():
        fleet[name] = (("draw", "year"), values, {"units": "1", "long_name": SHARES[name]})
    return fleet


def _share(
    posterior: xr.Dataset, name: str, years: NDArray[np.int_], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return a share through its two anchors in logits, level after the second, drifting ahead.

    Before the first anchor the slope is the posterior's own where it has one.
    """
    first, last = ANCHORS
    grid = np.arange(min(int(years.min()), first), int(years.max()) + 1)
    start, end = (logit(posterior[f"{name}_{year}"].to_numpy())[:, None] for year in ANCHORS)
    slope = (end - start) / (last - first)
    growth = posterior.get(f"{name}_growth")
    before = slope if growth is None else growth.to_numpy()[:, None]
    trend = start + np.where(
        grid < first, before * (grid - first), slope * np.minimum(grid - first, last - first)
    )
    ahead = grid > int(str(posterior["quarter"].to_numpy()[-1])[:4])
    # The walk ahead starts at the same year whatever years are asked for.
    steps = drifting_logit(
        trend[:, grid >= first],
        drift=posterior["share_drift"].to_numpy(),
        ahead=ahead[grid >= first],
        rng=rng,
    )
    past = 1 / (1 + np.exp(-trend[:, grid < first]))
    return np.concatenate([past, steps], axis=1)[:, grid >= years.min()]


def _constant(posterior: xr.Dataset, name: str, years: NDArray[np.int_]) -> NDArray[np.float64]:
    return np.repeat(posterior[name].to_numpy()[:, None], years.size, axis=1)
