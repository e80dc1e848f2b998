"""The answer of ``forepass sensitivity`` as a document: three kinds of evidence for each belief."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from forepass import __version__, tasks
from forepass.documents import QUANTILES, Document
from forepass.sensitivities import GOOD_K, measurements, runs
from forepass.sensitivities.beliefs import SHOCKS, UNTRACED, Belief, contraction, kind
from forepass.sensitivities.drivers import Input, Share, drivers
from forepass.sensitivities.pairings import ShareOut
from forepass.sensitivities.prior_weight import PriorWeight, log_prior, moved_by_refit, power_scaled
from forepass.sensitivities.refits import POWER
from forepass.sensitivities.runs import Question
from forepass.sensitivities.what_if import Pairs, break_even, pairs, swing

SWING_DRAWS = 600
BREAK_EVEN_DRAWS = 800
NOTES = (
    "shares are of the variance of the log of the quantity; they are Shapley effects, which sum to "
    "100%, with 90% bootstrap intervals; 'alone' is what knowing it alone explains",
    "low and high: the median where the belief is at its 10th and its 90th percentile, all else "
    "and every shock the same; a dash: it was fitted to the record, or acts through the fit alone",
    "prior: how far the answer moves for each doubling of the prior's power; ! where it is 0.05 or "
    f"more, and more than chance; ? where Pareto k is above {GOOD_K:g} at any step, so that only a "
    "new fit could tell; learned: share of the prior's variance that data took away",
)

type Floats = NDArray[np.float64]
type Posteriors = Mapping[str, xr.Dataset]
type Refit = Callable[[Sequence[Sequence[Belief]]], Sequence[Posteriors | str]]
"""Fits anew, for each set of beliefs of a block, with their priors raised; returns every block's
draws, or why there are none."""
type Weigh = Callable[[Sequence[Belief]], dict[str, Any]]
"""Tells how the answer moves with the power of the beliefs' priors, all of them together."""


def sensitivity_document(
    question: Question,
    posteriors: Posteriors,
    beliefs: Sequence[Belief],
    *,
    top: int,
    measure: bool,
    likelihoods: Mapping[str, Floats],
    frame: Mapping[str, Any],
    refit: Refit | None = None,
    draws: int = 0,
    share_out: ShareOut = tasks.here,
) -> Document:
    """Return what drives a quantity, what low and high beliefs do, and whether priors decide.

    Parameters
    ----------
    top : how many beliefs are told of.
    measure : whether to rank measurements too.
    likelihoods
        Log likelihood of a block's data at its draws, by block, dims (draw,); none leaves it out.
    frame : seed, as_of and inputs, as `forepass.documents.build_document` takes them.
    refit : where given, tells what importance weights cannot tell of priors.
    draws, share_out : as `forepass.sensitivities.drivers.drivers` takes them.
    """
    found = drivers(question, posteriors, beliefs, draws=draws, share_out=share_out)
    logs = found.rows.logs
    few = pairs(question, posteriors, logs, draws=SWING_DRAWS)
    weighed = [[one.belief] for one in found.inputs[:top] if one.belief is not None]
    weighed += [[b for b in beliefs if b.subject == share.name] for share in found.subjects]
    weighed += [[b for b in beliefs if b.block == block] for block in likelihoods]
    weigh = _weigher(question, weighed, logs, refit)
    rows = [_of_input(one, few, weigh) for one in found.inputs[:top]]
    document = _framed(question, posteriors, frame)
    document |= {
        "variance_of_log": float(np.nanvar(logs)),
        "kinds": [_told(share) for share in found.kinds],
        "blocks": [_told(share) for share in found.blocks],
        "groups": [
            {**_told(share), **weigh([b for b in beliefs if b.subject == share.name])}
            for share in found.subjects
        ],
        "beliefs": rows,
    }
    notes = [*NOTES]
    missing = float(np.mean(~np.isfinite(logs)))
    if missing:
        notes.append(f"{missing:.1%} of draws have no {question.quantity} above 0 and are left out")
    if draws:
        notes.append(
            f"shares of {len(found.rows.output):,} paired runs of the model, those of blocks of at "
            "least as many: what the posteriors' own draws are too few to tell stays untold"
        )
    if likelihoods:
        document["likelihoods"] = [
            _of_data(block, power_scaled(logs, log_weights))
            | weigh([belief for belief in beliefs if belief.block == block])
            for block, log_weights in likelihoods.items()
        ]
    if measure:
        document["measurements"] = _measurements(question, posteriors, beliefs, logs, frame)
        document["exactly_known"] = [
            {
                "name": entry["name"],
                "variance_explained": entry["first"],
                "interval_shrinks_by": measurements.shrinkage(entry["first"]),
            }
            for entry in document["groups"]
            if UNTRACED not in entry["name"] and SHOCKS not in entry["name"]
        ]
    if refit is not None:
        notes += _of_refits([*document["groups"], *rows, *document.get("likelihoods", [])])
    document["notes"] = notes
    return document


def break_even_document(
    question: Question,
    posteriors: Posteriors,
    belief: Belief,
    *,
    above: bool,
    threshold: float,
    frame: Mapping[str, Any],
) -> Document:
    """Return what a belief must be for the median of a quantity to cross a threshold."""
    logs = runs.values(question, posteriors)
    runs.check_spread(question, logs)
    few = pairs(question, posteriors, logs, draws=BREAK_EVEN_DRAWS)
    found = break_even(few, belief, above=above, threshold=threshold)
    return _framed(question, posteriors, frame) | {
        "break_even": {
            "belief": belief.key,
            "words": belief.words,
            "relation": ">" if above else "<",
            "belief_unit": belief.prior.unit if belief.prior else "",
            "threshold": threshold,
            **asdict(found),
            **{f"belief_{key}": float(np.quantile(belief.draws, level)) for key, level in ENDS},
        },
        "notes": [
            f"by intervention with {BREAK_EVEN_DRAWS} paired draws: what the fit learned of other "
            "beliefs stays as it is"
        ],
    }


ENDS = tuple((key, level) for key, level in QUANTILES.items() if key in ("p10", "p50", "p90"))


def _framed(question: Question, posteriors: Posteriors, frame: Mapping[str, Any]) -> Document:
    array = runs.quantity(question, posteriors)
    known = array.values[np.isfinite(array.values)]
    words = str(array.attrs["long_name"])
    return {
        "forepass": __version__,
        **frame,
        "quantity": {
            "name": question.quantity,
            "year": question.year,
            "unit": array.attrs["units"],
            "long_name": words[0].upper() + words[1:],
            **{key: float(np.quantile(known, level)) for key, level in ENDS},
        },
    }


def _of_input(one: Input, few: Pairs, weigh: Weigh) -> dict[str, Any]:
    """Return the three kinds of evidence on one belief, or the first on what was fitted."""
    entry = {**_told(one.share), "block": one.block}
    if one.belief is None:
        words = one.share.name[0].upper() + one.share.name[1:]
        return entry | {"words": words, "kind": "data", "acts_forward": False}
    belief, swung = one.belief, swing(few, one.belief)
    return entry | {
        "words": belief.words,
        "kind": kind(belief),
        "subject": belief.subject,
        "unit": belief.prior.unit if belief.prior else "",
        "learned": contraction(belief),
        **asdict(swung),
        "acts_forward": bool(abs(np.log(swung.at_high / swung.at_low)) > 1e-12),
        **weigh([belief]),
    }


def _told(share: Share) -> dict[str, Any]:
    """Return a share as an entry, its interval under names that a belief's own do not use."""
    return {
        "name": share.name,
        "first": share.first,
        "total": share.total,
        "share": share.shapley,
        "share_p05": share.low,
        "share_p95": share.high,
    }


def _elicited(beliefs: Sequence[Belief]) -> list[Belief]:
    return [belief for belief in beliefs if belief.prior is not None]


def _weigher(
    question: Question, sets: Sequence[Sequence[Belief]], logs: Floats, refit: Refit | None
) -> Weigh:
    """Return what tells how the answer moves with the power of the priors of each set, together.

    A new fit tells it where importance weights cannot, if one is to be had.
    """
    told: dict[frozenset[str], PriorWeight] = {}
    untold: dict[frozenset[str], list[Belief]] = {}

    def key(beliefs: Sequence[Belief]) -> frozenset[str]:
        return frozenset(belief.key for belief in beliefs)

    def priors(beliefs: Sequence[Belief]) -> frozenset[str]:
        # Which a fit raises in all their places.
        return frozenset(f"{belief.block}.{belief.variable}" for belief in beliefs)

    for beliefs in filter(None, map(_elicited, sets)):
        weight = told[key(beliefs)] = power_scaled(logs, log_prior(beliefs, len(logs)))
        if refit is not None and not weight.trusted:
            untold[priors(beliefs)] = beliefs
    made = [] if refit is None else refit(list(untold.values()))
    anew = {
        name: one if isinstance(one, str) else runs.values(question, one)
        for name, one in zip(untold, made, strict=True)
    }

    def weigh(beliefs: Sequence[Belief]) -> dict[str, Any]:
        beliefs = _elicited(beliefs)
        if not beliefs:
            return {"prior_sensitivity": None, "prior_moves": False, "pareto_k": None}
        weight = told[key(beliefs)]
        about: dict[str, Any] = {"pareto_k": weight.pareto_k}
        known = weight.trusted
        again = None if known else anew.get(priors(beliefs))
        if isinstance(again, str):
            about |= {"refitted": False, "not_refitted_because": again}
        elif again is not None:
            weight, known = moved_by_refit(logs, again, POWER), True
            about["refitted"] = True
        return about | {
            "prior_sensitivity": weight.sensitivity,
            "prior_moves": known and weight.moves,
            "prior_power": weight.power,
            "prior_noise": weight.noise,
        }

    return weigh


def _of_refits(entries: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what a reader must know of fits that were made anew, and of those that were not."""
    asked = [entry for entry in entries if "refitted" in entry]
    if not asked:
        return ["refitted: nothing, for importance weights could tell everywhere"]
    failed = [e for e in asked if not e["refitted"]]
    notes = [
        f"{e.get('words', e['name'])}: not refitted: {e['not_refitted_because']}" for e in failed
    ]
    if len(failed) < len(asked):
        notes.append(
            "refitted: from a new fit with the prior at twice its power, in all places of a belief"
        )
    return notes


def _of_data(block: str, data: PriorWeight) -> dict[str, Any]:
    """Return how the answer moves with the power of a block's data."""
    told = {f"likelihood_{key}": value for key, value in asdict(data).items()}
    return {"name": block, **told, "likelihood_moves": data.trusted and data.moves}


def _measurements(
    question: Question,
    posteriors: Posteriors,
    beliefs: Sequence[Belief],
    logs: Floats,
    frame: Mapping[str, Any],
) -> list[dict[str, Any]]:
    year = min(int(str(frame["as_of"])[:4]), question.year)
    ranked = measurements.worth(question, posteriors, logs, beliefs, measured_in=year)
    return [
        {
            "name": one.measurement.of,
            "words": one.measurement.words,
            "error": one.measurement.error,
            "year": year,
            "variance_explained": one.explained,
            "variance_explained_p05": one.low,
            "variance_explained_p95": one.high,
            "interval_shrinks_by": measurements.shrinkage(one.explained),
        }
        for one in ranked
    ]
