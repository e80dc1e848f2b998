"""Language models: size, sparsity, cache, depth and width of weights of the frontier, by release.

With t the release date, d the developer, and drifting trends around the start of 2025,

    log active    ~ Student-t(trend_active(t) + developer_active[d], scatter),     frontier rows
    logit share   ~ Student-t(trend_share(t) + developer_share[d] + frontier_shift, scatter), MoE
    log total     = log active - log share,     closed models of which the total alone is guessed
    log KV bytes  ~ Student-t(trend_kv(t) + kv_per_size (log active - mean), scatter)
    log layers    ~ Student-t(level + layers_per_size (log active - mean), scatter)
    is MoE        ~ Bernoulli(logistic((t - moe_date) / moe_years)),                frontier rows
    P(bits <= 8)  = logistic((t - eight_bit_date) / narrowing_years), and 4 bits a gap later.

The share is active over total parameters. Estimated sizes carry their error. Lengths of requests
and algorithmic progress are beliefs without a likelihood.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from forepass.blocks.language_paths import project
from forepass.blocks.language_records import Releases, releases
from forepass.blocks.trends import hinges
from forepass.blocks.variables import prior_variable
from forepass.inputs.definitions import load_definitions

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    import pandas as pd
    import pymc as pm
    from numpy.typing import NDArray
    from pytensor.tensor.variable import TensorVariable

    from forepass.inputs.priors import Prior

    type Tensor = TensorVariable[Any, Any]

__all__ = ["PRIORS", "TABLES", "build", "project"]

TABLES = ("language_models",)

TRENDS = ("active", "share", "kv")
FITTED = (
    *(f"{part}_{trend}" for trend in TRENDS for part in ("level", "growth", "bend_scale")),
    *(f"scatter_{part}" for part in (*TRENDS, "layers")),
    "developer_scale_active",
    "developer_scale_share",
    "frontier_shift",
    "tail_freedom",
    "kv_per_size",
    "level_layers",
    "layers_per_size",
    "moe_date",
    "moe_years",
    "eight_bit_date",
    "four_bit_gap",
    "narrowing_years",
)
# Without likelihood: what the record cannot tell, used in projection alone.
FUTURE = (
    "serving_lead_8bit",
    "serving_lead_4bit",
    "active_growth_long_run",
    "active_pull",
    "share_fade",
    "kv_fade",
    "typical_scatter",
    "shock_persistence",
    "input_tokens_2025",
    "input_tokens_growth",
    "output_tokens_2025",
    "output_tokens_growth",
    "cached_share_2025",
    "cached_share_growth",
    "usage_fade",
    "algorithmic_gain",
    "algorithmic_fade",
)
PRIORS = (*FITTED, *FUTURE)


def build(tables: Mapping[str, pd.DataFrame], priors: Mapping[str, Prior]) -> pm.Model:
    """Return the model of language models.

    Parameters
    ----------
    tables
        `language_models`.
    priors
        The priors named in `PRIORS`.
    """
    import pymc as pm

    definitions = load_definitions()
    rows = releases(
        tables["language_models"],
        window_factor=definitions.frontier_window_factor,
        window_years=definitions.frontier_window_years,
    )
    coords = {"developer": rows.developers, "knot": rows.knots}
    with pm.Model(coords=coords) as model:
        free = {name: prior_variable(priors[name]) for name in PRIORS}
        pm.Deterministic("mean_log_active", pm.math.constant(np.nanmean(rows.log_active)))
        active = _trend(free, "active", rows) + _developer_effect(free, "active", rows)
        share = _trend(free, "share", rows) + _developer_effect(free, "share", rows)
        share += free["frontier_shift"] * rows.frontier
        _sizes(free, rows, active, share)
        _shapes(free, rows)
        _architectures(free, rows)
        _widths(free, rows)
    return model


def _trend(free: Mapping[str, Tensor], name: str, rows: Releases) -> Tensor:
    """Return a drifting trend at each release."""
    import pymc as pm

    z = pm.Normal(f"bend_z_{name}", dims="knot")
    bends = pm.Deterministic(f"bend_{name}", free[f"bend_scale_{name}"] * z, dims="knot")
    since = rows.since_anchor
    straight = free[f"level_{name}"] + free[f"growth_{name}"] * since
    return straight + (hinges(since, rows.knots) * bends).sum(axis=1)


def _developer_effect(free: Mapping[str, Tensor], name: str, rows: Releases) -> Tensor:
    import pymc as pm

    z = pm.Normal(f"developer_z_{name}", dims="developer")
    return (free[f"developer_scale_{name}"] * z)[rows.developer]


def _student(
    free: Mapping[str, Tensor],
    name: str,
    mu: Tensor,
    observed: NDArray[np.float64],
    error: NDArray[np.float64] | float = 0.0,
) -> None:
    """Join the rows where something was observed to their mean, with heavy tails."""
    import pymc as pm

    seen = np.isfinite(observed)
    error = np.broadcast_to(error, seen.shape)[seen]
    spread = (free[f"scatter_{name}"] ** 2 + error**2) ** 0.5
    pm.StudentT(
        f"log_{name}", nu=free["tail_freedom"], mu=mu[seen], sigma=spread, observed=observed[seen]
    )


def _sizes(free: Mapping[str, Tensor], rows: Releases, active: Tensor, share: Tensor) -> None:
    """Join active parameters and activation shares, apart where both are known, else together."""
    import pymc as pm

    _student(free, "active", active, np.where(rows.frontier, rows.log_active, np.nan), rows.error)
    ratio = np.where(rows.is_moe == 1, rows.log_active - rows.log_total, np.nan)
    logit = ratio - np.log1p(-np.exp(ratio))
    _student(free, "share", share, logit, rows.error)
    closed = rows.frontier & np.isnan(rows.log_active)
    z = pm.Normal("closed_share_z", shape=int(closed.sum()))
    own_share = pm.math.sigmoid(share[closed] + free["scatter_share"] * z)
    pm.StudentT(
        "log_total",
        nu=free["tail_freedom"],
        mu=active[closed] - pm.math.log(own_share),
        sigma=(free["scatter_active"] ** 2 + rows.error[closed] ** 2) ** 0.5,
        observed=rows.log_total[closed],
    )


def _shapes(free: Mapping[str, Tensor], rows: Releases) -> None:
    """Join cache bytes and layers to size."""
    sized = np.isfinite(rows.log_active)
    size = np.where(sized, rows.log_active - np.nanmean(rows.log_active), 0.0)
    kv = _trend(free, "kv", rows) + free["kv_per_size"] * size
    _student(free, "kv", kv, np.where(sized, rows.log_kv_bytes, np.nan))
    layers = free["level_layers"] + free["layers_per_size"] * size
    _student(free, "layers", layers, np.where(sized, rows.log_layers, np.nan))


def _architectures(free: Mapping[str, Tensor], rows: Releases) -> None:
    import pymc as pm

    seen = rows.frontier & np.isfinite(rows.is_moe)
    odds = (rows.when[seen] - free["moe_date"]) / free["moe_years"]
    pm.Bernoulli("is_moe", logit_p=odds, observed=rows.is_moe[seen].astype(int))


def _widths(free: Mapping[str, Tensor], rows: Releases) -> None:
    """Join the width of released weights: one logistic in time, passed first by 8, then by 4."""
    import pymc as pm
    import pytensor.tensor as pt

    seen = rows.frontier & np.isfinite(rows.native_bits)
    since = rows.when[seen] - free["eight_bit_date"]
    eight = pm.math.sigmoid(since / free["narrowing_years"])
    four = pm.math.sigmoid((since - free["four_bit_gap"]) / free["narrowing_years"])
    halvings = (rows.native_bits[seen] < 16).astype(int) + (rows.native_bits[seen] < 8)
    p = pt.stack([1 - eight, eight - four, four], axis=1)
    pm.Categorical("native_width", p=p, observed=halvings)
