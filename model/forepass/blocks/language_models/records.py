"""Releases of language models: which count, which are at the frontier, and what they tell."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import norm

from forepass.blocks.growth import logit
from forepass.blocks.trends import calendar_years, knots_within, times
from forepass.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from forepass.inputs.definitions import Definitions

    type Floats = NDArray[np.float64]
    type Integers = NDArray[np.int_]

__all__ = [
    "BITS",
    "KINDS",
    "PublishedGains",
    "ReleaseRecords",
    "Sized",
    "decoder_releases",
    "frontier_releases",
    "published_gains",
    "release_records",
]

BITS = (16, 8, 4)
SAME_NETWORK = ["developer", "total_params", "active_params", "n_layers", "native_weight_bits"]
# From heavy to light: every head keeps its own keys; heads share them; a latent vector stands for
# them; a part of the layers alone keeps a growing cache; several tokens share an entry.
KINDS = ("full", "shared", "latent", "partial", "compressed")
LATENT, COMPRESSED = ("mla", "mla+sparse"), ("compressed-sparse",)
PARTIAL_MARKS = "-swa|-chunked|hybrid|cla"
PROBES = "gh-ikp"  # the source of sizes guessed from the facts that models know
UNBOUNDED = 60.0  # a log size that no model reaches in either direction
MONTHS = 12.0
ACCOUNTS = {
    "algorithmic_halving_time_pretraining_neurips": "compute",
    "algorithmic_progress_factor": "compute",
    "algorithmic_progress_factor_from_prices": "compute",
    "densing_law_doubling": "parameters",
    "inference_price_decline_fixed_capability": "price",
    "inference_price_decline_price_of_progress": "price",
    "inference_price_decline_a16z": "price",
}
"""Published falls of what a fixed capability needs, and what it was that fell."""


@dataclass(frozen=True, slots=True)
class Sized:
    """Logs (or logits) of one quantity of some releases, dims (release).

    Attributes
    ----------
    when : years since 2022.0.
    value : observed log or logit.
    error : standard deviation of its measurement, log.
    developer : index into the developers.
    low, high : log bounds where no more is known; equal where the value itself is.
    dense : whether the release is dense.
    probed : whether a knowledge probe gave the size.
    """

    when: Floats
    value: Floats
    error: Floats
    developer: Integers
    low: Floats
    high: Floats
    dense: NDArray[np.bool_]
    probed: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class PublishedGains:
    """Published rates at which the need of a fixed capability falls, dims (account).

    Attributes
    ----------
    names : quantities in the table of published trends.
    log_rate : natural log of the rate, itself in log per year.
    error : standard deviation of that log where an interval was stated, else 0.
    price, parameters : whether a price fell, or parameters did, rather than compute.
    """

    names: list[str]
    log_rate: Floats
    error: Floats
    price: Floats
    parameters: Floats


@dataclass(frozen=True, slots=True)
class ReleaseRecords:
    """What the releases tell about each trend.

    Attributes
    ----------
    developers : names, sorted.
    knots : times at which trends may bend.
    years : calendar years from the first to project to the last on record.
    active : log active parameters of frontier releases that tell them, or bounds.
    total : log total parameters of frontier releases that tell no active ones, or bounds alone.
    fraction : logit of the active share of mixtures of experts, at the frontier and off it.
    off_frontier : whether each of these is off the frontier.
    context : log of the longest context that a release takes; size has little to do with it.
    kind_when, kind : time, and index into `KINDS` of the attention of frontier releases.
    kv_when, kv_kind, kv_log_active, kv : the same for all releases with a known cache, with log
        active parameters and log bytes per token.
    mixture_when, mixture : time, and whether a frontier release is a mixture of experts.
    bits_when, bits_code : time, and index into `BITS` of the native weight format.
    layers_log_active, log_layers : log active parameters and log layers, all releases.
    """

    developers: list[str]
    knots: Floats
    years: Integers
    active: Sized
    total: Sized
    fraction: Sized
    off_frontier: NDArray[np.bool_]
    context: Sized
    kind_when: Floats
    kind: Integers
    kv_when: Floats
    kv_kind: Integers
    kv_log_active: Floats
    kv: Floats
    mixture_when: Floats
    mixture: NDArray[np.bool_]
    bits_when: Floats
    bits_code: Integers
    layers_log_active: Floats
    log_layers: Floats


def decoder_releases(models: pd.DataFrame) -> pd.DataFrame:
    """Return language models that generate text, in order of date.

    A row that states its layers but no kind of attention has an encoder: the column has no word for
    those. Sparse translation models of 2020-21 would else set the frontier's bar, with parameters
    of which a thousandth are active. Rows that disclose no architecture stay.
    """
    translator = models["n_layers"].notna() & models["attention"].isna()
    return (
        models[~translator]
        .assign(when=lambda rows: times(rows["release_date"]))
        .sort_values(["when", "model"])
    )


def frontier_releases(models: pd.DataFrame, *, factor: float, window_years: float) -> pd.DataFrame:
    """Return releases whose total parameters are near the largest of the years before them.

    A network that its developer releases again in the same format counts once.

    Parameters
    ----------
    models
        Releases with a column `when`, years since 2022.0.
    factor
        The largest total over a release's own may be this at most.
    window_years
        Years before a release in which the largest is sought, itself included.
    """
    known = models[models["total_params"].notna()]
    when, total = known["when"].to_numpy(), known["total_params"].to_numpy()
    ago = when[:, None] - when
    recent = (ago >= 0) & (ago <= window_years)
    largest = np.where(recent, total, 0.0).max(axis=1, initial=0.0)
    return known[factor * total >= largest].drop_duplicates(SAME_NETWORK)


def releases_on_record(
    tables: Mapping[str, pd.DataFrame], definitions: Definitions
) -> ReleaseRecords:
    """Return the record that the trends of models are fitted to, of all that the tables hold."""
    return release_records(
        tables["language_models"],
        factor=definitions.frontier_window_factor,
        window_years=definitions.frontier_window_years,
        first_year=definitions.first_year,
    )


def release_records(
    models: pd.DataFrame, *, factor: float, window_years: float, first_year: int
) -> ReleaseRecords:
    """Return the record of releases, ready for the model.

    Parameters
    ----------
    models
        Table `language_models`.
    factor, window_years
        What counts as frontier; see `frontier_releases`.
    first_year
        First calendar year that is projected.

    Raises
    ------
    InputError
        If no release at the frontier tells its active parameters.
    """
    models = decoder_releases(models)
    frontier = frontier_releases(models, factor=factor, window_years=window_years)
    told = {
        column: frontier[frontier[column].notna()]
        for column in ("active_params", "attention", "native_weight_bits")
    }
    if told["active_params"].empty:
        raise InputError("language_models.csv: no frontier release has active_params")
    ranged = frontier[["active_params_low", "active_params_high"]].notna().any(axis=1)
    mixtures = models[_has_sizes(models)].drop_duplicates(SAME_NETWORK)
    cached = models[models["kv_bytes_per_token_16bit"].notna() & models["active_params"].notna()]
    lengthy = models[models["max_context_tokens"].notna()].drop_duplicates(SAME_NETWORK)
    layered = models[models["n_layers"].notna() & models["active_params"].notna()]
    typed = frontier[frontier["architecture"].notna()]
    developers = sorted({*frontier["developer"], *mixtures["developer"]})
    share = (mixtures["active_params"] / mixtures["total_params"]).to_numpy()
    when = frontier["when"].to_numpy()
    last = int(calendar_years(when).max())
    return ReleaseRecords(
        developers=developers,
        knots=knots_within(when),
        years=np.arange(min(first_year, last), last + 1),
        active=_size(told["active_params"], "active_params", developers),
        total=_size(
            frontier[frontier["active_params"].isna() | ranged], "total_params", developers
        ),
        fraction=_sized(mixtures, logit(share), developers),
        off_frontier=~mixtures.index.isin(frontier.index),
        context=_sized(
            lengthy, np.log(lengthy["max_context_tokens"]), sorted(set(models["developer"]))
        ),
        kind_when=told["attention"]["when"].to_numpy(),
        kind=_kind(told["attention"]["attention"]),
        kv_when=cached["when"].to_numpy(),
        kv_kind=_kind(cached["attention"]),
        kv_log_active=np.log(cached["active_params"].to_numpy()),
        kv=np.log(cached["kv_bytes_per_token_16bit"].to_numpy()),
        mixture_when=typed["when"].to_numpy(),
        mixture=(typed["architecture"] == "moe").to_numpy(),
        bits_when=told["native_weight_bits"]["when"].to_numpy(),
        bits_code=_bits_code(told["native_weight_bits"]["native_weight_bits"].to_numpy()),
        layers_log_active=np.log(layered["active_params"].to_numpy()),
        log_layers=np.log(layered["n_layers"].to_numpy()),
    )


def published_gains(trends: pd.DataFrame) -> PublishedGains:
    """Return the published rates of `ACCOUNTS`, as natural logs per year; none in early years.

    Parameters
    ----------
    trends
        Table `published_trends`; rates as a factor a year or as months to halve.
    """
    rows = trends[trends["quantity"].isin(ACCOUNTS)].drop_duplicates("quantity")
    by_month = rows["unit"].str.startswith("months").to_numpy()
    low, central, high = (
        np.where(by_month, np.log(2) * MONTHS / rows[column], np.log(rows[column]))
        for column in ("low", "central", "high")
    )
    middle = np.where(np.isnan(central), np.sqrt(low * high), central)
    mass = rows["interval_mass"].to_numpy()
    widths = 2 * norm.ppf((1 + mass) / 2)
    stated = np.abs(np.log(high) - np.log(low)) / widths
    of = rows["quantity"].map(ACCOUNTS)
    return PublishedGains(
        names=rows["quantity"].tolist(),
        log_rate=np.log(middle),
        error=np.nan_to_num(stated),
        price=np.asarray(of == "price", dtype=float),
        parameters=np.asarray(of == "parameters", dtype=float),
    )


def _has_sizes(models: pd.DataFrame) -> pd.Series:
    """Return which rows state both sizes of a mixture, and not as bounds."""
    sizes = models["active_params"].notna() & models["total_params"].notna()
    bounds = models[[c for c in models if str(c).endswith(("_low", "_high"))]].notna().any(axis=1)
    return sizes & ~bounds & (models["active_params"] < models["total_params"])


def _kind(attention: pd.Series) -> Integers:
    """Return the index into `KINDS` of each kind of attention."""
    named = np.select(
        [
            attention == "mha",
            attention.isin(LATENT),
            attention.isin(COMPRESSED),
            attention.str.contains(PARTIAL_MARKS),
        ],
        ["full", "latent", "compressed", "partial"],
        default="shared",
    )
    return np.array([KINDS.index(name) for name in named], dtype=int)


def _size(rows: pd.DataFrame, column: str, developers: list[str]) -> Sized:
    """Return log sizes of the rows, as bounds where bounds are all that is known."""
    sized = _sized(rows, np.log(rows[column]), developers)
    low, high = (np.log(rows[f"{column}_{end}"].to_numpy()) for end in ("low", "high"))
    known = np.isnan(low) & np.isnan(high)
    return replace(
        sized,
        low=np.where(known, sized.value, np.nan_to_num(low, nan=-UNBOUNDED)),
        high=np.where(known, sized.value, np.nan_to_num(high, nan=UNBOUNDED)),
    )


def _sized(rows: pd.DataFrame, value: Floats | pd.Series, developers: list[str]) -> Sized:
    value = np.asarray(value, dtype=float)
    return Sized(
        when=rows["when"].to_numpy(),
        value=value,
        error=rows["params_relative_error"].fillna(0.0).to_numpy(),
        developer=np.array([developers.index(name) for name in rows["developer"]], dtype=int),
        low=value,
        high=value,
        dense=(rows["architecture"] == "dense").to_numpy(),
        probed=rows["source"].str.contains(PROBES).to_numpy(),
    )


def _bits_code(bits: Floats) -> Integers:
    """Return the index into `BITS` of the widest format that is no wider than each."""
    return np.asarray((bits[:, None] < np.array(BITS[:-1])).sum(axis=1))
