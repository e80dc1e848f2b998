"""What is forecast from an earlier day, and held against what came later.

Each block that takes part has a module here of its own name, with

    TARGETS      the quantities scored, `Target` by name
    NEEDS        blocks whose draws it forecasts from, its own first
    AGAIN        tables read again as if made at the time, where there are any (see
                 `forepass.as_of.seen_as_of`)
    records(settings)                      rows of each target that can be read with the settings
    predicted(draws, rows, target, settings, rng)    draws of the log of such rows, dims (draw, row)

A row has `when` (decimal year), `value` (natural log), `series` (what it continues, as its vendor
or developer), `group` (what it shares its luck with), and what else the module needs. `known` is
left to the tables: a row that the earlier day could read is learned from, one dated after it is
forecast, and one that is neither, dated before and told later, is left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from forepass.inputs.dates import EPOCH_YEAR

BLOCKS = ("chips", "language_models", "training", "fleet", "demand", "serving")
UNSCORED = {
    "token price": "its few rows (two levels of quality, two dates each) were all told after both"
}
"""What is forecast and cannot be scored, with the reason."""

type Floats = NDArray[np.float64]
type Draws = Mapping[str, xr.Dataset]
"""By block, dims (draw, ...)."""


@dataclass(frozen=True, slots=True)
class Target:
    """A quantity that is forecast and scored.

    Attributes
    ----------
    words, unit : what it is; the unit of its value before the log.
    published : names of growth rates in `published_trends` that others forecast it by, best first.
    new : column whose content the earlier day must not have seen, where only such rows count.
    fan : the series that a figure shows.
    scale, shown_in : factor and unit by which a figure shows it.
    """

    words: str
    unit: str
    published: tuple[str, ...] = ()
    new: str = ""
    fan: str = ""
    scale: float = 1.0
    shown_in: str = ""


def targets_of(block: str) -> ModuleType:
    """Return the module of a block's targets."""
    return import_module(f"forepass.backtest.{block}")


def row_frame(
    when: Floats,
    value: Floats,
    series: Any,  # noqa: ANN401 - an array, or one for all
    group: Any = None,  # noqa: ANN401 - the series unless given
    **more: Any,  # noqa: ANN401 - what the module needs besides
) -> pd.DataFrame:
    """Return rows of a target, ``when`` in years since `forepass.inputs.dates.EPOCH_YEAR`."""
    shares_luck_with = series if group is None else group
    rows = {"when": when + EPOCH_YEAR, "value": value, "series": series, "group": shares_luck_with}
    return pd.DataFrame(rows | more)


def later_rows(
    target: Target, rows: pd.DataFrame, early: pd.DataFrame, *, after: float, until: float
) -> pd.DataFrame:
    """Return the rows to be scored: dated between two decimal years, and new where that counts."""
    due = rows[(rows["when"] >= after) & (rows["when"] < until)]
    return due[~due[target.new].isin(set(early[target.new]))] if target.new else due
