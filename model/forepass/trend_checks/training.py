"""Training runs: growth beside published rates, and what priors expected of the record."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xarray as xr

from forepass.backtest.published import Growth, growth
from forepass.backtest.training import records
from forepass.blocks import training
from forepass.inputs.elicitation import sample
from forepass.inputs.priors import load_priors
from forepass.settings import Settings
from forepass.trend_checks.predictive import draw_fans, interval, place_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BLOCK = "training"
PANELS = {
    "training_flop": ("compute of the largest run, 1e24 FLOP", 1e-24),
    "training_tokens": ("tokens of the largest run, trillion", 1e-12),
    "training_tokens_per_param": ("tokens for each active parameter", 1.0),
    "training_days": ("length of the largest run, days", 1.0),
    "training_cluster_h100e": ("its cluster, thousand H100s", 1e-3),
}
SEEN = {
    "training_flop": "training_flop",
    "training_tokens": "training_tokens",
    "training_tokens_per_param": "tokens_per_param",
    "training_days": "training_days",
}
YEARS = np.arange(2020, 2036)
PRIOR_DRAWS = 4000


def growth_rates(posterior: xr.Dataset, settings: Settings) -> list[Growth]:
    """Return growth of compute, overtraining and length beside published rates."""
    forward = _forward(posterior, settings)
    log = xr.ufuncs.log(forward["training_flop"].transpose("year", "draw"))
    return [
        growth(
            "compute of the largest run, on record",
            posterior["record_growth"].to_numpy(),
            settings,
            "training_compute_growth_frontier",
            "training_compute_growth_notable_models",
            "frontier_training_compute_growth",
            "training_compute_doubling_time",
        ),
        *(
            growth(
                f"compute of the largest run, {a} to {b}",
                ((log.sel(year=b) - log.sel(year=a)) / (b - a)).to_numpy(),
                settings,
                *(["training_compute_growth_future_guess"] if a == 2026 else []),
            )
            for a, b in ((2026, 2030), (2030, 2035))
        ),
        growth(
            "tokens for each active parameter, on record",
            posterior["overtraining_growth"].to_numpy(),
            settings,
        ),
        growth(
            "length of large runs, on record", posterior["duration_growth"].to_numpy(), settings
        ),
    ]


def notes(posterior: xr.Dataset, settings: Settings) -> list[str]:
    """Return lines on structures, and what priors expected of the record."""
    said, rate = [], posterior["record_growth"]
    structures = {
        "drifting": posterior.assign(record_limit_bound=xr.zeros_like(rate)),
        "limit-bound": posterior.assign(record_limit_bound=xr.ones_like(rate)),
        "stacked": posterior,
    }
    for year in (2030, 2035):
        parts = []
        for name, sure in structures.items():
            flop = _forward(sure, settings)["training_flop"].sel(year=year)
            parts.append(f"{name} {interval(flop.to_numpy(), '.2g')}")
        said.append(f"compute of the largest run in {year}, FLOP: {', '.join(parts)}")
    return said + _prior_lines(settings, records(settings)["training_flop"])


def figures(posterior: xr.Dataset, settings: Settings) -> dict[str, Callable[[], "Figure"]]:
    """Return what draws the figures, by name."""
    runs = records(settings)
    seen = {panel: runs[name] for panel, name in SEEN.items()}
    return {"fans": lambda: draw_fans(_forward(posterior, settings), PANELS, seen)}


def _prior_lines(settings: Settings, runs: pd.DataFrame) -> list[str]:
    """Return where the record's growth and end lie among what the priors expected of them."""
    rng = np.random.default_rng(settings.seed)
    priors = load_priors(BLOCK, settings.priors)
    when, value = runs["when"].to_numpy(), runs["value"].to_numpy()
    drawn = {
        name: sample(priors[f"record_{name}"], PRIOR_DRAWS, rng)
        for name in ("flop_2022", "growth", "scatter")
    }
    said = []
    for first, last in ((2015.0, 2020.0), (2020.0, 2025.6)):
        at = [np.flatnonzero(when < end)[-1] for end in (first, last)]
        span = when[at[1]] - when[at[0]]
        off = drawn["scatter"] * np.sqrt(2) * rng.standard_normal(PRIOR_DRAWS) / span
        came = float((value[at[1]] - value[at[0]]) / span)
        name = f"yearly growth of record compute, {first:.0f} to {last:.0f}"
        said.append(place_text(name, drawn["growth"] + off, came, "log"))
    return said


def _forward(posterior: xr.Dataset, settings: Settings) -> xr.Dataset:
    return training.project(posterior, YEARS, np.random.default_rng(settings.seed))
