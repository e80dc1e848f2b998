"""Priors as variables of a PyMC model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytensor.tensor.variable import TensorVariable

    from forepass.inputs.priors import Prior


def prior_variable(
    prior: Prior, *, dims: str | Sequence[str] | None = None, name: str | None = None
) -> TensorVariable[Any, Any]:
    """Return a free variable distributed as the prior, in its unit; call it inside a model.

    Each element along ``dims`` gets the same prior, independently. The name in the model and the
    posterior is the prior's own unless given.
    """
    import pymc as pm

    family = getattr(pm, prior.distribution)
    options = {}
    if prior.distribution == "LogitNormal":
        # PyMC samples it on (0, 1) as it stands, and the walls at both ends make chains diverge.
        options["default_transform"] = pm.distributions.transforms.logodds
    return family(name or prior.name, **prior.parameters, **options, dims=dims)
