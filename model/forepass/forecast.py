"""The forecast by year: chips, models, throughput, fleet, world capacity, cost, demand."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from forepass import physics
from forepass.inputs.definitions import Definitions
from forepass.projection import (
    Projection,
    Served,
    project,
    reference_served,
    served,
    served_flops,
    throughput,
)
from forepass.settings import Settings

if TYPE_CHECKING:
    from forepass.posterior import Fit

__all__ = ["by_year", "deployment", "forecast", "on_inference", "world_rate"]

type Floats = NDArray[np.float64]
type Tables = Mapping[str, pd.DataFrame]

PASSED_ON = {
    "chip_bandwidth": "chips",
    "chip_memory": "chips",
    "memory_wall_ratio": "chips",
    "frontier_active_params": "language_models",
    "moe_activation_fraction": "language_models",
    "weight_bits": "language_models",
    "fleet_chips": "fleet",
    "fleet_h100e": "fleet",
    "fleet_power": "fleet",
    "inference_share": "fleet",
    "demand_tokens_per_s": "demand",
}
NOTES = (
    "capacity counts output tokens of the share of the fleet on inference, at its duty cycle, in "
    "deployments rather than benchmarks; demand counts tokens in and out, cached ones too",
    "stocks are at the end of a year, rates at its middle; a realised pass is an output token, and "
    "both bounds are of a chip by itself",
)
ORDER = (
    "world_tokens_per_s",
    "world_tokens_per_s_reference",
    "demand_tokens_per_s",
    "cost_usd_per_million_tokens",
    "passes_upper_per_chip",
    "passes_lower_per_chip",
    "passes_realised_per_chip",
    "share_of_upper_bound",
    "chip_flops",
    "chip_bandwidth",
    "chip_memory",
    "memory_wall_ratio",
    "frontier_active_params",
    "moe_activation_fraction",
    "weight_bits",
    "fleet_chips",
    "fleet_h100e",
    "fleet_power",
    "inference_share",
)


def forecast(
    fits: "Mapping[str, Fit]",
    years: NDArray[np.int_],
    *,
    settings: Settings,
    definitions: Definitions,
    tables: Tables,
) -> xr.Dataset:
    """Return every quantity of the forecast, dims (draw, year), with units and a name in words.

    The years before ``years`` are projected too, so that a year's draws do not depend on the range
    that was asked for.
    """
    span = np.arange(definitions.first_year, definitions.last_year + 1)
    projection = project(fits, span, seed=settings.seed, definitions=definitions, tables=tables)
    out = xr.Dataset(coords={"year": span})
    for name, block in PASSED_ON.items():
        out[name] = getattr(projection, block)[name].transpose("draw", "year")
        words = str(out[name].attrs["long_name"])
        out[name].attrs["long_name"] = words[0].upper() + words[1:]
    out = out.merge(_of_the_flagship(projection))
    cells = np.repeat(span, projection.fleet.sizes["vintage"])
    for name, what, words in (
        ("world_tokens_per_s", served(projection, cells), "that year's frontier model"),
        (
            "world_tokens_per_s_reference",
            reference_served(projection, cells, tables),
            f"{definitions.reference_model} at that year's precision",
        ),
    ):
        running = world_rate(projection, what) * on_inference(projection)
        out[name] = by_year(running, "tokens/s", f"World output capacity, {words}")
    return checked(out[list(ORDER)].sel(year=years)).assign_attrs(notes=list(NOTES))


def world_rate(projection: Projection, what: Served, *, speed: float | None = None) -> Floats:
    """Return output tokens/s of all deployed chips if all of them served, dims (draw, year).

    The sum over vintages of chips times what the mean chip of the vintage does with the model of
    the year in a deployment: the newest part of the vintage's year, scaled to the vintage's mean
    8-bit rate.

    Parameters
    ----------
    what
        Model and load for each (year, vintage), vintages running fastest.
    speed
        Output tokens/s that each user gets; None for as many requests as fit.
    """
    fleet, span = projection.fleet, projection.years
    vintages = fleet["vintage"].values
    of, at = np.tile(vintages, len(span)), np.repeat(span, len(vintages))
    rates = projection.chips["chip_flops_8bit"].transpose("draw", "year").values
    newest = rates[:, np.searchsorted(span, np.clip(vintages, span[0], span[-1]))]
    mean = fleet["vintage_h100e_per_chip"].transpose("draw", "vintage").values
    scale = mean * projection.definitions.h100_equivalent_ops_per_s / newest
    each = throughput(
        projection,
        what,
        chip_year=np.clip(np.minimum(of, at), span[0], span[-1]),
        software_year=at,
        scale=np.tile(scale, (1, len(span))),
        speed=speed,
    ).rate.reshape(len(mean), len(span), len(vintages))
    chips = fleet["fleet_chips_by_vintage"].transpose("draw", "year", "vintage").values
    # A vintage without chips adds nothing, whatever its rate.
    return np.where(chips > 0, chips * each, 0.0).sum(axis=-1) * deployment(projection)


def deployment(projection: Projection) -> Floats:
    """Return what is left of a benchmark's rate in a deployed fleet, dims (draw, 1)."""
    return np.exp(np.asarray(projection.serving["effect_production"].values))[:, None]


def on_inference(projection: Projection) -> Floats:
    """Return the share of the fleet's time that goes into inference, dims (draw, year)."""
    fleet = projection.fleet
    shares = fleet["inference_share"] * fleet["duty_cycle"]
    return np.asarray(shares.transpose("draw", "year").values)


def checked(out: xr.Dataset) -> xr.Dataset:
    """Return the quantities if each draw of each is a number.

    Raises
    ------
    ArithmeticError
        Naming the quantity that is not.
    """
    for name, array in out.data_vars.items():
        if not bool(np.isfinite(array.values).all()):
            raise ArithmeticError(f"a draw of {name} is not a finite number: please report this")
    return out


def _of_the_flagship(projection: Projection) -> xr.Dataset:
    """Return bounds, throughput and cost of each year's newest part with its frontier model."""
    span = projection.years
    what = served(projection, span)
    drawn = throughput(projection, what, chip_year=span, software_year=span)
    chips = projection.chips
    bits, active = what.fields["weight_bits"], what.fields["active_params"]
    flops, _ = served_flops(projection, span, bits)
    upper = physics.upper_bound(flops, physics.weight_flop_per_token(active))
    bandwidth = chips["chip_bandwidth"].transpose("draw", "year").values
    lower = physics.lower_bound(bandwidth, physics.weight_bytes(active, bits))
    price = chips["chip_hour_cost_usd"].transpose("draw", "year").values
    usd = physics.cost_per_million_tokens(price, drawn.rate * deployment(projection))
    served_bits = "at the precision served that year"
    values = {
        "chip_flops": (flops, "FLOP/s", f"Newest part, dense {served_bits}"),
        "passes_upper_per_chip": (upper, "passes/s", f"Upper bound per chip, {served_bits}"),
        "passes_lower_per_chip": (lower, "passes/s", f"Lower bound per chip, {served_bits}"),
        "passes_realised_per_chip": (drawn.rate, "passes/s", "Realised per chip, tuned"),
        "share_of_upper_bound": (drawn.rate / upper, "share", "Share of the upper bound"),
        "cost_usd_per_million_tokens": (
            usd,
            "USD per million tokens",
            "Cost of serving, output tokens",
        ),
    }
    return xr.Dataset(
        {name: by_year(*value) for name, value in values.items()}, coords={"year": span}
    )


def by_year(values: Floats, units: str, long_name: str) -> xr.DataArray:
    """Return values, dims (draw, year), with their unit and their name in words."""
    attrs = {"units": units, "long_name": long_name}
    return xr.DataArray(values, dims=("draw", "year"), attrs=attrs)
