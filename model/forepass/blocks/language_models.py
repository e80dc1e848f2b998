"""Language models at the frontier: size, share active, cache, depth and weight format by year.

For frontier release i of developer d at time t, with traits j (log active parameters, logit of the
active share of a mixture of experts, log KV bytes per token),

    trend[j](t) = level[j] + growth[j] (t - origin) + sum_k hinge_k(t) bend[k, j],
    log active[i] = trend[active](t) + developer[d] + lead (i is dense) + scatter + error,
    logit share[i] = trend[share](t) + developer[d] + off_frontier[i] + scatter + error,
    log total[i] = log active[i] - log share[i]   (where only the total is known, if a mixture),
    log kv[i] = trend[kv](t) + scatter (Student t),
    log layers[i] = log layers at 1e11 + exponent (log active[i] - log 1e11) + scatter,
    P(mixture) = sigmoid(pace (t - middle)),
    P(bits <= 8), P(bits <= 4) = sigmoid(pace (t - middle)), the latter's middle coming later.

The origin is the start of 2025, where releases are many, so that level and growth are well told.
Serving runs formats that releases adopt some years later. Requests and algorithmic gains have
priors alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from forepass.blocks.language_model_paths import LAYERS_AT, TRAITS, project
from forepass.blocks.language_model_records import ReleaseRecords, release_records
from forepass.blocks.trends import hinges, mid_year
from forepass.blocks.variables import prior_variable
from forepass.inputs.dates import EPOCH_YEAR
from forepass.inputs.definitions import load_definitions
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

__all__ = ["PRIORS", "TABLES", "build", "project"]

TABLES = ("language_models",)
ORIGIN = 2025 - EPOCH_YEAR  # the start of the year that priors call 2025
RECORD = (
    *(f"{trait}_2025" for trait in TRAITS),
    *(f"{trait}_growth" for trait in TRAITS),
    *(f"{trait}_bend_scale" for trait in TRAITS),
    *(f"{trait}_scatter" for trait in TRAITS),
    "active_dense_lead",
    "active_developer_scale",
    "fraction_developer_scale",
    "fraction_off_frontier",
    "kv_tail",
    "moe_middle",
    "moe_pace",
    "layers_at_100b",
    "layers_exponent",
    "layers_scatter",
    "bits_8_middle",
    "bits_4_delay",
    "bits_pace",
)
# Without likelihood: what the record of releases cannot tell, used in projection alone.
FUTURE = (
    *(f"{trait}_growth_longrun" for trait in TRAITS),
    *(f"{trait}_growth_halflife" for trait in TRAITS),
    *(f"{trait}_growth_shock" for trait in TRAITS),
    "serving_bits_lead",
    "bits_4_ceiling",
    "request_input_tokens",
    "request_input_growth",
    "request_output_tokens",
    "request_output_growth",
    "request_cached_share",
    "request_cached_growth",
    "request_growth_halflife",
    "request_growth_shock",
    "algorithmic_gain",
)
PRIORS = (*RECORD, *FUTURE)


def build(tables: Mapping[str, pd.DataFrame], priors: Mapping[str, Prior]) -> pm.Model:
    """Return the model of frontier releases.

    Parameters
    ----------
    tables : ``language_models``.
    priors : every key of `PRIORS`.

    Raises
    ------
    InputError
        If a prior is missing or unused, or no frontier release tells a trait.
    """
    import pymc as pm

    expect(priors, PRIORS, "language_models")
    definitions = load_definitions()
    records = release_records(
        tables["language_models"],
        factor=definitions.frontier_window_factor,
        window_years=definitions.frontier_window_years,
        first_year=definitions.first_year,
    )
    coords = {
        "trait": list(TRAITS),
        "developer": records.developers,
        "knot": records.knots,
        "record_year": records.years,
        "closed": np.arange(len(records.total.value)),
    }
    with pm.Model(coords=coords) as model:
        beliefs = {name: prior_variable(priors[name]) for name in PRIORS}
        trend = _trends(beliefs, records)
        effects = {
            trait: beliefs[f"{trait}_developer_scale"]
            * pm.Normal(f"{trait}_developer_z", dims="developer")
            for trait in ("active", "fraction")
        }
        _sizes(beliefs, records, trend, effects)
        _closed(beliefs, records, trend, effects)
        _shape(beliefs, records, trend)
        _formats(beliefs, records)
    return model


def _trends(beliefs: Beliefs, records: ReleaseRecords) -> Callable[[str, Floats], Tensor]:
    """Return the trend of a trait at times, and keep its path by year and its slope at the end."""
    import pymc as pm
    import pytensor.tensor as pt

    knots = records.knots - ORIGIN
    start = {
        "active": pt.log(beliefs["active_2025"]),
        "fraction": pt.log(beliefs["fraction_2025"]) - pt.log1p(-beliefs["fraction_2025"]),
        "kv": pt.log(beliefs["kv_2025"]),
    }
    bends = {
        trait: beliefs[f"{trait}_bend_scale"] * pm.Normal(f"{trait}_bend_z", dims="knot")
        for trait in TRAITS
    }

    def trend(trait: str, when: Floats) -> Tensor:
        since = when - ORIGIN
        bent = (hinges(since, knots) * bends[trait]).sum(axis=1)
        path: Tensor = start[trait] + beliefs[f"{trait}_growth"] * since + bent
        return path

    paths = pt.stack([trend(trait, mid_year(records.years)) for trait in TRAITS], axis=1)
    pm.Deterministic("trend", paths, dims=("record_year", "trait"))
    ahead = (knots >= 0).astype(float)
    slope = [beliefs[f"{trait}_growth"] + (bends[trait] * ahead).sum() for trait in TRAITS]
    pm.Deterministic("slope_at_end", pt.stack(slope), dims="trait")
    return trend


def _sizes(
    beliefs: Beliefs,
    records: ReleaseRecords,
    trend: Callable[[str, Floats], Tensor],
    effects: Mapping[str, Tensor],
) -> None:
    """Join active parameters, and active shares of mixtures, to their trends."""
    import pymc as pm
    import pytensor.tensor as pt

    active, fraction = records.active, records.fraction
    pm.Normal(
        "active_seen",
        trend("active", active.when)
        + effects["active"][active.developer]
        + beliefs["active_dense_lead"] * records.dense,
        pt.sqrt(beliefs["active_scatter"] ** 2 + active.error**2),
        observed=active.value,
    )
    # Mixtures of all sizes tell the trend of shares; the small ones lie a constant off it.
    off = beliefs["fraction_off_frontier"] * records.off_frontier
    pm.Normal(
        "fraction_seen",
        trend("fraction", fraction.when) + off + effects["fraction"][fraction.developer],
        pt.sqrt(beliefs["fraction_scatter"] ** 2 + fraction.error**2),
        observed=fraction.value,
    )


def _closed(
    beliefs: Beliefs,
    records: ReleaseRecords,
    trend: Callable[[str, Floats], Tensor],
    effects: Mapping[str, Tensor],
) -> None:
    """Join which releases are mixtures, and totals where nothing is known of the active share."""
    import pymc as pm
    import pytensor.tensor as pt

    def log_odds(when: Floats) -> Tensor:
        odds: Tensor = beliefs["moe_pace"] * (when - beliefs["moe_middle"])
        return odds

    pm.Bernoulli("moe_seen", logit_p=log_odds(records.mixture_when), observed=records.mixture)
    total = records.total
    if not total.value.size:
        return
    share = (
        trend("fraction", total.when)
        + effects["fraction"][total.developer]
        + beliefs["fraction_scatter"] * pm.Normal("closed_fraction_z", dims="closed")
    )
    active = trend("active", total.when) + effects["active"][total.developer]
    spread = pt.sqrt(beliefs["active_scatter"] ** 2 + total.error**2)
    mixture = pm.math.sigmoid(log_odds(total.when))
    pm.Mixture(
        "total_seen",
        w=pt.stack([mixture, 1 - mixture], axis=1),
        comp_dists=[
            pm.Normal.dist(active + pt.softplus(-share), spread),
            pm.Normal.dist(active + beliefs["active_dense_lead"], spread),
        ],
        observed=total.value,
        dims="closed",
    )


def _shape(
    beliefs: Beliefs, records: ReleaseRecords, trend: Callable[[str, Floats], Tensor]
) -> None:
    """Join the cache per token and the number of layers."""
    import pymc as pm
    import pytensor.tensor as pt

    pm.StudentT(
        "kv_seen",
        nu=beliefs["kv_tail"],
        mu=trend("kv", records.kv.when),
        sigma=beliefs["kv_scatter"],
        observed=records.kv.value,
    )
    pm.Normal(
        "layers_seen",
        pt.log(beliefs["layers_at_100b"])
        + beliefs["layers_exponent"] * (records.layers_log_active - np.log(LAYERS_AT)),
        beliefs["layers_scatter"],
        observed=records.log_layers,
    )


def _formats(beliefs: Beliefs, records: ReleaseRecords) -> None:
    """Join native weight formats: an ordered logistic in time."""
    import pymc as pm
    import pytensor.tensor as pt

    def reached(middle: Tensor) -> Tensor:
        share: Tensor = pm.math.sigmoid(beliefs["bits_pace"] * (records.bits_when - middle))
        return share

    eight = reached(beliefs["bits_8_middle"])
    four = reached(beliefs["bits_8_middle"] + beliefs["bits_4_delay"])
    pm.Categorical(
        "bits_seen",
        p=pt.stack([1 - eight, eight - four, four], axis=1),
        observed=records.bits_code,
    )
