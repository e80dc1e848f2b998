"""Language models: growth beside published rates, and predictive checks of every trait."""

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from forepass.backtest.language_models import of_releases, records
from forepass.blocks.language_models.paths import structures
from forepass.inputs.definitions import load_definitions
from forepass.trend_checks import language_model_findings
from forepass.trend_checks.language_model_findings import figures, growth_rates

if TYPE_CHECKING:
    from forepass.settings import Settings

__all__ = ["figures", "growth_rates", "notes"]


def notes(posterior: xr.Dataset, settings: "Settings") -> list[str]:
    """Return lines on shares active, structures, and prior and posterior predictive checks."""
    seen = {}
    for name, rows in records(settings).items():
        told = rows[rows["when"] >= load_definitions(settings.priors).first_year]
        rng = np.random.default_rng(settings.seed)
        chosen = structures(posterior, rng)
        drawn = of_releases(posterior, told, name, chosen, rng)
        seen[name] = (drawn, told["value"].to_numpy())
    return language_model_findings.lines(posterior, settings, seen)
