"""Figures of the trends of chips: data, fit and fan beside naive extrapolation, and the wall."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from forepass.blocks import chips
from forepass.blocks.chips.records import SPECS, ChipRecords
from forepass.inputs.dates import EPOCH_YEAR
from forepass.inputs.definitions import load_definitions
from forepass.settings import Settings
from forepass.tell.figures import GREY, INK, VERMILION, house_style, label_values, write_below
from forepass.trend_checks.predictive import bands, naive

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FIRST, LAST = 2016, 2035
QUANTITIES = {
    "flops_8bit": ("chip_flops_8bit", "8-bit rate, PFLOP/s", 1e-15),
    "flops_16bit": ("chip_flops_16bit", "16-bit rate, PFLOP/s", 1e-15),
    "flops_4bit": ("chip_flops_4bit", "4-bit rate, PFLOP/s", 1e-15),
    "bandwidth": ("chip_bandwidth", "memory bandwidth, TB/s", 1e-12),
    "capacity": ("chip_memory", "memory capacity, GB", 1e-9),
    "power": ("chip_power", "power, kW", 1e-3),
    "scale_up_bandwidth": ("chip_scale_up_bandwidth", "scale-up bandwidth, TB/s", 1e-12),
    "price": ("chip_price_usd", "price, thousand USD", 1e-3),
}

type Floats = NDArray[np.float64]


def draw_fans(posterior: xr.Dataset, records: ChipRecords, settings: Settings) -> "Figure":
    """Return the figure: every spec as recorded, as fitted and as forecast."""
    from matplotlib.figure import Figure

    _, middle, forward = _forward(posterior, settings)
    reference = load_definitions(settings.priors).reference_vendor
    with house_style():
        figure = Figure(figsize=(15, 8.4), layout="constrained")
        for axis, (spec, (name, title, factor)) in zip(
            figure.subplots(2, 4).flat, QUANTITIES.items(), strict=True
        ):
            record = _record(records, SPECS.index(spec))
            own = record[record["series"] == reference]
            bands(axis, middle, forward[name].values * factor)
            others, shipped = (np.exp(rows["value"]) * factor for rows in (record, own))
            axis.scatter(record["when"], others, s=18, facecolors="none", edgecolors=GREY)
            axis.scatter(own["when"], shipped, s=18, color=INK, zorder=3)
            if len(own) >= 4:
                lines = [(0.5, "--", 1.8), (0.1, ":", 1.0), (0.9, ":", 1.0)]
                naive(axis, own, middle, factor, lines)
            axis.set_title(title)
            axis.set_yscale("log")
            label_values(axis)
        write_below(
            figure,
            f"Blue: newest part of {reference}, median with 50, 80 and 90% intervals. Points: "
            f"shipped parts, {reference}'s filled. Vermilion: line through {reference}'s parts by "
            "least squares with its 80% prediction interval.",
        )
    return figure


def draw_wall(
    posterior: xr.Dataset, records: ChipRecords, fleet: pd.Series, settings: Settings
) -> "Figure":
    """Return the figure: FLOP per byte by chip, by fleet, and its forecast; and the wall's rate."""
    from matplotlib.figure import Figure

    years, middle, forward = _forward(posterior, settings)
    shown = records.present[:, [SPECS.index("flops_8bit"), SPECS.index("bandwidth")]].all(axis=1)
    shown &= ~records.announced
    ratio = records.log_specs @ (
        (np.array(SPECS) == "flops_8bit") * 1.0 - (np.array(SPECS) == "bandwidth")
    )
    with house_style():
        figure = Figure(figsize=(13, 5.2), layout="constrained")
        left, right = figure.subplots(1, 2)
        bands(left, middle, forward["memory_wall_ratio"].values)
        left.scatter(records.when[shown] + EPOCH_YEAR, np.exp(ratio[shown]), s=16, color=INK)
        ends = [float(day[:4]) + float(day[5:7]) / 12 for day in fleet.index]
        left.plot(ends, fleet.to_numpy(), color=VERMILION, linewidth=2.5)
        left.set_yscale("log")
        left.set_title("8-bit FLOP per byte of memory traffic")
        label_values(left)
        bands(right, middle, forward["memory_wall"].values)
        right.axhline(0, color=INK, linewidth=1)
        right.set_xticks(years[::4])
        right.set_title("memory wall: growth of FLOP/s less\nthat of bandwidth, log per year")
        write_below(
            figure,
            "Bands: 50, 80 and 90% intervals; left of the newest part, right of the trend. Points: "
            "shipped parts. Vermilion: all chips counted as shipped, together.",
        )
    return figure


def _forward(
    posterior: xr.Dataset, settings: Settings
) -> tuple[NDArray[np.int_], Floats, xr.Dataset]:
    """Return the years on show, their middles, and what the chips come to in them."""
    years = np.arange(FIRST, LAST + 1)
    forward = chips.project(posterior, years, np.random.default_rng(settings.seed))
    return years, np.asarray(years + 0.5, dtype=np.float64), forward


def _record(records: ChipRecords, at: int) -> pd.DataFrame:
    shown = records.present[:, at] & ~records.announced
    return pd.DataFrame(
        {
            "when": records.when[shown] + EPOCH_YEAR,
            "value": records.log_specs[shown, at],
            "series": np.array(records.vendors)[records.vendor][shown],
        }
    )
