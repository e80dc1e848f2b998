"""Released models: their sizes, share active, context and cache, each as its sheet tells it."""

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from forepass.backtest.targets import Draws, Target, row_frame
from forepass.blocks.growth import sigmoid
from forepass.blocks.language_models.paths import (
    ORIGIN,
    kinds_reached,
    log_kv,
    of_structure,
    plain,
    structures,
    trait_path,
)
from forepass.blocks.language_models.records import PROBES, decoder_releases, frontier_releases
from forepass.blocks.trends import between_years, times
from forepass.inputs.dates import EPOCH_YEAR
from forepass.inputs.definitions import load_definitions
from forepass.inputs.tables import load_table
from forepass.settings import Settings

BLOCK = "language_models"
NEEDS = (BLOCK,)
TARGETS = {
    "active": Target(
        "active parameters", "parameters", fan="another", scale=1e-9, shown_in="billion"
    ),
    "total": Target("total parameters", "parameters"),
    "fraction": Target("share active", "1"),
    "context": Target("longest context", "tokens"),
    "kv": Target("cache per token", "bytes"),
}

type Floats = NDArray[np.float64]
type Integers = NDArray[np.int_]


def records(settings: Settings) -> dict[str, pd.DataFrame]:
    """Return releases by target, their developer as the series, with error and what alters them.

    Columns `off_frontier` and `probed` are 0 or 1. Of shares the value is the log, not the logit.
    """
    chosen = load_definitions(settings.priors)
    releases = decoder_releases(load_table(BLOCK, settings.data))
    frontier = frontier_releases(
        releases, factor=chosen.frontier_window_factor, window_years=chosen.frontier_window_years
    )
    unbound = {
        what: releases[[f"{what}_low", f"{what}_high"]].isna().all(axis=1)
        for what in ("active_params", "total_params")
    }
    share = releases["active_params"] / releases["total_params"]
    at_frontier = releases.index.isin(frontier.index)
    values = {
        "active": releases["active_params"].where(at_frontier & unbound["active_params"]),
        "total": releases["total_params"].where(at_frontier & unbound["total_params"]),
        "fraction": share.where((share < 1) & unbound["active_params"]),
        "context": releases["max_context_tokens"],
        "kv": releases["kv_bytes_per_token_16bit"].where(at_frontier),
    }
    found = {}
    for name, value in values.items():
        told = value.notna()
        of = releases[told]
        found[name] = row_frame(
            times(of["release_date"]),
            np.log(value[told].to_numpy()),
            of["developer"].to_numpy(),
            error=of["params_relative_error"].fillna(0.0).to_numpy(),
            off_frontier=~at_frontier[told.to_numpy()],
            probed=of["source"].str.contains(PROBES).to_numpy(),
        )
    return found


def predicted(
    draws: Draws, rows: pd.DataFrame, target: str, settings: Settings, rng: np.random.Generator
) -> Floats:
    """Return draws of the log of a quantity of releases, dims (draw, row)."""
    posterior = draws[BLOCK]
    structure_rng, own_rng = rng.spawn(2)
    chosen = structures(posterior, structure_rng)
    when = rows["when"].to_numpy() - EPOCH_YEAR
    shape = (len(posterior["draw"]), len(rows))
    path_rng, scatter_rng, lot_rng, effect_rng = own_rng.spawn(4)
    noise = scatter_rng.standard_normal((3, *shape))
    draw = {
        **plain(posterior),
        **of_structure(posterior, chosen["active"], "active", "moe", "probe"),
        **of_structure(posterior, chosen["fraction"], "fraction"),
        **of_structure(posterior, chosen["context"], "context"),
    }
    first = int(posterior["record_year"][0])
    years = np.arange(first, max(int(when.max(initial=0)) + EPOCH_YEAR, first) + 2)

    def trend(trait: str) -> Floats:
        path = trait_path(posterior, trait, years, chosen[trait], path_rng.spawn(1)[0])
        return between_years(path, years, when)

    def of(name: str) -> Floats:
        return draw[name][:, None]

    if target == "context":
        return np.asarray(trend("context") + of("context_scatter") * noise[0])
    effects = {
        trait: _effects(posterior, trait, rows["series"], chosen[trait], effect_rng)
        for trait in ("active", "fraction")
    }
    error = rows["error"].to_numpy() * noise[2]
    share = trend("fraction") + effects["fraction"] + of("fraction_scatter") * noise[1]
    if target == "fraction":
        off = of("fraction_off_frontier") * rows["off_frontier"].to_numpy()
        return np.asarray(np.log(sigmoid(share + off + error)))
    lots = lot_rng.uniform(size=(2, *shape))
    mixture = lots[0] < sigmoid(of("moe_pace") * (when - of("moe_middle")))
    active = trend("active") + effects["active"] + of("active_scatter") * noise[0]
    active = active + np.where(mixture, 0.0, of("active_dense_lead"))
    if target == "active":
        return np.asarray(active + error)
    if target == "total":
        bias = of("probe_bias") * rows["probed"].to_numpy()
        return np.asarray(active - np.where(mixture, np.log(sigmoid(share)), 0.0) + bias + error)
    kind = kinds_reached(draw, when, lots[1])
    tail = scatter_rng.standard_t(draw["kv_tail"][:, None], size=shape)
    within = of("kv_growth") * (when - ORIGIN)
    return np.asarray(log_kv(draw, active, kind) + within + of("kv_scatter") * tail)


def _effects(
    posterior: xr.Dataset,
    trait: str,
    developers: pd.Series,
    structure: Integers,
    rng: np.random.Generator,
) -> Floats:
    """Return what whose release it is adds, dims (draw, row); anew where the fit has no such."""
    known = posterior["developer"].to_numpy().tolist()
    names = sorted(set(developers))
    fresh = rng.standard_normal((len(structure), len(names)))
    fitted = posterior[f"{trait}_developer_z"].transpose("draw", "structure", "developer")
    own = fitted.to_numpy()[np.arange(len(structure)), structure]
    columns = [
        own[:, known.index(name)] if name in known else fresh[:, names.index(name)]
        for name in developers
    ]
    scale = of_structure(posterior, structure, trait)[f"{trait}_developer_scale"]
    stacked = np.stack(columns, axis=1) if columns else np.zeros((len(structure), 0))
    return np.asarray(scale[:, None] * stacked)
