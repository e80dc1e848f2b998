"""The typical frontier model, the format it is served in, and the requests it gets, by year."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from forepass.blocks.growth import as_years, damped_log_path, logit, sigmoid
from forepass.blocks.language_model_records import BITS
from forepass.blocks.trends import mid_year

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    type Floats = NDArray[np.float64]
    type Integers = NDArray[np.int_]

__all__ = ["LAYERS_AT", "REQUEST_YEAR", "TRAITS", "project"]

TRAITS = ("active", "fraction", "kv")
LAYERS_AT = 1e11  # active parameters of the prior named layers_at_100b
REQUEST_YEAR = 2026  # the year whose requests the priors describe

ABOUT = {
    "frontier_active_params": ("parameters", "Active parameters of the typical frontier model"),
    "frontier_total_params": ("parameters", "Total parameters of the typical frontier model"),
    "moe_activation_fraction": ("1", "Share active in the typical frontier mixture of experts"),
    "moe_share": ("1", "Share of frontier releases that are mixtures of experts"),
    "kv_bytes_per_token": ("bytes", "Cache per token of the typical frontier model, at 16 bit"),
    "frontier_layers": ("layers", "Layers of the typical frontier model"),
    "weight_bits": ("bits", "Weight format that the frontier model is served in"),
    "input_tokens": ("tokens", "Input tokens of a request, cached ones included"),
    "output_tokens": ("tokens", "Output tokens of a request"),
    "cached_share": ("1", "Share of input tokens found in a cache"),
}


def project(posterior: xr.Dataset, years: NDArray[np.int_], rng: np.random.Generator) -> xr.Dataset:
    """Return the typical frontier model and its requests by year.

    Years on record come from the fitted trends and some developer's lasting departure from them,
    which leaves out the scatter of single releases; later ones run on with growth that is shocked
    each year and settles to an elicited rate.

    Parameters
    ----------
    posterior : draws of the model's variables, dims (draw, ...).
    years : calendar years in order; a year stands for its middle.
    rng : source of every shock.

    Returns
    -------
    Dims (draw, year), but the algorithmic gain (draw). Weight formats never widen along a draw.
    """
    years = as_years(years)
    draw = {
        str(name): values.to_numpy()
        for name, values in posterior.data_vars.items()
        if values.dims == ("draw",)
    }
    trait_rng, request_rng, lot_rng, developer_rng = rng.spawn(4)
    trait_rngs = trait_rng.spawn(len(TRAITS))
    active, fraction, kv = (
        _trait(posterior, draw, trait, years, source)
        for trait, source in zip(TRAITS, trait_rngs, strict=True)
    )
    # Whose model it is stays unknown, and stays the same along a draw.
    own = developer_rng.standard_normal((2, len(posterior["draw"]), 1))
    active = active + draw["active_developer_scale"][:, None] * own[0]
    fraction = fraction + draw["fraction_developer_scale"][:, None] * own[1]
    # One lot for each draw: whether a model is a mixture, and its format, change once and for good.
    lots = lot_rng.uniform(size=(2, len(posterior["draw"]), 1))
    moe_share = sigmoid(draw["moe_pace"][:, None] * _since(years, draw["moe_middle"]))
    mixture = lots[0] < moe_share
    active = active + np.where(mixture, 0.0, draw["active_dense_lead"][:, None])
    share = sigmoid(fraction)
    log_layers = draw["layers_exponent"][:, None] * (active - np.log(LAYERS_AT))
    values = {
        "frontier_active_params": np.exp(active),
        "frontier_total_params": np.exp(active) / np.where(mixture, share, 1.0),
        "moe_activation_fraction": share,
        "moe_share": moe_share,
        "kv_bytes_per_token": np.exp(kv),
        "frontier_layers": draw["layers_at_100b"][:, None] * np.exp(log_layers),
        "weight_bits": _served_bits(draw, years, lots[1]),
        **_requests(draw, years, request_rng),
    }
    out = xr.Dataset(
        {name: (("draw", "year"), value, _about(name)) for name, value in values.items()},
        coords={"draw": posterior["draw"], "year": years},
    )
    gain = {"units": "log per year", "long_name": "Fall of compute needed for a fixed capability"}
    return out.assign(algorithmic_gain=(("draw",), draw["algorithmic_gain"], gain))


def _about(name: str) -> dict[str, str]:
    return dict(zip(("units", "long_name"), ABOUT[name], strict=True))


def _since(years: Integers, middle: Floats) -> Floats:
    return np.asarray(mid_year(years) - middle[:, None])


def _trait(
    posterior: xr.Dataset,
    draw: Mapping[str, Floats],
    trait: str,
    years: Integers,
    rng: np.random.Generator,
) -> Floats:
    """Return a trait's trend, log or logit, dims (draw, year)."""
    fitted = posterior["trend"].sel(trait=trait).transpose("draw", "record_year")
    first, last = (int(fitted["record_year"][end]) for end in (0, -1))
    on_record = np.asarray(fitted.to_numpy())[:, np.clip(years, first, last) - first]
    path = _ahead(
        posterior["slope_at_end"].sel(trait=trait).to_numpy(),
        draw[f"{trait}_growth_longrun"],
        draw[f"{trait}_growth_halflife"],
        draw[f"{trait}_growth_shock"],
        np.maximum(years - last, 0),
        rng,
    )
    return on_record + path


def _ahead(
    growth: Floats,
    longrun: Floats,
    halflife: Floats,
    shock: Floats,
    steps: Integers,
    rng: np.random.Generator,
) -> Floats:
    """Return the log by which a level changes in so many years, dims (draw, year)."""
    path = damped_log_path(
        growth_now=growth,
        growth_longrun=longrun,
        halflife=halflife,
        shock=shock,
        steps=int(steps.max()),
        step=1.0,
        rng=rng,
    )
    return np.concatenate([np.zeros((len(path), 1)), path], axis=1)[:, steps]


def _served_bits(draw: Mapping[str, Floats], years: Integers, lot: Floats) -> Floats:
    """Return the format served, dims (draw, year): that of releases some years later.

    Some futures never serve the narrowest format, hence its ceiling.
    """
    pace, lead = draw["bits_pace"][:, None], draw["serving_bits_lead"]
    eight = draw["bits_8_middle"] - lead
    reached_8 = sigmoid(pace * _since(years, eight))
    reached_4 = sigmoid(pace * _since(years, eight + draw["bits_4_delay"]))
    four = lot < draw["bits_4_ceiling"][:, None] * reached_4
    return np.where(four, BITS[2], np.where(lot < reached_8, BITS[1], BITS[0])).astype(float)


def _requests(
    draw: Mapping[str, Floats], years: Integers, rng: np.random.Generator
) -> dict[str, Floats]:
    """Return tokens of a typical request, and the share of its input that is cached."""
    start = {
        "input": np.log(draw["request_input_tokens"]),
        "output": np.log(draw["request_output_tokens"]),
        "cached": logit(draw["request_cached_share"]),
    }
    paths = {}
    for (what, level), source in zip(start.items(), rng.spawn(len(start)), strict=True):
        growth = draw[f"request_{what}_growth"]
        path = _ahead(
            growth,
            np.zeros_like(growth),
            draw["request_growth_halflife"],
            draw["request_growth_shock"],
            np.maximum(years - REQUEST_YEAR, 0),
            source,
        )
        before = growth[:, None] * np.minimum(years - REQUEST_YEAR, 0)
        paths[what] = level[:, None] + before + path
    return {
        "input_tokens": np.exp(paths["input"]),
        "output_tokens": np.exp(paths["output"]),
        "cached_share": sigmoid(paths["cached"]),
    }
