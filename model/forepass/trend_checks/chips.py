"""Chips: growth beside published rates, findings on structures, and predictive checks."""

from typing import TYPE_CHECKING

import xarray as xr

from forepass.blocks import chips
from forepass.blocks.chips.records import ChipRecords, chips_on_record
from forepass.inputs.definitions import load_definitions
from forepass.inputs.tables import load_tables
from forepass.trend_checks import chip_figures, chip_findings
from forepass.trend_checks.chip_findings import growth_rates

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.figure import Figure

    from forepass.settings import Settings

__all__ = ["figures", "growth_rates", "notes"]


def notes(posterior: xr.Dataset, settings: "Settings") -> list[str]:
    """Return lines on the memory wall, the structures, roadmaps, formats and predictive checks."""
    return chip_findings.lines(posterior, _records(settings), settings)


def figures(posterior: xr.Dataset, settings: "Settings") -> dict[str, "Callable[[], Figure]"]:
    """Return what draws the figures, by name."""
    records = _records(settings)
    return {
        "fans": lambda: chip_figures.draw_fans(posterior, records, settings),
        "wall": lambda: chip_figures.draw_wall(posterior, records, settings),
    }


def _records(settings: "Settings") -> ChipRecords:
    tables = load_tables(chips.TABLES, settings.data)
    return chips_on_record(tables, load_definitions(settings.priors))
