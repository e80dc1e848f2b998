"""Quarterly shipments of accelerators by designer, read from cumulative counts by chip."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forepass.errors import InputError

if TYPE_CHECKING:
    from pytensor.tensor.variable import TensorVariable

    type Variable = TensorVariable[Any, Any]
    type Variables = Mapping[str, Variable]

QUARTERS_PER_YEAR = 4
WHOLE_FLEET = "all"
SHIPMENT = "shipment"
P95_OVER_SIGMA = 1.6448536269514722  # standard normal quantile
COLUMNS = {"units_p50": "shipments", "h100e_p50": "h100e", "power_w_p50": "tdp"}
OF_A_SHEET = {
    "bandwidth": "memory_bandwidth_bytes_per_s",
    "memory": "memory_capacity_bytes",
}
"""Specs that the stock table does not hold; each chip's own is in the table of chips."""
PER_CHIP = ("h100e", "tdp", *OF_A_SHEET)

type Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Record:
    """What the stock table says of shipments, dims (designer, quarter), NaN where unknown.

    Attributes
    ----------
    designers, quarters : labels; every quarter ("2022Q1") from the first year's start to the last.
    log_chips : log of chips shipped in the quarter.
    log_per_chip : by name of `PER_CHIP`, logs of the mean chip: dense 8-bit H100 equivalents, W of
        chip power, bytes/s of memory bandwidth, bytes of memory.
    printed_sd : 1-sigma log error that a designer's last interval prints, dims (designer).
    """

    designers: list[str]
    quarters: list[str]
    log_chips: Array
    log_per_chip: dict[str, Array]
    printed_sd: Array

    @property
    def log_walked(self) -> dict[str, Array]:
        """Return what the random walks go through, by name: watts shipped, and the mean chip's."""
        per_chip = {f"{name}_per_chip": self.log_per_chip[name] for name in PER_CHIP}
        return {SHIPMENT: self.log_chips + self.log_per_chip["tdp"], **per_chip}


def quarterly_record(chip_stock: pd.DataFrame, chips: pd.DataFrame) -> Record:
    """Return shipments by designer and quarter: differences of cumulative medians.

    Parameters
    ----------
    chip_stock : cumulative counts by designer and chip, and of all chips of a designer.
    chips : specifications, for the bandwidth and memory of each quarter's mix.

    Raises
    ------
    InputError
        If a cumulative count does not rise from one quarter to the next, or a counted chip has no
        bandwidth or memory on its sheet.
    """
    totals = chip_stock[chip_stock["chip"] == WHOLE_FLEET].sort_values(["designer", "quarter_end"])
    columns = list(COLUMNS)
    shipped = totals.groupby("designer")[columns].diff().fillna(totals[columns])
    if (fallen := (shipped <= 0).any(axis=1)).any():
        row = totals[fallen].iloc[0]
        raise InputError(
            f"chip_stock.csv: cumulative counts of {row['designer']} must rise, "
            f"but do not at {row['quarter_end']}; check units, h100e and power_w there"
        )
    shipped = shipped.assign(designer=totals["designer"], quarter=_quarter(totals))
    # From the first quarter of a year, so that every year of the record is whole from its start.
    ends = shipped["quarter"]
    quarters = pd.period_range(f"{ends.min().year}Q1", ends.max(), freq="Q")
    chips_shipped, h100e, watts = (
        shipped.pivot(index="designer", columns="quarter", values=column).reindex(columns=quarters)
        for column in columns
    )
    mixed = {name: _of_mix(chip_stock, chips, name) for name in OF_A_SHEET}
    last = totals.groupby("designer").last()
    return Record(
        designers=[str(name) for name in chips_shipped.index],
        quarters=[str(quarter) for quarter in quarters],
        log_chips=np.log(chips_shipped.to_numpy()),
        log_per_chip={
            "h100e": np.log((h100e / chips_shipped).to_numpy()),
            "tdp": np.log((watts / chips_shipped).to_numpy()),
            **{
                name: np.log(values.reindex_like(chips_shipped).to_numpy())
                for name, values in mixed.items()
            },
        },
        printed_sd=np.asarray(np.log(last["units_p95"] / last["units_p05"])) / (2 * P95_OVER_SIGMA),
    )


def _quarter(rows: pd.DataFrame) -> pd.PeriodIndex:
    return pd.PeriodIndex(pd.to_datetime(rows["quarter_end"]), freq="Q")


def _of_mix(chip_stock: pd.DataFrame, chips: pd.DataFrame, spec: str) -> pd.DataFrame:
    """Return the mean of a spec over the chips that each quarter shipped, designer by quarter."""
    sold = chip_stock[chip_stock["chip"] != WHOLE_FLEET].sort_values("quarter_end")
    # Rounding can make a cumulative median fall by a little; nothing was unsold.
    units = sold.groupby(["designer", "chip"])["units_p50"].diff().fillna(sold["units_p50"])
    value = sold["chip"].map(chips.set_index("chip")[OF_A_SHEET[spec]])
    if value.isna().any():
        name = sold.loc[value.isna(), "chip"].iloc[0]
        raise InputError(
            f"chips.csv: {name} must have {OF_A_SHEET[spec]}; chip_stock.csv counts it"
        )
    cells = pd.DataFrame(
        {
            "designer": sold["designer"],
            "quarter": _quarter(sold),
            "units": units.clip(lower=0.0),
            "total": units.clip(lower=0.0) * value,
        }
    )
    sums = cells.groupby(["designer", "quarter"])[["units", "total"]].sum()
    return (sums["total"] / sums["units"]).unstack("quarter")


def shipment_walks(record: Record, beliefs: Variables) -> None:
    """Add log shipments, and the logs of H100e, W, bandwidth and memory per chip, to the model.

    Each is a random walk per designer whose growth is pooled over designers; what walks for
    shipments is the power of the chips, as money buys about so many watts whatever the size of a
    package. The counts carry an error that all quarters share, partly across designers: it shifts
    the level of shipments, and tells nothing of their growth.
    """
    import pymc as pm

    walks = {
        name: _walk(name, seen, beliefs, step=f"{name if name == SHIPMENT else 'spec'}_step")
        for name, seen in record.log_walked.items()
    }
    watts = walks.pop(SHIPMENT)
    own_error = (
        beliefs["designer_error_scale"]
        * record.printed_sd
        * pm.Normal("designer_error_z", 0, 1, dims="designer")
    )
    by_cell = ("designer", "quarter")
    shifted = watts - walks["tdp_per_chip"] + beliefs["source_error"] + own_error[:, None]
    pm.Deterministic("log_shipments", shifted, dims=by_cell)
    for name, walk in walks.items():
        pm.Deterministic(f"log_{name}", walk, dims=by_cell)


def revisions_seen(revisions: pd.DataFrame, record: Record, beliefs: Variables) -> None:
    """Add how far later versions of the count moved from earlier ones to the model being built.

    Both versions err, so their log ratio has twice the variance of one. How far a designer's
    figures moved is what is known of how much too narrow the printed intervals are.
    """
    import pymc as pm

    printed = record.printed_sd[[record.designers.index(who) for who in revisions["designer"]]]
    moved = np.log(revisions["later"].to_numpy() / revisions["earlier"].to_numpy())
    sd = beliefs["designer_error_scale"] * printed * np.sqrt(2.0)
    pm.Normal("revisions_seen", 0.0, sd, observed=moved)


def _walk(name: str, seen: Array, beliefs: Variables, *, step: str) -> Variable:
    """Return a random walk that is the record where there is one, and runs back from its start."""
    import pymc as pm
    import pytensor.tensor as pt

    early = np.isnan(seen)
    growth = beliefs[f"{name}_growth"] + beliefs["growth_spread"] * pm.Normal(
        f"{name}_growth_z", 0, 1, dims="designer"
    )
    rises = np.diff(seen, axis=1)
    designer, _ = known = np.nonzero(~np.isnan(rises))
    pm.Normal(
        f"{name}_rises",
        growth[designer] / QUARTERS_PER_YEAR,
        beliefs[step],
        observed=rises[known],
    )
    shocks = pt.zeros(seen.shape)[early].set(
        pm.Normal(f"{name}_early_z", 0, 1, shape=int(early.sum()))
    )
    rise = early * (growth[:, None] / QUARTERS_PER_YEAR + beliefs[step] * shocks)
    fall_from_start = rise[:, ::-1].cumsum(axis=1)[:, ::-1]
    start = seen[np.arange(len(seen)), early.sum(axis=1)]
    walked = pt.switch(early, start[:, None] - fall_from_start, np.nan_to_num(seen))
    if name.removesuffix("_per_chip") in OF_A_SHEET:
        return walked  # sheets have no noise of sampling, and the mix is that of the counts
    # Noise of single quarters: of the sampling and rounding behind neighbouring medians.
    noise = pm.Normal(f"{name}_noise_z", 0, 1, dims=("designer", "quarter"))
    return walked + beliefs[step.replace("step", "noise")] * noise
