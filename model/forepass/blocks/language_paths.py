"""The typical frontier model of each year, and what is asked of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from forepass.blocks.language_records import ANCHOR_YEAR
from forepass.blocks.trends import (
    future_slopes,
    mid_year,
    path_in_record,
    persistent_path,
    slope_at_end,
    standard_shocks,
)
from forepass.inputs.dates import EPOCH_YEAR

if TYPE_CHECKING:
    from numpy.typing import NDArray

    type Floats = NDArray[np.float64]

WIDTHS = (16, 8, 4)

LABELS = {
    "frontier_active_params": ("parameters", "Active parameters of a typical frontier model"),
    "frontier_total_params": ("parameters", "Total parameters of a typical frontier model"),
    "moe_activation_fraction": ("1", "Active over total parameters of a frontier MoE model"),
    "moe_share": ("1", "Chance that a frontier model is a mixture of experts"),
    "kv_bytes_per_token": ("bytes per token", "Growth of the KV cache per token, at 16 bits"),
    "frontier_layers": ("layers", "Layers of a typical frontier model"),
    "weight_bits": ("bits", "Bits per weight as a frontier model is served"),
    "input_tokens": ("tokens per request", "Input tokens of a typical request"),
    "output_tokens": ("tokens per request", "Output tokens of a typical request"),
    "cached_share": ("1", "Share of input tokens found in a cache"),
    "algorithmic_gain_per_year": (
        "factor per year",
        "Yearly fall of the FLOP needed for a fixed capability",
    ),
}


# How a trend runs on past its record: the rate at which its slope is drawn on, and where to. A
# slope drawn to nothing settles: its shocks die away with it.
PULLS = {"active": "active_pull", "share": "share_fade", "kv": "kv_fade"}
ANCHORS = {"active": "active_growth_long_run"}


def project(posterior: xr.Dataset, years: NDArray[np.int_], rng: np.random.Generator) -> xr.Dataset:
    """Return the typical frontier model and request of each year.

    Years inside the record come from the fitted trends; later ones run on from there. The model
    of each draw keeps part of its distance from the trend from year to year.

    Parameters
    ----------
    posterior
        Draws of the model's variables, dims (draw, ...).
    years
        Calendar years; a year stands for its middle.
    rng
        Source of every shock.

    Returns
    -------
    xr.Dataset
        Dims (draw, year).
    """
    posterior = posterior.transpose("draw", "knot", ...)
    last = max(int(years.max()), _last_year_on_record(posterior))
    span = np.arange(int(years.min()), last + 1)
    trend_rng, width_rng, depth_rng = rng.spawn(3)
    out = _sizes(posterior, span, trend_rng)
    size = np.log(out["frontier_active_params"]) - posterior["mean_log_active"].values[:, None]
    out["kv_bytes_per_token"] = out["kv_bytes_per_token"] * np.exp(
        posterior["kv_per_size"].values[:, None] * size
    )
    out["frontier_layers"] = _layers(posterior, size, depth_rng)
    out["moe_share"] = _logistic(_since(posterior, "moe_date", span) / _of(posterior, "moe_years"))
    out["weight_bits"] = _served_width(posterior, span, width_rng)
    out |= _requests(posterior, span)
    result = xr.Dataset(coords={"draw": posterior["draw"], "year": span})
    for name, (units, long_name) in LABELS.items():
        attrs = {"units": units, "long_name": long_name}
        result[name] = (("draw", "year"), out[name], attrs)
    return result.sel(year=years)


def _last_year_on_record(posterior: xr.Dataset) -> int:
    # The last bend is at the turn of the year that the last release falls in.
    return ANCHOR_YEAR + int(posterior["knot"][-1])


def _of(posterior: xr.Dataset, name: str) -> Floats:
    return np.asarray(posterior[name].values[:, None])


def _logistic(x: Floats) -> Floats:
    return np.asarray(0.5 * (1 + np.tanh(x / 2)))


def _since(posterior: xr.Dataset, name: str, span: NDArray[np.int_]) -> Floats:
    return np.asarray(mid_year(span) - _of(posterior, name))


def _sizes(
    posterior: xr.Dataset, span: NDArray[np.int_], rng: np.random.Generator
) -> dict[str, Floats]:
    """Return sizes, activation share and cache bytes at the mean size, shape (draw, year)."""
    active, share, kv = (
        _trend(posterior, name, span, child)
        for name, child in zip(("active", "share", "kv"), rng.spawn(3), strict=True)
    )
    fraction = _logistic(share + _of(posterior, "frontier_shift"))
    return {
        "frontier_active_params": np.exp(active),
        "moe_activation_fraction": fraction,
        "frontier_total_params": np.exp(active) / fraction,
        "kv_bytes_per_token": np.exp(kv),
    }


def _trend(
    posterior: xr.Dataset, name: str, span: NDArray[np.int_], rng: np.random.Generator
) -> Floats:
    """Return a trend with the persistent distance of the typical model from it."""
    level, growth, bends = (
        posterior[f"{part}_{name}"].values for part in ("level", "growth", "bend")
    )
    knots, last = posterior["knot"].values, _last_year_on_record(posterior)
    past, steps = span[span <= last], int(span[-1] - last)
    bend_rng, start_rng, shock_rng = rng.spawn(3)
    since_anchor = mid_year(past) - (ANCHOR_YEAR - EPOCH_YEAR)
    path = path_in_record(level, growth, bends, when=since_anchor, knots=knots)
    if steps:
        pull = posterior[PULLS[name]].values
        settles = name not in ANCHORS
        fade = (1 - pull[:, None] * settles) ** np.arange(1, steps + 1)
        bend = standard_shocks(bend_rng, steps, level.shape)
        slopes = future_slopes(
            slope_at_end(growth, bends, knots),
            _of(posterior, f"bend_scale_{name}") * bend * fade,
            pull=pull,
            anchor=0.0 if settles else posterior[ANCHORS[name]].values,
        )
        path = np.concatenate([path, path[:, -1:] + np.cumsum(slopes, axis=1)], axis=1)
    distance = persistent_path(
        start_rng.standard_normal(level.shape),
        standard_shocks(shock_rng, span.size, level.shape),
        persistence=posterior["shock_persistence"].values,
    )
    return np.asarray(path + _typical(posterior, name) * distance)


def _typical(posterior: xr.Dataset, name: str) -> Floats:
    """Return how far the typical model may lie from its trend: part of the releases' scatter."""
    return _of(posterior, f"scatter_{name}") * _of(posterior, "typical_scatter")


def _layers(posterior: xr.Dataset, size: Floats, rng: np.random.Generator) -> Floats:
    log_layers = _of(posterior, "level_layers") + _of(posterior, "layers_per_size") * size
    distance = rng.standard_normal((size.shape[0], 1))
    return np.exp(log_layers + _typical(posterior, "layers") * distance)


def _served_width(
    posterior: xr.Dataset, span: NDArray[np.int_], rng: np.random.Generator
) -> Floats:
    """Return bits per weight as served: releases' widths, ahead by the lead of serving.

    Each draw stands at one place among early and late adopters, so that its width never grows.
    """
    since = _since(posterior, "eight_bit_date", span)
    since_4bit = since - _of(posterior, "four_bit_gap") + _of(posterior, "serving_lead_4bit")
    since_8bit = since + _of(posterior, "serving_lead_8bit")
    years = _of(posterior, "narrowing_years")
    place = rng.uniform(size=(since.shape[0], 1))
    at_most_8 = place < _logistic(since_8bit / years)
    at_most_4 = place < _logistic(since_4bit / years)
    widest, middle, narrowest = WIDTHS
    return np.where(at_most_4, narrowest, np.where(at_most_8, middle, widest)).astype(float)


def _requests(posterior: xr.Dataset, span: NDArray[np.int_]) -> dict[str, Floats]:
    """Return lengths, cached share and algorithmic gain, whose growth fades with time."""
    since = span - ANCHOR_YEAR
    grown = _faded(since, _of(posterior, "usage_fade"))
    lengths = {
        name: _of(posterior, f"{name}_{ANCHOR_YEAR}")
        * np.exp(_of(posterior, f"{name}_growth") * grown)
        for name in ("input_tokens", "output_tokens")
    }
    share = _of(posterior, f"cached_share_{ANCHOR_YEAR}")
    logit = np.log(share / (1 - share)) + _of(posterior, "cached_share_growth") * grown
    fade = (1 - _of(posterior, "algorithmic_fade")) ** np.maximum(since, 0)
    gain = np.exp(_of(posterior, "algorithmic_gain") * fade)
    return {**lengths, "cached_share": _logistic(logit), "algorithmic_gain_per_year": gain}


def _faded(since: NDArray[np.int_], fade: Floats) -> Floats:
    """Return years of growth at the first year's rate when each later year has less of it."""
    ahead = (1 - (1 - fade) ** np.maximum(since, 0)) / fade
    return np.where(since > 0, ahead, since)
