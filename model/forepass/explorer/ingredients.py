"""What the page's numbers are products of, draw by draw and year by year."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from forepass.forward import forecast, overhang
from forepass.forward.projection import Projection
from forepass.forward.timing import SECONDS_PER_DAY
from forepass.physics import HOURS_PER_YEAR

type Floats = NDArray[np.float64]
type Factor = tuple[str, int] | tuple[str, int, int]
"""An ingredient, the power that it is raised to, and how many years ahead it is read."""


@dataclass(frozen=True, slots=True)
class Headline:
    """A number by year that the page shows, as the product of its factors.

    Attributes
    ----------
    name : as ``--json`` has it; what follows a colon only the page has.
    title, about : a few words, and more of them; {reference} stands for the reference model.
    parts : factors of it that are worth seeing by themselves, by name.
    """

    name: str
    title: str
    about: str
    unit: str
    factors: tuple[Factor, ...]
    parts: tuple[tuple[str, tuple[Factor, ...]], ...] = ()

    @property
    def command(self) -> str:
        """The subcommand that answers it."""
        return "forecast" if self.name in forecast.ORDER else "overhang"


def _release(years: int) -> Headline:
    fleet: tuple[Factor, ...] = (("chip_power", 1, years), ("chip_power", -1))
    chips: tuple[Factor, ...] = (
        *(("fleet_h100e", 1, years), ("fleet_h100e", -1)),
        *(("chip_power", -1, years), ("chip_power", 1)),
    )
    parts: tuple[tuple[str, tuple[Factor, ...]], ...] = (
        ("fleet", fleet),
        ("chips", chips),
        ("software", ((f"software_{years}", 1),)),
        ("precision", ((f"precision_{years}", 1),)),
        ("cheaper models", (("cheaper", years),)),
    )
    within = f"{years} year{'s' * (years > 1)}"
    return Headline(
        f"release_overhang:{years}",
        f"Release overhang after {within}",
        f"By what capacity for a model frozen in the year multiplies over {within}",
        "ratio",
        tuple(factor for _, factors in parts for factor in factors),
        parts,
    )


def _copies(who: str, words: str, factors: tuple[Factor, ...]) -> list[Headline]:
    workers: tuple[Factor, ...] = (("human_rate", -1), ("human_hours", -1))
    return [
        Headline(
            f"copies_{who}",
            f"Copies, {words}",
            "What all of that compute runs at once, each copy at the stated speed, at agents' work",
            "copies",
            (*factors, ("speed", -1)),
        ),
        Headline(
            f"worker_equivalents_{who}",
            f"Worker equivalents, {words}",
            "Copies times their speed and hours, over a person's",
            "workers",
            (*factors, *workers),
        ),
    ]


SERVED: tuple[Factor, ...] = (("served", 1), ("inference_share", 1), ("duty_cycle", 1))
HEADLINES: tuple[Headline, ...] = (
    Headline(
        "world_tokens_per_s",
        "World capacity, frontier model",
        "Output tokens that the share of the fleet on inference can serve of that year's model",
        "tokens/s",
        SERVED,
    ),
    Headline(
        "world_tokens_per_s_reference",
        "World capacity, {reference}",
        "Output tokens of {reference} at that year's precision, one load at no stated speed",
        "tokens/s",
        (("served_reference", 1), *SERVED[1:]),
    ),
    Headline(
        "lab_tokens_per_s",
        "Leading lab's capacity",
        "Output tokens of that year's frontier model on the leading lab's share of the fleet",
        "tokens/s",
        (*SERVED, ("lab_share", 1)),
    ),
    Headline(
        "demand_tokens_per_s",
        "Tokens asked for",
        "Tokens processed in the world, in and out, cached ones too",
        "tokens/s",
        (("demand", 1),),
    ),
    Headline(
        "capacity_over_demand",
        "Capacity over demand",
        "Output tokens that the world can serve over those asked for",
        "ratio",
        (*SERVED, ("demand_output", -1)),
    ),
    Headline(
        "cost_usd_per_million_tokens",
        "Cost per million output tokens",
        "Owning and running the newest part, all its time counted, no margin",
        "USD per million tokens",
        (("cost", 1),),
    ),
    *_copies("world", "the world's fleet", (("at_speed_world", 1),)),
    *_copies("lab", "the leading lab's fleet", (("at_speed_world", 1), ("lab_share", 1))),
    *_copies("training_cluster", "the largest training cluster", (("at_speed_cluster", 1),)),
    Headline(
        "run_to_train_ratio",
        "Run-to-train ratio",
        "Tokens the training cluster generates in its run's time, over tokens trained on",
        "ratio",
        (("at_speed_cluster", 1), ("seconds_over_tokens", 1)),
    ),
    *(_release(years) for years in overhang.YEARS_SINCE_RELEASE),
    Headline(
        "passes_realised_per_chip",
        "Passes per newest chip",
        "Forward passes realised, tuned, of that year's frontier model",
        "passes/s",
        (("passes_times_cost", 1), ("cost", -1)),
    ),
    Headline(
        "fleet_h100e",
        "Fleet in H100 equivalents",
        "Deployed at the year's end, by dense 8-bit operations",
        "H100e",
        (("fleet_h100e", 1),),
    ),
    Headline(
        "fleet_power",
        "Power of the fleet",
        "Of deployed chips at the facility, with servers and cooling",
        "W",
        (("fleet_power", 1),),
    ),
    Headline(
        "memory_wall_ratio",
        "Memory wall",
        "8-bit FLOP/s over bandwidth of the newest part",
        "FLOP per byte",
        (("memory_wall", 1),),
    ),
    Headline(
        "frontier_active_params",
        "Active parameters",
        "Of the typical frontier model of the year",
        "parameters",
        (("active", 1),),
    ),
)


def narrowed(projection: Projection, years: Sequence[int]) -> Projection:
    """Return the projection of some years, but for the chips, whose vintages are of all years."""
    wanted = np.asarray(years)
    of_years: dict[str, Any] = {
        name: getattr(projection, name).sel(year=wanted)
        for name in ("language_models", "fleet", "training", "demand")
    }
    return replace(projection, **of_years, years=wanted)


def ingredients(projection: Projection) -> dict[str, Floats]:
    """Return every ingredient as believed, dims (year, draw), or (draw) where it has no years."""
    span = projection.years
    fleet, training, demand = projection.fleet, projection.training, projection.demand
    found = served_at_will(projection) | at_speed(projection)
    for name, array in {
        "lab_share": fleet["lab_share"],
        "inference_share": fleet["inference_share"],
        "duty_cycle": fleet["duty_cycle"],
        "fleet_h100e": fleet["fleet_h100e"],
        "fleet_power": fleet["fleet_power"],
        "chip_power": fleet["fleet_chip_power"],
        "memory_wall": projection.chips["memory_wall_ratio"].sel(year=span),
        "demand": demand["demand_tokens_per_s"],
        "demand_output": demand["demand_output_tokens_per_s"],
        "active": projection.language_models["frontier_active_params"],
        "seconds_over_tokens": training["training_days"]
        * SECONDS_PER_DAY
        / training["training_tokens"],
    }.items():
        found[name] = _by_year(array, span)
    passes = forecast.of_the_flagship(projection)["passes_realised_per_chip"]
    # The one is what a chip-hour costs over the other, whatever is served.
    found["passes_times_cost"] = _by_year(passes, span) * found["cost"]
    release = overhang.overhang_of(projection, span)["release_overhang"]
    for since in overhang.YEARS_SINCE_RELEASE:
        for part in ("software", "precision"):
            one = release.sel(years_since_release=since, part=part)
            found[f"{part}_{since}"] = _by_year(one, span)
    found["human_rate"] = np.asarray(demand["human_tokens_per_s"].values)
    found["human_hours"] = np.asarray(demand["human_hours_per_year"].values) / HOURS_PER_YEAR
    found["cheaper"] = np.exp(np.asarray(projection.language_models["algorithmic_gain"].values))
    return found


def served_at_will(projection: Projection, *, reference: bool = True) -> dict[str, Floats]:
    """Return what depends on the model served and its precision, dims (year, draw).

    Capacity is that of chips which serve all the time: shares of use are ingredients of their own.
    """
    fleet, span = projection.fleet, projection.years
    use = _by_year(fleet["inference_share"] * fleet["duty_cycle"], span)
    flagship = forecast.of_the_flagship(projection)
    found = {"served": forecast.world_tokens_per_s(projection).T / use}
    found["cost"] = _by_year(flagship["cost_usd_per_million_tokens"], span)
    if reference:
        found["served_reference"] = forecast.reference_tokens_per_s(projection).T / use
    return found


def at_speed(projection: Projection) -> dict[str, Floats]:
    """Return output tokens/s of the world's fleet and the largest cluster, dims (year, draw).

    As if all of each served, at the speed of a copy.
    """
    drawn = overhang.copies_and_workers(projection)
    speed = projection.definitions.copy_speed_tokens_per_s
    return {
        "at_speed_world": _by_year(drawn["copies_world"], projection.years) * speed,
        "at_speed_cluster": _by_year(drawn["copies_training_cluster"], projection.years) * speed,
    }


def _by_year(array: xr.DataArray, years: NDArray[np.int_]) -> Floats:
    return np.asarray(array.sel(year=years).transpose("year", "draw").values, dtype=float)
