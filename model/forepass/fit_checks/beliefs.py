"""What data did to beliefs: contraction of each, and rates in the record beside stated ones."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from forepass.blocks import training
from forepass.blocks.chips.records import TRAITS, chips_on_record
from forepass.blocks.demand.model import token_reports
from forepass.blocks.fleet.shipments import QUARTERS_PER_YEAR, quarterly_record
from forepass.blocks.language_models.records import published_gains, releases_on_record
from forepass.blocks.trends import times
from forepass.fit_checks.finding import Finding
from forepass.inputs.definitions import load_definitions
from forepass.inputs.elicitation import quantile
from forepass.inputs.priors import Prior
from forepass.sensitivities.beliefs import LEARNED, Belief, prior_scores
from forepass.settings import Settings

WIDER = -0.25
"""Contraction below which a posterior is wider than its prior by more than chance: the variance of
some 600 effective draws is known to 6%, so that a quarter is four standard errors."""
FAR = 2.6
"""Standard scores of the prior beyond which a posterior median lies in its outer 1%."""
DRIFT = 0.15
"""Standard scores by which a belief that no row informs may have moved, which is by chance."""
CHANCE = 0.01

type Floats = NDArray[np.float64]
type Tables = Mapping[str, pd.DataFrame]


def contractions(block: str, beliefs: Sequence[Belief], informed: frozenset[str]) -> Finding:
    """Check what data took from each stated belief.

    Where rows inform it, the posterior must not be wider than the prior, nor its median in the
    prior's outer 1%: data and belief then contradict each other. Where none does, it must be what
    it was.

    Parameters
    ----------
    beliefs : of the block; those that nobody stated are left out.
    informed : variables that the likelihood depends on.
    """
    values, short = {}, []
    for one in beliefs:
        if one.prior is None:
            continue
        scores = prior_scores(one.prior, one.draws)
        shrunk, moved = float(1 - np.var(scores)), float(np.median(scores))
        heard = one.variable in informed
        values[one.key] = {"contraction": shrunk, "median_score": moved, "informed": heard}
        if shrunk < WIDER:
            short.append(f"{one.key}: posterior wider than prior (contraction {shrunk:.2f})")
        if abs(moved) > (FAR if heard else DRIFT):
            why = "median in the prior's outer 1%" if heard else "moved, though no row informs it"
            short.append(f"{one.key}: {why} ({moved:+.1f} standard scores)")
    learned = sum(value["contraction"] >= LEARNED for value in values.values())
    alone = sum(not value["informed"] for value in values.values())
    return Finding(
        block,
        "contraction",
        not short,
        f"{len(values)} beliefs: {learned} learned by half or more, {alone} that no row informs",
        f"contraction {WIDER:g} or more; median within {FAR:g} standard scores of the prior, "
        f"{DRIFT:g} where no row informs it",
        short,
        values,
    )


@dataclass(frozen=True, slots=True)
class Rate:
    """A yearly rate as stated, as fitted, and as a line through the record shows it.

    Attributes
    ----------
    stated, fitted : 5th and 95th percentile of prior and posterior.
    record, error : slope of the record with its standard error.
    ahead : whether the belief is of years to come, which the record need not bear out.
    """

    name: str
    stated: tuple[float, float]
    fitted: tuple[float, float]
    record: float
    error: float
    ahead: bool

    @property
    def outside(self) -> bool:
        """Whether the record's rate lies outside the stated interval."""
        low, high = self.stated
        return not low <= self.record <= high


def back_cast(
    block: str,
    beliefs: Sequence[Belief],
    priors: Mapping[str, Prior],
    tables: Tables,
    settings: Settings,
) -> Finding | None:
    """Check rates that the record shows against the stated 90% of beliefs about them.

    Returns None for a block whose rows show no rate by themselves. One in ten should lie outside;
    short is where more do than would by chance, 99 times in 100. Rates of years to come stand
    beside what the record shows and are not counted.
    """
    recorded = recorded_rates(block, tables, settings)
    drawn = {belief.variable: belief.draws for belief in beliefs}
    rates = []
    for name, (slope, error) in recorded.items():
        for stated, ahead in ((name, False), (f"{name}_longrun", True), (LATER.get(name), True)):
            if stated not in priors or stated not in drawn:
                continue
            low, high = quantile(priors[stated], [0.05, 0.95])
            fitted = np.quantile(drawn[stated], [0.05, 0.95])
            ends = (float(low), float(high)), (float(fitted[0]), float(fitted[1]))
            rates.append(Rate(stated, *ends, slope, error, ahead))
    past = [rate for rate in rates if not rate.ahead]
    if not past:
        return None
    outside = [rate for rate in past if rate.outside]
    most = int(stats.binom.ppf(1 - CHANCE, len(past), 0.1))
    passed = len(outside) <= most
    return Finding(
        block,
        "back-cast",
        passed,
        f"{len(outside)} of {len(past)} rates outside the stated 90%"
        + (f" ({', '.join(rate.name for rate in outside)})" if outside else ""),
        f"at most {most} of {len(past)}, by chance at one in ten",
        [] if passed else [_told(rate) for rate in outside],
        {"rates": [{**asdict(rate), "outside": rate.outside} for rate in rates]},
    )


LATER = {"memory_wall": "memory_wall_long_run"}


def _told(rate: Rate) -> str:
    (low, high), record = rate.stated, rate.record
    return f"{rate.name}: {record:+.3f} a year on record, stated {low:+.3f} to {high:+.3f}"


def recorded_rates(
    block: str, tables: Tables, settings: Settings
) -> dict[str, tuple[float, float]]:
    """Return the slope of a line through the rows of each rate with its error, by prior's name.

    Logs (logits of shares) a year, rows of one group (vendor, series, kind) sharing an intercept.
    """
    read = RECORDED.get(block)
    return {} if read is None else read(tables, settings)


def fitted_slope(when: Floats, value: Floats, group: Any = None) -> tuple[float, float]:  # noqa: ANN401
    """Return the slope by least squares with an intercept for each group, and its error."""
    known = np.isfinite(value)
    when, value = when[known], value[known]
    if group is None:
        group = np.zeros(len(known), dtype=int)
    _, group = np.unique(np.asarray(group)[known], return_inverse=True)
    count = np.bincount(group)
    x, y = (v - (np.bincount(group, v) / count)[group] for v in (when, value))
    slope = float((x @ y) / (x @ x))
    spare = max(len(x) - len(count) - 1, 1)
    return slope, float(np.sqrt(np.square(y - slope * x).sum() / spare / (x @ x)))


def _chips(tables: Tables, settings: Settings) -> dict[str, tuple[float, float]]:
    records = chips_on_record(tables, load_definitions(settings.priors))
    logs = np.where(records.present, records.log_specs, np.nan)[~records.announced]
    when, vendor = records.when[~records.announced], records.vendor[~records.announced]
    eight, bandwidth = TRAITS.index("flops_8bit"), TRAITS.index("bandwidth")
    found = {}
    for place, trait in enumerate(TRAITS):
        value = logs[:, place] - (logs[:, eight] if trait.startswith("ratio") else 0.0)
        found[f"growth_{trait}"] = fitted_slope(when, value, vendor)
    # That of the 8-bit rate is believed as the wall's, beside bandwidth.
    del found["growth_flops_8bit"]
    found["memory_wall"] = fitted_slope(when, logs[:, eight] - logs[:, bandwidth], vendor)
    return found


def _language_models(tables: Tables, settings: Settings) -> dict[str, tuple[float, float]]:
    records = releases_on_record(tables, load_definitions(settings.priors))
    known = records.active.low == records.active.high
    gains = published_gains(tables["published_trends"])
    compute = np.exp(gains.log_rate[(gains.price + gains.parameters) == 0])
    return {
        "active_growth": fitted_slope(records.active.when[known], records.active.value[known]),
        "fraction_growth": fitted_slope(
            records.fraction.when, records.fraction.value, records.off_frontier
        ),
        "context_growth": fitted_slope(records.context.when, records.context.value),
        "kv_growth": fitted_slope(records.kv_when, records.kv, records.kv_kind),
        "algorithmic_gain": (float(compute.mean()), float(compute.std() / len(compute) ** 0.5)),
    }


def _fleet(tables: Tables, _: Settings) -> dict[str, tuple[float, float]]:
    record = quarterly_record(tables["chip_stock"], tables["chips"])
    found = {}
    for name, logs in record.log_walked.items():
        yearly = QUARTERS_PER_YEAR * np.nanmean(np.diff(logs, axis=1), axis=1)
        found[f"{name}_growth"] = (float(yearly.mean()), float(yearly.std() / len(yearly) ** 0.5))
    return found


def _training(tables: Tables, _: Settings) -> dict[str, tuple[float, float]]:
    records, large = (
        read(tables["training"]) for read in (training.record_runs, training.large_runs)
    )
    ratio, told = training.overtraining(large)
    flop, days = np.log(records["training_flop"]), np.log(large["duration_days"])
    return {
        "record_growth": fitted_slope(times(records["release_date"]), flop.to_numpy(float)),
        "overtraining_growth": fitted_slope(told, ratio),
        "duration_growth": fitted_slope(times(large["release_date"]), days.to_numpy(float)),
    }


def _demand(tables: Tables, _: Settings) -> dict[str, tuple[float, float]]:
    reports = token_reports(tables["demand"])
    # The belief is of the record's end, and of tokens rather than of words.
    late = (reports.when > reports.when.max() - 1.5) & ~reports.words
    slope = fitted_slope(reports.when[late], reports.log_tokens_per_s[late], reports.member[late])
    return {"demand_growth": slope}


RECORDED = {
    "chips": _chips,
    "language_models": _language_models,
    "fleet": _fleet,
    "training": _training,
    "demand": _demand,
}
