"""Language models at the frontier: size, share active, context, cache and weight format by year.

Three traits j (log active parameters, logit of the active share of a mixture of experts, log of the
longest context) each follow two structures, every one fitted to all releases by itself:

    drifting:    trend[j](t) = level[j] + growth[j] (t - origin) + sum_k hinge_k(t) bend[k, j],
    saturating:  trend[j](t) = limit[j] -+ gap[j] exp(-pace[j] (t - t[j])).

For frontier release i of developer d,

    log active[i] = trend[active](t) + developer[d] + lead (i is dense) + scatter + error,
    logit share[i] = trend[share](t) + developer[d] + off_frontier[i] + scatter + error,
    log total[i] = log active[i] - log share[i] + bias (a probe)  (a dense one's: log active[i]),
    P(mixture) = sigmoid(pace (t - middle)),
    log context[i] = trend[context](t) + scatter.

A size of which bounds alone are known counts by the probability of lying between them. Attention
passes through kinds, each later than the one before, as weight formats do, and

    log kv[i] = level[kind] + exponent (log active[i] - log 1e11) + growth (t - origin) + scatter,
    log layers[i] = log layers at 1e11 + exponent (log active[i] - log 1e11) + scatter.

The origin is the start of 2025, where releases are many, so that level and growth are well told.
Serving runs formats that releases adopt some years later. Published accounts of algorithmic
progress a count as log rate[a] = log(gain + what a price or a density adds) + scatter, so that a
fall of prices is never taken for a fall of compute. Requests have priors alone.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from forepass.blocks.language_models.paths import (
    LAYERS_AT,
    ORIGIN,
    RISING,
    TRAITS,
    gap_at,
    project,
)
from forepass.blocks.language_models.records import (
    KINDS,
    PublishedGains,
    ReleaseRecords,
    published_gains,
    releases_on_record,
)
from forepass.blocks.language_models.sizes import join_sizes
from forepass.blocks.trends import hinges, mid_year
from forepass.blocks.variables import prior_variable
from forepass.inputs.definitions import Definitions, load_definitions
from forepass.inputs.priors import expect

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    import pandas as pd
    import pymc as pm
    from numpy.typing import NDArray
    from pytensor.tensor.variable import TensorVariable

    from forepass.inputs.priors import Prior

    type Floats = NDArray[np.float64]
    type Tensor = TensorVariable[Any, Any]
    type Beliefs = Mapping[str, Tensor]

__all__ = ["PRIORS", "STRUCTURES", "TABLES", "build", "project"]

TABLES = ("language_models", "published_trends")
MAY_BE_EMPTY = ("published_trends",)
CONVENTIONS = ("frontier_window_factor", "frontier_window_years", "first_year")
"""Definitions that decide which rows count."""
STRUCTURES = ("drifting", "saturating")
DRAWS = 3000  # of each chain: limit, gap and pace of a saturating trend trade off
# Fitted once for each structure.
TWICE = (
    *(f"{trait}_scatter" for trait in TRAITS),
    "active_dense_lead",
    "active_developer_scale",
    "fraction_developer_scale",
    "fraction_off_frontier",
    "probe_bias",
    "moe_middle",
    "moe_pace",
)
RECORD = (
    *(f"{trait}_2025" for trait in TRAITS),
    *(f"{trait}_growth" for trait in TRAITS),
    *(f"{trait}_bend_scale" for trait in TRAITS),
    *(f"{trait}_limit" for trait in TRAITS),
    *(f"{trait}_gap" for trait in TRAITS),
    *(f"{trait}_pace" for trait in TRAITS),
    *(f"kv_{kind}" for kind in KINDS),
    "kv_exponent",
    "kv_growth",
    "kv_scatter",
    "kv_tail",
    "kind_shared_middle",
    *(f"kind_{kind}_delay" for kind in KINDS[2:]),
    "kind_pace",
    "layers_at_100b",
    "layers_exponent",
    "layers_scatter",
    "bits_8_middle",
    "bits_4_delay",
    "bits_pace",
    "algorithmic_gain",
    "gain_of_prices",
    "gain_of_parameters",
    "gain_scatter",
)
# Without likelihood: what the record of releases cannot tell, used in projection alone.
FUTURE = (
    *(f"{trait}_saturating" for trait in TRAITS),
    *(f"{trait}_growth_longrun" for trait in (*TRAITS, "kv")),
    *(f"{trait}_growth_halflife" for trait in (*TRAITS, "kv")),
    *(f"{trait}_growth_shock" for trait in (*TRAITS, "kv")),
    "break_chance",
    "break_halflife",
    *(f"{trait}_break_size" for trait in TRAITS),
    "serving_bits_lead",
    "bits_4_ceiling",
)
PRIORS = (*TWICE, *RECORD, *FUTURE)


def build(
    tables: Mapping[str, pd.DataFrame],
    priors: Mapping[str, Prior],
    *,
    definitions: Definitions | None = None,
) -> pm.Model:
    """Return the model of frontier releases.

    Parameters
    ----------
    tables : ``language_models`` and ``published_trends``.
    priors : every key of `PRIORS`.
    definitions : conventions, of which those named in `CONVENTIONS` count; None for the shipped.

    Raises
    ------
    InputError
        If a prior is missing or unused, or no frontier release tells a trait.
    """
    import pymc as pm

    expect(priors, PRIORS, "language_models")
    definitions = definitions or load_definitions()
    records = releases_on_record(tables, definitions)
    coords = {
        "structure": list(STRUCTURES),
        "trait": list(TRAITS),
        "developer": records.developers,
        "knot": records.knots,
        "record_year": records.years,
    }
    with pm.Model(coords=coords) as model:
        beliefs = {
            name: prior_variable(priors[name], dims="structure" if name in TWICE else None)
            for name in PRIORS
        }
        join_sizes(beliefs, records, _trends(beliefs, records))
        _shape(beliefs, records)
        _stages(
            "kind_seen",
            [beliefs["kind_shared_middle"], *(beliefs[f"kind_{kind}_delay"] for kind in KINDS[2:])],
            beliefs["kind_pace"],
            records.kind_when,
            records.kind,
        )
        _stages(
            "bits_seen",
            [beliefs["bits_8_middle"], beliefs["bits_4_delay"]],
            beliefs["bits_pace"],
            records.bits_when,
            records.bits_code,
        )
        _algorithms(beliefs, published_gains(tables["published_trends"]))
    return model


def _trends(beliefs: Beliefs, records: ReleaseRecords) -> Callable[[str, Floats], Tensor]:
    """Return the trend of a trait at times, dims (structure, time); keep its path by year."""
    import pymc as pm
    import pytensor.tensor as pt

    knots, last = records.knots - ORIGIN, int(records.years[-1])
    start, limit = (
        {trait: _on_scale(trait, beliefs[f"{trait}_{at}"]) for trait in TRAITS}
        for at in ("2025", "limit")
    )
    seen = {"active": records.active, "fraction": records.fraction, "context": records.context}
    bends = {
        trait: _bends(
            trait,
            pt.stack([start[trait], beliefs[f"{trait}_growth"]]),
            beliefs[f"{trait}_bend_scale"],
            seen[trait].when - ORIGIN,
            knots,
        )
        for trait in TRAITS
    }

    def trend(trait: str, when: Floats) -> Tensor:
        since = when - ORIGIN
        bent = (hinges(since, knots) * bends[trait]).sum(axis=1)
        drifting = start[trait] + beliefs[f"{trait}_growth"] * since + bent
        gap = beliefs[f"{trait}_gap"] * pt.exp(
            -beliefs[f"{trait}_pace"] * (when - gap_at(trait, last))
        )
        saturating = limit[trait] - gap if RISING[trait] else limit[trait] + gap
        path: Tensor = pt.stack([drifting, saturating])
        return path

    paths = pt.stack([trend(trait, mid_year(records.years)) for trait in TRAITS], axis=2)
    pm.Deterministic("trend", paths, dims=("structure", "record_year", "trait"))
    ahead = (knots >= 0).astype(float)
    slope = [beliefs[f"{trait}_growth"] + (bends[trait] * ahead).sum() for trait in TRAITS]
    pm.Deterministic("slope_at_end", pt.stack(slope), dims="trait")
    return trend


def _bends(trait: str, line: Tensor, scale: Tensor, since: Floats, knots: Floats) -> Tensor:
    """Return yearly changes of slope, each Normal(0, scale), in coordinates that sample well.

    A record tells its path and hardly its bends, which trade off among themselves and with the
    line. Turned onto the axes along which the record tells them, and shifted by what they would
    have to give for a changed line, they come out nearly independent. Neither changes the prior.
    """
    import pymc as pm

    design = hinges(since, knots)
    turn = np.linalg.svd(design)[2].T
    straight = np.stack([np.ones_like(since), since], axis=1)
    traded = np.linalg.lstsq(design, straight)[0]
    owed = (traded * line).sum(axis=1)
    turned = pm.Normal(f"{trait}_turned_bend", (turn.T * owed).sum(axis=1), scale, dims="knot")
    bends: Tensor = (turn * turned).sum(axis=1) - owed
    return bends


def _on_scale(trait: str, level: Tensor) -> Tensor:
    import pytensor.tensor as pt

    log: Tensor = pt.log(level)
    return log - pt.log1p(-level) if trait == "fraction" else log


def _shape(beliefs: Beliefs, records: ReleaseRecords) -> None:
    """Join the cache per token and the number of layers."""
    import pymc as pm
    import pytensor.tensor as pt

    levels = pt.log(pt.stack([beliefs[f"kv_{kind}"] for kind in KINDS]))
    pm.StudentT(
        "kv_seen",
        nu=beliefs["kv_tail"],
        mu=levels[records.kv_kind]
        + beliefs["kv_exponent"] * (records.kv_log_active - np.log(LAYERS_AT))
        + beliefs["kv_growth"] * (records.kv_when - ORIGIN),
        sigma=beliefs["kv_scatter"],
        observed=records.kv,
    )
    pm.Normal(
        "layers_seen",
        pt.log(beliefs["layers_at_100b"])
        + beliefs["layers_exponent"] * (records.layers_log_active - np.log(LAYERS_AT)),
        beliefs["layers_scatter"],
        observed=records.log_layers,
    )


def _stages(
    name: str, middles: list[Tensor], pace: Tensor, when: Floats, stage: NDArray[np.int_]
) -> None:
    """Join which stage releases have reached: an ordered logistic in time.

    The first of `middles` is when half have left stage 0; each further one is a delay after it.
    """
    import pymc as pm
    import pytensor.tensor as pt

    if not when.size:  # as in years when nobody told
        return
    reached = pm.math.sigmoid(pace * (when[:, None] - pt.stack(middles).cumsum()))
    columns = [reached[:, place] for place in range(len(middles))]
    at_least = [pt.ones(len(when)), *columns, pt.zeros(len(when))]
    shares = [left - right for left, right in pairwise(at_least)]
    pm.Categorical(name, p=pt.stack(shares, axis=1), observed=stage)


def _algorithms(beliefs: Beliefs, accounts: PublishedGains) -> None:
    """Join published rates: of prices and of parameters with what they hold beyond compute."""
    import pymc as pm
    import pytensor.tensor as pt

    if not accounts.names:
        return
    rate = (
        beliefs["algorithmic_gain"]
        + beliefs["gain_of_prices"] * accounts.price
        + beliefs["gain_of_parameters"] * accounts.parameters
    )
    pm.Normal(
        "gains_seen",
        pt.log(rate),
        pt.sqrt(beliefs["gain_scatter"] ** 2 + accounts.error**2),
        observed=accounts.log_rate,
    )
