"""The stock that shipments leave: chips by vintage that run, wait or have gone, and their power."""

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from forepass.blocks.fleet.shipments import QUARTERS_PER_YEAR
from forepass.blocks.fleet.supply import LIMITS, NO_LIMIT, facility_per_chip_watt
from forepass.blocks.fleet.survival import surviving_share
from forepass.blocks.fleet.vintages import Shipped

OF_A_VINTAGE = {
    "vintage_h100e_per_chip": "h100e",
    "vintage_tdp_per_chip": "tdp",
    "vintage_bandwidth_per_chip": "bandwidth",
    "vintage_memory_per_chip": "memory",
}
ABOUT = {
    "fleet_chips_by_vintage": (
        "chips",
        "chips deployed and surviving at the end of the year, by vintage",
    ),
    "vintage_h100e_per_chip": ("H100e", "mean dense 8-bit H100 equivalents per chip of a vintage"),
    "vintage_tdp_per_chip": ("W", "mean power of a chip of a vintage, chip alone"),
    "vintage_bandwidth_per_chip": ("bytes/s", "mean memory bandwidth of a chip of a vintage"),
    "vintage_memory_per_chip": ("bytes", "mean memory of a chip of a vintage"),
    "fleet_chips": ("chips", "chips deployed at the end of the year"),
    "fleet_h100e": ("H100e", "deployed H100 equivalents by dense 8-bit operations"),
    "fleet_chip_power": ("W", "power of deployed chips, chips alone"),
    "fleet_server_power": ("W", "power of deployed chips with their servers, before cooling"),
    "fleet_power": ("W", "power of deployed chips at the facility, with servers and cooling"),
    "contracted_power": ("W", "facility power contracted for, built or not"),
    "chips_shipped": ("chips", "chips shipped in the year"),
    "chips_retired": ("chips", "chips failed or retired in the year"),
    "chips_waiting": ("chips", "chips sold and not yet deployed at the end of the year"),
    "supply_limit": ("1", "1 for what sets the year's shipments, 0 for the rest"),
}

type Array = NDArray[np.float64]


def stock(posterior: xr.Dataset, shipped: Shipped, years: NDArray[np.int_]) -> xr.Dataset:
    """Return chips deployed and surviving at each year's end, and what follows from them.

    Parameters
    ----------
    posterior : draws of the fitted fleet model.
    shipped : shipments by vintage, up to the last year at least.
    years : calendar years.

    Returns
    -------
    Dims (draw, year, vintage), (draw, vintage), (draw, year) and (draw, year, limit). In each draw
    and year, chips deployed and waiting are those of the year before, plus shipped, less retired.

    Raises
    ------
    ValueError
        If a year is not after the first vintage.
    """
    if years.min() <= shipped.vintages[0]:
        raise ValueError(f"years must start after {shipped.vintages[0]}, got {years.min()}")
    keep = shipped.vintages <= years.max()
    vintage = shipped.vintages[keep]
    chips, waiting = shipped.chips[:, keep], shipped.waiting[:, keep]
    per_chip = {name: shipped.per_chip[spec][:, keep] for name, spec in OF_A_VINTAGE.items()}
    made = vintage <= years[:, None]
    alive, alive_before = (
        np.where(made, chips[:, None] * _alive(posterior, shipped, when)[:, :, keep], 0.0)
        for when in (years, years - 1)
    )
    lag = posterior["deployment_lag"].to_numpy()[:, None, None]
    since = np.maximum(years[:, None] - vintage, 0) * QUARTERS_PER_YEAR
    queue = alive * waiting[:, None] * np.exp(-since / lag)
    running = alive - queue
    watts = (running * per_chip["vintage_tdp_per_chip"][:, None]).sum(axis=-1)
    facility = watts * facility_per_chip_watt(posterior)[:, None]
    now = np.searchsorted(shipped.vintages, years)
    values = {
        "fleet_chips_by_vintage": running,
        **per_chip,
        "fleet_chips": running.sum(axis=-1),
        "fleet_h100e": (running * per_chip["vintage_h100e_per_chip"][:, None]).sum(axis=-1),
        "fleet_chip_power": watts,
        "fleet_server_power": watts * posterior["server_overhead"].to_numpy()[:, None],
        "fleet_power": facility,
        "contracted_power": facility * posterior["contracted_over_drawn"].to_numpy()[:, None],
        "chips_shipped": shipped.chips[:, now],
        "chips_retired": (alive_before - alive).sum(axis=-1),
        "chips_waiting": queue.sum(axis=-1),
        # Places -1, 0, 1, ...: none of the limits stands first.
        "supply_limit": (shipped.binding[:, now, None] + 1 == np.arange(len(LIMITS) + 1)) * 1.0,
    }
    return _labelled(values, years, vintage)


def _labelled(
    values: dict[str, Array], years: NDArray[np.int_], vintage: NDArray[np.int_]
) -> xr.Dataset:
    dims = {
        "fleet_chips_by_vintage": ("draw", "year", "vintage"),
        **dict.fromkeys(OF_A_VINTAGE, ("draw", "vintage")),
        "supply_limit": ("draw", "year", "limit"),
    }
    return xr.Dataset(
        {
            name: (
                dims.get(name, ("draw", "year")),
                value,
                dict(zip(("units", "long_name"), ABOUT[name], strict=True)),
            )
            for name, value in values.items()
        },
        coords={"year": years, "vintage": vintage, "limit": [NO_LIMIT, *LIMITS]},
    )


def _alive(posterior: xr.Dataset, shipped: Shipped, years: NDArray[np.int_]) -> Array:
    """Return the surviving share at years' ends, dims (draw, year, vintage); 1 before shipment."""
    gap = years[:, None] - shipped.vintages
    age = np.repeat(gap[None] + 0.5, shipped.base_age.size, axis=0)
    age[:, :, 0] += shipped.base_age[:, None]
    life, shape, failures = (
        posterior[name].to_numpy()[:, None, None] for name in ("life", "life_shape", "failure_rate")
    )
    return surviving_share(age, life=life, shape=shape, failure_rate=failures)
