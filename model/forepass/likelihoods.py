"""How likely the data are under each draw of a fit, which the fit itself does not keep."""

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from forepass import kept
from forepass.posterior import build_model

if TYPE_CHECKING:
    from forepass.posterior import Fit
    from forepass.settings import Settings

__all__ = ["log_likelihood"]

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
        found = _computed(block, fit.posterior, settings).tolist()
        kept.keep(path, found, "likelihood")
    return np.asarray(found, dtype=float)


def _computed(block: str, posterior: xr.Dataset, settings: "Settings") -> Floats:
    import pymc as pm
    from pymc.model.transform.conditioning import remove_value_transforms
    from pytensor.configdefaults import config

    model = build_model(block, settings)
    # Where chains began plays no part here, and a model that says so is not taken.
    for variable in model.rvs_to_initial_values:
        model.rvs_to_initial_values[variable] = None
    # Values as the posterior keeps them, not as the sampler saw them.
    plain = remove_value_transforms(model)
    names = [variable.name for variable in plain.free_RVs]
    with config.change_flags(numba__fastmath=False):
        of_values = pm.pytensorf.compile(
            [plain.rvs_to_values[variable] for variable in plain.free_RVs],
            sum(term.sum() for term in plain.logp(vars=plain.observed_RVs, sum=False)),
            on_unused_input="ignore",
        )
    drawn = [posterior[name].transpose("draw", ...).to_numpy() for name in names]
    found = np.empty(posterior.sizes["draw"])
    of_structure = posterior[OF_A_DRAW].to_numpy() if STRUCTURE in plain else np.zeros(found.shape)
    for structure in np.unique(of_structure):
        if STRUCTURE in plain:
            pm.set_data({STRUCTURE: float(structure)}, model=plain)
        for place in np.flatnonzero(of_structure == structure):
            found[place] = of_values(*(values[place] for values in drawn))
    return found
