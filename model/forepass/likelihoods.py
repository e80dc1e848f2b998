"""How likely the data are under each draw of a fit, which the fit itself does not keep."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from forepass import kept
from forepass.posterior import build_model

if TYPE_CHECKING:
    import pymc as pm

    from forepass.posterior import Fit
    from forepass.settings import Settings

__all__ = ["log_likelihood", "over_draws", "plain_model", "pointwise", "without_transforms"]

STRUCTURE = "is_limited"
"""The data by which a model of two structures tells which one a draw is of, where it has any."""
OF_A_DRAW = "limit_bound"

type Floats = NDArray[np.float64]


def log_likelihood(block: str, fit: "Fit", settings: "Settings") -> Floats:
    """Return the log likelihood of all of a block's data under each draw, dims (draw).

    It takes seconds a block the first time, and is then kept by the key of the fit.

    Parameters
    ----------
    block : name of the block.
    fit : of its model on the tables and priors of ``settings``.
    settings : folders, seed and cache.
    """
    path = settings.cache / "likelihoods" / f"{block}-{fit.key[:20]}.json"
    found = kept.read_kept(path, "likelihood")
    if found is None or len(found) != fit.posterior.sizes["draw"]:
        terms = pointwise(plain_model(block, settings), fit.posterior).values()
        each = [term.reshape(len(term), -1).sum(axis=1) for term in terms]
        found = np.sum(each, axis=0).tolist()
        kept.keep(path, found, "likelihood")
    return np.asarray(found, dtype=float)


def pointwise(model: "pm.Model", posterior: xr.Dataset) -> dict[str, Floats]:
    """Return the log density of each row of a block's data, by observed variable, (draw, ...).

    Rows that a model joins as one have one density, such as the specs of a chip. The model is as
    `plain_model` returns it.
    """
    inputs = [model.rvs_to_values[variable] for variable in model.free_RVs]
    terms = model.logp(vars=model.observed_RVs, sum=False)
    return over_draws(model, posterior, inputs, terms)


def plain_model(block: str, settings: "Settings") -> "pm.Model":
    """Return a block's model with values as the posterior keeps them, not as the sampler saw."""
    return without_transforms(build_model(block, settings))


def without_transforms(model: "pm.Model") -> "pm.Model":
    """Return a copy of a model whose free variables have their own values, not transformed ones."""
    from pymc.model.transform.conditioning import remove_value_transforms

    # Where chains begin plays no part in it, and a model that says so is not taken.
    begun = dict(model.rvs_to_initial_values)
    model.rvs_to_initial_values.update(dict.fromkeys(begun))
    plain = remove_value_transforms(model)
    model.rvs_to_initial_values.update(begun)
    return plain


def over_draws(
    model: "pm.Model",
    posterior: xr.Dataset,
    inputs: Sequence[Any],
    outputs: Sequence[Any],
    seed: int | None = None,
) -> dict[str, Floats]:
    """Return what each output is in each draw, by observed variable, dims (draw, ...).

    Parameters
    ----------
    inputs : what stands for each free variable in the outputs' graphs.
    outputs : one for each observed variable.
    seed : of what is random in the outputs.
    """
    import pymc as pm
    from pytensor.configdefaults import config

    with config.change_flags(numba__fastmath=False):
        evaluate = pm.pytensorf.compile(
            inputs, list(outputs), random_seed=seed, on_unused_input="ignore"
        )
    drawn = [posterior[v.name].transpose("draw", ...).to_numpy() for v in model.free_RVs]
    n_draws = posterior.sizes["draw"]
    rows: list[list[Floats]] = [[]] * n_draws
    of_structure = posterior[OF_A_DRAW].to_numpy() if STRUCTURE in model else np.zeros(n_draws)
    for structure in np.unique(of_structure):
        if STRUCTURE in model:
            pm.set_data({STRUCTURE: float(structure)}, model=model)
        for place in np.flatnonzero(of_structure == structure):
            rows[place] = evaluate(*(values[place] for values in drawn))
    names = [variable.name for variable in model.observed_RVs]
    return {
        name: np.stack(of_all) for name, of_all in zip(names, zip(*rows, strict=True), strict=True)
    }
