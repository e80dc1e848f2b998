"""Chips: log specs against release date over all vendors, and the memory wall.

For chip i of vendor v, released t years from the start of 2024, logs of traits j (the 8-bit rate,
ratios of the 16- and 4-bit rates to it, bandwidth, capacity, power, scale-up bandwidth, price) are

    x[i, j] = level[j] + growth[j] t + sum_k turn_k(t) bend[k, j]
              + vendor_effect[v, j] + (v is the reference vendor) wander[year(t), j]
              + residual[i, j],
    y[i] = specs(x[i]) + roadmap[i] + error[i],

This is the drifting structure; the limit-bound one takes from it what packages lose as they near
their limits (see `chip_structures`), and the two are fitted one after the other, as `VARIANTS`
says. Residuals have a full covariance over traits, and bends and wander share its correlations.
Specs that a chip lacks are integrated out. The memory wall is the growth of 8-bit FLOP/s less that
of bandwidth: 8 bit is the width that frontier models are served at, and unlike 16 bit it goes on
growing through the newest parts. Rents of the reference vendor's parts tell the margin over what a
chip-hour costs its owner (see `chip_rents`).
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

from forepass.blocks.chips.likelihood import join_specs
from forepass.blocks.chips.paths import project
from forepass.blocks.chips.records import (
    SPECS,
    TRAITS,
    ChipRecords,
    chips_on_record,
    specs_from_traits,
)
from forepass.blocks.chips.rents import (
    CONTRACTS,
    COSTS,
    RENTS,
    join_rents,
    rent_quotes,
)
from forepass.blocks.chips.structures import LIMITS, STRUCTURES, lost_to_limits, mixed
from forepass.blocks.trends import autoregression, calendar_years, hinges, mean_slopes
from forepass.blocks.variables import prior_variable
from forepass.inputs.definitions import Definitions, load_definitions

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    import pandas as pd
    import pymc as pm
    from pytensor.tensor.variable import TensorVariable

    from forepass.inputs.priors import Prior

    type Tensor = TensorVariable[Any, Any]

__all__ = [
    "DRAWS",
    "PRIORS",
    "TABLES",
    "TARGET_ACCEPT",
    "VARIANTS",
    "build",
    "mixed",
    "project",
]

TABLES = ("chips", "chip_prices")
CONVENTIONS = ("reference_vendor", "chip_minimum_bandwidth_bytes_per_s", "chip_line_share")
"""Definitions that decide which rows count."""
DRAWS = 1000
# At larger steps a transition in some thousands diverges where scales of leads are small.
TARGET_ACCEPT = 0.95
VARIANTS = {name: {"is_limited": float(index)} for index, name in enumerate(STRUCTURES)}
"""Data of the model by structure: one graph, compiled once, is sampled for each."""

LEVELS = tuple(f"level_{trait}" for trait in TRAITS)
GROWTHS = tuple(f"growth_{trait}" for trait in TRAITS if trait != "flops_8bit")
SCATTER = (
    "vendor_scale",
    "residual_scale",
    "residual_concentration",
    "bend_scale",
    "wander_scale",
    "wander_persistence",
    "spec_error",
    "price_error",
    "roadmap_error",
    "roadmap_shortfall",
    "roadmap_slip",
)
# Without likelihood: what the record cannot tell, used in projection alone.
FUTURE = (
    "limit_bound_weight",
    "slowdown",
    "bend_reversion",
    "memory_wall_long_run",
    "wall_reversion_chance",
    "wall_reversion_years",
    "wall_reversion_by_bandwidth",
    "lead_life",
)
PRIORS = (*LEVELS, *GROWTHS, "memory_wall", *SCATTER, *LIMITS, *FUTURE, *COSTS, *RENTS)


def build(
    tables: Mapping[str, pd.DataFrame],
    priors: Mapping[str, Prior],
    *,
    definitions: Definitions | None = None,
) -> pm.Model:
    """Return the model of chip specs.

    Parameters
    ----------
    tables
        `chips` and `chip_prices`.
    priors
        The priors named in `PRIORS`.
    definitions
        Conventions, of which those named in `CONVENTIONS` count; the shipped ones if None.
    """
    import pymc as pm

    definitions = definitions or load_definitions()
    reference = definitions.reference_vendor
    records = chips_on_record(tables, definitions)
    quotes = rent_quotes(tables["chips"], tables["chip_prices"], reference)
    if reference in records.thin_vendors or reference not in records.vendors:
        warnings.warn(
            f"data/chips.csv: too few shipped chips of {reference} to fit it; its parts are "
            "forecast from the population of vendors",
            stacklevel=2,
        )
    coords = {
        "chip": records.names,
        "vendor": records.vendors,
        "spec": list(SPECS),
        "trait": list(TRAITS),
        "other_trait": list(TRAITS),
        "knot": records.knots,
        "record_year": records.years,
        "half_year": quotes.starts,
        "contract": list(CONTRACTS),
    }
    with pm.Model(coords=coords) as model:
        for name in FUTURE:
            prior_variable(priors[name])
        level, growth = _straight_trend(priors)
        correlation = _correlation(priors)
        factor = prior_variable(priors["residual_scale"], dims="trait")[:, None] * correlation
        is_limited = pm.Data("is_limited", 0.0)
        pm.Deterministic("limit_bound", is_limited)
        path = level + growth * records.since_anchor[:, None]
        path = path + _bent(priors, records, correlation)
        path = path + is_limited * _lost_to_limits(priors, records, growth)
        effect = _vendor_effects(priors, records, reference)
        wander = _wander(priors, correlation, len(records.years))
        own = records.of(reference).astype(float)
        year = calendar_years(records.when) - records.years[0]
        traits = path + effect[records.vendor] + own[:, None] * wander[year]
        mu = specs_from_traits(traits) + _roadmap_shift(priors, records, growth)
        join_specs(priors, records, factor, mu)
        _first_shipped(records, reference)
        _newest_lead(records, reference, mu)
        join_rents(priors, quotes)
    return model


def _straight_trend(priors: Mapping[str, Prior]) -> tuple[Tensor, Tensor]:
    """Return log level and growth by trait, the growth of 8-bit rates through the memory wall."""
    import pymc as pm
    import pytensor.tensor as pt

    levels = [prior_variable(priors[name]) for name in LEVELS]
    level = pm.Deterministic("level", pt.log(pt.stack(levels)), dims="trait")
    grown = {name: prior_variable(priors[name]) for name in GROWTHS}
    grown["growth_flops_8bit"] = grown["growth_bandwidth"] + prior_variable(priors["memory_wall"])
    growth = pt.stack([grown[f"growth_{trait}"] for trait in TRAITS])
    return level, pm.Deterministic("growth", growth, dims="trait")


def _correlation(priors: Mapping[str, Prior]) -> Tensor:
    """Return the Cholesky factor of the correlations between residuals of traits."""
    import pymc as pm

    concentration = prior_variable(priors["residual_concentration"])
    return pm.LKJCorr(
        "correlation",
        n=len(TRAITS),
        eta=concentration,
        # Stated, because finding a start through the generator of matrices takes a C compiler.
        initval=np.eye(len(TRAITS)),
        dims=("trait", "other_trait"),
    )


def _correlated(correlation: Tensor, z: Tensor) -> Tensor:
    # Elementwise rather than a matrix product, whose last digits differ between machines.
    return (z[:, None, :] * correlation).sum(axis=-1)


def _bent(priors: Mapping[str, Prior], records: ChipRecords, correlation: Tensor) -> Tensor:
    """Return what the bends of slopes at the turns of years add, shape (chip, trait)."""
    import pymc as pm

    scale = prior_variable(priors["bend_scale"])
    z = pm.Normal("bend_z", dims=("knot", "trait"))
    bends = pm.Deterministic("bend", scale * _correlated(correlation, z), dims=("knot", "trait"))
    # As data, which a fit to the earlier part of the record exchanges without compiling again.
    origin = pm.Data("bend_origin_seen", 0.0)
    lean = pm.Data("bend_lean_seen", mean_slopes(records.knots, *records.shipped_span))
    turned = pm.Data("hinges_seen", hinges(records.since_anchor, records.knots))
    pm.Deterministic("bend_origin", origin)
    pm.Deterministic("bend_lean", lean, dims="knot")
    # Bends take nothing from the mean slope of the record, which is what growth means.
    turned = turned - lean * records.since_anchor[:, None]
    return (turned[:, :, None] * bends).sum(axis=1)


def _lost_to_limits(priors: Mapping[str, Prior], records: ChipRecords, growth: Tensor) -> Tensor:
    """Return what the straight trend overstates where packages are limited, (chip, trait)."""
    limits = {name: prior_variable(priors[name]) for name in LIMITS}
    return lost_to_limits(growth, when=records.since_anchor[:, None], **limits)


def _vendor_effects(priors: Mapping[str, Prior], records: ChipRecords, reference: str) -> Tensor:
    import pymc as pm
    import pytensor.tensor as pt

    scale = prior_variable(priors["vendor_scale"], dims="trait")
    # Summing to nothing over vendors, effects leave the level to be their average.
    z = pm.ZeroSumNormal("vendor_z", dims=("trait", "vendor"))
    effect = pm.Deterministic("vendor_effect", scale * z.T, dims=("vendor", "trait"))
    known = reference in records.vendors
    own = effect[records.vendors.index(reference)] if known else pt.zeros(len(TRAITS))
    pm.Deterministic("reference_effect", own, dims="trait")
    return effect


def _wander(priors: Mapping[str, Prior], correlation: Tensor, n_years: int) -> Tensor:
    """Return how far the reference vendor stands from its own trend, by calendar year."""
    import pymc as pm

    scale = prior_variable(priors["wander_scale"])
    persistence = prior_variable(priors["wander_persistence"])
    z = _correlated(correlation, pm.Normal("wander_z", dims=("record_year", "trait")))
    weight = autoregression(persistence, n_years)
    path = (weight[:, :, None] * z[None, :, :]).sum(axis=1)
    return scale * pm.Deterministic("wander_unit", path, dims=("record_year", "trait"))


def _roadmap_shift(priors: Mapping[str, Prior], records: ChipRecords, growth: Tensor) -> Tensor:
    """Return what an announcement adds: more than will ship, and the growth until it does."""
    shortfall = prior_variable(priors["roadmap_shortfall"])
    slip = prior_variable(priors["roadmap_slip"])
    promised = np.isin(SPECS, ("price",), invert=True)
    late = records.announced[:, None].astype(float)
    return late * (promised.astype(float) * shortfall + specs_from_traits(growth) * slip)


def _first_shipped(records: ChipRecords, reference: str) -> None:
    """Keep when the reference vendor first shipped each format, for years before it existed."""
    import pymc as pm
    import pytensor.tensor as pt

    own = records.of(reference) & ~records.announced
    dated = np.where(records.present & own[:, None], records.when[:, None], np.inf)
    pm.Deterministic("first_shipped", pt.as_tensor(dated.min(axis=0)), dims="spec")


def _newest_lead(records: ChipRecords, reference: str, mu: Tensor) -> None:
    """Add how far the reference vendor's newest shipped part stands from its trend, and its date.

    A spec that its sheet leaves out stands on the trend.
    """
    import pymc as pm
    import pytensor.tensor as pt

    own = np.flatnonzero(records.of(reference) & ~records.announced)
    if own.size == 0:
        lead, since = pt.zeros(len(SPECS)), records.when.max()
    else:
        newest = own[np.argmax(records.when[own])]
        known = records.present[newest].astype(float)
        lead, since = known * (records.log_specs[newest] - mu[newest]), records.when[newest]
    pm.Deterministic("newest_lead", lead, dims="spec")
    pm.Deterministic("newest_since", pt.as_tensor(float(since)))
