"""Priors as the page moves them: the draws' normal scores, from which importance weights follow.

Where F is a prior's distribution function and z the normal score of a draw x, F(x) = Φ(z), the
prior moved by s and stretched by w is that of F⁻¹(Φ(s + w z)): of the same family where it is
Normal, in logs or in logits, and close to it otherwise. New over old density at a draw is then the
ratio of two Normal densities of its score, whatever the family [1]_.

References
----------
.. [1] A. Vehtari, D. Simpson, A. Gelman, Y. Yao, J. Gabry, "Pareto smoothed importance sampling",
   JMLR 25, 2024, for the weights and when they can be relied on.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from forepass.inputs.families import FAMILIES, family_quantile
from forepass.inputs.priors import Prior
from forepass.sensitivities.beliefs import Belief, kind, prior_scores, title

SCORES = np.arange(-6.0, 6.01, 0.5)
"""Normal scores whose values the page knows; it runs straight between them."""

type Floats = NDArray[np.float64]


def priors_of(beliefs: Iterable[Belief]) -> tuple[list[dict[str, Any]], Floats]:
    """Return the elicited priors as the page shows and moves them, and scores, dims (column, draw).

    A prior of several numbers has a column for each.
    """
    found: dict[tuple[str, str], dict[str, Any]] = {}
    columns: list[Floats] = []
    for belief in beliefs:
        if belief.prior is None:
            continue
        key = (belief.block, belief.variable)
        record = found.setdefault(key, _record(belief.prior, kind(belief)))
        record["columns"].append([len(columns), belief.words, belief.label])
        columns.append(prior_scores(belief.prior, belief.draws))
    return list(found.values()), np.array(columns)


def _record(prior: Prior, rests_on: str) -> dict[str, Any]:
    values = family_quantile(FAMILIES[prior.distribution], prior.parameters, special.ndtr(SCORES))
    as_stated = ("block", "name", "distribution", "unit", "source", "rationale")
    return {
        **{field: getattr(prior, field) for field in as_stated},
        "title": title(prior.name),
        "rests_on": rests_on,
        "support": [float(end) if np.isfinite(end) else None for end in prior.support],
        "quantiles_stated": FAMILIES[prior.distribution].quantiles,
        "at_scores": [float(f"{value:.6g}") for value in values],
        "columns": [],
    }
