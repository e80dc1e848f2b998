"""The document that answers a question about what moves a quantity, in a scenario."""

from collections.abc import Mapping, Sequence
from typing import Any

import xarray as xr

from forepass import tasks
from forepass.documents import Document
from forepass.kept_fits import failed_notes
from forepass.likelihoods import log_likelihood
from forepass.sensitivities import answer
from forepass.sensitivities.beliefs import Belief, all_beliefs, find
from forepass.sensitivities.pairings import ShareOut
from forepass.sensitivities.refits import refitted
from forepass.sensitivities.runs import Question
from forepass.settings import Settings
from forepass.what_if.changed import Changed
from forepass.what_if.interventions import pinned
from forepass.what_if.scenarios import Scenario


def document(
    found: Changed,
    asked: Mapping[str, Any],
    *,
    scenario: Scenario,
    settings: Settings,
    frame: Mapping[str, Any],
    share_out: ShareOut = tasks.here,
) -> Document:
    """Return what moves a quantity, or where it crosses a threshold.

    Parameters
    ----------
    asked : quantity and year; then break_even, above and threshold, or top, measure, likelihood
        and, where they are asked for, refit and draws, as `answer` takes them.
    frame : seed, as_of and inputs, as `forepass.documents.build_document` takes them.
    share_out : does forward runs and refits, of which there may be many.
    """
    fits = pinned(found.fits, found.interventions.pins, seed=settings.seed)
    posteriors = {block: fit.posterior for block, fit in fits.items()}
    beliefs = list(all_beliefs(posteriors, found.priors))
    question = Question.of(found, asked["quantity"], asked["year"], settings.seed)

    def again(sets: Sequence[Sequence[Belief]]) -> list[dict[str, xr.Dataset] | str]:
        """Return every block's draws, those of one block fitted anew with priors at a power."""
        tasks = [
            (place, scenario, [belief.prior for belief in beliefs])
            for place, beliefs in enumerate(sets)
        ]
        anew = {place: made for (place, *_), made in share_out(refitted, tasks, settings)}
        out: list[dict[str, xr.Dataset] | str] = []
        for place in range(len(sets)):
            if isinstance(made := anew[place], str):
                out.append(made)
                continue
            joined = pinned({**fits, **made}, found.interventions.pins, seed=settings.seed)
            out.append({name: fit.posterior for name, fit in joined.items()})
        return out

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
            draws=asked.get("draws", 0),
            share_out=share_out,
        )
    made["notes"] += [*found.notes, *failed_notes(fits)]
    return made
