"""The table of language models as the rows that each part of the block learns from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from forepass.blocks.trends import knots_within, times
from forepass.inputs.dates import EPOCH_YEAR

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    type Floats = NDArray[np.float64]

# Levels and growths speak of the start of this year, the middle of what the table holds: further
# back, a level and its growth could hardly be told apart.
ANCHOR_YEAR = 2025
ARCHITECTURES = ("dense", "moe")


@dataclass(frozen=True, slots=True)
class Releases:
    """Dated releases, one entry each; NaN where the table is silent.

    `log_active`, `log_total`, `log_kv_bytes` and `log_layers` are natural logs; `error` is one
    standard deviation of log parameters; `native_bits` is the width of the released weights.
    """

    names: NDArray[np.str_]
    developers: list[str]
    developer: NDArray[np.int_]
    when: Floats
    log_active: Floats
    log_total: Floats
    error: Floats
    log_kv_bytes: Floats
    log_layers: Floats
    native_bits: Floats
    is_moe: Floats
    frontier: NDArray[np.bool_]

    @property
    def since_anchor(self) -> Floats:
        """Return release times as years since the anchor."""
        return self.when - (ANCHOR_YEAR - EPOCH_YEAR)

    @property
    def knots(self) -> Floats:
        """Return the turns of years at which slopes may bend, as years since the anchor."""
        return knots_within(self.since_anchor)


def releases(models: pd.DataFrame, *, window_factor: float, window_years: float) -> Releases:
    """Return the releases of the table that were built to be served.

    Mixtures of experts from before 2022 are left out: they were translation models and research
    systems, up to thirty times sparser than anything served since.

    Parameters
    ----------
    models
        Table `language_models`.
    window_factor, window_years
        A release is at the frontier when its total parameters are within the factor of the
        largest released in the years up to it.
    """
    models = models.assign(when=times(models["release_date"])).dropna(subset="when")
    models = models[(models["when"] >= 0) | (models["architecture"] != "moe")]
    when = models["when"].to_numpy(dtype=float)
    developers = sorted(models["developer"].unique())
    known = models["architecture"].isin(ARCHITECTURES)
    total = _numbers(models, "total_params")
    return Releases(
        names=models["model"].to_numpy(dtype=str),
        developers=developers,
        developer=np.array([developers.index(name) for name in models["developer"]]),
        when=when,
        log_active=np.log(_numbers(models, "active_params")),
        log_total=np.log(total),
        error=models["params_relative_error"].fillna(0.0).to_numpy(dtype=float),
        log_kv_bytes=np.log(_numbers(models, "kv_bytes_per_token_16bit")),
        log_layers=np.log(_numbers(models, "n_layers")),
        native_bits=_numbers(models, "native_weight_bits"),
        is_moe=(models["architecture"] == "moe").where(known).to_numpy(dtype=float),
        frontier=at_frontier(when, total, factor=window_factor, years=window_years),
    )


def at_frontier(when: Floats, total: Floats, *, factor: float, years: float) -> NDArray[np.bool_]:
    """Return which releases are within a factor of the largest of the years up to them."""
    size = np.where(np.isfinite(total), total, 0.0)
    age = when[:, None] - when
    largest = np.where((age >= 0) & (age < years), size, 0.0).max(axis=1)
    return np.asarray((size > 0) & (size * factor >= largest))


def _numbers(models: pd.DataFrame, column: str) -> Floats:
    return models[column].to_numpy(dtype=float, na_value=np.nan)
