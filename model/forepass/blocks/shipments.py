"""Quarterly shipments of accelerators by designer, read from cumulative counts."""

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
P95_OVER_SIGMA = 1.6448536269514722  # standard normal quantile
COLUMNS = ("units_p50", "h100e_p50", "power_w_p50")

type Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Record:
    """What the stock table says of shipments, dims (designer, quarter), NaN where unknown.

    Attributes
    ----------
    designers, quarters : labels; every quarter ("2022Q1") from the first year's start to the last.
    log_chips : log of chips shipped in the quarter.
    log_h100e_per_chip : log of dense 8-bit H100 equivalents per chip.
    log_tdp_per_chip : log of W of chip power per chip.
    printed_sd : 1-sigma log error that a designer's last interval prints, dims (designer).
    """

    designers: list[str]
    quarters: list[str]
    log_chips: Array
    log_h100e_per_chip: Array
    log_tdp_per_chip: Array
    printed_sd: Array


def quarterly_record(chip_stock: pd.DataFrame) -> Record:
    """Return shipments by designer and quarter: differences of cumulative medians.

    Raises
    ------
    InputError
        If a cumulative count does not rise from one quarter to the next.
    """
    totals = chip_stock[chip_stock["chip"] == WHOLE_FLEET].sort_values(["designer", "quarter_end"])
    shipped = totals.groupby("designer")[list(COLUMNS)].diff().fillna(totals[list(COLUMNS)])
    if (fallen := (shipped <= 0).any(axis=1)).any():
        row = totals[fallen].iloc[0]
        raise InputError(
            f"chip_stock.csv: cumulative counts of {row['designer']} must rise, "
            f"but do not at {row['quarter_end']}; check units, h100e and power_w there"
        )
    ends = pd.PeriodIndex(pd.to_datetime(totals["quarter_end"]), freq="Q")
    # From the first quarter of a year, so that every year of the record is whole from its start.
    quarters = pd.period_range(f"{ends.min().year}Q1", ends.max(), freq="Q")
    shipped = shipped.assign(designer=totals["designer"], quarter=ends)
    chips, h100e, watts = (
        shipped.pivot(index="designer", columns="quarter", values=column).reindex(columns=quarters)
        for column in COLUMNS
    )
    last = totals.groupby("designer").last()
    return Record(
        designers=[str(name) for name in chips.index],
        quarters=[str(quarter) for quarter in quarters],
        log_chips=np.log(chips.to_numpy()),
        log_h100e_per_chip=np.log((h100e / chips).to_numpy()),
        log_tdp_per_chip=np.log((watts / chips).to_numpy()),
        printed_sd=np.asarray(np.log(last["units_p95"] / last["units_p05"])) / (2 * P95_OVER_SIGMA),
    )


def shipment_walks(record: Record, beliefs: Variables) -> None:
    """Add log shipments, H100e per chip and W per chip to the model being built.

    Each is a random walk per designer whose growth is pooled over designers. The counts carry an
    error that all quarters share, partly across designers: it shifts the level of shipments, and
    tells nothing of their growth.
    """
    import pymc as pm

    chips = _walk("shipment", record.log_chips, beliefs, step="shipment_step")
    h100e = _walk("h100e_per_chip", record.log_h100e_per_chip, beliefs, step="spec_step")
    watts = _walk("tdp_per_chip", record.log_tdp_per_chip, beliefs, step="spec_step")
    own_error = (
        beliefs["designer_error_scale"]
        * record.printed_sd
        * pm.Normal("designer_error_z", 0, 1, dims="designer")
    )
    by_cell = ("designer", "quarter")
    shifted = chips + beliefs["source_error"] + own_error[:, None]
    pm.Deterministic("log_shipments", shifted, dims=by_cell)
    pm.Deterministic("log_h100e_per_chip", h100e, dims=by_cell)
    pm.Deterministic("log_tdp_per_chip", watts, dims=by_cell)


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
    # Noise of single quarters: of the sampling and rounding behind neighbouring medians.
    noise = pm.Normal(f"{name}_noise_z", 0, 1, dims=("designer", "quarter"))
    return walked + beliefs[step.replace("step", "noise")] * noise
