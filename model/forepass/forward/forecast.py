"""The forecast by year: chips, models, throughput, fleet, world capacity, cost, demand."""

from collections.abc import Callable, Mapping
from typing import cast

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from forepass import physics
from forepass.forward.capacity import DECODING, ENERGY, READING, described
from forepass.forward.deployed import (
    Yield,
    benchmark_to_deployment,
    cells_of_world,
    of_chips,
    of_world,
    on_inference,
)
from forepass.forward.projection import Projection
from forepass.forward.throughput import (
    Parts,
    reference_load,
    reference_served,
    served,
    served_flops,
    workloads,
)

type Floats = NDArray[np.float64]

PASSED_ON = {
    "chip_bandwidth": "chips",
    "chip_memory": "chips",
    "chip_hour_cost_usd": "chips",
    "chip_hour_price_usd": "chips",
    "memory_wall_ratio": "chips",
    "frontier_active_params": "language_models",
    "moe_activation_fraction": "language_models",
    "weight_bits": "language_models",
    "fleet_chips": "fleet",
    "fleet_h100e": "fleet",
    "fleet_power": "fleet",
    "fleet_server_power": "fleet",
    "fleet_chip_power": "fleet",
    "contracted_power": "fleet",
    "inference_share": "fleet",
    "demand_tokens_per_s": "demand",
}
NOTES = (
    "capacity counts output tokens of the share of the fleet on inference, at its duty cycle and "
    "availability, in deployments rather than benchmarks, over chat, agents and batches by their "
    "shares of the compute; demand counts tokens in and out, cached ones too",
    "fleets and what they can run are of a year's end, everything else of its middle; a realised "
    "pass is an output token, and both bounds are of a chip by itself",
    "costs are what owning and running the newest part takes, without a margin: prices lie above",
    "power is four numbers: chips alone, with servers, at the facility, and contracted for",
)
SHOWN = (
    "world_tokens_per_s",
    "world_tokens_per_s_reference",
    "lab_tokens_per_s",
    "training_cluster_tokens_per_s",
    "demand_tokens_per_s",
    "shortage",
    "cost_usd_per_million_tokens",
    "cost_usd_per_million_output_tokens",
    "cost_usd_per_million_input_tokens",
    "energy_j_per_token",
    "chip_hour_cost_usd",
    "chip_hour_price_usd",
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
    "supply_limit",
    "fleet_chip_power",
    "fleet_server_power",
    "fleet_power",
    "contracted_power",
    "inference_share",
)
PROBABILITIES = ("shortage", "supply_limit")
"""What a draw says yes or no to, so that its mean is told."""
ORDER = tuple(name for name in SHOWN if name not in PROBABILITIES)
"""What has a number for each draw and year, so that a threshold can be asked of it."""


def forecast_of(projection: Projection, years: NDArray[np.int_]) -> xr.Dataset:
    """Return every quantity of the forecast, dims (draw, year), with units and a name in words.

    What sets shipments has a dim (limit) besides.
    """
    out = xr.Dataset(coords={"year": projection.years})
    for name in (*PASSED_ON, *CAPACITIES):
        out[name] = quantity_of(projection, name)
    fleet, demand = projection.fleet, projection.demand
    asked = demand["demand_output_tokens_per_s"].transpose("draw", "year").values
    out["shortage"] = _probability(
        by_year(
            (asked > projection.once(world_tokens_per_s)).astype(float),
            "probability",
            "Probability that more output is asked for than fits",
        )
    )
    out["supply_limit"] = _probability(
        fleet["supply_limit"]
        .transpose("draw", "year", "limit")
        .assign_attrs(units="probability", long_name="What sets the year's shipments")
    )
    out = out.merge(of_the_flagship(projection))
    return checked(out[list(SHOWN)].sel(year=years)).assign_attrs(notes=list(NOTES))


def quantity_of(projection: Projection, name: str) -> xr.DataArray:
    """Return one quantity of `ORDER`, dims (draw, year), computing little besides."""
    if name in PASSED_ON:
        array = getattr(projection, PASSED_ON[name])[name].transpose("draw", "year")
        words = str(array.attrs["long_name"])
        words = words[0].upper() + words[1:]
        return cast(xr.DataArray, array.sel(year=projection.years).assign_attrs(long_name=words))
    if name in CAPACITIES:
        work, words = CAPACITIES[name]
        model = projection.definitions.reference_model
        return by_year(projection.once(work), "tokens/s", words.format(model))
    return of_the_flagship(projection)[name]


def world_tokens_per_s(projection: Projection) -> Floats:
    """Return output tokens/s that the world could serve with each year's frontier model."""
    at, _ = cells_of_world(projection)
    world = of_world(projection, served(projection, at), workloads(projection, at))
    return np.asarray(world * on_inference(projection))


def reference_tokens_per_s(projection: Projection) -> Floats:
    """Return output tokens/s that the world could serve with the reference model."""
    at, _ = cells_of_world(projection)
    what = reference_served(projection, at)
    world = of_world(projection, what, reference_load(projection))
    return np.asarray(world * on_inference(projection))


def newest_parts(projection: Projection) -> Yield:
    """Return what each year's newest part yields with its frontier model, dims (draw, year)."""
    span = projection.years
    what, loads = served(projection, span), workloads(projection, span)
    return of_chips(projection, what, loads, Parts(span), software_year=span)


def _lab_tokens_per_s(projection: Projection) -> Floats:
    lab = projection.fleet["lab_share"].transpose("draw", "year").values
    return np.asarray(lab * projection.once(world_tokens_per_s))


def _cluster_tokens_per_s(projection: Projection) -> Floats:
    return cluster_tokens_per_s(projection, projection.once(newest_parts))


def cluster_tokens_per_s(projection: Projection, each: Yield) -> Floats:
    """Return output tokens/s of the largest run's cluster if it served, dims (draw, year).

    A run's utilisation is of the 16-bit peak, so the cluster's chips are counted by that rate.

    Parameters
    ----------
    each : of one of the year's newest parts.
    """
    span = projection.years
    rate = projection.chips["chip_flops_16bit"].sel(year=span).transpose("draw", "year").values
    peak = projection.training["training_cluster_flops"].transpose("draw", "year").values
    return np.asarray(peak / rate * each.output * benchmark_to_deployment(projection))


CAPACITIES: Mapping[str, tuple[Callable[[Projection], Floats], str]] = {
    "world_tokens_per_s": (world_tokens_per_s, "World output capacity, that year's frontier model"),
    "world_tokens_per_s_reference": (
        reference_tokens_per_s,
        "World output capacity, {} at that year's precision",
    ),
    "lab_tokens_per_s": (
        _lab_tokens_per_s,
        "Leading lab's output capacity, that year's frontier model",
    ),
    "training_cluster_tokens_per_s": (
        _cluster_tokens_per_s,
        "Output of the largest run's cluster if it served, that year's frontier model",
    ),
}
"""What gives each, and its name in words, which may name the reference model."""


def _probability(happens: xr.DataArray) -> xr.DataArray:
    """Return what happens or does not, by draw, as a quantity whose mean is its probability."""
    return happens.astype(float).assign_attrs(happens.attrs | {"summary": "mean"})


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


def of_the_flagship(projection: Projection) -> xr.Dataset:
    """Return bounds, throughput, cost and energy of each year's newest part and frontier model."""
    span = projection.years
    what = served(projection, span)
    drawn = projection.once(newest_parts)
    chips, fleet = projection.chips.sel(year=span), projection.fleet
    bits, active = what.fields["weight_bits"], what.fields["active_params"]
    flops, _ = served_flops(projection, span, bits)
    upper = physics.upper_bound(flops, physics.weight_flop_per_token(active))
    bandwidth = chips["chip_bandwidth"].transpose("draw", "year").values
    lower = physics.lower_bound(bandwidth, physics.weight_bytes(active, bits))
    deployed = benchmark_to_deployment(projection)
    price = chips["chip_hour_cost_usd"].transpose("draw", "year").values
    usd = physics.cost_per_million_tokens(price, drawn.output * deployed)
    facility = (fleet["fleet_power"] / fleet["fleet_chip_power"] * chips["chip_power"]).transpose(
        "draw", "year"
    )
    at_bits, unit, money = "at the precision served that year", "passes/s", "USD per million tokens"
    # Prompts are charged the time that they take, over the input tokens that are not cached.
    of_input = usd * drawn.prefill * drawn.output / drawn.fresh_input
    energy = facility.values / (drawn.output * deployed)
    values = {
        "chip_flops": (flops, "FLOP/s", f"Newest part, dense {at_bits}"),
        "passes_upper_per_chip": (upper, unit, f"Upper bound per chip, {at_bits}"),
        "passes_lower_per_chip": (lower, unit, f"Lower bound per chip, {at_bits}"),
        "passes_realised_per_chip": (drawn.output, unit, "Realised per chip, tuned"),
        "share_of_upper_bound": (drawn.output / upper, "share", "Share of the upper bound"),
        "cost_usd_per_million_tokens": (usd, money, "Cost per million output tokens, all time"),
        "cost_usd_per_million_output_tokens": (usd * (1 - drawn.prefill), money, DECODING),
        "cost_usd_per_million_input_tokens": (of_input, money, READING),
        "energy_j_per_token": (energy, "J", ENERGY),
    }
    return xr.Dataset(
        {name: by_year(*value) for name, value in values.items()}, coords={"year": span}
    )


def by_year(values: Floats, units: str, long_name: str) -> xr.DataArray:
    """Return values, dims (draw, year), with their unit and their name in words."""
    return described(values, units, long_name, "draw", "year")
