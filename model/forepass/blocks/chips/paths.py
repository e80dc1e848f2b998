"""Specs, hourly cost and rent of the reference vendor's newest part, by year."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from forepass.blocks.chips.records import ANCHOR_YEAR, SPECS, TRAITS, specs_from_traits
from forepass.blocks.chips.rents import hourly_cost, margin_by_year
from forepass.blocks.chips.structures import (
    coming_slopes,
    correlated,
    fade,
    recorded_path,
)
from forepass.blocks.trends import calendar_years, mid_year, persistent_path, standard_shocks
from forepass.inputs.dates import EPOCH_YEAR

if TYPE_CHECKING:
    from numpy.typing import NDArray

    type Floats = NDArray[np.float64]

RATES = ("flops_16bit", "flops_8bit", "flops_4bit")
AT = {spec: index for index, spec in enumerate(SPECS)}

QUANTITIES = {
    "chip_flops_16bit": ("flops_16bit", "FLOP/s", "Peak dense 16-bit rate of the newest part"),
    "chip_flops_8bit": ("flops_8bit", "FLOP/s", "Peak dense 8-bit rate of the newest part"),
    "chip_flops_4bit": ("flops_4bit", "FLOP/s", "Peak dense 4-bit rate of the newest part"),
    "chip_bandwidth": ("bandwidth", "bytes/s", "Memory bandwidth of the newest part"),
    "chip_memory": ("capacity", "bytes", "Memory capacity of the newest part"),
    "chip_power": ("power", "W", "Power of the newest part, package maximum"),
    "chip_scale_up_bandwidth": (
        "scale_up_bandwidth",
        "bytes/s",
        "Scale-up bandwidth of the newest part, both directions",
    ),
    "chip_price_usd": ("price", "USD per package", "Purchase price of the newest part"),
}


def project(posterior: xr.Dataset, years: NDArray[np.int_], rng: np.random.Generator) -> xr.Dataset:
    """Return specs, memory wall, hourly cost and rent of the part that ships new in each year.

    Years inside the record come from the fitted trend with the reference vendor's effect and its
    fitted lead or lag; later ones run on from there.

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
        Dims (draw, year). The memory wall is a growth in natural logs per year.
    """
    order = ("draw", "knot", "record_year", "vendor", "trait", "other_trait", "spec", ...)
    posterior = posterior.transpose(*order, missing_dims="ignore")
    last = int(max(int(years.max()), int(posterior["record_year"][-1])))
    first = int(min(int(years.min()), int(posterior["record_year"][0])))
    span = np.arange(first, last + 1)
    logs, wall = _log_specs(posterior, span, rng)
    logs = _widest_format(logs, posterior["first_shipped"].values, span)
    coords = {"draw": posterior["draw"], "year": span}
    out = xr.Dataset(coords=coords)
    for name, (spec, units, long_name) in QUANTITIES.items():
        attrs = {"units": units, "long_name": long_name}
        out[name] = (("draw", "year"), np.exp(logs[:, :, AT[spec]]), attrs)
    out["memory_wall"] = (
        ("draw", "year"),
        wall,
        {"units": "log per year", "long_name": "Growth of 8-bit FLOP/s less that of bandwidth"},
    )
    out["memory_wall_ratio"] = (out["chip_flops_8bit"] / out["chip_bandwidth"]).assign_attrs(
        units="FLOP per byte", long_name="8-bit FLOP/s over bandwidth of the newest part"
    )
    cost = hourly_cost(out["chip_price_usd"], out["chip_power"], posterior)
    out["chip_hour_cost_usd"] = cost.assign_attrs(
        units="USD per chip-hour", long_name="Cost of owning and running the newest part, no margin"
    )
    margin = margin_by_year(posterior, span, rng.spawn(1)[0])
    out["chip_hour_price_usd"] = (cost * margin).assign_attrs(
        units="USD per chip-hour", long_name="Rent of the newest part on demand"
    )
    return out.sel(year=years)


def _log_specs(
    posterior: xr.Dataset, span: NDArray[np.int_], rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Return log specs, shape (draw, year, spec), and the memory wall, shape (draw, year).

    Slopes and shocks are of traits, whose 8-bit rate and bandwidth are the specs themselves.
    `span` begins no later than the record and ends no earlier.
    """
    trend_rng, wander_rng = rng.spawn(2)
    path, slopes = trend_path(posterior, span, trend_rng)
    wander = _wander(posterior, span, wander_rng)
    traits = path + posterior["reference_effect"].values[:, None] + wander
    return np.asarray(specs_from_traits(traits)) + _lead(posterior, span), _wall(slopes)


def _lead(posterior: xr.Dataset, span: NDArray[np.int_]) -> Floats:
    """Return what the newest part on record keeps of its lead or lag, shape (draw, year, spec).

    It is sold until the next one comes, so the years after its release are of that part first and
    of the trend later.
    """
    age = mid_year(span) - posterior["newest_since"].values[:, None]
    life = posterior["lead_life"].values[:, None]
    kept = np.where(age >= 0, np.exp(-np.maximum(age, 0.0) / life), 0.0)
    return np.asarray(kept[:, :, None] * posterior["newest_lead"].values[:, None])


def trend_path(
    posterior: xr.Dataset, span: NDArray[np.int_], rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Return traits of the typical vendor at mid-year and their slopes, (draw, year, trait).

    Parameters
    ----------
    posterior
        Draws of the model's variables, dims (draw, ...).
    span
        Calendar years one apart, into the record and past it.
    rng
        Source of shocks.
    """
    bend_rng, wall_rng = rng.spawn(2)
    last = posterior["record_year"].values[-1]
    past, ahead = span[span <= last], span[span > last]
    middle = mid_year(past) - (ANCHOR_YEAR - EPOCH_YEAR)
    turns = np.append(middle - 0.5, middle[-1] + 0.5)
    slopes = np.diff(recorded_path(posterior, turns), axis=1)
    path = recorded_path(posterior, middle)
    if ahead.size:
        coming = _revert_wall(posterior, coming_slopes(posterior, ahead, bend_rng), wall_rng)
        slopes = np.concatenate([slopes, coming], axis=1)
        path = np.concatenate([path, path[:, -1:] + np.cumsum(coming, axis=1)], axis=1)
    return path, slopes


def part_specs(
    posterior: xr.Dataset,
    *,
    when: Floats,
    vendor: NDArray[np.str_],
    reference: str,
    rng: np.random.Generator,
) -> Floats:
    """Return log specs of single parts as a sheet would state them, shape (draw, part, spec).

    Parameters
    ----------
    posterior
        Draws of the model's variables, dims (draw, ...).
    when
        Release of each part, years since 2022.
    vendor
        Of each part; one that the fit never saw is drawn from the population.
    reference
        The vendor whose lead or lag the fit follows.
    rng
        Source of shocks and of the parts' own scatter.
    """
    path_rng, wander_rng, own_rng = rng.spawn(3)
    first, years = int(posterior["record_year"].values[0]), calendar_years(when)
    span = np.arange(first, max(int(years.max()), int(posterior["record_year"].values[-1])) + 2)
    path, _ = trend_path(posterior, span, path_rng)
    traits = _between_years(path, when - mid_year(span)[0])
    known = posterior["vendor"].values.tolist()
    for part, name in enumerate(vendor):
        if name in known:
            traits[:, part] += posterior["vendor_effect"].values[:, known.index(name)]
        else:
            scale = posterior["vendor_scale"].values
            traits[:, part] += scale * own_rng.standard_normal(scale.shape)
    own = vendor == reference
    traits[:, own] += _wander(posterior, span, wander_rng)[:, (years - span[0])[own]]
    z = own_rng.standard_normal(traits.shape)
    traits += posterior["residual_scale"].values[:, None] * correlated(posterior, z)
    noise = np.broadcast_to(posterior["spec_error"].values[:, None], (len(z), len(SPECS))).copy()
    noise[:, AT["price"]] = np.hypot(noise[:, AT["price"]], posterior["price_error"].values)
    return np.asarray(
        specs_from_traits(traits) + noise[:, None] * own_rng.standard_normal(traits.shape)
    )


def _between_years(path: Floats, place: Floats) -> Floats:
    """Return a yearly path, shape (draw, year, ...), at fractional places along its years."""
    left = np.clip(np.floor(place).astype(int), 0, path.shape[1] - 2)
    share = (place - left)[:, None]
    return np.asarray((1 - share) * path[:, left] + share * path[:, left + 1])


def _revert_wall(posterior: xr.Dataset, slopes: Floats, rng: np.random.Generator) -> Floats:
    """Return slopes in which the wall, once its draw's year has come, closes on its long run."""
    chance, years, by_bandwidth, long_run = (
        posterior[name].values[:, None]
        for name in (
            "wall_reversion_chance",
            "wall_reversion_years",
            "wall_reversion_by_bandwidth",
            "memory_wall_long_run",
        )
    )
    steps = slopes.shape[1]
    lots = np.moveaxis(rng.uniform(size=(steps, slopes.shape[0])), 0, 1)
    begun = np.cumsum(np.maximum.accumulate(lots < chance, axis=1), axis=1)
    # The long-run wall belongs to full growth, so it fades as all slopes do.
    target = long_run * fade(posterior, steps)
    gap = np.minimum(begun / years, 1.0) * (target - _wall(slopes))
    slopes = slopes.copy()
    slopes[:, :, AT["bandwidth"]] -= by_bandwidth * gap
    slopes[:, :, AT["flops_8bit"]] += (1 - by_bandwidth) * gap
    return slopes


def _wall(slopes: Floats) -> Floats:
    return np.asarray(slopes[:, :, AT["flops_8bit"]] - slopes[:, :, AT["bandwidth"]])


def _wander(posterior: xr.Dataset, span: NDArray[np.int_], rng: np.random.Generator) -> Floats:
    """Return the reference vendor's lead or lag, shape (draw, year, trait)."""
    recorded, fitted = posterior["record_year"].values, posterior["wander_unit"].values
    n_draws = posterior.sizes["draw"]
    before = np.repeat(fitted[:, :1], int(np.sum(span < recorded[0])), axis=1)
    steps = int(np.sum(span > recorded[-1]))
    shocks = correlated(posterior, standard_shocks(rng, steps, (n_draws, len(TRAITS))))
    persistence = posterior["wander_persistence"].values[:, None]
    after = persistent_path(fitted[:, -1], shocks, persistence=persistence)
    path = np.concatenate([before, fitted, after], axis=1)
    return np.asarray(path * posterior["wander_scale"].values[:, None, None])


def _widest_format(logs: Floats, first_shipped: Floats, span: NDArray[np.int_]) -> Floats:
    """Return log rates in which a format never runs below a wider one.

    A chip without a fast path for a narrow format runs it at the next wider one's rate: so do
    years before the vendor shipped the format.
    """
    logs = logs.copy()
    # A format that ships within the year is that year's.
    ready = first_shipped[:, None, :] < mid_year(span)[:, None] + 0.5
    for wider, narrower in pairwise(RATES):
        wide, narrow = logs[:, :, AT[wider]], logs[:, :, AT[narrower]]
        known = ready[:, :, AT[narrower]]
        logs[:, :, AT[narrower]] = np.where(known, np.maximum(narrow, wide), wide)
    return logs
