"""What a forecast is made from in a scenario, and the draws that answer questions in it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from forepass.errors import InputError
from forepass.what_if.scenarios import Scenario, plain

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import xarray as xr
    from numpy.typing import NDArray

    from forepass.forward.projection import Projection
    from forepass.inputs.definitions import Definitions
    from forepass.inputs.priors import Prior
    from forepass.posterior import Fit, Progress
    from forepass.settings import Settings
    from forepass.what_if.interventions import Interventions

type Question = Callable[[Projection, NDArray[np.int_]], xr.Dataset]
"""Answers from a projection, in years; such as `forepass.forward.forecast.forecast_of`."""


@dataclass(frozen=True, slots=True)
class Changed:
    """What a forecast is made from in a scenario.

    Attributes
    ----------
    priors : by block and name, those of the scenario in place of what they replace.
    notes : what a reader must know of how the scenario differs.
    """

    fits: "dict[str, Fit]"
    tables: "dict[str, pd.DataFrame]"
    definitions: "Definitions"
    interventions: "Interventions"
    priors: "dict[str, dict[str, Prior]]"
    notes: list[str]


def changed(
    scenario: Scenario,
    settings: "Settings",
    *,
    unsafe: bool = False,
    progress: "Progress | None" = None,
    say: Callable[[str], None] | None = None,
) -> Changed:
    """Return what a forecast is made from in a scenario, fitting what is stale.

    Parameters
    ----------
    unsafe, progress : as `forepass.posterior.fitted` takes them.
    say : told, before anything is fitted, which blocks a scenario's priors have fitted anew.

    Raises
    ------
    InputError
        Where the scenario names what there is not.
    FitFailed
        Where a fit falls short of its checks.
    """
    from forepass import catalogue, posterior
    from forepass.inputs.definitions import load_definitions
    from forepass.inputs.priors import load_all
    from forepass.inputs.records import model_record
    from forepass.what_if import intervention_names, replaced_priors

    tables = catalogue.load(settings)
    definitions = replace(load_definitions(settings.priors), **scenario.definitions())
    if "reference_model" in scenario.definitions():
        model_record(definitions.reference_model, tables)
    own = replaced_priors.overlaid(scenario, settings)
    priors = load_all(own.priors)
    interventions = intervention_names.resolve(scenario, priors, definitions)
    if say and (refitted := scenario.priors()):
        say(_fits_in_words(refitted))
    fits = posterior.fitted(posterior.BLOCKS, own, unsafe=unsafe, progress=progress)
    shared: dict[str, Any] = {"definitions": definitions, "tables": tables}
    intervention_names.check_heard(fits, interventions.pins, seed=settings.seed, **shared)
    notes = _in_words(scenario, [*interventions.pins, *interventions.changes])
    return Changed(fits, tables, definitions, interventions, priors, notes)


def projected(found: Changed, seed: int) -> "Projection":
    """Return what the draws run forward to in a scenario, over every year that can be asked for."""
    from forepass.forward.projection import project, whole_span

    return project(
        found.fits,
        whole_span(found.definitions),
        seed=seed,
        definitions=found.definitions,
        tables=found.tables,
        interventions=found.interventions,
    )


def drawn(
    scenario: Scenario,
    questions: Iterable[Question],
    settings: "Settings",
    years: Sequence[int],
    wanted: int | None = None,
    **fitting: Any,  # noqa: ANN401 - handed on
) -> "xr.Dataset":
    """Return the draws that answer the questions in a scenario, dims (draw, year, ...).

    Parameters
    ----------
    questions
        Functions such as `forepass.forward.forecast.forecast_of`; one projection answers them all.
    wanted : draws in all, in runs of what the posteriors hold; as many as these unless given.
    fitting : ``unsafe``, ``progress`` and ``say``, as `changed` takes them.

    Raises
    ------
    InputError
        Where the scenario names what there is not, or asks too much.
    FitFailed
        Where a fit falls short of its checks.
    """
    import numpy as np
    import xarray as xr

    from forepass.forward.repeated import repeated
    from forepass.kept_fits import failed_notes

    found = changed(scenario, settings, **fitting)
    done, notes = [], []
    with in_reason(scenario):
        for fits, seed in repeated(found.fits, wanted, seed=settings.seed):
            projection = projected(replace(found, fits=fits), seed)
            draws = [question(projection, np.array(years)) for question in questions]
            notes = [note for one in draws for note in one.attrs.get("notes", [])]
            # What is read out of a projection would otherwise hold all of it in memory.
            done.append(xr.merge(draws, combine_attrs="override").copy(deep=True))
    notes += [*found.notes, *failed_notes(found.fits)]
    out = done[0] if len(done) == 1 else xr.concat(done, "draw", combine_attrs="override")
    return out.assign_attrs(notes=notes)


@contextmanager
def in_reason(scenario: Scenario) -> Iterator[None]:
    """Say of a number that is none, where a scenario was asked for, that it asks too much."""
    try:
        yield
    except ArithmeticError as error:
        if scenario == plain():
            raise
        what = str(error).partition(":")[0]
        raise InputError(f"{what} with what was changed; ask for something less extreme") from error


def _in_words(scenario: Scenario, interventions: Iterable[object]) -> list[str]:
    """Return what a reader must know of how a scenario differs."""
    name = "" if scenario.name == plain().name else f"{scenario.name} ({scenario.title}): "
    stated = [f"{key} is defined as {value}" for key, value in scenario.definitions().items()]
    changed = [*map(str, interventions), *stated]
    if replaced := scenario.priors():
        changed.append(_fits_in_words(replaced))
    if not (name or changed):
        return []
    return [f"{name}changed by hand: {'; '.join(changed) or 'nothing'}"]


def _fits_in_words(replaced: Iterable[str]) -> str:
    from forepass.posterior import BLOCKS

    anew = list(replaced)
    kept = [block for block in BLOCKS if block not in anew]
    return f"fitted on replaced priors: {', '.join(anew)}; fits as before: {', '.join(kept)}"
