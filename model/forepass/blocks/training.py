"""The largest training runs: compute, overtraining, length, utilisation, and their cluster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from forepass import physics
from forepass.blocks.growth import as_years, damped_log_path, logit, regime_breaks, sigmoid
from forepass.blocks.trends import calendar_years, mid_year, times
from forepass.blocks.variables import prior_variable
from forepass.errors import InputError
from forepass.inputs.dates import EPOCH_YEAR
from forepass.inputs.definitions import Definitions, load_definitions
from forepass.inputs.priors import expect

if TYPE_CHECKING:
    import pymc as pm

    from forepass.inputs.priors import Prior

__all__ = [
    "PRIORS",
    "TABLES",
    "build",
    "course_of",
    "large_runs",
    "overtraining",
    "project",
    "record_runs",
    "typical_overtraining",
]

TABLES = ("training",)
CONVENTIONS = ("h100_equivalent_ops_per_s",)
"""Definitions that the posterior carries."""
PRIORS = (
    "record_flop_2022",
    "record_growth",
    "record_scatter",
    "record_growth_longrun",
    "record_growth_halflife",
    "record_growth_shock",
    "record_limit",
    "record_limit_bound",
    "overtraining_2025",
    "overtraining_growth",
    "overtraining_growth_longrun",
    "overtraining_growth_halflife",
    "overtraining_break_chance",
    "overtraining_break_size",
    "overtraining_break_halflife",
    "overtraining_spread",
    "overtraining_tail",
    "duration_2022",
    "duration_growth",
    "duration_drift",
    "duration_spread",
    "utilisation",
    "utilisation_spread",
)
ORIGIN = 2025 - EPOCH_YEAR  # the start of the year that priors call 2025
SECONDS_PER_DAY = 86400.0
# An H100e of a training cluster counts the dense 16-bit rate, half of the 8-bit one.
EIGHT_BIT_OVER_16 = 2
ABOUT = {
    "training_flop": ("FLOP", "compute of the year's largest training run"),
    "training_tokens": ("tokens", "tokens that the year's largest run trains on"),
    "training_tokens_per_param": ("tokens per parameter", "tokens over active parameters of it"),
    "training_days": ("days", "length of the year's largest run"),
    "training_utilisation": ("1", "share of the dense 16-bit peak that training reaches"),
    "training_cluster_flops": ("FLOP/s", "dense 16-bit peak of the largest run's cluster"),
    "training_cluster_h100e": ("H100e", "largest run's cluster in H100s, by dense 16-bit peak"),
}

type Array = NDArray[np.float64]


def record_runs(training: pd.DataFrame) -> pd.DataFrame:
    """Return the runs that were the largest known at their release, in order of date.

    Of several of one date, the largest counts.
    """
    known = training[training["training_flop"].notna()].sort_values(
        ["release_date", "training_flop"], ascending=[True, False]
    )
    before = known["training_flop"].cummax().shift(fill_value=0.0)
    return known[known["training_flop"] > before]


def large_runs(training: pd.DataFrame) -> pd.DataFrame:
    """Return the runs within one order of magnitude of the largest released by then."""
    known = training[training["training_flop"].notna()].sort_values("release_date")
    return known[np.log10(known["training_flop"].cummax() / known["training_flop"]) < 1]


def overtraining(runs: pd.DataFrame) -> tuple[Array, Array]:
    """Return log tokens over active parameters, and time, of the runs that tell their tokens."""
    told = runs[runs["training_tokens"].notna()]
    flop, tokens = (told[f"training_{what}"].to_numpy(float) for what in ("flop", "tokens"))
    ratio = physics.training_tokens_per_parameter(flop, tokens)
    return np.log(ratio), times(told["release_date"])


def build(
    tables: Mapping[str, pd.DataFrame],
    priors: Mapping[str, Prior],
    *,
    definitions: Definitions | None = None,
) -> pm.Model:
    """Return the model of record runs, and of how large runs spend their compute.

    Log compute of record runs is linear in time. Tokens over active parameters (overtraining) of
    large runs grow with time; with the compute, they give the tokens. Length grows with time;
    utilisation has no trend. The rates that utilisation is a share of are 16-bit: a run in 8 bits
    can show more of it, and its cluster is then smaller than the one given here.

    Parameters
    ----------
    tables : ``training``.
    priors : every key of `PRIORS`.
    definitions : conventions, of which those named in `CONVENTIONS` count; None for the shipped.

    Raises
    ------
    InputError
        If a prior is missing or unused, or the table knows no run's compute.
    """
    import pymc as pm

    expect(priors, PRIORS, "training")
    unit = (definitions or load_definitions()).h100_equivalent_ops_per_s
    records, large = record_runs(tables["training"]), large_runs(tables["training"])
    if records.empty:
        raise InputError("training.csv: no row has training_flop; at least one must")
    with pm.Model(coords={"record": times(records["release_date"])}) as model:
        beliefs = {name: prior_variable(priors[name]) for name in PRIORS}
        _compute(records, beliefs, unit / EIGHT_BIT_OVER_16)
        _spending(tables["training"], large, beliefs)
    return model


def _compute(records: pd.DataFrame, beliefs: Mapping[str, Any], rate: float) -> None:
    import pymc as pm
    import pytensor.tensor as pt

    level = pt.log(beliefs["record_flop_2022"])
    course = level + beliefs["record_growth"] * times(records["release_date"])
    pm.Deterministic("log_record_flop", course, dims="record")
    # Carries the unit of H100e into the posterior, so that a projection needs no table.
    pm.Deterministic("log_record_h100e_days_2022", level - np.log(rate * SECONDS_PER_DAY))
    error = _relative_error(records)
    pm.Normal(
        "records_seen",
        course,
        pt.sqrt(beliefs["record_scatter"] ** 2 + error**2),
        observed=np.log(records["training_flop"]),
        dims="record",
    )


def _spending(training: pd.DataFrame, large: pd.DataFrame, beliefs: Mapping[str, Any]) -> None:
    import pymc as pm
    import pytensor.tensor as pt

    ratio, when = overtraining(large)
    pm.StudentT(
        "overtraining_seen",
        nu=beliefs["overtraining_tail"],
        mu=pt.log(beliefs["overtraining_2025"]) + beliefs["overtraining_growth"] * (when - ORIGIN),
        sigma=beliefs["overtraining_spread"],
        observed=ratio,
    )
    timed = large[large["duration_days"].notna()]
    pm.Normal(
        "days_seen",
        pt.log(beliefs["duration_2022"])
        + beliefs["duration_growth"] * times(timed["release_date"]),
        beliefs["duration_spread"],
        observed=np.log(timed["duration_days"]),
    )
    used = training[training["utilisation"].notna()]
    pm.Normal(
        "utilisation_seen",
        pt.log(beliefs["utilisation"] / (1 - beliefs["utilisation"])),
        beliefs["utilisation_spread"],
        observed=logit(used["utilisation"].to_numpy()),
    )


def _relative_error(rows: pd.DataFrame) -> Array:
    return rows["relative_error"].fillna(0.0).to_numpy(float)


def project(posterior: xr.Dataset, years: NDArray[np.int_], rng: np.random.Generator) -> xr.Dataset:
    """Return the largest training run of each year and the cluster that it leaves behind.

    Within the record compute follows the fitted line; after it, by the structure that a draw takes,
    growth closes on its long-run rate, or goes on at the record's until what can be afforded
    bounds it. Runs of one year scatter about these. Nothing bounds a cluster by the fleet: that is
    for whoever has both.

    Parameters
    ----------
    posterior : draws of the fitted model, dims (draw, ...).
    years : calendar years in order.
    rng : source of scatter and of shocks to growth.

    Returns
    -------
    Dims (draw, year): cluster peak = compute / (seconds x utilisation). Units in attributes.
    """
    years = as_years(years)
    draw = {name: posterior[name].to_numpy()[:, None] for name in PRIORS}
    last = int(calendar_years(posterior["record"].to_numpy().max()))
    path_rng, structure_rng, *run_rngs, break_rng, drift_rng = rng.spawn(8)
    scatter, ratio_off, days_off, share_off = (
        _by_year(years, last, len(posterior["draw"]), source) for source in run_rngs
    )
    bound = structure_rng.uniform(size=(len(posterior["draw"]), 1)) < draw["record_limit_bound"]
    course = course_of(draw, years, last, bound=bound, rng=path_rng)
    flop = np.exp(course + draw["record_scatter"] * scatter)
    ratio = np.exp(
        typical_overtraining(draw, years, last, rng=break_rng)
        + draw["overtraining_spread"] * ratio_off
    )
    days = np.exp(
        typical_log_days(draw, years, last, rng=drift_rng) + draw["duration_spread"] * days_off
    )
    share = sigmoid(logit(draw["utilisation"]) + draw["utilisation_spread"] * share_off)
    unit = np.exp(posterior["log_record_h100e_days_2022"].to_numpy()[:, None])
    values = {
        "training_flop": flop,
        "training_tokens": physics.training_tokens(flop, ratio),
        "training_tokens_per_param": ratio,
        "training_days": days,
        "training_utilisation": share,
        "training_cluster_flops": flop / (days * SECONDS_PER_DAY * share),
        "training_cluster_h100e": flop / draw["record_flop_2022"] * unit / (days * share),
    }
    return xr.Dataset(
        {name: (("draw", "year"), value, _about(name)) for name, value in values.items()},
        coords={"year": years},
    )


def _about(name: str) -> dict[str, str]:
    return dict(zip(("units", "long_name"), ABOUT[name], strict=True))


def course_of(
    draw: Mapping[str, Array],
    years: NDArray[np.int_],
    last: int,
    *,
    bound: NDArray[np.bool_],
    rng: np.random.Generator,
) -> Array:
    """Return the course of log compute of the largest run, dims (draw, year).

    The fitted line up to the record's last year. After it growth closes on its long-run rate, or,
    where `bound`, dims (draw, 1), the line goes on and levels off below the limit.
    """
    start = np.log(draw["record_flop_2022"])
    line = start + draw["record_growth"] * mid_year(np.minimum(years, last))
    after = draw["record_growth"] * (mid_year(years) - mid_year(np.minimum(years, last)))
    below = np.logaddexp(0, line + after - np.log(draw["record_limit"]))
    drifting = _damped(draw, "record", np.maximum(years - last, 0), rng)
    return np.asarray(line + np.where(bound, (after - below) * (years > last), drifting))


def typical_overtraining(
    draw: Mapping[str, Array], years: NDArray[np.int_], last: int, *, rng: np.random.Generator
) -> Array:
    """Return log tokens over active parameters of a typical largest run, dims (draw, year).

    After the record its growth settles, as text runs short, and breaks come that no trend foresees.
    """
    calm = {**draw, "overtraining_growth_shock": np.zeros_like(draw["overtraining_growth"])}
    within = draw["overtraining_growth"] * (mid_year(np.minimum(years, last)) - ORIGIN)
    steps = np.maximum(years - last, 0)
    ahead = _damped(calm, "overtraining", steps, rng)
    broken = regime_breaks(
        **{
            what: draw[f"overtraining_break_{what}"][:, 0]
            for what in ("chance", "size", "halflife")
        },
        steps=int(steps.max()),
        rng=rng,
    )
    return np.asarray(
        np.log(draw["overtraining_2025"]) + within + ahead + _from_end(broken)[:, steps]
    )


def typical_log_days(
    draw: Mapping[str, Array], years: NDArray[np.int_], last: int, *, rng: np.random.Generator
) -> Array:
    """Return log days of a typical large run, dims (draw, year), which wander after the record."""
    steps = np.maximum(years - last, 0)
    moves = rng.standard_normal((int(steps.max()), len(draw["duration_drift"])))
    wander = _from_end(draw["duration_drift"] * np.cumsum(moves, axis=0).T)[:, steps]
    level = np.log(draw["duration_2022"])
    return np.asarray(level + draw["duration_growth"] * mid_year(np.minimum(years, last)) + wander)


def _damped(
    draw: Mapping[str, Array], what: str, steps: NDArray[np.int_], rng: np.random.Generator
) -> Array:
    """Return the log by which a level changes in so many years, dims (draw, year)."""
    path = damped_log_path(
        growth_now=draw[f"{what}_growth"][:, 0],
        growth_longrun=draw[f"{what}_growth_longrun"][:, 0],
        halflife=draw[f"{what}_growth_halflife"][:, 0],
        shock=draw[f"{what}_growth_shock"][:, 0],
        steps=int(steps.max()),
        step=1.0,
        rng=rng,
    )
    return _from_end(path)[:, steps]


def _from_end(path: Array) -> Array:
    """Return a path that starts at zero at the record's end, dims (draw, step)."""
    return np.concatenate([np.zeros((len(path), 1)), path], axis=1)


def _by_year(years: NDArray[np.int_], last: int, draws: int, rng: np.random.Generator) -> Array:
    """Return standard normals, dims (draw, year), that do not depend on the other years asked."""
    ahead_rng, back_rng = rng.spawn(2)
    ahead = ahead_rng.standard_normal((max(int(years.max()) - last, 0), draws))
    back = back_rng.standard_normal((max(last - int(years.min()) + 1, 0), draws))
    rows = [ahead[year - last - 1] if year > last else back[last - year] for year in years]
    return np.stack(rows, axis=1)
