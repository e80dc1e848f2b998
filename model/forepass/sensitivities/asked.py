"""The document that answers a question about what moves a quantity, in a scenario."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import xarray as xr

from forepass import posterior
from forepass.documents import Document
from forepass.kept_fits import Fit, failed_notes
from forepass.likelihoods import log_likelihood
from forepass.sensitivities import answer
from forepass.sensitivities.beliefs import Belief, all_beliefs, find
from forepass.sensitivities.refits import NotRefittedError, raised
from forepass.sensitivities.runs import Question
from forepass.settings import Settings
from forepass.what_if import replaced_priors
from forepass.what_if.changed import Changed
from forepass.what_if.interventions import pinned
from forepass.what_if.scenarios import Scenario, with_layer

__all__ = ["document"]

type Fitted = Callable[[list[str], Settings], dict[str, Fit]]


def document(
    found: Changed,
    asked: Mapping[str, Any],
    *,
    scenario: Scenario,
    settings: Settings,
    frame: Mapping[str, Any],
    fitted: Fitted = posterior.fitted,
) -> Document:
    """Return what moves a quantity, or where it crosses a threshold.

    Parameters
    ----------
    asked
        quantity and year; then break_even, above and threshold, or top, measure, likelihood and,
        where it is asked for, refit, as `answer` takes them.
    frame
        seed, as_of and inputs, as `forepass.documents.build_document` takes them.
    fitted
        Fits blocks again where refit is asked for.
    """
    fits = pinned(found.fits, found.interventions.pins, seed=settings.seed)
    posteriors = {block: fit.posterior for block, fit in fits.items()}
    beliefs = list(all_beliefs(posteriors, found.priors))
    question = Question(
        asked["quantity"],
        asked["year"],
        found.tables,
        found.definitions,
        settings.seed,
        found.interventions,
    )
    if "break_even" in asked:
        made = answer.break_even_document(
            question,
            posteriors,
            find(asked["break_even"], beliefs),
            above=asked["above"],
            threshold=asked["threshold"],
            frame=frame,
        )
    else:
        again = partial(
            _refitted, fits=fits, found=found, scenario=scenario, settings=settings, fitted=fitted
        )
        made = answer.sensitivity_document(
            question,
            posteriors,
            beliefs,
            top=asked["top"],
            measure=asked["measure"],
            likelihoods={
                block: log_likelihood(block, fits[block], settings)
                for block in (fits if asked["likelihood"] else ())
            },
            frame=frame,
            refit=again if "refit" in asked else None,
        )
    made["notes"] += [*found.notes, *failed_notes(fits)]
    return made


def _refitted(
    beliefs: Sequence[Belief],
    *,
    fits: dict[str, Fit],
    found: Changed,
    scenario: Scenario,
    settings: Settings,
    fitted: Fitted,
) -> dict[str, xr.Dataset]:
    """Return every block's draws, those of one block fitted anew with priors at another power."""
    layer = raised(belief.prior for belief in beliefs if belief.prior is not None)
    own = replaced_priors.overlaid(with_layer(scenario, layer), settings)
    try:
        anew = fitted([beliefs[0].block], own)
    except posterior.FitFailed as failure:
        raise NotRefittedError(str(failure).partition(";")[0]) from failure
    fits = pinned({**fits, **anew}, found.interventions.pins, seed=settings.seed)
    return {name: fit.posterior for name, fit in fits.items()}
