"""What limits the supply of accelerators in a year: power, packaging, memory, spending."""

from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

__all__ = ["LIMITS", "NO_LIMIT", "Wanted", "facility_per_chip_watt", "most", "within_limits"]

LIMITS = ("power", "packaging", "memory", "spending")
NO_LIMIT = "none"
LIMIT_YEAR = 2026
"""The calendar year that the priors of limits are elicited for."""
COST_YEAR = 2025
"""The calendar year of the costs and packages that priors describe."""

type Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What would be shipped in each year without a limit, dims (draw, year).

    Attributes
    ----------
    chips : packages.
    watts : W of chip power of them all.
    memory : bytes of stacked memory on them.
    watts_then : W of chip power of the mean chip shipped in `COST_YEAR`, dims (draw).
    """

    chips: Array
    watts: Array
    memory: Array
    watts_then: Array


def within_limits(
    posterior: xr.Dataset, wanted: Wanted, years: NDArray[np.int_], *, ahead: NDArray[np.bool_]
) -> tuple[Array, NDArray[np.int_]]:
    """Return the share of what is wanted that can be made, and which limit binds.

    A smooth minimum of what is wanted and of four limits: power that can be added in a year,
    wafers of advanced packaging, bytes of stacked memory, and money for chips with their sites.
    Each limit is a level in `LIMIT_YEAR`, whose growth from then on halves every so many years.

    Parameters
    ----------
    posterior : draws of the fitted fleet model.
    wanted : of each year.
    years : calendar years.
    ahead : whether a year lies after the record; before, what was shipped was shipped.

    Returns
    -------
    allowed : share in (0, 1], dims (draw, year).
    binding : index into `LIMITS` of the one most exceeded, -1 where none is, dims (draw, year).
    """
    over = _excess(posterior, wanted, years)
    sharpness = _column(posterior, "limit_sharpness")
    # Through logs: what is wanted far above a limit must not overflow.
    with np.errstate(under="ignore"):
        strain = np.logaddexp.reduce(sharpness * over, axis=0)
        allowed = np.exp(-np.logaddexp(0.0, strain) / sharpness)
    binding = np.where(ahead & (over.max(axis=0) > 0), over.argmax(axis=0), -1)
    return np.where(ahead, allowed, 1.0), binding


def most(
    posterior: xr.Dataset, wanted: Wanted, years: NDArray[np.int_]
) -> tuple[Array, NDArray[np.int_]]:
    """Return the share of what is wanted that no limit forbids, and the limit that is nearest.

    The share, in (0, 1], and the index into `LIMITS` have dims (draw, year).
    """
    over = _excess(posterior, wanted, years)
    return np.exp(-np.maximum(over.max(axis=0), 0.0)), over.argmax(axis=0)


def facility_per_chip_watt(posterior: xr.Dataset) -> Array:
    """Return W at the facility, with servers and cooling, per W of chip power, dims (draw)."""
    return np.asarray((posterior["server_overhead"] * posterior["pue"]).to_numpy())


def _excess(posterior: xr.Dataset, wanted: Wanted, years: NDArray[np.int_]) -> Array:
    """Return the log of what is wanted of each limit over the limit, dims (limit, draw, year)."""
    used = _used(posterior, wanted, years)
    return np.stack([np.log(used[name] / _limit(posterior, name, years)) for name in LIMITS])


def _used(posterior: xr.Dataset, wanted: Wanted, years: NDArray[np.int_]) -> dict[str, Array]:
    """Return what the wanted chips would take of each limit, in the limit's unit."""
    facility = wanted.watts * facility_per_chip_watt(posterior)[:, None]
    # Power density of packages has hardly changed, so the area follows the power, or nearly so.
    larger = wanted.watts / wanted.chips / wanted.watts_then[:, None]
    area = larger ** _column(posterior, "package_area_by_power")
    usd_per_watt = _column(posterior, "usd_per_facility_watt") * np.exp(
        _column(posterior, "usd_per_facility_watt_growth") * (years - COST_YEAR)
    )
    return {
        "power": facility,
        "packaging": wanted.chips * area / _column(posterior, "packages_per_wafer"),
        "memory": wanted.memory,
        "spending": facility * usd_per_watt,
    }


def _limit(posterior: xr.Dataset, name: str, years: NDArray[np.int_]) -> Array:
    halflife = _column(posterior, "limit_growth_halflife")
    since = years - LIMIT_YEAR
    # Before that year growth was what it is then; after it, the sum of what fades.
    faded = np.where(
        since > 0, halflife / np.log(2) * -np.expm1(-since * np.log(2) / halflife), since
    )
    # Who pushes for one of them pushes for all, and a lull stops the building of each.
    growth = _column(posterior, f"{name}_limit_growth") + _column(posterior, "limit_growth_common")
    return _column(posterior, f"{name}_limit") * np.exp(growth * faded)


def _column(posterior: xr.Dataset, name: str) -> Array:
    return np.asarray(posterior[name].to_numpy())[:, None]
