"""One quantity of one year from draws of the blocks, re-paired, reseeded or pinned at will."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from forepass.errors import InputError
from forepass.forward import forecast, overhang
from forepass.forward.projection import FORWARD, Projection, joined, run_forward, whole_span
from forepass.inputs.definitions import Definitions
from forepass.inputs.text_files import suggest
from forepass.what_if.changed import Changed
from forepass.what_if.interventions import NONE, Interventions

KNOWN = (*forecast.ORDER, *overhang.ORDER)
"""Quantities that have a number for each draw and year."""

LEAST_KNOWN = 0.5
"""Share of the draws that must have a number for something to be said of the quantity."""

type Floats = NDArray[np.float64]
type Posteriors = Mapping[str, xr.Dataset]
type Memory = dict[tuple[object, ...], tuple[object, ...]]
"""Blocks that were run forward, by what they were run from."""


@dataclass(frozen=True, slots=True)
class Question:
    """A quantity of a year, and what it follows from besides draws.

    Attributes
    ----------
    seed : of every shock and of the effects of what is new.
    interventions : quantities by year that a scenario changes; beliefs are pinned in the draws.
    """

    quantity: str
    year: int
    tables: Mapping[str, pd.DataFrame]
    definitions: Definitions
    seed: int
    interventions: Interventions = NONE

    @classmethod
    def of(cls, found: Changed, name: str, year: int, seed: int) -> "Question":
        """Return the question about a quantity in a scenario."""
        return cls(name, year, found.tables, found.definitions, seed, found.interventions)


def check_quantity(name: str) -> None:
    """Refuse a quantity that has no number for each draw and year, with the closest names."""
    if name not in KNOWN:
        raise InputError(f"no quantity {name!r} by year; {suggest(name, sorted(KNOWN))}")


def quantity(
    question: Question,
    posteriors: Posteriors,
    *,
    seeds: Mapping[str, int] | None = None,
    memory: Memory | None = None,
) -> xr.DataArray:
    """Return the quantity in the year, dims (draw,), its unit and name in words in its attributes.

    Parameters
    ----------
    posteriors : draws of each block, joined draw by draw; all have as many.
    seeds : of the shocks of blocks, where they are not the question's own.
    memory : blocks run forward before, which are taken again where nothing of theirs has changed;
        it is added to.
    """
    seeds = dict.fromkeys(posteriors, question.seed) | dict(seeds or {})
    projection = _narrowed(question, posteriors, seeds, {} if memory is None else memory)
    answer = overhang if question.quantity in overhang.ORDER else forecast
    array = answer.quantity_of(projection, question.quantity)
    return array.isel(year=0, drop=True)


def values(
    question: Question,
    posteriors: Posteriors,
    *,
    seeds: Mapping[str, int] | None = None,
    memory: Memory | None = None,
) -> Floats:
    """Return the natural log of the quantity, dims (draw,); NaN where it has none."""
    found = quantity(question, posteriors, seeds=seeds, memory=memory)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(found.values)
    return np.where(np.isfinite(logs), logs, np.nan)


def check_spread(question: Question, logs: Floats) -> None:
    """Refuse a quantity that is the same in all draws, or that most draws have no number for."""
    name = f"{question.quantity} in {question.year}"
    known = logs[np.isfinite(logs)]
    if len(known) < LEAST_KNOWN * len(logs):
        raise InputError(f"{name} is above 0 in {len(known) / len(logs):.0%} of draws only")
    if np.ptp(known) == 0:
        raise InputError(f"{name} is the same in all draws: nothing moves it")


def thinned(posteriors: Posteriors, draws: int, offset: float = 0.0) -> dict[str, xr.Dataset]:
    """Return so many draws of each block, evenly spaced, from a part of a step on."""
    found = {}
    for name, posterior in posteriors.items():
        step = posterior.sizes["draw"] / min(draws, posterior.sizes["draw"])
        places = ((np.arange(round(posterior.sizes["draw"] / step)) + offset) * step).astype(int)
        found[name] = posterior.isel(draw=places)
    return found


def held_at(
    posteriors: Posteriors, block: str, name: str, value: Floats | float, place: int | None = None
) -> dict[str, xr.Dataset]:
    """Return the draws with one variable, or one place of it, set to a value in all of them.

    An intervention on the forward run: what the fit learned of the others stays as it is.
    """
    array = posteriors[block][name].transpose("draw", ...)
    set_to = array.values.astype(float).reshape(len(array), -1).copy()
    set_to[:, slice(None) if place is None else place] = value
    changed = array.copy(data=set_to.reshape(array.shape))
    return {**posteriors, block: posteriors[block].assign({name: changed})}


def _narrowed(
    question: Question, posteriors: Posteriors, seeds: Mapping[str, int], memory: Memory
) -> Projection:
    """Return the projection of the one year, but for the chips, whose vintages are of all years."""
    definitions = question.definitions
    span = whole_span(definitions)

    def remembered[T](key: tuple[object, ...], run: Callable[[], T]) -> T:
        # What the ids in the key are of is kept, or another might come to have the same id.
        if key not in memory:
            memory[key] = (run(), *posteriors.values())
        return cast(T, memory[key][0])

    def ids(*blocks: str) -> tuple[object, ...]:
        return tuple(item for b in blocks for item in (id(posteriors[b]), seeds[b]))

    forward: dict[str, xr.Dataset] = {}
    keys = {name: (name, *ids(name)) for name in FORWARD}
    keys["fleet"] = ("fleet", *ids("fleet", "chips"))
    for name in FORWARD:
        forward[name] = remembered(
            keys[name],
            lambda n=name: run_forward(
                n, posteriors[n], span, seeds[n], forward, question.interventions
            ),  # type: ignore[misc]
        )
    # What joins blocks is of these three; the others only stand beside them.
    keys["training"] = ("joined", *ids("chips", "fleet", "training"))
    whole = remembered(
        keys["training"],
        lambda: joined(
            forward,
            posteriors["serving"],
            span,
            seed=seeds["serving"],
            definitions=definitions,
            tables=question.tables,
        ),
    )
    blocks, year = {**forward, "training": whole.training}, [question.year]
    of_year: dict[str, Any] = {
        name: remembered(
            (question.year, *keys[name]),
            lambda block=block: block.sel(year=year),  # type: ignore[misc]
        )
        for name, block in blocks.items()
        if name != "chips"
    }
    serving = posteriors["serving"]
    return replace(whole, **of_year, serving=serving, seed=seeds["serving"], years=np.array(year))
