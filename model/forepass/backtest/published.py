"""Growth rates that the model finds beside those that others published."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forepass.inputs.tables import load_table
from forepass.settings import Settings

MONTHS_PER_YEAR = 12


@dataclass(frozen=True, slots=True)
class Growth:
    """A growth rate in x per year, with published figures of the same thing.

    Attributes
    ----------
    name : what grows, and over which years.
    low, median, high : p10, p50 and p90 of the posterior.
    published : x per year by name in `data/published_trends.csv`.
    """

    name: str
    low: float
    median: float
    high: float
    published: Mapping[str, float]


def growth(
    name: str, log_per_year: "NDArray[np.float64]", settings: Settings, *published: str
) -> Growth:
    """Return draws of a growth rate, log per year, dims (draw), beside published quantities."""
    low, median, high = np.exp(np.quantile(log_per_year, [0.1, 0.5, 0.9]))
    found = {quantity: published_growth(quantity, settings) for quantity in published}
    return Growth(name, float(low), float(median), float(high), found)


def published_growth(quantity: str, settings: Settings) -> float:
    """Return the newest central figure of a quantity in x per year.

    Raises
    ------
    KeyError
        When no row has the quantity with a central figure.
    ValueError
        When its unit is neither a rate per year nor a doubling time.
    """
    table = load_table("published_trends", settings.data)
    rows = table[(table["quantity"] == quantity) & table["central"].notna()].sort_values("date")
    if rows.empty:
        raise KeyError(f"published_trends.csv has no central figure of {quantity}")
    unit, value = rows["unit"].iloc[-1], float(rows["central"].iloc[-1])
    if unit == "x per year":
        return value
    if unit in ("years", "months"):
        years = value if unit == "years" else value / MONTHS_PER_YEAR
        return float(2.0 ** (1 / years))
    raise ValueError(f"{quantity}: a growth or a doubling time is wanted, got one in {unit}")
