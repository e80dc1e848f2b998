"""All checks of the blocks asked for, and of the forecast where all of them are there."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import pandas as pd
import xarray as xr

from forepass.fit_checks import beliefs, guards, identities, predictive, replicas
from forepass.fit_checks.finding import Finding
from forepass.forward.forecast import forecast_of
from forepass.forward.overhang import overhang_of
from forepass.forward.projection import Projection, project, whole_span
from forepass.inputs.definitions import load_definitions
from forepass.inputs.priors import Prior, load_all
from forepass.inputs.tables import load_tables
from forepass.kept_fits import ESS_LIMIT, RHAT_LIMIT
from forepass.posterior import BLOCKS, Fit, block_module
from forepass.sensitivities.beliefs import all_beliefs
from forepass.settings import Settings

FORECAST = "forecast"

type Fits = Mapping[str, Fit]
type Priors = Mapping[str, Mapping[str, Prior]]
type Progress = Callable[[str, str], None]


def findings(
    fits: Fits,
    tables: Mapping[str, pd.DataFrame],
    settings: Settings,
    progress: Progress = lambda _block, _stage: None,
) -> list[Finding]:
    """Return what every check found, block by block; of the forecast only where all blocks are in.

    Parameters
    ----------
    fits : of some blocks, or all; dims (draw, ...).
    tables : those that questions about chips and models read, for the forecast.
    settings : folders and seed.
    progress : told of each block and what is checked.
    """
    found: list[Finding] = []
    priors = load_all(settings.priors)
    roles = {block: guards.roles(block, settings) for block in fits}
    for block, fit in fits.items():
        found += _of_block(block, fit, priors, roles[block], settings, progress)
        progress(block, "done")
    if set(fits) == set(BLOCKS):
        found += _of_forecast(fits, tables, priors, roles, settings, progress)
        progress(FORECAST, "done")
    return found


def measured_quantities(block: str, fit: Fit, settings: Settings) -> list[replicas.Quantity]:
    """Return every observed quantity of a block beside what its fit says of it."""
    tables = load_tables(block_module(block).TABLES, settings.data)
    return replicas.quantities(block, fit.posterior, tables, settings)


def _of_block(
    block: str,
    fit: Fit,
    priors: Priors,
    roles: guards.Roles,
    settings: Settings,
    progress: Progress,
) -> Iterator[Finding]:
    yield _convergence(fit)
    progress(block, "against its rows")
    tables = load_tables(block_module(block).TABLES, settings.data)
    found = replicas.quantities(block, fit.posterior, tables, settings)
    for check in (
        predictive.coverage,
        predictive.uniformity,
        predictive.residuals,
        predictive.leave_one_out,
    ):
        yield check(block, found)
    progress(block, "beside its beliefs")
    own = list(all_beliefs({block: fit.posterior}, priors))
    yield beliefs.contractions(block, own, roles.informed)
    rates = beliefs.back_cast(block, own, priors[block], tables, settings)
    if rates is not None:
        yield rates


def _convergence(fit: Fit) -> Finding:
    one = fit.diagnostics
    ess = min(one.ess_bulk, one.ess_tail)
    found = f"R-hat {one.rhat:.3f}, effective draws {ess:,.0f}, divergences {one.divergences}"
    limit = f"R-hat {RHAT_LIMIT:g} at most, {ESS_LIMIT} effective draws, no divergence"
    again = f"{found}: forepass fit --block {one.block} --force --seed N, or undo its last change"
    return Finding(
        one.block, "convergence", one.passed, found, limit, [] if one.passed else [again]
    )


def _of_forecast(
    fits: Fits,
    tables: Mapping[str, pd.DataFrame],
    priors: Priors,
    roles: Mapping[str, guards.Roles],
    settings: Settings,
    progress: Progress,
) -> Iterator[Finding]:
    definitions, seed = load_definitions(settings.priors), settings.seed
    progress(FORECAST, "identities")

    def run(of: Fits) -> Projection:
        span = whole_span(definitions)
        return project(of, span, seed=seed, definitions=definitions, tables=tables)

    shipped, calm = run(fits), run(_without_breaks(fits))
    answers, calmer = (
        [forecast_of(one, one.years), overhang_of(one, one.years)] for one in (shipped, calm)
    )
    yield identities.identities(shipped, *answers)
    yield identities.bounds(answers, calmer, int(definitions.software_date[:4]))
    progress(FORECAST, "structures")
    yield guards.structures(fits, seed=seed, definitions=definitions, tables=tables)
    progress(FORECAST, "what moves it")
    moved = guards.listened(
        fits,
        priors=priors,
        seed=seed,
        definitions=definitions,
        tables={**tables, **load_tables(("serving",), settings.data)},
    )
    yield guards.heard(moved, roles)


def _without_breaks(fits: Fits) -> "dict[str, Fit]":
    """Return the fits with the chance of every break with a trend set to nothing."""
    calm = dict(fits)
    for block, fit in fits.items():
        chances = [name for name in fit.posterior.data_vars if str(name).endswith("break_chance")]
        none = {name: xr.zeros_like(fit.posterior[name]) for name in chances}
        calm[block] = replace(fit, posterior=fit.posterior.assign(none))
    return calm
