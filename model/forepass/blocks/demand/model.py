"""Tokens that the world processes, from what named actors say that they process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from forepass.blocks.demand.workloads import KINDS, workloads
from forepass.blocks.growth import as_years, damped_log_path
from forepass.blocks.trends import knots_within, mid_year, times
from forepass.blocks.variables import prior_variable
from forepass.errors import InputError
from forepass.inputs.priors import expect

if TYPE_CHECKING:
    import pymc as pm

    from forepass.inputs.priors import Prior

TABLES = ("demand",)
PRIORS = (
    "world_tokens_per_s",
    "demand_growth",
    "demand_growth_change",
    "demand_growth_early",
    "actor_share",
    "actor_share_spread",
    "actor_growth_lead",
    "actor_growth_spread",
    "reporting_error",
    "estimate_error",
    "chat_output_share",
    "tokens_per_word",
    "demand_growth_longrun",
    "demand_growth_halflife",
    "demand_growth_shock",
    "output_share",
    "human_tokens_per_s",
    "human_hours_per_year",
    *(f"{kind}_{what}_tokens" for kind in KINDS for what in ("input", "output")),
    *(f"{kind}_cached_share" for kind in KINDS),
    "chat_speed",
    "agents_speed",
    "speed_accepted",
    "agents_share_2026",
    "agents_share_2030",
    "batch_share_of_rest",
    "request_input_growth",
    "request_output_growth",
    "request_cached_growth",
    "request_growth_halflife",
    "request_growth_shock",
)
DRAWS = 2500  # of each chain: the world's growth and its bends trade off
TARGET_ACCEPT = 0.97
WORLD = "World"
SECONDS_PER_DAY = 86400.0
DAYS_PER_YEAR = 365.25
SECONDS = {
    "s": 1.0,
    "minute": 60.0,
    "day": SECONDS_PER_DAY,
    "week": 7 * SECONDS_PER_DAY,
    "month": DAYS_PER_YEAR / 12 * SECONDS_PER_DAY,
    "quarter": DAYS_PER_YEAR / 4 * SECONDS_PER_DAY,
    "year": DAYS_PER_YEAR * SECONDS_PER_DAY,
}
# What is processed in all; input or output alone, or per node, is another quantity.
TOKEN_QUANTITY = (
    r"^(?!input_|output_)(?P<what>\w*tokens\w*|words_generated)"
    rf"_per_(?P<period>{'|'.join(SECONDS)})$"
)
WORDS, THEIR_SERIES = "words_generated", "tokens_processed"
STEPS_PER_YEAR = 4
ABOUT = {
    "demand_tokens_per_s": ("tokens/s", "tokens processed in the world, in and out"),
    "demand_output_tokens_per_s": ("tokens/s", "tokens generated in the world"),
    "human_tokens_per_s": ("tokens/s", "tokens that stand for a second of human work"),
    "human_hours_per_year": ("hours per year", "hours that a person works in a year"),
}

type Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Reports:
    """Token counts as actors or observers gave them, dims (report).

    Attributes
    ----------
    series : labels of the counted series, "Actor, quantity"; the world's own is not among them.
    member : index into ``series``; -1 for the world's total.
    when : years since 2022.0.
    log_tokens_per_s : natural log of tokens per second.
    third_party : whether an outsider estimated it.
    words : whether it counts words generated, which the model turns into tokens processed.
    """

    series: list[str]
    member: NDArray[np.int_]
    when: Array
    log_tokens_per_s: Array
    third_party: NDArray[np.bool_]
    words: NDArray[np.bool_]


def token_reports(demand: pd.DataFrame) -> Reports:
    """Return the rows of the demand table that count all tokens of a service, per second.

    Quantities named ``..._tokens_per_<period>`` count, as central values over their period, and
    words generated, which join their actor's series of tokens processed.

    Raises
    ------
    InputError
        If there is none.
    """
    parts = demand["quantity"].str.extract(TOKEN_QUANTITY)
    counted = parts["what"].notna() & demand["central"].notna()
    rows, parts = demand[counted], parts[counted]
    if rows.empty:
        raise InputError("demand.csv: no row counts tokens, as tokens_processed_per_day does")
    names = rows["actor"] + ", " + parts["what"].replace(WORDS, THEIR_SERIES)
    is_world = rows["actor"] == WORLD
    series = sorted(set(names[~is_world]))
    place = {name: i for i, name in enumerate(series)}
    return Reports(
        series=series,
        member=np.array([place.get(name, -1) for name in names]),
        when=times(rows["date"]),
        log_tokens_per_s=np.log(
            rows["central"].to_numpy() / parts["period"].map(SECONDS).to_numpy()
        ),
        third_party=(rows["status"] == "estimated").to_numpy(),
        words=(parts["what"] == WORDS).to_numpy(),
    )


def build(tables: Mapping[str, pd.DataFrame], priors: Mapping[str, Prior]) -> pm.Model:
    """Return the model of the world's tokens and of each counted series' share of them.

    The world's log tokens are piecewise linear in time, bending at the turns of years. Each series
    is a share of it that drifts at its own rate. Definitions differ (cached input, retries,
    internal use), which the shares absorb. Those who publish grow faster by an elicited lead.

    Parameters
    ----------
    tables : ``demand``.
    priors : every key of `PRIORS`.

    Raises
    ------
    InputError
        If a prior is missing or unused, or no row counts tokens.
    """
    import pymc as pm
    import pytensor.tensor as pt

    expect(priors, PRIORS, "demand")
    reports = token_reports(tables["demand"])
    knots = knots_within(reports.when)
    coords = {"series": reports.series, "report": reports.when, "knot": knots}
    with pm.Model(coords=coords) as model:
        beliefs = {name: prior_variable(priors[name]) for name in PRIORS}
        since = reports.when - reports.when.max()
        bends = pm.Normal("growth_bends", 0, beliefs["demand_growth_change"], dims="knot")
        level = pt.log(beliefs["world_tokens_per_s"])
        end = reports.when.max()
        change = _change(beliefs["demand_growth"], bends, reports.when, end=end, knots=knots)
        pm.Deterministic("log_world_tokens_per_s", level + change, dims="report")
        pm.Normal(
            "tokens_seen",
            change + _reported(reports, level, since, beliefs),
            pt.sqrt(
                beliefs["reporting_error"] ** 2
                + reports.third_party * beliefs["estimate_error"] ** 2
            ),
            observed=reports.log_tokens_per_s,
            dims="report",
        )
    return model


def _reported(
    reports: Reports,
    level: Any,  # noqa: ANN401
    since: Array,
    beliefs: Mapping[str, Any],
) -> Any:  # noqa: ANN401
    """Return the log of what each report counts, less the world's change since, dims (report)."""
    import pymc as pm
    import pytensor.tensor as pt

    # The reports fix the series' own levels, whatever the world's: so these are the variables.
    series = pm.Normal(
        "log_series_tokens_per_s",
        level + beliefs["actor_share"],
        beliefs["actor_share_spread"],
        dims="series",
    )
    lead = beliefs["actor_growth_lead"] + beliefs["actor_growth_spread"] * pm.Normal(
        "actor_growth_z", 0, 1, dims="series"
    )
    words = pt.log(beliefs["chat_output_share"] / beliefs["tokens_per_word"])
    of_series = series[reports.member] + lead[reports.member] * since + reports.words * words
    return pt.switch(reports.member >= 0, of_series, level)


def _change(growth: Any, bends: Any, when: Array, *, end: float, knots: Array) -> Any:  # noqa: ANN401
    """Return log tokens/s of the world at times of the record less those at its end.

    ``growth`` is the slope at the end, ``bends`` how much larger it was before each knot than
    after, last dim (knot).
    """
    before_knots = np.maximum(knots - when[:, None], 0.0)
    return growth * (when - end) - (bends * before_knots).sum(axis=-1)


def project(posterior: xr.Dataset, years: NDArray[np.int_], rng: np.random.Generator) -> xr.Dataset:
    """Return the tokens that the world processes each year, by what work, and a person's rate.

    Parameters
    ----------
    posterior : draws of the fitted model, dims (draw, ...).
    years : calendar years in order.
    rng : source of shocks to growth.

    Returns
    -------
    Rates in the middle of each year, dims (draw, year); a person's, dims (draw); the kinds of work
    as `forepass.blocks.demand.workloads.workloads` returns them.
    """
    years = as_years(years)
    (request_rng,) = rng.spawn(1)
    world = np.exp(log_world(posterior, mid_year(years), rng))
    output = world * posterior["output_share"].to_numpy()[:, None]
    values = {
        "demand_tokens_per_s": world,
        "demand_output_tokens_per_s": output,
        "human_tokens_per_s": posterior["human_tokens_per_s"].to_numpy(),
        "human_hours_per_year": posterior["human_hours_per_year"].to_numpy(),
    }
    variables = {
        name: (
            ("draw", "year")[: values[name].ndim],
            values[name],
            {"units": unit, "long_name": words},
        )
        for name, (unit, words) in ABOUT.items()
    }
    out = xr.Dataset(variables, coords={"year": years})
    return out.merge(workloads(posterior, years, request_rng))


def log_world(posterior: xr.Dataset, when: Array, rng: np.random.Generator) -> Array:
    """Return log tokens/s at times in order, dims (draw, time).

    Within the record the fitted path; before it growth as elicited, after it growth that damps.
    """
    end = float(posterior["report"].to_numpy().max())
    level = np.log(posterior["world_tokens_per_s"].to_numpy())[:, None]
    growth = posterior["demand_growth"].to_numpy()
    bends = posterior["growth_bends"].transpose("draw", "knot").to_numpy()[:, None]
    knots = posterior["knot"].to_numpy()
    start = float(posterior["report"].to_numpy().min())
    within = np.clip(when, start, end)
    past = level + _change(growth[:, None], bends, within, end=end, knots=knots)
    early = posterior["demand_growth_early"].to_numpy()[:, None] * np.minimum(when - start, 0.0)
    steps = max(int(np.ceil((when.max() - end) * STEPS_PER_YEAR)), 0)
    path = damped_log_path(
        growth_now=growth,
        growth_longrun=posterior["demand_growth_longrun"].to_numpy(),
        halflife=posterior["demand_growth_halflife"].to_numpy(),
        shock=posterior["demand_growth_shock"].to_numpy(),
        steps=steps,
        step=1 / STEPS_PER_YEAR,
        rng=rng,
    )
    path = np.concatenate([np.zeros_like(level), path], axis=1)
    position = np.clip((when - end) * STEPS_PER_YEAR, 0, steps)
    below = np.minimum(np.floor(position).astype(int), max(steps - 1, 0))
    above = np.minimum(below + 1, steps)
    return np.asarray(
        past + early + path[:, below] + (position - below) * (path[:, above] - path[:, below])
    )
