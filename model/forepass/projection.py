"""Every block's draws run forward in time, joined draw by draw."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from forepass.blocks.serving import prediction
from forepass.blocks.serving.rows import (
    CHIPS_IN_ONE_SERVER,
    EFFECTS,
    EPOCH_YEAR,
    FIELDS,
    UNLIMITED_TOKENS,
    Rows,
    least_replica,
    model_fields,
)
from forepass.inputs.dates import year_fraction
from forepass.inputs.definitions import Definitions
from forepass.inputs.records import LanguageModel, model_record

if TYPE_CHECKING:
    from forepass.posterior import Fit

__all__ = [
    "Projection",
    "Served",
    "project",
    "reference_served",
    "served",
    "served_flops",
    "throughput",
]

FORWARD = ("chips", "language_models", "fleet", "training", "demand")
CALENDAR_ORIGIN = 2022
MIDDLE_OF_YEAR = 0.5
GROUPS_OF_AN_AVERAGE = ("generation", "model", "engine")
"""Kinds of group whose effect stays when a fleet averages over campaigns and configurations."""

type Floats = NDArray[np.float64]
type Tables = Mapping[str, pd.DataFrame]


@dataclass(frozen=True, slots=True)
class Projection:
    """The blocks by year, dims (draw, year, ...), and the serving posterior beside them."""

    chips: xr.Dataset
    language_models: xr.Dataset
    fleet: xr.Dataset
    training: xr.Dataset
    demand: xr.Dataset
    serving: xr.Dataset
    years: NDArray[np.int_]
    generations: dict[int, str]
    definitions: Definitions
    seed: int


@dataclass(frozen=True, slots=True)
class Served:
    """What is served: a language model and its load, each dims (draw, cell) or broadcasting to it.

    Attributes
    ----------
    fields : by name of the serving block's FIELDS, those of the model and the load.
    name : the model's group in the serving block; one that it never saw is drawn anew.
    """

    fields: dict[str, Floats]
    name: str


def project(
    fits: "Mapping[str, Fit]",
    years: NDArray[np.int_],
    *,
    seed: int,
    definitions: Definitions,
    tables: Tables,
) -> Projection:
    """Run every block's posterior forward to ``years``.

    Each block draws its shocks from a stream of its own, so that a change of one block leaves the
    futures of the others as they were (common random numbers).
    """
    from forepass.posterior import block_module

    forward = {
        name: block_module(name).project(fits[name].posterior, years, block_rng(seed, name))
        for name in FORWARD
    }
    return Projection(
        **forward,
        serving=fits["serving"].posterior,
        years=years,
        generations=_generations(tables["chips"], definitions),
        definitions=definitions,
        seed=seed,
    )


def block_rng(seed: int, name: str) -> np.random.Generator:
    """Return the stream of random numbers that belongs to ``name``."""
    digest = hashlib.sha256(name.encode()).digest()
    return np.random.default_rng([seed, int.from_bytes(digest[:4])])


def throughput(
    projection: Projection,
    what: Served,
    *,
    chip_year: NDArray[np.int_],
    software_year: NDArray[np.int_],
    scale: Floats | float = 1.0,
    speed: float | None = None,
) -> prediction.Drawn:
    """Return what the part of a year does with a model, dims (draw, cell).

    Parameters
    ----------
    projection
        Blocks by year.
    what
        Model and load of each cell.
    chip_year
        Year whose newest part serves the cell.
    software_year
        Year of the serving software; its gains fade after the measurements end.
    scale
        Factor on rate, bandwidth and memory of the part, dims (draw, cell) or none: a fleet's mean
        chip beside the flagship of its year.
    speed
        Output tokens/s for each user; None for as many requests as fit.
    """
    cells = len(chip_year)
    bits = what.fields["weight_bits"]
    fields = {**_chip_fields(projection, chip_year, bits, scale), **what.fields}
    n_chips = _replica(fields)
    fields |= {
        "n_chips": n_chips,
        "least_chips": n_chips,
        "split": np.zeros(1),
        "beams": np.ones(1),
        "concurrency": np.zeros(1),
        "kv_bits": np.zeros(1),
        "decode_only": np.zeros(1),
        "prefill_only": np.zeros(1),
    }
    levels = {
        "generation": [projection.generations.get(y, f"of {y}") for y in chip_year.tolist()],
        "model": [what.name] * cells,
        "engine": [""] * cells,
    }
    rows = Rows(
        {name: np.zeros(cells) for name in FIELDS},
        {name: np.zeros(cells) for name in EFFECTS},
        {name: np.array(values, dtype=str) for name, values in levels.items()},
    )
    p = prediction.draw_parameters(projection.serving, rows, projection.seed)
    effects = prediction.draw_effects(
        projection.serving, rows, projection.seed, groups=GROUPS_OF_AN_AVERAGE
    ) + _dated(projection, chip_year, software_year)
    return prediction.at_speed(fields, p, effects, speed)


def served(
    projection: Projection,
    model_year: NDArray[np.int_],
    *,
    bits_year: NDArray[np.int_] | None = None,
    fixed: LanguageModel | None = None,
    fixed_load: tuple[float, float] | None = None,
) -> Served:
    """Return the frontier model of each year under that year's load, or a fixed one.

    Parameters
    ----------
    model_year
        Year of the model and of its load, one for each cell.
    bits_year
        Year whose served precision holds; the model's own unless given.
    fixed
        A known model in place of the frontier's.
    fixed_load
        Input and output tokens per request in place of the year's.
    """
    models = projection.language_models
    take = _taker(models, model_year)
    bits = _taker(models, model_year if bits_year is None else bits_year)("weight_bits")
    fields = {"weight_bits": bits, "most_tokens_read": np.full(1, UNLIMITED_TOKENS)}
    if fixed_load is None:
        for name in ("input_tokens", "output_tokens", "cached_share"):
            fields[name] = take(name)
    else:
        fields["input_tokens"], fields["output_tokens"] = (np.full(1, n) for n in fixed_load)
        fields["cached_share"] = np.zeros(1)
    if fixed is not None:
        return Served(fields | model_fields([fixed]), fixed.name)
    active, total = take("frontier_active_params"), take("frontier_total_params")
    mixture = total > active * 1.02
    return Served(
        fields
        | {
            "active_params": active,
            "total_params": np.maximum(total, active),
            # Negative: routed share not stated, so that the serving block's belief stands in.
            "share_routed": np.where(mixture, -1.0, 0.0),
            "experts_per_token": np.zeros(1),
            "n_layers": take("frontier_layers"),
            "attending_layers": np.zeros(1),
            "latent_attention": np.zeros(1),
            "kv_bytes_per_token_16bit": take("kv_bytes_per_token"),
        },
        "frontier",
    )


def reference_served(projection: Projection, cells: NDArray[np.int_], tables: Tables) -> Served:
    """Return the reference model under the reference load, at each year's served precision."""
    chosen = projection.definitions
    return served(
        projection,
        cells,
        fixed=model_record(chosen.reference_model, tables),
        fixed_load=(chosen.reference_input_tokens, chosen.reference_output_tokens),
    )


def _taker(block: xr.Dataset, years: NDArray[np.int_]) -> Callable[[str], Floats]:
    place = np.searchsorted(block["year"].values, years)

    def take(name: str) -> Floats:
        array = block[name]
        if "year" not in array.dims:
            return np.asarray(array.values)[:, None]
        return np.asarray(array.transpose("draw", "year").values)[:, place]

    return take


def served_flops(
    projection: Projection, years: NDArray[np.int_], bits: Floats
) -> tuple[Floats, Floats]:
    """Return the newest part's dense FLOP/s for weights of ``bits``, and the bits it computes at.

    Weights in a format that the part cannot multiply are widened to 16 bits first.
    """
    take = _taker(projection.chips, years)
    rates = {16: take("chip_flops_16bit"), 8: take("chip_flops_8bit"), 4: take("chip_flops_4bit")}
    four = (bits <= 4) & (rates[4] > rates[8])
    eight = (bits > 4) & (bits <= 8) & (rates[8] > rates[16])
    flops = np.where(four, rates[4], np.where(eight, rates[8], rates[16]))
    return flops, np.where(four, 4.0, np.where(eight, 8.0, 16.0))


def _chip_fields(
    projection: Projection, years: NDArray[np.int_], bits: Floats, scale: Floats | float
) -> dict[str, Floats]:
    """Return the newest part of each year as serving fields, arithmetic at the bits it can do."""
    first = int(projection.chips["year"].values[0])
    take = _taker(projection.chips, np.maximum(years, first))
    flops, computed = served_flops(projection, np.maximum(years, first), bits)
    return {
        "flops": scale * flops,
        "compute_bits": computed,
        "bandwidth": scale * take("chip_bandwidth"),
        "memory": scale * take("chip_memory"),
        "link_bandwidth": scale * take("chip_scale_up_bandwidth") / 2,
    }


def _replica(fields: Mapping[str, Floats]) -> Floats:
    """Return the least power of two of chips, a server at least, that holds model and cache."""
    least = least_replica(fields["total_params"], fields["weight_bits"], fields["memory"])
    return np.maximum(least, CHIPS_IN_ONE_SERVER)


def _dated(
    projection: Projection, chip_year: NDArray[np.int_], software_year: NDArray[np.int_]
) -> Floats:
    """Return what software's date and the chip's age add to the log rate, dims (draw, cell).

    The yearly gain holds while measurements last and then halves every so many years.
    """
    gain, fade, young = (
        np.asarray(projection.serving[name].values)[:, None]
        for name in ("effect_software_date", "software_gain_halflife", "effect_chip_age")
    )
    end = year_fraction(projection.definitions.software_date)
    when = software_year + MIDDLE_OF_YEAR - CALENDAR_ORIGIN
    beyond = np.maximum(when - end, 0.0)
    later = fade / np.log(2) * (1 - 2.0 ** (-beyond / fade))
    age = np.maximum(software_year - chip_year, 0)
    return np.asarray(gain * (np.minimum(when, end) - EPOCH_YEAR + later) + young * np.exp(-age))


def _generations(chips: pd.DataFrame, definitions: Definitions) -> dict[int, str]:
    """Return the reference vendor's newest generation at the middle of each year on record."""
    own = chips[
        (chips["vendor"] == definitions.reference_vendor)
        & chips["shipped"]
        & (chips["memory_bandwidth_bytes_per_s"] >= definitions.chip_minimum_bandwidth_bytes_per_s)
    ]
    released = own["release_date"].map(year_fraction).to_numpy() + CALENDAR_ORIGIN
    generation = own["generation"].to_numpy()
    last = int(released.max())
    found = {}
    for year in range(int(released.min()) + 1, last + 1):
        newest = np.where(released <= year + MIDDLE_OF_YEAR, released, 0.0).argmax()
        found[year] = str(generation[newest])
    return found
