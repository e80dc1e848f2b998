"""How likely a sheet of specs is: a normal of the specs that it states, the others left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from forepass.blocks.chips.records import SPECS, ChipRecords, specs_from_traits
from forepass.blocks.variables import prior_variable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from numpy.typing import NDArray
    from pytensor.tensor.variable import TensorVariable

    from forepass.inputs.priors import Prior

    type Tensor = TensorVariable[Any, Any]

__all__ = ["factorised", "join_specs", "kinds", "log_density"]


def kinds(records: ChipRecords) -> tuple[NDArray[np.float64], NDArray[np.int_]]:
    """Return the kinds of chips, and the kind of each chip.

    Chips with the same gaps and errors share a covariance, and so one factorisation. A kind is a
    row of what is present, of errors, and of whether it is announced; the last kind has nothing.
    """
    found, kind = np.unique(
        np.column_stack([records.present, records.error, records.announced]),
        axis=0,
        return_inverse=True,
    )
    return np.vstack([found, np.zeros_like(found[:1])]), kind.reshape(-1)


def join_specs(
    priors: Mapping[str, Prior], records: ChipRecords, factor: Tensor, mu: Tensor
) -> None:
    """Join log specs to their mean.

    The covariance of a chip's missing specs with the others is set to zero and their variance to
    one, which leaves exactly the marginal of the present ones, and a constant.
    """
    import pymc as pm

    factor = specs_from_traits(factor.T).T
    covariance = (factor[:, None, :] * factor[None, :, :]).sum(axis=-1)
    found, kind = kinds(records)
    here, stated, announced = np.split(found, [len(SPECS), 2 * len(SPECS)], axis=1)
    variance = (
        stated**2
        + prior_variable(priors["spec_error"]) ** 2
        + (np.array(SPECS) == "price") * prior_variable(priors["price_error"]) ** 2
        + announced * prior_variable(priors["roadmap_error"]) ** 2
    )
    alone = here * variance + (1 - here)
    joint = here[:, :, None] * here[:, None, :] * covariance
    joint = joint + alone[:, :, None] * np.eye(len(SPECS))
    chol, precision, log_det = factorised(joint)
    kind = pm.Data("kind_seen", kind)
    pm.CustomDist(
        "log_specs",
        pm.Data("present_seen", records.present.astype(float)) * mu,
        chol[kind],
        precision[kind],
        joint[kind],
        log_det[kind],
        dist=_sheets,
        logp=log_density,
        signature="(s),(s,s),(s,s),(s,s),()->(s)",
        observed=pm.Data("log_specs_seen", records.log_specs),
        dims=("chip", "spec"),
    )


def _sheets(mu: Tensor, chol: Tensor, *rest: Tensor) -> Tensor:
    """Return chips' log specs, normal around their mean with the covariance of their kind."""
    import pymc as pm

    *_, size = rest
    return pm.MvNormal.dist(mu, chol=chol, size=size)


def factorised(covariance: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return Cholesky factors, precisions and log determinants of covariances, (kind, ...).

    A log determinant is the least of tr(P covariance) - log det P - n over matrices P, reached at
    the precision. There its gradient is the precision, so none passes through the factorisation,
    which would cost more than all else in the model.
    """
    import pytensor.tensor as pt

    def factors(covariance: Tensor) -> list[Tensor]:
        chol = pt.linalg.cholesky(covariance)
        whiten = pt.linalg.solve_triangular(chol, pt.as_tensor(np.eye(len(SPECS))), lower=True)
        scale = (chol * np.eye(len(SPECS))).sum(axis=-1)
        precision = (whiten[:, :, :, None] * whiten[:, :, None, :]).sum(axis=1)
        return [chol, precision, 2 * pt.log(scale).sum(axis=-1) - len(SPECS)]

    chol, precision, rest = _held(factors, covariance)
    return chol, precision, (precision * covariance).sum(axis=(1, 2)) + rest


def _held(function: Callable[..., list[Any]], *inputs: Tensor) -> Any:  # noqa: ANN401
    """Return the outputs of a function, a list, through which no gradient passes."""
    from pytensor.compile.builders import OpFromGraph

    # Not `disconnected_grad`, which is gone from the graph by the time that gradients are taken.
    own = [value.type() for value in inputs]
    outputs = function(*own)
    apart = [[False] * len(outputs)] * len(inputs)
    held = OpFromGraph(own, outputs, inline=True, connection_pattern=apart)
    return held(*inputs, return_list=True)


def log_density(
    value: Tensor, mu: Tensor, _chol: Tensor, precision: Tensor, covariance: Tensor, log_det: Tensor
) -> Tensor:
    """Return the log density of `_sheets`.

    As with the log determinant, the squared distance is the most of 2 a off - a covariance a over
    vectors a, and its gradient that at the best one.
    """
    off = value - mu
    (best,) = _held(lambda p, o: [(p * o[:, None, :]).sum(axis=-1)], precision, off)
    spread = (best[:, :, None] * best[:, None, :] * covariance).sum(axis=(1, 2))
    squared = 2 * (best * off).sum(axis=-1) - spread
    return -(squared + log_det + len(SPECS) * np.log(2 * np.pi)) / 2
