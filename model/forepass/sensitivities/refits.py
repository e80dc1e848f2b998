"""Priors at twice their power, for a fit where importance weights cannot stand for one."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

from forepass import posterior
from forepass.inputs.elicitation import LEVELS
from forepass.inputs.families import FAMILIES, LEAST_SHAPE, Parameters, family_quantile
from forepass.inputs.priors import Prior
from forepass.kept_fits import Fit
from forepass.settings import Settings
from forepass.what_if import replaced_priors
from forepass.what_if.scenarios import Layer, Scenario, with_layer

POWER = 2.0
"""Sensitivities are for each doubling; narrower priors also fit more surely than wider ones."""


class NotRefittedError(Exception):
    """A fit with priors at another power is not to be had; the message says why."""


def refitted(
    asked: tuple[int, Scenario, Sequence[Prior]], settings: Settings
) -> dict[str, Fit] | str:
    """Return the fits of the blocks whose priors are raised in a scenario, or why there is none."""
    _, scenario, priors = asked
    try:
        layer = raised(priors)
        own = replaced_priors.overlaid(with_layer(scenario, layer), settings)
        return posterior.fitted(list(layer.priors), own)
    except (NotRefittedError, posterior.FitFailed) as failure:
        return str(failure).partition(";")[0]


def raised(priors: Iterable[Prior]) -> Layer:
    """Return what a scenario would ask that puts priors of a block at `POWER`.

    The power is of the density in the prior's unit, as importance weights have it; families that
    are closed under powers are found again exactly.

    Raises
    ------
    NotRefittedError
        Naming a prior whose family is not, or whose density has no such power.
    """
    tables: dict[str, dict[str, Any]] = {}
    for prior in priors:
        tables.setdefault(prior.block, {})[prior.name] = _raised(prior)
    return Layer("priors at twice their power", priors=tables)


def _raised(prior: Prior) -> dict[str, Any]:
    parameters = raised_parameters(prior.distribution, prior.parameters, POWER)
    if parameters is None:
        raise NotRefittedError(
            f"the density of {prior.name}, {prior.distribution}, has no such power in its family"
        )
    family = FAMILIES[prior.distribution]
    labels = ("p10", "p90") if family.quantiles > 1 else ("p50",)
    ends = family_quantile(family, parameters, [LEVELS[label] for label in labels])
    words = {field: getattr(prior, field) for field in ("unit", "source", "rationale")}
    table = {"distribution": prior.distribution, **words}
    if math.isfinite(prior.support[0]) or math.isfinite(prior.support[1]):
        table["support"] = list(prior.support)
    return table | dict(zip(labels, map(float, ends), strict=True))


def raised_parameters(distribution: str, of: Parameters, power: float) -> Parameters | None:
    """Return the parameters at which a family's density is a power of another, or None."""
    match distribution:
        case "Normal" | "HalfNormal":
            return of | {"sigma": of["sigma"] / math.sqrt(power)}
        case "LogNormal":
            # The density has 1/x besides, whose power moves the centre.
            centre = of["mu"] + of["sigma"] ** 2 * (1 / power - 1)
            return {"mu": centre, "sigma": of["sigma"] / math.sqrt(power)}
        case "Exponential":
            return {"lam": power * of["lam"]}
        case "Gamma" | "Beta":
            found = {name: 1 + power * (value - 1) for name, value in of.items()}
            if distribution == "Gamma":
                found["beta"] = power * of["beta"]
            return found if min(found.values()) >= LEAST_SHAPE else None
    return None
