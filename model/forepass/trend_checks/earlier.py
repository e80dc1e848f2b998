"""Fits as they would have been at an earlier date, and weights of structures by what came.

The rows before a cut are moved forward in time, until their end is where the record's end is now.
The model then stands to them as it stands to today's rows, its beliefs about dates moved with them;
beliefs about levels and growth, which were stated with the later rows in view, are widened.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from forepass.blocks.trends import times
from forepass.inputs.dates import EPOCH_YEAR
from forepass.inputs.priors import Prior, load_priors
from forepass.inputs.tables import load_tables
from forepass.posterior import block_module

if TYPE_CHECKING:
    from forepass.settings import Settings

__all__ = [
    "CUTS",
    "GROWTH_WIDER",
    "LEVEL_WIDER",
    "crps_terms",
    "fit_before",
    "least_crps",
    "rows_of",
    "seen_from_then",
    "weight_of_second",
]

CUTS = (2020.0, 2022.0, 2024.0)
CHAINS, DRAWS, TUNE = 2, 600, 600
LEVEL_WIDER, GROWTH_WIDER = 5.0, 2.0
RESAMPLED = 500

type Floats = NDArray[np.float64]


def fit_before(
    block: str,
    cut: float,
    settings: "Settings",
    *,
    moved_to: float,
    wider: Mapping[str, float],
    dated: Iterable[str],
) -> xr.Dataset:
    """Return draws, dims (draw, ...), of a block fitted to its releases before a cut.

    Parameters
    ----------
    block
        Name of the block; its first table holds the releases.
    cut
        Decimal year.
    settings
        Folders and seed.
    moved_to
        Turn of the year to which the cut is moved.
    wider
        By how much the standard deviation of a prior, on its own scale, is multiplied.
    dated
        Priors that are years since 2022, and move with the rows.
    """
    import nutpie
    from pytensor.configdefaults import config

    module = block_module(block)
    tables = load_tables(module.TABLES, settings.data)
    releases, by = tables[module.TABLES[0]], int(moved_to - cut)
    early = releases[times(releases["release_date"]) + EPOCH_YEAR < cut]
    later_year = (early["release_date"].str[:4].astype(int) + by).astype(str)
    moved = early.assign(release_date=later_year + early["release_date"].str[4:])
    priors = {
        name: seen_from_then(prior, wider.get(name, 1.0), by if name in set(dated) else 0)
        for name, prior in load_priors(block, settings.priors).items()
    }
    with config.change_flags(numba__fastmath=False):
        compiled = nutpie.compile_pymc_model(
            module.build({**tables, module.TABLES[0]: moved}, priors)
        )
        tree = nutpie.sample(
            compiled,
            draws=DRAWS,
            tune=TUNE,
            chains=CHAINS,
            cores=CHAINS,
            seed=settings.seed,
            target_accept=0.9,
            progress_bar=False,
            save_warmup=False,
        )
    draws = tree.posterior.dataset.stack(sample=("chain", "draw"), create_index=False)
    draws = draws.drop_vars(["chain", "draw"], errors="ignore").rename(sample="draw")
    return draws.transpose("draw", ...)


def weight_of_second(
    pieces: Iterable[tuple[Floats, Floats, Floats]], *, seed: int
) -> dict[str, float]:
    """Return the weight of the second of two structures that makes the mixture's CRPS least.

    Parameters
    ----------
    pieces
        For each cut the draws of both structures, dims (draw, row), and what came, dims (row).
    seed
        Of the pairing of draws and of the resampling of rows.

    Returns
    -------
    dict
        `best` over all rows, and `p10` and `p90` over resampled ones.
    """
    rng = np.random.default_rng(seed)
    return least_crps(np.concatenate([crps_terms(*piece, rng) for piece in pieces]), rng)


def least_crps(terms: Floats, rng: np.random.Generator) -> dict[str, float]:
    """Return the weight that makes the CRPS least: over all rows of `crps_terms`, and resampled."""
    again = [
        _least(terms[rng.integers(len(terms), size=len(terms))].sum(axis=0))
        for _ in range(RESAMPLED)
    ]
    low, high = np.quantile(again, [0.1, 0.9])
    return {"best": _least(terms.sum(axis=0)), "p10": float(low), "p90": float(high)}


def crps_terms(one: Floats, two: Floats, truth: Floats, rng: np.random.Generator) -> Floats:
    """Return the mean distances that the CRPS of a mixture of two is made of, dims (..., 5).

    Of each structure's draws, dims (draw, ...), to the truth, dims (...), and between two draws: of
    the first structure, of one and the other, and of the second.
    """
    other = rng.permutation(len(one))
    apart: tuple[Any, ...] = (
        one - truth,
        two - truth,
        one - one[other],
        one - two[other],
        two - two[other],
    )
    return np.stack([np.abs(distance).mean(axis=0) for distance in apart], axis=-1)


def _least(terms: Floats) -> float:
    weight = np.linspace(0, 1, 101)
    to_truth = (1 - weight) * terms[0] + weight * terms[1]
    between = (
        (1 - weight) ** 2 * terms[2] + 2 * weight * (1 - weight) * terms[3] + weight**2 * terms[4]
    )
    return float(weight[(to_truth - between / 2).argmin()])


def seen_from_then(prior: Prior, wider: float, later: int) -> Prior:
    """Return a belief with so many times its standard deviation, moved by so many years."""
    changed = dict(prior.parameters)
    if "sigma" in changed:
        changed["sigma"] = changed["sigma"] * wider
    if later:
        changed["mu"] = changed["mu"] + later
    return replace(prior, parameters=changed)


def rows_of(frame: pd.DataFrame, value: Floats) -> pd.DataFrame:
    """Return what a score needs of releases: decimal year, log value, developer, error."""
    return pd.DataFrame(
        {
            "when": frame["when"].to_numpy() + EPOCH_YEAR,
            "value": value,
            "developer": frame["developer"].to_numpy(),
            "error": frame["params_relative_error"].fillna(0.0).to_numpy(),
        }
    )
