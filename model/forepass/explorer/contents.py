"""All that a page holds: headlines, levers, priors, and the draws packed as text."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forepass import __version__
from forepass.explorer.ingredients import HEADLINES, ingredients, narrowed
from forepass.explorer.levers import levers, runs
from forepass.explorer.moved_priors import SCORES, priors_of
from forepass.explorer.packing import pack
from forepass.forward.timing import part_of_year
from forepass.sensitivities.beliefs import all_beliefs
from forepass.what_if.changed import Changed, projected
from forepass.what_if.scenarios import Scenario

type Floats = NDArray[np.float64]


def stages(found: Changed) -> list[str]:
    """Return the names of the runs that a page takes."""
    return ["as believed", *(f"{one.name} {at:g}" for one in levers(found) for at in one.levels)]


def contents(
    found: Changed,
    scenario: Scenario,
    years: Sequence[int],
    *,
    seed: int,
    done: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Return what the page is made of, as JSON holds it, with the draws as text.

    ``done`` is told of each of `stages` when it has been run.
    """
    believed = narrowed(projected(found, seed), years)
    arrays = ingredients(believed)
    done("as believed")
    records = []
    for lever in levers(found):
        changed = runs(lever, found, scenario, believed, seed=seed, done=done)
        record = dataclasses.asdict(lever) | {"option": lever.option, "changes": {}}
        for name, values in changed.items():
            record["changes"][name] = f"{name}|{lever.name}"
            # Early years do not change.
            arrays[f"{name}|{lever.name}"] = np.array(values)
        records.append(record)
    posteriors = {block: fit.posterior for block, fit in found.fits.items()}
    pinned = {(pin.block, pin.name) for pin in found.interventions.pins}
    beliefs = all_beliefs(posteriors, found.priors)
    free = (one for one in beliefs if (one.block, one.variable) not in pinned)
    priors, arrays["scores"] = priors_of(free)
    packed, places = pack(arrays)
    return {
        "forepass": __version__,
        "years": list(years),
        "draws": len(arrays["human_rate"]),
        "headlines": [
            dataclasses.asdict(headline)
            | {
                "title": headline.title.format(reference=found.definitions.reference_model),
                "about": headline.about.format(reference=found.definitions.reference_model),
                "command": headline.command,
                "holds_at": part_of_year(headline.name),
            }
            for headline in HEADLINES
        ],
        "levers": records,
        "constants": {"speed": found.definitions.copy_speed_tokens_per_s},
        "priors": priors,
        "scores_at": SCORES.tolist(),
        "places": places,
        "notes": found.notes,
        "packed": packed,
    }
