"""The typical frontier model, and the format it is served in, by year."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from forepass.blocks.growth import as_years, damped_log_path, regime_breaks, sigmoid
from forepass.blocks.language_models.records import BITS, KINDS
from forepass.blocks.trends import mid_year
from forepass.inputs.dates import EPOCH_YEAR

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    type Floats = NDArray[np.float64]
    type Integers = NDArray[np.int_]

__all__ = [
    "LAYERS_AT",
    "ORIGIN",
    "RISING",
    "TRAITS",
    "gap_at",
    "kinds_reached",
    "log_kv",
    "of_structure",
    "plain",
    "project",
    "structures",
    "trait_path",
]

TRAITS = ("active", "fraction", "context")
RISING = {"active": True, "fraction": False, "context": True}  # towards a limit that saturates it
# When the gap to the limit is told: active sizes closed theirs before the others opened.
GAP_AT = {"active": 2020 - EPOCH_YEAR, "fraction": 2025 - EPOCH_YEAR, "context": 2025 - EPOCH_YEAR}
ORIGIN = 2025 - EPOCH_YEAR  # the start of the year that priors call 2025
LAYERS_AT = 1e11  # active parameters of the priors named layers_at_100b and kv_...
BY_STRUCTURE = ("draw", "structure")

ABOUT = {
    "frontier_active_params": ("parameters", "Active parameters of the typical frontier model"),
    "frontier_total_params": ("parameters", "Total parameters of the typical frontier model"),
    "moe_activation_fraction": ("1", "Share active in the typical frontier mixture of experts"),
    "moe_share": ("1", "Share of frontier releases that are mixtures of experts"),
    "max_context_tokens": ("tokens", "Longest context of the typical release"),
    "kv_bytes_per_token": ("bytes", "Cache per token of the typical frontier model, at 16 bit"),
    "frontier_layers": ("layers", "Layers of the typical frontier model"),
    "weight_bits": ("bits", "Weight format that the frontier model is served in"),
}


def project(posterior: xr.Dataset, years: NDArray[np.int_], rng: np.random.Generator) -> xr.Dataset:
    """Return the typical frontier model by year.

    Years on record come from the fitted trends and some developer's lasting departure from them,
    which leaves out the scatter of single releases; later ones run on as the draw's structure does:
    with growth that is shocked each year and settles to an elicited rate, or towards a limit; and
    breaks come that neither foresees. Each draw takes one structure for each trait, by the
    elicited weight.

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
    n_draws = len(posterior["draw"])
    trait_rng, lot_rng, developer_rng = rng.spawn(3)
    chosen = structures(posterior, trait_rng.spawn(1)[0])
    trait_rngs = dict(zip((*TRAITS, "kv"), trait_rng.spawn(len(TRAITS) + 1), strict=True))
    paths = {t: trait_path(posterior, t, years, chosen[t], trait_rngs[t]) for t in TRAITS}
    draw = {**plain(posterior), **of_structure(posterior, chosen["active"], "active", "moe")}
    draw |= of_structure(posterior, chosen["fraction"], "fraction")
    # Whose model it is stays unknown, and stays the same along a draw.
    own = developer_rng.standard_normal((2, n_draws, 1))
    active = paths["active"] + draw["active_developer_scale"][:, None] * own[0]
    fraction = paths["fraction"] + draw["fraction_developer_scale"][:, None] * own[1]
    # One lot for each draw: whether a model is a mixture, its format and its kind of attention
    # change once and for good.
    lots = lot_rng.uniform(size=(3, n_draws, 1))
    moe_share = sigmoid(draw["moe_pace"][:, None] * _since(years, draw["moe_middle"]))
    mixture = lots[0] < moe_share
    active = active + np.where(mixture, 0.0, draw["active_dense_lead"][:, None])
    share = sigmoid(fraction)
    log_layers = draw["layers_exponent"][:, None] * (active - np.log(LAYERS_AT))
    last = int(posterior["record_year"][-1])
    values = {
        "frontier_active_params": np.exp(active),
        "frontier_total_params": np.exp(active) / np.where(mixture, share, 1.0),
        "moe_activation_fraction": share,
        "moe_share": moe_share,
        "max_context_tokens": np.exp(paths["context"]),
        "kv_bytes_per_token": np.exp(
            log_kv(draw, active, kinds_reached(draw, mid_year(years), lots[2]))
            + _cache_ahead(draw, years, last, trait_rngs["kv"])
        ),
        "frontier_layers": draw["layers_at_100b"][:, None] * np.exp(log_layers),
        "weight_bits": _served_bits(draw, years, lots[1]),
    }
    out = xr.Dataset(
        {name: (("draw", "year"), value, _about(name)) for name, value in values.items()},
        coords={"draw": posterior["draw"], "year": years},
    )
    # Which account of progress will hold for a coming task is as unknown as they differ.
    gain = draw["algorithmic_gain"] * np.exp(
        draw["gain_scatter"] * lot_rng.standard_normal(n_draws)
    )
    about = {"units": "log per year", "long_name": "Fall of compute needed for a fixed capability"}
    return out.assign(algorithmic_gain=(("draw",), gain, about))


def structures(posterior: xr.Dataset, rng: np.random.Generator) -> dict[str, Integers]:
    """Return the structure that each draw takes for each trait, by the elicited weights."""
    lots = rng.uniform(size=(len(TRAITS), len(posterior["draw"])))
    return {
        trait: (lot < posterior[f"{trait}_saturating"].to_numpy()).astype(int)
        for trait, lot in zip(TRAITS, lots, strict=True)
    }


def trait_path(
    posterior: xr.Dataset,
    trait: str,
    years: Integers,
    structure: Integers,
    rng: np.random.Generator,
) -> Floats:
    """Return a trait's trend, log or logit, dims (draw, year), by the structure of each draw."""
    draw = plain(posterior)
    fitted = posterior["trend"].sel(trait=trait).transpose("draw", "structure", "record_year")
    fitted_values = fitted.to_numpy()[np.arange(len(structure)), structure]
    first, last = (int(fitted["record_year"][end]) for end in (0, -1))
    on_record = fitted_values[:, np.clip(years, first, last) - first]
    steps = np.maximum(years - last, 0)
    growth_rng, break_rng = rng.spawn(2)
    drifting = _ahead(
        posterior["slope_at_end"].sel(trait=trait).to_numpy(),
        draw[f"{trait}_growth_longrun"],
        draw[f"{trait}_growth_halflife"],
        draw[f"{trait}_growth_shock"],
        steps,
        growth_rng,
    )
    pace, gap = draw[f"{trait}_pace"][:, None], draw[f"{trait}_gap"][:, None]
    since = mid_year(np.array([last])) - gap_at(trait, last)
    end, then = np.exp(-pace * since), np.exp(-pace * (since + steps))
    towards = gap * (end - then) if RISING[trait] else gap * (then - end)
    broken = regime_breaks(
        chance=draw["break_chance"],
        size=draw[f"{trait}_break_size"],
        halflife=draw["break_halflife"],
        steps=int(steps.max()),
        rng=break_rng,
    )
    course = np.where(structure[:, None] == 1, towards, drifting)
    return np.asarray(on_record + course + _from_end(broken)[:, steps])


def gap_at(trait: str, last: int) -> int:
    """Return when the gap of a saturating trend is told, years since 2022.

    A record that ends earlier tells it at the end of its ``last`` calendar year: drawn back from
    later on, a gap grows beyond all measure.
    """
    return min(GAP_AT[trait], last + 1 - EPOCH_YEAR)


def kinds_reached(draw: Mapping[str, Floats], when: Floats, lot: Floats) -> Integers:
    """Return the index into `KINDS` of each draw's attention at times; a lot never goes back."""
    delays = [np.zeros_like(draw["kind_pace"]), *(draw[f"kind_{kind}_delay"] for kind in KINDS[2:])]
    middles = draw["kind_shared_middle"][:, None] + np.cumsum(np.stack(delays, axis=1), axis=1)
    odds = draw["kind_pace"][:, None, None] * (when[None, :, None] - middles[:, None, :])
    return np.asarray((lot[:, :, None] < sigmoid(odds)).sum(axis=2))


def plain(posterior: xr.Dataset) -> dict[str, Floats]:
    """Return the variables that have one value for each draw."""
    return {
        str(name): values.to_numpy()
        for name, values in posterior.data_vars.items()
        if values.dims == ("draw",)
    }


def of_structure(posterior: xr.Dataset, structure: Integers, *starts: str) -> dict[str, Floats]:
    """Return the variables of each draw's structure whose names start so, dims (draw)."""
    return {
        str(name): values.to_numpy()[np.arange(len(structure)), structure]
        for name, values in posterior.data_vars.items()
        if values.dims == BY_STRUCTURE and str(name).startswith(starts)
    }


def _about(name: str) -> dict[str, str]:
    return dict(zip(("units", "long_name"), ABOUT[name], strict=True))


def _since(years: Integers, middle: Floats) -> Floats:
    return np.asarray(mid_year(years) - middle[:, None])


def log_kv(draw: Mapping[str, Floats], log_active: Floats, kind: Integers) -> Floats:
    """Return log bytes of cache per token at the origin, for kinds of attention and sizes."""
    levels = np.log(np.stack([draw[f"kv_{name}"] for name in KINDS], axis=1))
    size = draw["kv_exponent"][:, None] * (log_active - np.log(LAYERS_AT))
    return np.asarray(np.take_along_axis(levels, kind, axis=1) + size)


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
    return _from_end(path)[:, steps]


def _from_end(path: Floats) -> Floats:
    """Return a path that starts at zero at the record's end, dims (draw, step)."""
    return np.concatenate([np.zeros((len(path), 1)), path], axis=1)


def _cache_ahead(
    draw: Mapping[str, Floats], years: Integers, last: int, rng: np.random.Generator
) -> Floats:
    """Return the log by which the cache of one kind of attention changes from the origin on."""
    within = draw["kv_growth"][:, None] * (mid_year(np.minimum(years, last)) - ORIGIN)
    after = _ahead(
        draw["kv_growth"],
        draw["kv_growth_longrun"],
        draw["kv_growth_halflife"],
        draw["kv_growth_shock"],
        np.maximum(years - last, 0),
        rng,
    )
    return np.asarray(within + after)


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
