"""Releases of language models: which count, which are at the frontier, and what they tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from forepass.blocks.growth import logit
from forepass.blocks.trends import calendar_years, knots_within, times
from forepass.errors import InputError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    type Floats = NDArray[np.float64]
    type Integers = NDArray[np.int_]

__all__ = ["BITS", "ReleaseRecords", "decoder_releases", "frontier_releases", "release_records"]

BITS = (16, 8, 4)
SAME_NETWORK = ["developer", "total_params", "active_params", "n_layers", "native_weight_bits"]


@dataclass(frozen=True, slots=True)
class Sized:
    """Logs (or logits) of one quantity of some releases, dims (release).

    Attributes
    ----------
    when : years since 2022.0.
    value : observed log or logit.
    error : standard deviation of its measurement, log.
    developer : index into the developers.
    """

    when: Floats
    value: Floats
    error: Floats
    developer: Integers


@dataclass(frozen=True, slots=True)
class ReleaseRecords:
    """What the releases tell about each trend.

    Attributes
    ----------
    developers : names, sorted.
    knots : times at which trends may bend.
    years : calendar years from the first to project to the last on record.
    active : log active parameters of frontier releases that tell them.
    dense : whether each of these is dense.
    total : log total parameters of frontier releases that tell nothing of active ones.
    fraction : logit of the active share of mixtures of experts, at the frontier and off it.
    off_frontier : whether each of these is off the frontier.
    kv : log KV bytes per token of frontier releases.
    mixture_when, mixture : time, and whether a frontier release is a mixture of experts.
    bits_when, bits_code : time, and index into `BITS` of the native weight format.
    layers_log_active, log_layers : log active parameters and log layers, all releases.
    """

    developers: list[str]
    knots: Floats
    years: Integers
    active: Sized
    dense: NDArray[np.bool_]
    total: Sized
    fraction: Sized
    off_frontier: NDArray[np.bool_]
    kv: Sized
    mixture_when: Floats
    mixture: NDArray[np.bool_]
    bits_when: Floats
    bits_code: Integers
    layers_log_active: Floats
    log_layers: Floats


def decoder_releases(models: pd.DataFrame) -> pd.DataFrame:
    """Return language models that generate text, in order of date.

    A row that states its layers but no kind of attention is an encoder-decoder: the column has no
    word for those. Sparse translation models of 2020-21 would else set the frontier's bar, with
    parameters of which a thousandth are active. Rows that disclose no architecture stay.
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
        If no release at the frontier tells its active parameters, cache, layers or format.
    """
    models = decoder_releases(models)
    frontier = frontier_releases(models, factor=factor, window_years=window_years)
    told = {
        column: frontier[frontier[column].notna()]
        for column in ("active_params", "kv_bytes_per_token_16bit", "native_weight_bits")
    }
    for column, rows in told.items():
        if rows.empty:
            raise InputError(f"language_models.csv: no frontier release has {column}")
    mixtures = models[models["n_experts"].notna() & _has_sizes(models)].drop_duplicates(
        SAME_NETWORK
    )
    developers = sorted({*frontier["developer"], *mixtures["developer"]})
    layered = models[models["n_layers"].notna() & models["active_params"].notna()]
    typed = frontier[frontier["architecture"].notna()]
    total = frontier[frontier["active_params"].isna()]
    share = (mixtures["active_params"] / mixtures["total_params"]).to_numpy()
    when = frontier["when"].to_numpy()
    return ReleaseRecords(
        developers=developers,
        knots=knots_within(when),
        years=np.arange(first_year, calendar_years(when).max() + 1),
        active=_sized(
            told["active_params"], np.log(told["active_params"]["active_params"]), developers
        ),
        dense=(told["active_params"]["architecture"] == "dense").to_numpy(),
        total=_sized(total, np.log(total["total_params"]), developers),
        fraction=_sized(mixtures, logit(share), developers),
        off_frontier=~mixtures.index.isin(frontier.index),
        kv=_sized(
            told["kv_bytes_per_token_16bit"],
            np.log(told["kv_bytes_per_token_16bit"]["kv_bytes_per_token_16bit"]),
            developers,
        ),
        mixture_when=typed["when"].to_numpy(),
        mixture=(typed["architecture"] == "moe").to_numpy(),
        bits_when=told["native_weight_bits"]["when"].to_numpy(),
        bits_code=_bits_code(told["native_weight_bits"]["native_weight_bits"].to_numpy()),
        layers_log_active=np.log(layered["active_params"].to_numpy()),
        log_layers=np.log(layered["n_layers"].to_numpy()),
    )


def _has_sizes(models: pd.DataFrame) -> pd.Series:
    sizes = models["active_params"].notna() & models["total_params"].notna()
    return sizes & (models["active_params"] < models["total_params"])


def _sized(rows: pd.DataFrame, value: Floats | pd.Series, developers: list[str]) -> Sized:
    return Sized(
        when=rows["when"].to_numpy(),
        value=np.asarray(value, dtype=float),
        error=rows["params_relative_error"].fillna(0.0).to_numpy(),
        developer=np.array([developers.index(name) for name in rows["developer"]], dtype=int),
    )


def _bits_code(bits: Floats) -> Integers:
    """Return the index into `BITS` of the widest format that is no wider than each."""
    return np.asarray((bits[:, None] < np.array(BITS[:-1])).sum(axis=1))
