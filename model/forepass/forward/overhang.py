"""The compute overhang in its five senses, by year."""

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from forepass import physics
from forepass.forward.capacity import described
from forepass.forward.deployed import cells_of_world, of_chips, of_world
from forepass.forward.forecast import (
    by_year,
    checked,
    cluster_tokens_per_s,
    newest_parts,
    world_tokens_per_s,
)
from forepass.forward.projection import Projection
from forepass.forward.throughput import Parts, copies_at_work, served, workloads
from forepass.forward.timing import SECONDS_PER_DAY
from forepass.physics import HOURS_PER_YEAR

YEARS_SINCE_RELEASE = (1, 2, 3)
ORDER = (
    "copies_training_cluster",
    "worker_equivalents_training_cluster",
    "copies_lab",
    "worker_equivalents_lab",
    "copies_world",
    "worker_equivalents_world",
    "run_to_train_ratio",
    "capacity_over_demand",
    "inference_over_training_utilisation",
)
"""What has no dims but draw and year, so that a threshold can be asked of it."""
PARTS = ("fleet", "chips", "software", "precision", "cheaper models", "all")

type Floats = NDArray[np.float64]


def overhang_of(projection: Projection, years: NDArray[np.int_]) -> xr.Dataset:
    """Return copies, workers, run-to-train ratio, capacity over demand, release overhang.

    Copies count what all of the named compute could run at the stated speed if none of it did
    anything else. Dims (draw, year); the release overhang has years_since_release and part
    besides, and is missing where the years run past the projection.
    """
    out = copies_and_workers(projection)
    out["capacity_over_demand"] = _capacity_over_demand(projection)
    out["release_overhang"] = _release(projection)
    out = out[[*ORDER[:-1], "release_overhang", ORDER[-1]]].sel(year=years)
    checked(out.drop_vars("release_overhang"))
    return out.assign_attrs(
        notes=[
            "copies and workers count the whole of the compute named, as if it did nothing else; "
            "a copy does an agent's work of that year: long contexts, mostly cached",
            "where no batch gives the speed, a vintage runs no copy at all",
        ]
    )


def quantity_of(projection: Projection, name: str) -> xr.DataArray:
    """Return one quantity of `ORDER`, dims (draw, year), computing little besides."""
    if name == "capacity_over_demand":
        return _capacity_over_demand(projection)
    return copies_and_workers(projection)[name]


def copies_and_workers(projection: Projection) -> xr.Dataset:
    """Return copies, workers and what the training cluster does besides, dims (draw, year)."""
    speed = projection.definitions.copy_speed_tokens_per_s
    tokens = _tokens_at_speed(projection, speed)
    out = xr.Dataset(coords={"year": projection.years})
    demand = projection.demand
    person = np.asarray(demand["human_hours_per_year"].values)[:, None] / HOURS_PER_YEAR
    human = demand["human_tokens_per_s"].values[:, None]
    for who, words in COMPUTE.items():
        copies = tokens[who] / speed
        out[f"copies_{who}"] = by_year(
            copies, "copies", f"Copies on {words}, {speed:g} tokens/s each"
        )
        out[f"worker_equivalents_{who}"] = by_year(
            copies * speed / human / person, "workers", f"Human worker equivalents on {words}"
        )
    flop, days, utilisation, trained = (
        projection.training[f"training_{name}"].transpose("draw", "year").values
        for name in ("cluster_flops", "days", "utilisation", "tokens")
    )
    of_cluster = tokens["training_cluster"]
    out["run_to_train_ratio"] = by_year(
        of_cluster * days * SECONDS_PER_DAY / trained,
        "ratio",
        "Tokens the training cluster generates in the time of its run, over tokens trained on",
    )
    # The weights' arithmetic for each token generated, prompts left out, against the peak times
    # the utilisation of training: a cluster does far less arithmetic when it serves.
    active = projection.language_models["frontier_active_params"].transpose("draw", "year").values
    out["inference_over_training_utilisation"] = by_year(
        of_cluster * physics.weight_flop_per_token(active) / (flop * utilisation),
        "ratio",
        "FLOP/s of the training cluster in serving over those in training",
    )
    return out


COMPUTE = {
    "training_cluster": "the largest training cluster",
    "lab": "the leading lab's fleet",
    "world": "the world's fleet",
}


def _tokens_at_speed(projection: Projection, speed: float) -> dict[str, Floats]:
    """Return output tokens/s of each compute at the speed, if it all served, dims (draw, year)."""
    at, _ = cells_of_world(projection)
    world = of_world(projection, served(projection, at), copies_at_work(projection, at, speed))
    lab = projection.fleet["lab_share"].transpose("draw", "year").values
    span = projection.years
    loads = copies_at_work(projection, span, speed)
    each = of_chips(projection, served(projection, span), loads, Parts(span), software_year=span)
    return {
        "training_cluster": cluster_tokens_per_s(projection, each),
        "lab": lab * world,
        "world": world,
    }


def _capacity_over_demand(projection: Projection) -> xr.DataArray:
    """Return what the world could serve over what is asked of it, dims (draw, year)."""
    asked = projection.demand["demand_output_tokens_per_s"].transpose("draw", "year").values
    ratio = projection.once(world_tokens_per_s) / asked
    return by_year(ratio, "ratio", "World output capacity over output asked for")


def _release(projection: Projection) -> xr.DataArray:
    """Return by what capacity for a model frozen at release multiplies, part by part.

    Each part is the ratio with that one thing moved from the year of release to the later year and
    the rest held: power of the fleet's chips, H100 equivalents per watt, software, precision, and
    the compute that a model of equal capability needs. Power, not packages, which grow, is the size
    of a fleet. Their product is the whole but for what the parts share.
    """
    span = projection.years
    fleet, models = projection.fleet, projection.language_models
    power = fleet["fleet_chip_power"].transpose("draw", "year").values
    per_watt = fleet["fleet_h100e"].transpose("draw", "year").values / power
    algorithms = np.asarray(models["algorithmic_gain"].values)[:, None]
    values = np.full((len(power), len(span), len(YEARS_SINCE_RELEASE), len(PARTS)), np.nan)
    for at, since in enumerate(YEARS_SINCE_RELEASE):
        then, later = span[:-since], span[since:]
        loads, newest = workloads(projection, then), Parts(then)
        frozen = served(projection, then)
        base = projection.once(newest_parts).output[:, : len(then)]
        leaner_bits = served(projection, then, bits_year=later)
        newer = of_chips(projection, frozen, loads, newest, software_year=later).output
        leaner = of_chips(projection, leaner_bits, loads, newest, software_year=then).output
        parts = (
            power[:, since:] / power[:, :-since],
            per_watt[:, since:] / per_watt[:, :-since],
            newer / base,
            leaner / base,
            np.broadcast_to(np.exp(algorithms * since), base.shape),
        )
        for place, part in enumerate((*parts, np.prod(parts, axis=0))):
            values[:, : len(then), at, place] = part
    dims = ("draw", "year", "years_since_release", "part")
    coords = {"year": span, "years_since_release": list(YEARS_SINCE_RELEASE), "part": list(PARTS)}
    return described(values, "ratio", "Release overhang", *dims).assign_coords(coords)
