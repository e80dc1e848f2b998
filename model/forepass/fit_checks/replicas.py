"""Each block's data beside what its fit would say of them, had it not seen the row itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from arviz_stats.base import array
from numpy.typing import NDArray
from scipy.special import logsumexp

from forepass.calibration.block_records import SIZES, size_draws
from forepass.fit_checks.rows import about_rows
from forepass.likelihoods import over_draws, plain_model, pointwise
from forepass.settings import Settings

STATS: Any = array.array_stats  # its functions have no types

type Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Every row of an observed variable left out in turn, by importance sampling.

    Attributes
    ----------
    log_weights : of each draw where the row is left out, normalised, dims (draw, row).
    elpd : expected log density of each row, dims (row).
    effective : log density of the rows seen less that of the rows left out, summed.
    pareto_k : dims (row).
    """

    log_weights: Floats
    elpd: Floats
    effective: float
    pareto_k: Floats


@dataclass(frozen=True, slots=True)
class Quantity:
    """One observed quantity of a block, in one structure of its model.

    Attributes
    ----------
    name : of the variable, and of the structure or the column where it has several.
    left_out : of the rows that share a density; some quantities share it.
    pit : share of predictive draws below what was seen, the row left out, dims (row).
    residual : what was seen less the predictive median, dims (row).
    about : a column for each thing that residuals should not depend on, dims (row).
    """

    name: str
    left_out: LeftOut
    pit: Floats
    residual: Floats
    about: pd.DataFrame


def quantities(
    block: str, posterior: xr.Dataset, tables: Mapping[str, pd.DataFrame], settings: Settings
) -> list[Quantity]:
    """Return every observed quantity of a block against its leave-one-out predictive.

    Parameters
    ----------
    posterior : draws of its fit, dims (draw, ...).
    tables : those that the block reads.
    settings : folders and seed, the seed also of the predictive's noise.
    """
    model = plain_model(block, settings)
    densities = pointwise(model, posterior)
    outputs = [_replicate(variable) for variable in model.observed_RVs]
    drawn = over_draws(model, posterior, model.free_RVs, outputs, settings.seed)
    about = about_rows(block, tables, settings)
    lots = np.random.default_rng(settings.seed)
    found = []
    for variable in model.observed_RVs:
        name = str(variable.name)
        seen = np.asarray(model.rvs_to_values[variable].eval(), dtype=float)
        rows = about.get(name, {})
        for part, density, copies, values, keep in _parts(
            model, name, densities[name], drawn[name], seen, np.asarray(rows.get("known", True))
        ):
            left = leave_out(density)
            for label, of_draws, of_rows, known in _columns(part, copies, values, keep):
                weights = np.exp(left.log_weights[:, known])
                frame = pd.DataFrame(
                    {k: np.asarray(v)[known] for k, v in rows.items() if k != "known"}
                )
                middle = np.median(of_draws[:, known], axis=0)
                found.append(
                    Quantity(
                        label,
                        left,
                        _pit(of_draws[:, known], of_rows[known], weights, lots),
                        of_rows[known] - middle,
                        frame.assign(predicted=middle),
                    )
                )
    return found


def leave_out(log_likelihood: Floats) -> LeftOut:
    """Return each row left out in turn, from log densities with dims (draw, row)."""
    log_weights, k = STATS.psislw(log_likelihood, axis=0)
    log_weights = np.moveaxis(np.asarray(log_weights), -1, 0)
    log_weights = log_weights - logsumexp(log_weights, axis=0)
    elpd = logsumexp(log_weights + log_likelihood, axis=0)
    seen = logsumexp(log_likelihood, axis=0) - np.log(len(log_likelihood))
    # A weight that is the same in all draws leaves no tail to fit.
    k = np.nan_to_num(np.asarray(k, dtype=float), nan=0.0, posinf=99.0, neginf=0.0)
    return LeftOut(log_weights, np.asarray(elpd), float((seen - elpd).sum()), k)


def _pit(drawn: Floats, seen: Floats, weights: Floats, lots: np.random.Generator) -> Floats:
    """Return weighted shares of draws below what was seen; of what is tied, a random part."""
    below = (weights * (drawn < seen)).sum(axis=0)
    tied = (weights * (drawn == seen)).sum(axis=0)
    return np.asarray(np.clip(below + lots.uniform(size=seen.shape) * tied, 0.0, 1.0))


def _parts(model: Any, name: str, density: Floats, drawn: Floats, seen: Floats, known: Any) -> Any:  # noqa: ANN401
    """Yield a variable, once for each structure where it is seen under several."""
    known = np.broadcast_to(known, seen.shape)
    structures = model.coords.get("structure")
    if structures is None or seen.ndim < 2:
        yield name, density, drawn, seen, known
        return
    for at, structure in enumerate(structures):
        yield f"{name} ({structure})", density[:, at], drawn[:, at], seen[at], known[at]


def _columns(name: str, drawn: Floats, seen: Floats, known: NDArray[np.bool_]) -> Any:  # noqa: ANN401
    """Yield each column of what has several that share their rows, such as specs of a chip."""
    from forepass.blocks.chips.records import SPECS

    if seen.ndim == 1:
        yield name, drawn, seen, known
        return
    for place, spec in enumerate(SPECS):
        yield f"{name} {spec}", drawn[:, :, place], seen[:, place], known[:, place]


def _replicate(variable: Any) -> Any:  # noqa: ANN401 - tensors
    """Return what is drawn as the variable is; those with a density alone are drawn here."""
    import pytensor.tensor as pt

    if variable.name not in SIZES:
        return variable
    size, *mixed = size_draws(variable)
    return pt.switch(mixed[0], size, mixed[1]) if mixed else size
