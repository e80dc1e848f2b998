"""``--scenario`` and ``--set``: what a forecasting command is asked to change, and its draws."""

import argparse
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from forepass.commands.arguments import Options
from forepass.errors import InputError
from forepass.what_if.scenarios import Scenario, as_asked, load_scenario, plain, with_layer

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from forepass.inputs.definitions import Definitions
    from forepass.inputs.priors import Prior
    from forepass.posterior import Fit
    from forepass.settings import Settings
    from forepass.what_if.interventions import Interventions


def add_options(parser: Options) -> None:
    """Give a parser the options that change the forward run."""
    parser.add_argument(
        "--scenario", metavar="NAME", help="a named future (forepass scenario list), or its file"
    )
    add_set(parser)


def add_set(parser: Options) -> None:
    """Give a parser ``--set``."""
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help='pin a belief or a quantity: duty_cycle=0.7, "inference_share@2028=0.3 to 0.7" (80%% '
        "interval; from 2028 on), copy_speed_tokens_per_s=200 (may be repeated)",
    )


def scenario_from(
    args: argparse.Namespace,
    settings: "Settings",
    name: str | None = None,
    extra: Iterable[str] = (),
) -> Scenario:
    """Return the scenario of a name, or of ``--scenario``, with what ``--set`` asks besides."""
    name = name or getattr(args, "scenario", None)
    found = load_scenario(name, settings.priors) if name else plain()
    asked = as_asked([*extra, *args.set])
    return with_layer(found, asked) if asked.content() != plain().layers[0].content() else found


def arguments_of(scenario: Scenario) -> dict[str, Any]:
    """Return what the key of an answer needs to know of a scenario; of a plain one nothing."""
    return {} if scenario == plain() else {"scenario": scenario.content()}


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


def drawn(
    scenario: Scenario,
    questions: Iterable[Any],
    args: argparse.Namespace,
    settings: "Settings",
    years: list[int],
) -> "xr.Dataset":
    """Return the draws that answer the questions in a scenario, dims (draw, year, ...).

    Parameters
    ----------
    questions
        Functions such as `forepass.forward.forecast.forecast_of`; one projection answers them all.
    """
    import numpy as np
    import xarray as xr

    from forepass.commands import fitting
    from forepass.forward.projection import project, whole_span

    found = changed(scenario, args, settings)
    with in_reason(scenario):
        projection = project(
            found.fits,
            whole_span(found.definitions),
            seed=settings.seed,
            definitions=found.definitions,
            tables=found.tables,
            interventions=found.interventions,
        )
        draws = [question(projection, np.array(years)) for question in questions]
    notes = [note for one in draws for note in one.attrs.get("notes", [])]
    out = xr.merge(draws, combine_attrs="override").assign_attrs(notes=[*notes, *found.notes])
    return fitting.flagged(out, found.fits)


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


def changed(scenario: Scenario, args: argparse.Namespace, settings: "Settings") -> Changed:
    """Return what a forecast is made from in a scenario, fitting what is stale."""
    from forepass import posterior
    from forepass.commands import catalogue, fitting
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
    refitted = list(scenario.priors())
    if refitted and not args.quiet:
        print(f"forepass: {_fits_in_words(refitted)}", file=sys.stderr)
    fits = fitting.checked_fits(posterior.BLOCKS, args, own)
    shared: dict[str, Any] = {"definitions": definitions, "tables": tables}
    intervention_names.check_heard(fits, interventions.pins, seed=settings.seed, **shared)
    notes = _in_words(scenario, [*interventions.pins, *interventions.changes])
    return Changed(fits, tables, definitions, interventions, priors, notes)


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
