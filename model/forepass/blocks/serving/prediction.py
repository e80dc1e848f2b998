"""Posterior draws of the throughput of configurations, measured or not yet built."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from forepass.blocks.serving.model import CENTRED, LEAST_TAIL, PARAMETERS
from forepass.blocks.serving.rate import tokens_per_s_per_chip
from forepass.blocks.serving.rows import EFFECTS, LEVELS, Rows

__all__ = ["log_rate_draws", "parameter_draws"]

type Draws = NDArray[np.float64]


def log_rate_draws(
    posterior: xr.Dataset,
    rows: Rows,
    rng: np.random.Generator,
    *,
    noise: bool,
    groups: tuple[str, ...] = LEVELS,
) -> Draws:
    """Return draws of log tokens/s per chip, dims (draw, obs).

    Parameters
    ----------
    posterior
        Of the serving block, dims (draw, ...).
    rows
        Configurations. A group that the fit knew keeps its effect; a new one is drawn from the
        population, once for all rows of it in a draw.
    rng
        Source of new groups and of noise.
    noise
        Whether to add what differs between two measurements of one configuration.
    groups
        Kinds of group whose effect counts; leave out ``campaign`` and ``cell`` for a long average.
    """
    p = parameter_draws(posterior, rows, rng)
    fields = {name: values[None, :] for name, values in rows.fields.items()}
    total = np.log(tokens_per_s_per_chip(fields, p, np))
    for name in EFFECTS:
        if np.any(rows.effects[name]):
            total = total + _column(posterior, f"effect_{name}") * rows.effects[name]
    for level in groups:
        scale = _column(posterior, f"{level}_spread")
        if level in CENTRED:
            total = total + _effect(posterior, rows, level, f"of_{level}", rng, new_scale=scale)
        else:
            total = total + scale * _effect(posterior, rows, level, f"z_{level}", rng)
    if noise:
        tail = np.broadcast_to(LEAST_TAIL + _column(posterior, "noise_tail"), total.shape)
        total = total + rng.standard_t(tail) * _column(posterior, "noise_scale")
    return total


def parameter_draws(
    posterior: xr.Dataset, rows: Rows, rng: np.random.Generator
) -> Mapping[str, Draws]:
    """Return the parameters of the rate by name, dims (draw, 1) or (draw, obs)."""
    p = {name: _column(posterior, name) for name in PARAMETERS}
    slow = _effect(posterior, rows, "engine", "z_engine_latency", rng)
    heavy = _effect(posterior, rows, "model", "z_model_prefill", rng)
    p["latency_factor"] = np.exp(_column(posterior, "engine_latency_spread") * slow)
    p["prefill_compute_share"] = p["prefill_compute_share"] * np.exp(
        _column(posterior, "model_prefill_spread") * heavy
    )
    return p


def _column(posterior: xr.Dataset, name: str) -> Draws:
    return np.asarray(posterior[name].values)[:, None]


def _effect(
    posterior: xr.Dataset,
    rows: Rows,
    level: str,
    name: str,
    rng: np.random.Generator,
    *,
    new_scale: Draws | float = 1.0,
) -> Draws:
    """Return the effect of each row's group, dims (draw, obs); of a new one, drawn."""
    known: dict[Any, int] = {g: i for i, g in enumerate(posterior[level].values.tolist())}
    fitted = np.asarray(posterior[name].transpose("draw", level).values)
    wanted, place = np.unique(rows.levels[level], return_inverse=True)
    spread = np.ravel(np.broadcast_to(new_scale, (len(fitted), 1)))
    columns = [
        fitted[:, known[group]]
        if group and group in known
        else spread * rng.standard_normal(len(fitted))
        for group in wanted.tolist()
    ]
    return np.stack(columns, axis=1)[:, place]
