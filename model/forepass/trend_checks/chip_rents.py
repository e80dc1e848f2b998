"""What an hour of a chip rents for over what it costs its owner, by year.

Log rent over cost of every quote is fitted by least squares with a level for each half-year, an
effect of the kind of contract and one of the chip's age: a description of the record, without a
forecast of its own.
"""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xarray as xr

from forepass.blocks.chip_paths import chip_hour_cost
from forepass.inputs.dates import EPOCH_YEAR, year_fraction
from forepass.inputs.tables import load_table

if TYPE_CHECKING:
    from forepass.settings import Settings

__all__ = ["rent_over_cost"]

FIRST = 2022.0
ON_DEMAND = "cloud_on_demand"


def rent_over_cost(posterior: xr.Dataset, settings: "Settings") -> pd.DataFrame:
    """Return the ratio of rent to cost that the record shows.

    Parameters
    ----------
    posterior
        Draws of what an owner pays besides the chip.
    settings
        Where the quotes are.

    Returns
    -------
    pd.DataFrame
        Index half-years ("2025.5" is the second of 2025; a new chip rented on demand), then a
        year of age and the other kinds of contract; `factor` and its standard error in logs.
    """
    quotes = _quotes(posterior, settings)
    halves = np.floor(quotes["when"] * 2) / 2
    kinds = quotes["price_type"].where(quotes["price_type"] != ON_DEMAND)
    design = pd.concat(
        [pd.get_dummies(halves), quotes["age"].rename("a year of age"), pd.get_dummies(kinds)],
        axis=1,
    ).astype(float)
    y = np.log((quotes["central_usd"] / quotes["cost"]).to_numpy(dtype=float))
    x = design.to_numpy()
    found, *_ = np.linalg.lstsq(x, y, rcond=None)
    noise = ((y - x @ found) ** 2).sum() / (len(y) - x.shape[1])
    error = np.sqrt(noise * np.diag(np.linalg.inv(x.T @ x)))
    return pd.DataFrame(
        {"quotes": design.astype(bool).sum(), "factor": np.exp(found), "log_error": error},
        index=design.columns,
    )


def _quotes(posterior: xr.Dataset, settings: "Settings") -> pd.DataFrame:
    """Return rental quotes since 2022 of chips whose price and power are known."""
    prices, sheet = (load_table(name, settings.data) for name in ("chip_prices", "chips"))
    sheet = sheet.set_index("chip")
    bought = prices[prices["price_type"] == "purchase"].groupby("chip")["central_usd"].median()
    quotes = prices[(prices["price_type"] != "purchase") & prices["central_usd"].notna()]
    quotes = quotes.assign(
        when=quotes["date"].map(year_fraction) + EPOCH_YEAR,
        bought=quotes["chip"].map(bought),
        power=quotes["chip"].map(sheet["power_w"]),
        age=quotes["date"].map(year_fraction)
        - quotes["chip"].map(sheet["release_date"].map(year_fraction)),
    )
    quotes = quotes[quotes["when"] >= FIRST].dropna(subset=["bought", "power"])
    cost = chip_hour_cost(
        xr.DataArray(quotes["bought"].to_numpy(dtype=float), dims="quote"),
        xr.DataArray(quotes["power"].to_numpy(dtype=float), dims="quote"),
        posterior,
    )
    return quotes.assign(cost=cost.median("draw").values)
