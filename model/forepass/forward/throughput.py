"""What a year's chips do with a model under a kind of work, draw by draw."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
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
from forepass.forward.projection import CALENDAR_ORIGIN, MIDDLE_OF_YEAR, Projection
from forepass.inputs.dates import year_fraction
from forepass.inputs.records import LanguageModel, model_record

DRAFTING_SINCE = 2024
"""The year since which deployments draft tokens ahead of the model where speed is asked for."""
NEVER_ASKED = ("split", "concurrency", "kv_bits", "decode_only", "prefill_only")
"""Fields of a configuration that a deployment by year leaves open."""
GROUPS_OF_AN_AVERAGE = ("generation", "model", "engine")
"""Kinds of group whose effect stays when a fleet averages over campaigns and configurations."""

type Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Served:
    """What is served: a language model, each field dims (draw, cell) or broadcasting to it.

    Attributes
    ----------
    fields : by name of the serving block's FIELDS, those of the model.
    name : the model's group in the serving block; one that it never saw is drawn anew.
    """

    fields: dict[str, Floats]
    name: str


@dataclass(frozen=True, slots=True)
class Load:
    """One kind of work, dims (draw, cell) or broadcasting to it.

    Attributes
    ----------
    fields : by name of the serving block's FIELDS, those of a request.
    share : of the chips' time, where several kinds are done.
    speed : output tokens/s that each user must get; None for as many requests as fit.
    accepted : share of a lone user's speed that will do where less than `speed` can be had; None
        where nothing less will do.
    """

    fields: dict[str, Floats]
    share: Floats
    speed: Floats | None
    accepted: Floats | None = None


@dataclass(frozen=True, slots=True)
class Parts:
    """Which chips serve: the newest part of a year, or chips beside it.

    Attributes
    ----------
    year : whose newest part serves each cell, dims (cell).
    rate, bandwidth, memory : factors on the newest part's FLOP/s and link, bandwidth and capacity,
        dims (draw, cell) or one for all.
    """

    year: NDArray[np.int_]
    rate: Floats | float = 1.0
    bandwidth: Floats | float = 1.0
    memory: Floats | float = 1.0


@dataclass(frozen=True, slots=True)
class Ready:
    """Chips that hold a model, whatever work they are given, dims (draw, cell) or broadcasting.

    Attributes
    ----------
    fields : by name of the serving block's FIELDS, all but those of a request.
    parameters : of the serving block.
    effects : what groups and dates add to the log rate.
    drafting : what is added besides where a speed is asked for.
    """

    fields: dict[str, Floats]
    parameters: prediction.Parameters
    effects: Floats
    drafting: Floats


def throughput(
    projection: Projection,
    what: Served,
    load: Load,
    parts: Parts,
    *,
    software_year: NDArray[np.int_],
) -> prediction.Drawn:
    """Return what chips do with a model under one kind of work, dims (draw, cell).

    Parameters
    ----------
    projection : blocks by year.
    what, load, parts : model, request and chip of each cell.
    software_year : year of the serving software; its gains fade after the measurements end.
    """
    return at_work(ready(projection, what, parts, software_year=software_year), load)


def ready(
    projection: Projection, what: Served, parts: Parts, *, software_year: NDArray[np.int_]
) -> Ready:
    """Return the chips of each cell with its model; see `throughput`."""
    cells, serving = len(parts.year), projection.serving
    fields = {**_chip_fields(projection, parts, what.fields["weight_bits"]), **what.fields}
    n_chips = _replica(fields)
    fields |= {"n_chips": n_chips, "least_chips": n_chips, "beams": np.ones(1)}
    fields |= {name: np.zeros(1) for name in NEVER_ASKED}
    levels = {
        "generation": [projection.generations.get(y, f"of {y}") for y in parts.year.tolist()],
        "model": [what.name] * cells,
        "engine": [""] * cells,
    }
    rows = Rows(
        {name: np.zeros(cells) for name in FIELDS},
        {name: np.zeros(cells) for name in EFFECTS},
        {name: np.array(values, dtype=str) for name, values in levels.items()},
    )
    effects = prediction.draw_effects(
        serving, rows, projection.seed, groups=GROUPS_OF_AN_AVERAGE
    ) + _dated(projection, parts.year, software_year)
    drafting = np.asarray(serving["effect_speculative"].values)[:, None]
    # Parameters hang on model and engine alone, the same in all cells.
    return Ready(
        fields,
        prediction.draw_parameters(serving, rows.take(slice(0, 1)), projection.seed),
        effects,
        drafting * (software_year >= DRAFTING_SINCE),
    )


def at_work(chips: Ready, load: Load) -> prediction.Drawn:
    """Return what chips do with their model under one kind of work, dims (draw, cell)."""
    effects = chips.effects if load.speed is None else chips.effects + chips.drafting
    fields = {**chips.fields, **load.fields}
    return prediction.at_speed(
        fields, chips.parameters, effects, load.speed, accepted=load.accepted
    )


def served(
    projection: Projection,
    model_year: NDArray[np.int_],
    *,
    bits_year: NDArray[np.int_] | None = None,
    fixed: LanguageModel | None = None,
) -> Served:
    """Return the frontier model of each year, or a fixed one, at that year's served precision.

    Parameters
    ----------
    model_year : year of the model, one for each cell.
    bits_year : year whose served precision holds; the model's own unless given.
    fixed : a known model in place of the frontier's.
    """
    models = projection.language_models
    take = _taker(models, model_year)
    bits = _taker(models, model_year if bits_year is None else bits_year)("weight_bits")
    fields = {"weight_bits": bits, "most_tokens_read": np.full(1, UNLIMITED_TOKENS)}
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


def reference_served(projection: Projection, cells: NDArray[np.int_]) -> Served:
    """Return the reference model at each year's served precision."""
    reference = model_record(projection.definitions.reference_model, projection.tables)
    return served(projection, cells, fixed=reference)


def reference_load(projection: Projection) -> list[Load]:
    """Return the reference load as the only kind of work, at no stated speed."""
    chosen = projection.definitions
    fields = {
        "input_tokens": np.full(1, chosen.reference_input_tokens),
        "output_tokens": np.full(1, chosen.reference_output_tokens),
        "cached_share": np.zeros(1),
    }
    return [Load(fields, np.ones(1), None)]


def workloads(projection: Projection, years: NDArray[np.int_]) -> list[Load]:
    """Return each kind of work with its share of the compute in the years, one for each cell."""
    demand = projection.demand
    return [_load(demand.sel(workload=kind), years) for kind in demand["workload"].values]


def copies_at_work(projection: Projection, years: NDArray[np.int_], speed: float) -> list[Load]:
    """Return agents' work at a stated speed as the only kind: what a copy does all day."""
    agents = _load(projection.demand.sel(workload="agents"), years)
    return [replace(agents, share=np.ones(1), speed=np.full((1, 1), speed), accepted=None)]


def _load(kind: xr.Dataset, years: NDArray[np.int_]) -> Load:
    take = _taker(kind, years)
    names = ("input_tokens", "output_tokens", "cached_share")
    speed = np.asarray(kind["workload_speed"].values)[:, None]
    return Load(
        {name: take(f"workload_{name}") for name in names},
        take("workload_share"),
        None if np.isnan(speed).all() else speed,
        np.asarray(kind["speed_accepted"].values)[:, None],
    )


def _taker(block: xr.Dataset, years: NDArray[np.int_]) -> Callable[[str], Floats]:
    place = np.searchsorted(block["year"].values, years)

    def take(name: str) -> Floats:
        array = block[name]
        if "year" not in array.dims:
            return np.asarray(array.values)[:, None]
        # Draws lie side by side in memory: long loops over them are what NumPy is fast at.
        return np.asarray(array.transpose("year", "draw").values)[place].T

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


def _chip_fields(projection: Projection, parts: Parts, bits: Floats) -> dict[str, Floats]:
    """Return the chips of each cell as serving fields, arithmetic at the bits it can do."""
    years = np.maximum(parts.year, int(projection.chips["year"].values[0]))
    take = _taker(projection.chips, years)
    flops, computed = served_flops(projection, years, bits)
    return {
        "flops": parts.rate * flops,
        "compute_bits": computed,
        "bandwidth": parts.bandwidth * take("chip_bandwidth"),
        "memory": parts.memory * take("chip_memory"),
        "link_bandwidth": parts.rate * take("chip_scale_up_bandwidth") / 2,
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
    # Draws side by side in memory, as everywhere here.
    gain, fade, young = (
        np.asarray(projection.serving[name].values)
        for name in ("effect_software_date", "software_gain_halflife", "effect_chip_age")
    )
    end = year_fraction(projection.definitions.software_date)
    when = (software_year + MIDDLE_OF_YEAR - CALENDAR_ORIGIN)[:, None]
    beyond = np.maximum(when - end, 0.0)
    later = fade / np.log(2) * (1 - 2.0 ** (-beyond / fade))
    age = np.maximum(software_year - chip_year, 0)[:, None]
    gained = gain * (np.minimum(when, end) - EPOCH_YEAR + later) + young * np.exp(-age)
    return np.asarray(gained.T)
