"""What follows inside a block from a quantity by year that was changed by hand.

Each function takes the block as it was and its quantities as changed, and returns these with what
follows from them, except where that was changed itself.
"""

from collections.abc import Callable
from dataclasses import dataclass

import xarray as xr

from forepass import physics
from forepass.blocks.chips.rents import hourly_cost
from forepass.forward.timing import SECONDS_PER_DAY

MORE_THAN_ROUNDING = 1 + 1e-9
"""Total over active parameters above which a model is a mixture, whatever it activates."""


@dataclass(frozen=True, slots=True)
class Before:
    """A block before the change: its quantities by year, its posterior, and what was changed."""

    forward: xr.Dataset
    posterior: xr.Dataset
    touched: set[str]


type Follow = Callable[[Before, xr.Dataset], xr.Dataset]


def _assigned(new: xr.Dataset, touched: set[str], **values: xr.DataArray) -> xr.Dataset:
    """Return the quantities with those of ``values`` that were not changed themselves."""
    return new.assign(
        {
            name: value.transpose(*new[name].dims).assign_attrs(new[name].attrs)
            for name, value in values.items()
            if name not in touched
        }
    )


def _chips(was: Before, new: xr.Dataset) -> xr.Dataset:
    """Bandwidth gives way where its ratio to FLOP/s was changed; price and power bring the cost.

    The growth of the wall is left as it was: nothing downstream reads it.
    """
    if "memory_wall_ratio" in was.touched:
        bandwidth = new["chip_flops_8bit"] / new["memory_wall_ratio"]
        new = _assigned(new, was.touched, chip_bandwidth=bandwidth)
    ratio = new["chip_flops_8bit"] / new["chip_bandwidth"]
    new = _assigned(new, set(), memory_wall_ratio=ratio)
    if was.touched & {"chip_price_usd", "chip_power"}:
        cost = hourly_cost(new["chip_price_usd"], new["chip_power"], was.posterior)
        new = _assigned(new, was.touched, chip_hour_cost_usd=cost)
    if "chip_hour_price_usd" not in was.touched:
        # The margin stays what it would have been.
        dearer = new["chip_hour_cost_usd"] / was.forward["chip_hour_cost_usd"]
        price = was.forward["chip_hour_price_usd"] * dearer
        new = _assigned(new, was.touched, chip_hour_price_usd=price)
    return new


def _language_models(was: Before, new: xr.Dataset) -> xr.Dataset:
    """Layers and cache follow the size as they do in the block; total follows size and share."""
    size = new["frontier_active_params"] / was.forward["frontier_active_params"]
    if was.touched & {"frontier_active_params", "moe_activation_fraction"}:
        mixture = (
            was.forward["frontier_total_params"]
            > was.forward["frontier_active_params"] * MORE_THAN_ROUNDING
        )
        share = new["moe_activation_fraction"].where(mixture, 1.0)
        new = _assigned(
            new, was.touched, frontier_total_params=new["frontier_active_params"] / share
        )
    if "frontier_active_params" in was.touched:
        layers = new["frontier_layers"] * size ** was.posterior["layers_exponent"]
        cache = new["kv_bytes_per_token"] * size ** was.posterior["kv_exponent"]
        new = _assigned(new, was.touched, frontier_layers=layers, kv_bytes_per_token=cache)
    return new


def _training(was: Before, new: xr.Dataset) -> xr.Dataset:
    """Tokens follow compute and tokens per parameter; the cluster follows compute and length."""
    flop, days, share = (new[f"training_{name}"] for name in ("flop", "days", "utilisation"))
    peak = flop / (days * SECONDS_PER_DAY * share)
    larger = peak / was.forward["training_cluster_flops"]
    return _assigned(
        new,
        was.touched,
        training_tokens=physics.training_tokens(flop, new["training_tokens_per_param"]),
        training_cluster_flops=peak,
        training_cluster_h100e=new["training_cluster_h100e"] * larger,
    )


def _demand(was: Before, new: xr.Dataset) -> xr.Dataset:
    """Tokens generated stay the same share of tokens processed."""
    more = new["demand_tokens_per_s"] / was.forward["demand_tokens_per_s"]
    output = new["demand_output_tokens_per_s"] * more
    return _assigned(new, was.touched, demand_output_tokens_per_s=output)


FOLLOWED: dict[str, Follow] = {
    "chips": _chips,
    "language_models": _language_models,
    "fleet": lambda _, new: new,
    "training": _training,
    "demand": _demand,
}
"""What follows, by block."""
