"""The world's accelerators: shipments by vintage, survival, power, and who uses them for what."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from forepass.blocks.fleet.shipments import (
    QUARTERS_PER_YEAR,
    Record,
    quarterly_record,
    revisions_seen,
    shipment_walks,
)
from forepass.blocks.fleet.supply import COST_YEAR
from forepass.blocks.fleet.survival import waiting_weight
from forepass.blocks.trends import times
from forepass.blocks.variables import prior_variable
from forepass.inputs.dates import EPOCH_YEAR
from forepass.inputs.priors import expect

if TYPE_CHECKING:
    import pandas as pd
    import pymc as pm

    from forepass.inputs.priors import Prior

TABLES = ("chip_stock", "chips", "fleet", "stock_revisions")
MAY_BE_EMPTY = ("fleet", "stock_revisions")
TARGET_ACCEPT = 0.97
PRIORS = (
    "source_error",
    "designer_error_scale",
    "shipment_growth",
    "h100e_per_chip_growth",
    "tdp_per_chip_growth",
    "bandwidth_per_chip_growth",
    "memory_per_chip_growth",
    "growth_spread",
    "shipment_step",
    "spec_step",
    "shipment_noise",
    "spec_noise",
    "base_shipment_growth",
    "base_h100e_per_chip_growth",
    "base_tdp_per_chip_growth",
    "base_bandwidth_per_chip_growth",
    "base_memory_per_chip_growth",
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
    "growth_halflife",
    "shipment_growth_shock",
    "mix_lag",
    "mix_drift",
    "power_limit",
    "power_limit_growth",
    "packaging_limit",
    "packaging_limit_growth",
    "packages_per_wafer",
    "package_area_by_power",
    "memory_limit",
    "memory_limit_growth",
    "spending_limit",
    "spending_limit_growth",
    "usd_per_facility_watt",
    "usd_per_facility_watt_growth",
    "limit_growth_common",
    "limit_growth_halflife",
    "limit_sharpness",
    "contracted_over_drawn",
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
WAFERS, IN_DEMAND = "cowos_wafers_year", "demand"
INSTALLED = "installed_h100_equivalents_world"
POWER = "ai_datacenter_power"
LAB_FLEET = "_lab_fleet_h100e"
# The years that the shares named after them, and the missing makers' share, are elicited for.
ANCHORS = (2025, 2030)


def build(tables: Mapping[str, pd.DataFrame], priors: Mapping[str, Prior]) -> pm.Model:
    """Return the model of shipments, and of the world counts that they must agree with.

    Parameters
    ----------
    tables : ``chip_stock`` (cumulative counts by designer and chip), ``chips`` (their sheets),
        ``stock_revisions`` (how far versions of the counts differ) and ``fleet`` (world counts).
    priors : every key of `PRIORS`.

    Raises
    ------
    InputError
        If a prior is missing or unused, or a cumulative count falls.
    """
    import pymc as pm

    expect(priors, PRIORS, "fleet")
    record = quarterly_record(tables["chip_stock"], tables["chips"])
    coords = {"designer": record.designers, "quarter": record.quarters}
    with pm.Model(coords=coords) as model:
        beliefs = {name: prior_variable(priors[name]) for name in PRIORS}
        shipment_walks(record, beliefs)
        revisions_seen(tables["stock_revisions"], record, beliefs)
        _agree_with_world(record, tables["fleet"], beliefs, model)
        _agree_with_wafers(record, tables["fleet"], beliefs, model)
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


def _agree_with_wafers(
    record: Record, fleet: pd.DataFrame, beliefs: Mapping[str, Any], model: pm.Model
) -> None:
    """Condition on wafers of advanced packaging that went into the chips of whole years."""
    import pymc as pm
    import pytensor.tensor as pt

    rows = fleet[(fleet["quantity"] == WAFERS) & fleet["unit"].str.contains(IN_DEMAND)]
    of_quarter = np.array([int(quarter[:4]) for quarter in record.quarters])
    of_row = [int(date[:4]) for date in rows["date"]]
    if rows.empty or COST_YEAR not in of_quarter:  # as on a day before either was known
        return
    chips = pt.exp(model["log_shipments"]).sum(axis=0)
    watts = pt.exp(model["log_shipments"] + model["log_tdp_per_chip"]).sum(axis=0)

    def mean_watts(year: int) -> Any:  # noqa: ANN401
        within = of_quarter == year
        return watts[within].sum() / chips[within].sum()

    made = pt.stack([chips[of_quarter == year].sum() for year in of_row])
    larger = pt.stack([mean_watts(year) for year in of_row]) / mean_watts(COST_YEAR)
    each = beliefs["packages_per_wafer"] / larger ** beliefs["package_area_by_power"]
    pm.Normal(
        "wafers_seen",
        pt.log(made / each),
        beliefs["count_scatter"],
        observed=np.log(rows["central"].to_numpy()),
    )


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
