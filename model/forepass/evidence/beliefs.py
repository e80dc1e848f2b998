"""Every prior beside its posterior: what was stated, why, and what the data made of it."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from forepass.inputs.elicitation import log_density, quantile
from forepass.inputs.families import FAMILIES
from forepass.inputs.priors import Prior
from forepass.sensitivities.beliefs import Belief, all_beliefs, contraction, title

LEVELS = (0.1, 0.5, 0.9)
ENDS = (0.005, 0.995)
POINTS = 61
"""Of each curve."""
WIDTH = 1.06
"""Of Scott's rule for the bandwidth of a density, over n to the fifth root [1]_."""

type Floats = NDArray[np.float64]


def beliefs(
    posteriors: Mapping[str, xr.Dataset], priors: Mapping[str, Mapping[str, Prior]]
) -> list[dict[str, Any]]:
    """Return a record of each prior: its statement, and quantiles and curves before and after data.

    A prior of several numbers has one record, its posterior that of all of them together. Curves
    are densities at ``x`` over their greatest, of the logs or logits where the prior is of those.

    References
    ----------
    .. [1] D. W. Scott, "Multivariate Density Estimation", 1992, section 6.
    """
    of: dict[tuple[str, str], list[Belief]] = {}
    for belief in all_beliefs(posteriors, priors):
        if belief.prior is not None:
            of.setdefault((belief.block, belief.variable), []).append(belief)
    return [
        _record(prior, of.get((block, name), []))
        for block, own in priors.items()
        for name, prior in own.items()
    ]


def _record(prior: Prior, fitted: list[Belief]) -> dict[str, Any]:
    as_stated = ("block", "name", "distribution", "unit", "source", "rationale")
    record = {
        **{field: getattr(prior, field) for field in as_stated},
        "words": title(prior.name),
        "prior": _named(quantile(prior, LEVELS)),
    }
    if not fitted:
        return record
    drawn = np.concatenate([belief.draws for belief in fitted])
    return record | {
        "learned": float(np.mean([contraction(belief) for belief in fitted])),
        "posterior": _named(np.quantile(drawn, LEVELS)),
        "curves": _curves(prior, drawn),
    }


def _named(quantiles: Floats) -> dict[str, float]:
    return dict(zip(("p10", "p50", "p90"), map(float, quantiles), strict=True))


def _curves(prior: Prior, drawn: Floats) -> dict[str, list[float]]:
    """Return both densities on the scale on which the prior's family is symmetric."""
    link = FAMILIES[prior.distribution].link
    there = link.forward if link else lambda x: x
    ends = np.concatenate([quantile(prior, ENDS), np.quantile(drawn, ENDS)])
    # Chips' rates and people's speeds lie many powers of ten apart: only the scale is kept apart.
    low, high = np.min(there(ends)), np.max(there(ends))
    scale = np.linspace(low, high, POINTS)
    x = link.backward(scale) if link else scale
    before = np.exp(log_density(prior, x) - (link.log_slope(x) if link else 0.0))
    values = there(drawn)
    width = WIDTH * max(float(np.std(values)), 1e-9) * len(values) ** -0.2
    apart = (scale[:, None] - values[None, :]) / width
    after = np.exp(-0.5 * apart**2).mean(axis=1)
    short = [float(f"{value:.4g}") for value in x]
    return {"x": short, "prior": _heights(before), "posterior": _heights(after)}


def _heights(density: Floats) -> list[float]:
    return [round(float(height), 4) for height in density / max(density.max(), 1e-300)]
