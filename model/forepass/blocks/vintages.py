"""Shipments by vintage: the record's, those before it, and those to come."""

from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from forepass.blocks.growth import damped_log_path, logit, sigmoid
from forepass.blocks.shipments import QUARTERS_PER_YEAR
from forepass.blocks.survival import waiting_share

# Two years before the record get a vintage of their own; the third holds all that came before.
YEARS_BEFORE_RECORD = 3
# The calendar years that `power_added_limit` and `missing_share` are elicited for.
LIMIT_YEAR = 2028
MISSING_YEAR = 2025
GROWING = ("shipment", "h100e_per_chip", "tdp_per_chip")

type Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Shipped:
    """What was and will be shipped, by vintage.

    Attributes
    ----------
    vintages : calendar years; the first stands for itself and all before.
    chips : chips, dims (draw, vintage).
    h100e_per_chip, watts_per_chip : H100e and W of chip power per chip, dims (draw, vintage).
    waiting : share not yet running at the end of its own year, dims (draw, vintage).
    base_age : years by which the chips of the first vintage are older than it says, dims (draw).
    limited : whether power, not demand or supply, set the year's shipments, dims (draw, vintage).
    """

    vintages: NDArray[np.int_]
    chips: Array
    h100e_per_chip: Array
    watts_per_chip: Array
    waiting: Array
    base_age: Array
    limited: NDArray[np.bool_]


def ship(posterior: xr.Dataset, last_year: int, rng: np.random.Generator) -> Shipped:
    """Return shipments by vintage: the record's, those before it, and those to come.

    Parameters
    ----------
    posterior : draws of the fitted fleet model.
    last_year : last vintage wanted; the record's own years are always there.
    rng : source of shocks to growth.
    """
    quarters = posterior["quarter"].to_numpy()
    first_year, record_end = int(str(quarters[0])[:4]), int(str(quarters[-1])[:4])
    n_years = max(last_year, record_end) - first_year + 1
    flows = _quarterly(posterior, n_years * QUARTERS_PER_YEAR, rng)
    made = np.arange(first_year, first_year + n_years)
    flows = flows.reshape(*flows.shape[:2], n_years, QUARTERS_PER_YEAR)
    flows = flows / (1 - _missing(posterior, made))
    lag = posterior["deployment_lag"].to_numpy()
    waiting = waiting_share(flows[1], lag)
    yearly = flows.sum(axis=-1)
    allowed, limited = _within_power(posterior, yearly[2], made, made > record_end)
    before = _before_record(posterior, yearly[:, :, 0])
    chips, h100e, watts = np.concatenate([before, yearly * allowed], axis=-1)
    old_years = np.arange(-YEARS_BEFORE_RECORD, 0) + first_year
    uniform = waiting_share(np.ones((lag.size, old_years.size, QUARTERS_PER_YEAR)), lag)
    return Shipped(
        vintages=np.concatenate([old_years, made]),
        chips=chips,
        h100e_per_chip=h100e / chips,
        watts_per_chip=watts / chips,
        waiting=np.concatenate([uniform, waiting], axis=1),
        base_age=1 / np.expm1(posterior["base_shipment_growth"].to_numpy()),
        limited=np.concatenate([np.zeros(uniform.shape, dtype=bool), limited], axis=1),
    )


def _quarterly(posterior: xr.Dataset, n_quarters: int, rng: np.random.Generator) -> Array:
    """Return what the makers on record ship in each quarter, dims (flow, draw, quarter).

    The flows, here and below, are chips, H100e and W of chip power.
    """
    log_chips, log_h100e, log_watts = (
        posterior[name].transpose("draw", "quarter", "designer").to_numpy()
        for name in ("log_shipments", "log_h100e_per_chip", "log_tdp_per_chip")
    )
    logs = (log_chips, log_chips + log_h100e, log_chips + log_watts)
    seen = np.stack([np.exp(log).sum(axis=-1) for log in logs])
    ahead = _log_paths(posterior, n_quarters - seen.shape[-1], rng)
    return np.concatenate([seen, seen[..., -1:] * np.exp(ahead)], axis=-1)


def _log_paths(posterior: xr.Dataset, steps: int, rng: np.random.Generator) -> Array:
    """Return the logs of flows in coming quarters over the record's last.

    H100e per chip is W per chip times H100e per W, as it is efficiency that technology sets.
    """
    now = {name: posterior[f"{name}_growth"].to_numpy() for name in GROWING}
    growing = {
        "shipment": (now["shipment"], "shipment_growth_shock"),
        "tdp_per_chip": (now["tdp_per_chip"], "spec_growth_shock"),
        "efficiency": (now["h100e_per_chip"] - now["tdp_per_chip"], "spec_growth_shock"),
    }
    chips, watts, efficiency = (
        damped_log_path(
            growth_now=growth,
            growth_longrun=posterior[f"{name}_growth_longrun"].to_numpy(),
            halflife=posterior["growth_halflife"].to_numpy(),
            shock=posterior[shock].to_numpy(),
            steps=steps,
            step=1 / QUARTERS_PER_YEAR,
            rng=source,
        )
        for (name, (growth, shock)), source in zip(growing.items(), rng.spawn(3), strict=True)
    )
    return np.stack([chips, chips + watts + efficiency, chips + watts])


def _missing(posterior: xr.Dataset, years: NDArray[np.int_]) -> Array:
    """Return the share of makers that the record leaves out, dims (draw, year, quarter)."""
    parts = np.arange(1, QUARTERS_PER_YEAR + 1) / QUARTERS_PER_YEAR
    since = (years - MISSING_YEAR - 1)[:, None] + parts
    level = logit(posterior["missing_share"].to_numpy())[:, None, None]
    return np.asarray(
        sigmoid(level + posterior["missing_share_growth"].to_numpy()[:, None, None] * since)
    )


def _before_record(posterior: xr.Dataset, first: Array) -> Array:
    """Return the flows before the record, by vintage, from its first year's, dims (flow, draw).

    Shipments are taken to have grown at a constant rate, so that all of the first vintage and
    before is a geometric sum.
    """
    growth = posterior["base_shipment_growth"].to_numpy()
    per_chip = [posterior[f"base_{name}_growth"].to_numpy() for name in GROWING[1:]]
    rates = np.stack([growth, *(growth + rate for rate in per_chip)])
    back = np.arange(YEARS_BEFORE_RECORD, 0, -1)
    before = first[..., None] * np.exp(-rates[..., None] * back)
    before[..., 0] /= -np.expm1(-rates)
    return before


def _within_power(
    posterior: xr.Dataset, watts: Array, years: NDArray[np.int_], ahead: NDArray[np.bool_]
) -> tuple[Array, NDArray[np.bool_]]:
    """Return the share of wanted shipments that can be powered, and whether power binds.

    A smooth minimum of facility power wanted and facility power that can be added in a year.
    """
    facility = watts * facility_per_chip_watt(posterior)[:, None]
    limit = posterior["power_added_limit"].to_numpy()[:, None] * np.exp(
        posterior["power_added_limit_growth"].to_numpy()[:, None] * (years - LIMIT_YEAR)
    )
    sharpness = posterior["power_limit_sharpness"].to_numpy()[:, None]
    with np.errstate(under="ignore"):
        # Through logs: a wanted power far above the limit must not overflow.
        excess = sharpness * np.log(facility / limit)
        allowed = np.exp(-np.logaddexp(0.0, excess) / sharpness)
    return np.where(ahead, allowed, 1.0), ahead & (facility > limit)


def facility_per_chip_watt(posterior: xr.Dataset) -> Array:
    """Return W at the facility, with servers and cooling, per W of chip power, dims (draw)."""
    return np.asarray((posterior["server_overhead"] * posterior["pue"]).to_numpy())
