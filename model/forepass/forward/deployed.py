"""What chips yield under a mix of work: tokens out, prompts read, and where the time goes."""

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forepass.forward.projection import Projection
from forepass.forward.throughput import Load, Parts, Ready, Served, at_work, ready

CELLS_AT_ONCE = 12

type Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Yield:
    """What one chip does under a mix of work, averaged over its time.

    Attributes
    ----------
    output : output tokens/s.
    fresh_input : input tokens/s that no cache holds.
    prefill : share of the time that goes into prompts.
    """

    output: Floats
    fresh_input: Floats
    prefill: Floats


def of_chips(
    projection: Projection,
    what: Served,
    loads: Sequence[Load],
    parts: Parts,
    *,
    software_year: NDArray[np.int_],
) -> Yield:
    """Return what chips yield with a model under a mix of work, dims (draw, cell).

    Each kind of work takes its share of a chip's time. A kind whose speed the chip cannot give is
    left to others, and its share goes to what the chip can do; a chip that can do none of it yields
    nothing.
    """
    cells = len(parts.year)
    chips = ready(projection, what, parts, software_year=software_year)

    def some(start: int) -> Yield:
        here = slice(start, start + CELLS_AT_ONCE)

        def fields(of: Mapping[str, Floats]) -> dict[str, Floats]:
            return {name: _part(values, here, cells) for name, values in of.items()}

        return _yield(
            Ready(
                fields(chips.fields),
                fields(chips.parameters),
                chips.effects[:, here],
                chips.drafting[:, here],
            ),
            [
                replace(load, fields=fields(load.fields), share=_part(load.share, here, cells))
                for load in loads
            ],
        )

    # NumPy lets go of the interpreter while it works, so threads are enough; few cells at once
    # stay in the processor's cache.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        done = list(pool.map(some, range(0, cells, CELLS_AT_ONCE)))
    return Yield(
        *(np.concatenate([getattr(one, name) for one in done], axis=1) for name in Yield.__slots__)
    )


def _part(values: Any, here: slice, cells: int) -> Any:  # noqa: ANN401 - an array, a number, None
    """Return the cells ``here`` of values that have one for each cell, others as they are."""
    each = isinstance(values, np.ndarray) and values.shape[-1] == cells > 1
    return values[..., here] if each else values


def _yield(chips: Ready, loads: Sequence[Load]) -> Yield:
    drawn = [at_work(chips, load) for load in loads]
    able = [load.share * np.isfinite(one.rate) for load, one in zip(loads, drawn, strict=True)]
    whole = np.sum(able, axis=0)
    output, fresh, prefill = (np.zeros_like(whole) for _ in range(3))
    for load, one, share in zip(loads, drawn, able, strict=True):
        time = np.divide(share, whole, out=np.zeros_like(whole), where=whole > 0)
        tokens = time * np.nan_to_num(one.rate)
        read = load.fields["input_tokens"] * (1 - load.fields["cached_share"])
        output += tokens
        fresh += tokens * read / load.fields["output_tokens"]
        prefill += time * one.prefill
    return Yield(output, fresh, prefill)


def of_world(projection: Projection, what: Served, loads: Sequence[Load]) -> Floats:
    """Return output tokens/s of all deployed chips if all of them served, dims (draw, year).

    The sum over vintages of chips times what the mean chip of the vintage does in a deployment:
    the newest part of the vintage's year, with the vintage's own mean 8-bit rate, bandwidth and
    memory.

    Parameters
    ----------
    what, loads : model and work of each cell of `cells_of_world`.
    """
    at, of = cells_of_world(projection)
    fleet = projection.fleet
    span = projection.years
    place = np.searchsorted(fleet["vintage"].values, of)
    # Parts of every year, though only some years are asked about.
    known = projection.chips["year"].values
    newest = np.clip(of, known[0], known[-1])

    def beside_newest(of_vintage: str, of_part: str, unit: float = 1.0) -> Floats:
        mean = fleet[of_vintage].transpose("vintage", "draw").values[place]
        part = projection.chips[of_part].transpose("year", "draw").values
        return np.asarray(mean * unit / part[np.searchsorted(known, newest)]).T

    h100e = projection.definitions.h100_equivalent_ops_per_s
    parts = Parts(
        newest,
        rate=beside_newest("vintage_h100e_per_chip", "chip_flops_8bit", h100e),
        bandwidth=beside_newest("vintage_bandwidth_per_chip", "chip_bandwidth"),
        memory=beside_newest("vintage_memory_per_chip", "chip_memory"),
    )
    each = of_chips(projection, what, loads, parts, software_year=at).output
    chips = fleet["fleet_chips_by_vintage"].transpose("year", "vintage", "draw").values
    yields = chips[np.searchsorted(span, at), place].T * each
    starts = np.searchsorted(at, span)
    return np.add.reduceat(yields, starts, axis=1) * benchmark_to_deployment(projection)


def cells_of_world(projection: Projection) -> tuple[NDArray[np.int_], NDArray[np.int_]]:
    """Return year and vintage of each cell of the fleet: every vintage made by the year's end."""
    vintages = projection.fleet["vintage"].values
    at, of = np.meshgrid(projection.years, vintages, indexing="ij")
    return at[of <= at], of[of <= at]


def benchmark_to_deployment(projection: Projection) -> Floats:
    """Return what is left of a benchmark's rate in a deployed fleet, dims (draw, 1)."""
    return np.exp(np.asarray(projection.serving["effect_production"].values))[:, None]


def on_inference(projection: Projection) -> Floats:
    """Return the share of the fleet's time that goes into inference, dims (draw, year)."""
    fleet = projection.fleet
    shares = fleet["inference_share"] * fleet["duty_cycle"] * fleet["availability"]
    return np.asarray(shares.transpose("draw", "year").values)
