"""The fleet at the end of each year: by vintage, with its power, its limits and its use."""

from collections.abc import Callable

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from forepass.blocks.fleet.model import ANCHORS
from forepass.blocks.fleet.stock import stock
from forepass.blocks.fleet.vintages import Shipped, ship
from forepass.blocks.growth import as_years, drifting_logit, logit

__all__ = ["project"]

SHARES = {
    "inference_share": "share of the fleet's compute that serves models",
    "lab_share": "share of the world's deployed H100 equivalents that the leading lab uses",
    "duty_cycle": "mean over peak load of serving chips",
    "availability": "share of time that a deployed chip is fit for work",
}


def project(
    posterior: xr.Dataset,
    years: NDArray[np.int_],
    rng: np.random.Generator,
    newest: xr.Dataset,
    revise: Callable[[Shipped, int], Shipped] = lambda shipped, _: shipped,
) -> xr.Dataset:
    """Return the fleet at the end of each year, by vintage, with its power and its use.

    Parameters
    ----------
    posterior : draws of the fitted model, dims (draw, ...).
    years : calendar years in order, none before the first but one vintage.
    rng : source of future shocks. More years only append numbers.
    newest : forecast of the newest part by year (see `forepass.blocks.fleet.vintages.ship`).
    revise : takes shipments and the last year on record, returns what to take in their place.

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
    record_end = int(str(posterior["quarter"].to_numpy()[-1])[:4])
    shipped = revise(ship(posterior, newest, int(years.max()), flow_rng), record_end)
    fleet = stock(posterior, shipped, years)
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
