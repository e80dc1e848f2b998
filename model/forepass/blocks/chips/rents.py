"""What an hour of a chip rents for over what it costs its owner, and that margin run forward.

For quote q of a part of the reference vendor, with contract c and age a in years,

    log rent[q] = log cost[q] + margin[half-year(q)] + by_age a[q] + contract[c] + scatter,
    margin[h] = mean + wander[h],

where wander is a first-order autoregression and the scatter of quotes has a size for each kind of
contract. Rents tell price over cost and not cost itself: what is not known of cost stays so, and
the price is told better than either.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from forepass.blocks.trends import autoregression, persistent_path, standard_shocks, times
from forepass.blocks.variables import prior_variable
from forepass.inputs.dates import EPOCH_YEAR

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    import xarray as xr
    from numpy.typing import NDArray

    from forepass.inputs.priors import Prior

    type Floats = NDArray[np.float64]

__all__ = [
    "CONTRACTS",
    "COSTS",
    "RENTS",
    "RentQuotes",
    "hourly_cost",
    "join_rents",
    "margin_by_year",
    "rent_quotes",
]

FIRST_YEAR = 2022
"""Earlier quotes are few, and of parts that nobody rented for language models."""
STEP = 0.5  # years
HOURS_PER_YEAR = 8766
MONTHS_PER_YEAR = 12
WATTS_PER_KILOWATT = 1000
CONTRACTS = ("cloud_on_demand", "cloud_reserved", "cloud_spot")
COSTS = (
    "attached_share",
    "depreciation_years",
    "capital_cost",
    "hours_sold_share",
    "facility_power_ratio",
    "electricity_price",
    "hosting_price",
)
RENTS = (
    "rent_margin",
    "rent_margin_scale",
    "rent_margin_persistence",
    "rent_by_age",
    "rent_reserved",
    "rent_spot",
    "rent_error",
)


@dataclass(frozen=True, slots=True)
class RentQuotes:
    """Rental quotes of one vendor's parts, dims (quote).

    Attributes
    ----------
    log_rent : log of USD per chip-hour.
    half_year : index into half-years from the start of `FIRST_YEAR`.
    age : years since the part's release.
    contract : index into `CONTRACTS`.
    price, power : USD and W of the part.
    """

    log_rent: Floats
    half_year: NDArray[np.int_]
    age: Floats
    contract: NDArray[np.int_]
    price: Floats
    power: Floats

    @property
    def starts(self) -> Floats:
        """Return the starts of half-years, decimal years, to the last that has a quote."""
        return np.asarray(FIRST_YEAR + STEP * np.arange(self.half_year.max(initial=0) + 1))


def rent_quotes(chips: pd.DataFrame, prices: pd.DataFrame, vendor: str) -> RentQuotes:
    """Return quotes since `FIRST_YEAR` of a vendor's parts whose price and power are known.

    Parameters
    ----------
    chips, prices
        Tables `chips` and `chip_prices`.
    vendor
        Of the parts.
    """
    sheet = chips[chips["vendor"] == vendor].set_index("chip")
    bought = prices[prices["price_type"] == "purchase"].groupby("chip")["central_usd"].median()
    quotes = prices[prices["price_type"].isin(CONTRACTS)]
    quotes = quotes.assign(
        when=times(quotes["date"]),
        price=quotes["chip"].map(bought),
        power=quotes["chip"].map(sheet["power_w"]),
        released=times(quotes["chip"].map(sheet["release_date"]).astype(object)),
    ).dropna(subset=["central_usd", "price", "power", "released"])
    quotes = quotes[quotes["when"] >= FIRST_YEAR - EPOCH_YEAR]
    when = quotes["when"].to_numpy(dtype=float)
    return RentQuotes(
        log_rent=np.log(quotes["central_usd"].to_numpy(dtype=float)),
        half_year=np.floor((when + EPOCH_YEAR - FIRST_YEAR) / STEP).astype(int),
        age=when - quotes["released"].to_numpy(dtype=float),
        contract=np.array([CONTRACTS.index(kind) for kind in quotes["price_type"]], dtype=int),
        price=quotes["price"].to_numpy(dtype=float),
        power=quotes["power"].to_numpy(dtype=float),
    )


def hourly_cost(price: Any, power: Any, beliefs: Any) -> Any:  # noqa: ANN401
    """Return what an hour of a chip costs whoever owns and runs it, without a margin.

    Parameters
    ----------
    price
        USD per package.
    power
        W per package.
    beliefs
        Share of attached equipment, life, cost of capital, hours, and prices, by name.

    Returns
    -------
    Any
        USD per chip-hour, of arrays or tensors: write-off, return on the money tied up (half the
        price on average), electricity and hosting, over the hours that the chip is there to be
        used.
    """
    capital = price * (1 + beliefs["attached_share"])
    yearly_capital = capital * (1 / beliefs["depreciation_years"] + beliefs["capital_cost"] / 2)
    kilowatts = power * beliefs["facility_power_ratio"] / WATTS_PER_KILOWATT
    electricity = kilowatts * beliefs["electricity_price"] * HOURS_PER_YEAR
    hosting = kilowatts * beliefs["hosting_price"] * MONTHS_PER_YEAR
    hours = HOURS_PER_YEAR * beliefs["hours_sold_share"]
    return (yearly_capital + electricity + hosting) / hours


def join_rents(priors: Mapping[str, Prior], quotes: RentQuotes) -> None:
    """Join rents to the margin by half-year; call it inside a model.

    Parameters
    ----------
    priors
        Those named in `COSTS` and `RENTS`.
    quotes
        The record; the model has dims `half_year` and `contract` for it.
    """
    import pymc as pm
    import pytensor.tensor as pt

    beliefs = {
        name: prior_variable(priors[name], dims="contract" if name == "rent_error" else None)
        for name in (*COSTS, *RENTS)
    }
    weight = autoregression(beliefs["rent_margin_persistence"] ** STEP, len(quotes.starts))
    unit = (weight * pm.Normal("rent_wander_z", dims="half_year")).sum(axis=1)
    unit = pm.Deterministic("rent_wander_unit", unit, dims="half_year")
    contract = pt.stack([0.0, beliefs["rent_reserved"], beliefs["rent_spot"]])
    pm.Normal(
        "log_rents",
        pt.log(hourly_cost(quotes.price, quotes.power, beliefs))
        + pt.log(beliefs["rent_margin"])
        + beliefs["rent_margin_scale"] * unit[quotes.half_year]
        + beliefs["rent_by_age"] * quotes.age
        + contract[quotes.contract],
        beliefs["rent_error"][quotes.contract],
        observed=quotes.log_rent,
    )


def margin_by_year(
    posterior: xr.Dataset, years: NDArray[np.int_], rng: np.random.Generator
) -> Floats:
    """Return rent on demand over cost of a new part by year, dims (draw, year).

    A year's is the geometric mean of its halves. Past the record the margin wanders back to its
    mean; years before the record have its first.

    Parameters
    ----------
    posterior
        Draws of the model's variables, dims (draw, ...).
    years
        Calendar years.
    rng
        Source of shocks.
    """
    fitted = posterior["rent_wander_unit"].transpose("draw", "half_year").values
    first, recorded = float(posterior["half_year"][0]), fitted.shape[1]
    places = ((years[:, None] - first) / STEP + np.arange(round(1 / STEP))).astype(int)
    shocks = standard_shocks(rng, max(int(places.max()) + 1 - recorded, 0), (len(fitted),))
    kept = posterior["rent_margin_persistence"].values ** STEP
    path = np.concatenate([fitted, persistent_path(fitted[:, -1], shocks, persistence=kept)], 1)
    wander = path[:, np.maximum(places, 0)].mean(axis=2)
    scale, mean = (posterior[name].values[:, None] for name in ("rent_margin_scale", "rent_margin"))
    return np.asarray(mean * np.exp(scale * wander))
