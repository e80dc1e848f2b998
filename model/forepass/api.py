"""Forecasts as functions: labelled draws with units, the same numbers as the commands give.

Every function takes the settings of a run (`settings_for`); without, those of the shipped data and
priors. Fits are read from the cache of the command line, and made where they are stale. Draws have
dims (draw, ...), each variable ``units`` and ``long_name``, and each Dataset the version, seed and
hashes that it was made from and ``notes`` on how to read it; `quantiles` sums them up.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from forepass import catalogue, posterior
from forepass.as_of import seen_as_of
from forepass.errors import InputError
from forepass.forward import capacity
from forepass.forward.forecast import forecast_of
from forepass.forward.horizon import first_year
from forepass.forward.overhang import overhang_of
from forepass.inputs import tables
from forepass.inputs.definitions import Definitions, load_definitions
from forepass.inputs.priors import Prior, load_all
from forepass.inputs.records import chip_record, model_record
from forepass.kept_fits import flagged
from forepass.labelled import of_beliefs, traced
from forepass.labelled import quantiles as quantiles
from forepass.sensitivities import asked
from forepass.sensitivities.beliefs import title
from forepass.sensitivities.runs import check_quantity
from forepass.settings import Settings
from forepass.tell import answers
from forepass.what_if import changed, pairs, scenarios
from forepass.what_if.changed import Question
from forepass.what_if.scenarios import Scenario

BOTH = (forecast_of, overhang_of)
CONVERGENCE = ("rhat", "ess_bulk", "ess_tail", "divergences")


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a run reads.

    Attributes
    ----------
    tables : observed tables by name, checked, as in data/.
    priors : beliefs by block and name, as in priors/.
    definitions : conventions, as in priors/definitions.toml.
    scenarios : names of the futures that `scenario` and `compare` take.
    """

    tables: dict[str, pd.DataFrame]
    priors: dict[str, dict[str, Prior]]
    definitions: Definitions
    scenarios: list[str]


def settings_for(
    *,
    data: Path | None = None,
    priors: Path | None = None,
    seed: int = 1,
    as_of: date | None = None,
    cache: Path | None = None,
) -> Settings:
    """Return the settings of a run, to hand to every function.

    Parameters
    ----------
    data, priors
        Folders in place of the shipped ones.
    seed
        Of every random draw.
    as_of
        The day whose knowledge alone is used; None for all of it.
    cache
        Folder of fits; the command line's unless given.

    Raises
    ------
    InputError
        Where no table had a row on that day.
    """
    given = {"data": data, "priors": priors, "cache": cache}
    found = Settings(seed=seed, **{k: v for k, v in given.items() if v is not None})  # type: ignore[arg-type]
    return found if as_of is None else seen_as_of(found, as_of)


def load_inputs(settings: Settings | None = None) -> Inputs:
    """Return observed tables, priors, conventions and the names of scenarios, all checked.

    Raises
    ------
    InputError
        At the first fault, naming file, row and field.
    """
    settings = settings or Settings()
    return Inputs(
        tables=tables.load_tables(tables.TABLES, settings.data),
        priors=load_all(settings.priors),
        definitions=load_definitions(settings.priors),
        scenarios=scenarios.scenario_names(settings.priors),
    )


def fit(
    *blocks: str,
    settings: Settings | None = None,
    unsafe: bool = False,
    progress: posterior.Progress | None = None,
) -> xr.DataTree:
    """Return the posterior of blocks, all of them where none is named, fitting what is stale.

    Parameters
    ----------
    unsafe
        Return a fit that fell short of its checks too, instead of raising; it says so in ``notes``.
    progress
        Told of each block and what is being done to it.

    Returns
    -------
    A node for each block, variables with dims (draw, ...) and, where they were elicited, the unit
    of their prior; convergence is in the attributes of the node.

    Raises
    ------
    InputError
        Where there is no such block, or its inputs are wrong.
    FitFailed
        Where a fit falls short of its checks.
    """
    settings = settings or Settings()
    for block in blocks:
        if block not in posterior.BLOCKS:
            raise InputError(f"no block {block!r}; choose among {', '.join(posterior.BLOCKS)}")
    names = blocks or posterior.BLOCKS
    fits = posterior.fitted(names, settings, unsafe=unsafe, progress=progress)
    beliefs, nodes = load_all(settings.priors), {}
    for name, found in fits.items():
        draws = found.posterior.copy()
        for variable, array in draws.data_vars.items():
            array.attrs["long_name"] = title(str(variable))
            if prior := beliefs[name].get(str(variable)):
                array.attrs["units"] = prior.unit
        convergence = {key: getattr(found.diagnostics, key) for key in CONVERGENCE}
        nodes[name] = traced(flagged(draws, {name: found}), settings).assign_attrs(convergence)
    return xr.DataTree.from_dict(nodes)


def forecast(
    years: Sequence[int] | None = None,
    *,
    scenario: str | None = None,
    changes: Mapping[str, object] | None = None,
    settings: Settings | None = None,
    unsafe: bool = False,
    progress: posterior.Progress | None = None,
) -> xr.Dataset:
    """Return capacity, cost, fleet, chips, models and what lies under them, by year.

    Parameters
    ----------
    years
        All that definitions allow unless given.
    scenario
        A named future, or a file that ends in .toml.
    changes
        Beliefs and quantities to pin, as ``--set`` takes them: ``{"duty_cycle": 0.7,
        "inference_share@2028": "0.3 to 0.7"}``.
    unsafe, progress
        As `fit` takes them.

    Returns
    -------
    Dims (draw, year), some variables with more.

    Raises
    ------
    InputError
        Where a name, a year or a value cannot be.
    FitFailed
        Where a fit falls short of its checks.
    """
    settings = settings or Settings()
    chosen = _scenario(scenario, changes, settings)
    return _drawn([forecast_of], years, chosen, settings, unsafe=unsafe, progress=progress)


def overhang(
    years: Sequence[int] | None = None,
    *,
    scenario: str | None = None,
    changes: Mapping[str, object] | None = None,
    settings: Settings | None = None,
    unsafe: bool = False,
    progress: posterior.Progress | None = None,
) -> xr.Dataset:
    """Return copies, worker equivalents, run-to-train ratio, spare and release overhang, by year.

    Parameters, dims and errors are those of `forecast`.
    """
    settings = settings or Settings()
    chosen = _scenario(scenario, changes, settings)
    return _drawn([overhang_of], years, chosen, settings, unsafe=unsafe, progress=progress)


def scenario(
    name: str,
    years: Sequence[int] | None = None,
    *,
    changes: Mapping[str, object] | None = None,
    settings: Settings | None = None,
    unsafe: bool = False,
    progress: posterior.Progress | None = None,
) -> xr.Dataset:
    """Return forecast and overhang in a named future, or one from a file that ends in .toml.

    Parameters, dims and errors are those of `forecast`.
    """
    settings = settings or Settings()
    chosen = _scenario(name, changes, settings)
    return _drawn(BOTH, years, chosen, settings, unsafe=unsafe, progress=progress)


def compare(
    *names: str,
    years: Sequence[int] | None = None,
    changes: Mapping[str, object] | None = None,
    settings: Settings | None = None,
    unsafe: bool = False,
    progress: posterior.Progress | None = None,
) -> xr.Dataset:
    """Return scenarios side by side and, draw by draw, each beside the first.

    Parameters
    ----------
    names
        Two scenarios or more; ``changes`` hold in all of them.

    Returns
    -------
    Levels, dims (draw, year, scenario); ``NAME_ratio`` and ``NAME_difference``, dims (draw, year,
    compared), whose draws share their random numbers.

    Raises
    ------
    InputError
        Where fewer than two are named, or one twice; else as `forecast`.
    """
    scenarios.check_compared(names)
    settings = settings or Settings()
    chosen = [_scenario(name, changes, settings) for name in names]
    each = {
        one.name: _drawn(BOTH, years, one, settings, unsafe=unsafe, progress=progress)
        for one in chosen
    }
    return traced(pairs.joined(each), settings)


def passes(
    chip: str,
    model: str,
    *,
    chips: int | None = None,
    weight_bits: int | None = None,
    settings: Settings | None = None,
    unsafe: bool = False,
    **load: Any,  # noqa: ANN401 - fields of one record, which names them
) -> xr.Dataset:
    """Return forward passes of chips with a model: bounds, realised, cost, and what binds.

    Parameters
    ----------
    chips
        That serve one copy together; the fewest that hold it unless given.
    weight_bits
        16, 8 or 4; those of the release unless given.
    load
        Other fields of `forepass.forward.capacity.PassesRequest`, such as ``input_tokens``,
        ``concurrency`` or ``price_usd_per_chip_hour``.

    Returns
    -------
    Dims (draw,); bounds have none.

    Raises
    ------
    InputError
        Where there is no such chip or model, or it does not fit.
    FitFailed
        Where a fit falls short of its checks.
    """
    settings = settings or Settings()
    definitions, known = load_definitions(settings.priors), catalogue.load(settings)
    chip_record(chip, known)
    model_record(model, known)
    load.setdefault("input_tokens", definitions.reference_input_tokens)
    load.setdefault("output_tokens", definitions.reference_output_tokens)
    request = capacity.PassesRequest(
        chip=chip, n_chips=chips, model=model, weight_bits=weight_bits, **load
    )
    fits = posterior.fitted(["chips", "serving"], settings, unsafe=unsafe)
    draws = capacity.passes(request, fits, known, definitions)
    return traced(flagged(draws, fits), settings)


def sensitivity(
    quantity: str,
    year: int = 2030,
    *,
    top: int = 12,
    scenario: str | None = None,
    changes: Mapping[str, object] | None = None,
    settings: Settings | None = None,
    unsafe: bool = False,
    progress: posterior.Progress | None = None,
) -> xr.Dataset:
    """Return which beliefs move a quantity of a year, and by how much.

    Parameters
    ----------
    quantity
        Its name in `forecast` or `overhang`.
    top
        How many beliefs, those with the largest shares first.
    scenario, changes, unsafe, progress
        As `forecast` takes them.

    Returns
    -------
    Dims (belief,): ``share`` of the variance of the quantity's log with its interval (p05, p95),
    ``first`` and ``total`` order; the belief's ``low`` and ``high`` (p10, p90) and the medians
    ``at_low`` and ``at_high`` of the quantity there; ``learned`` from data; ``prior_sensitivity``.
    Coordinates say each belief in words, its block and what kind of evidence it rests on.

    Raises
    ------
    InputError
        Where there is no such quantity, or its year cannot be.
    FitFailed
        Where a fit falls short of its checks.
    """
    settings = settings or Settings()
    check_quantity(quantity)
    _checked_years([year], settings)
    chosen = _scenario(scenario, changes, settings)
    question: dict[str, Any] = {"quantity": quantity, "year": year, "unsafe_ignore_checks": unsafe}
    question |= {} if chosen == scenarios.plain() else {"scenario": chosen.content()}
    question |= {"top": top, "measure": False, "likelihood": False}
    document = answers.answer(
        "sensitivity",
        question,
        settings,
        draw=lambda: changed.changed(chosen, settings, unsafe=unsafe, progress=progress),
        build=lambda found, **frame: asked.document(
            found, question, scenario=chosen, settings=settings, frame=frame
        ),
    )
    return traced(of_beliefs(document), settings)


def _drawn(
    questions: Sequence[Question],
    years: Sequence[int] | None,
    chosen: Scenario,
    settings: Settings,
    **fitting: Any,  # noqa: ANN401 - handed on
) -> xr.Dataset:
    asked = _checked_years(years, settings)
    return traced(changed.drawn(chosen, questions, settings, asked, **fitting), settings)


def _scenario(
    name: str | None, changes: Mapping[str, object] | None, settings: Settings
) -> Scenario:
    found = scenarios.load_scenario(name, settings.priors) if name else scenarios.plain()
    layer = scenarios.as_asked([f"{key}={value}" for key, value in (changes or {}).items()])
    return scenarios.with_layer(found, layer) if changes else found


def _checked_years(years: Sequence[int] | None, settings: Settings) -> list[int]:
    definitions = load_definitions(settings.priors)
    first, last = definitions.first_year, definitions.last_year
    if years is None:
        years = range(first_year(definitions, settings.as_of), last + 1)
    for year in years:
        if not first <= year <= last:
            raise InputError(f"years must lie within {first} to {last}, got {year}")
    return sorted(set(years))
