"""All that a report rests on, as one JSON document."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

import xarray as xr

from forepass.documents import Document, build_document
from forepass.evidence.beliefs import beliefs
from forepass.evidence.futures import compared_with, rests_on
from forepass.evidence.questions import Questions
from forepass.evidence.records import diagnostics, sources, tables
from forepass.forward import comparisons, horizon, post, thresholds
from forepass.inputs.claims import load_claims
from forepass.inputs.comparisons import load_comparisons
from forepass.inputs.tables import load_tables
from forepass.sensitivities import asked
from forepass.settings import Settings
from forepass.what_if import pairs
from forepass.what_if.changed import Changed, projected
from forepass.what_if.interventions import pinned
from forepass.what_if.scenarios import Scenario

TOP = 12
"""Beliefs told of in a tornado."""
OF_THE_POST = ("chips", "language_models", "serving")

type Done = Callable[[str], None]


def stages(questions: Questions, scenarios: Mapping[str, object]) -> list[str]:
    """Return the names of what is run, in order."""
    return [
        "by year",
        "the post",
        *(f"what moves {name} in {year}" for name, year in questions.sensitivity),
        *(f"scenario {name}" for name in scenarios),
    ]


def gathered(
    found: Changed,
    scenario: Scenario,
    scenarios: Mapping[str, tuple[Scenario, Changed]],
    questions: Questions,
    settings: Settings,
    *,
    frame: Mapping[str, Any],
    done: Done = lambda _: None,
) -> Document:
    """Return the evidence of a report, as JSON holds it.

    Parameters
    ----------
    found, scenario : what the report is of, as `forepass.what_if.changed.changed` returns it.
    scenarios : what is compared, the first with the others; all with the seed of the settings.
    questions : what the report asks besides.
    frame : seed, as_of and inputs, as `forepass.documents.build_document` takes them.
    done : told of each of `stages` when it has been run.
    """
    definitions, base = found.definitions, int(str(frame["as_of"])[:4])
    base = min(max(base, definitions.first_year), definitions.last_year)
    published = load_comparisons(
        settings.priors, settings.data, seen_only=settings.as_of is not None
    )
    comparisons.check_quantities(published)
    projection = projected(found, settings.seed)
    speeds = [one.speed for one in published if one.speed is not None]
    drawn = comparisons.comparable(projection, speeds)
    document = horizon.marked(drawn, fold=definitions.scenarios_only_fold, **frame)
    against = build_document(compared_with(drawn, base), **frame)
    document["quantities"] |= against["quantities"]
    document |= {
        "base": base,
        "report": {"years": [y for y in questions.years if y in document["years"]]},
        "scenario": {"name": scenario.name, "title": scenario.title, "story": scenario.story},
        "definitions": asdict(definitions),
        "thresholds": _thresholds(drawn, questions, frame),
        "comparisons": comparisons.judged(drawn, published),
        "fits": diagnostics(found.fits),
        "tables": tables(settings.data),
        "sources": sources(settings.data),
    }
    document["rests_on"] = rests_on(found, settings.seed)
    document["notes"] += found.notes
    done("by year")
    document |= _post(found, settings, frame)
    done("the post")
    fits = pinned(found.fits, found.interventions.pins, seed=settings.seed)
    document["beliefs"] = beliefs({name: fit.posterior for name, fit in fits.items()}, found.priors)
    document["sensitivity"] = {}
    for name, year in questions.sensitivity:
        about = {"quantity": name, "year": year, "top": TOP, "likelihood": False}
        document["sensitivity"][f"{name}@{year}"] = asked.document(
            found,
            about | {"measure": (name, year) == questions.measure},
            scenario=scenario,
            settings=settings,
            frame=frame,
        )
        done(f"what moves {name} in {year}")
    each = {}
    for name, (_, other) in scenarios.items():
        span = comparisons.with_beside(projected(other, settings.seed))
        each[name] = span.sel(year=document["years"])
        done(f"scenario {name}")
    document["compared"] = build_document(pairs.joined(each), **frame)
    document["scenarios"] = [
        {"name": one.name, "title": one.title, "story": one.story} for one, _ in scenarios.values()
    ]
    return document


def _thresholds(
    drawn: xr.Dataset, questions: Questions, frame: Mapping[str, Any]
) -> dict[str, Any]:
    """Return when each threshold is passed, by the name that the templates give it."""
    found = {}
    for name, threshold in questions.thresholds.items():
        thresholds.check_names([threshold], [str(one) for one in drawn.data_vars])
        entries = thresholds.crossings(drawn, asked=[threshold], **frame)["quantities"]
        date, passed, _ = entries.values()
        found[name] = date | {"passed_by": passed["value"]}
    return found


def _post(found: Changed, settings: Settings, frame: Mapping[str, Any]) -> dict[str, Any]:
    claims = load_claims(settings.priors)
    read = load_tables(OF_THE_POST, settings.data)
    draws = post.revisit(found.fits, read, found.definitions, claims)
    document = build_document(draws, **frame)
    told = {name: {"statement": claim.statement} for name, claim in claims.items()}
    return {"post": document["quantities"], "post_notes": document["notes"], "claims": told}
