"""Chips: growth beside published rates, the memory wall, structures, and what priors expected."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from forepass.backtest.chips import shipped
from forepass.backtest.published import Growth, growth, published_growth
from forepass.backtest.scores import covered
from forepass.blocks import chips
from forepass.blocks.chips.paths import trend_path
from forepass.blocks.chips.records import SPECS, ChipRecords, chips_on_record, specs_from_traits
from forepass.blocks.chips.rents import margin_by_year
from forepass.blocks.chips.structures import STRUCTURES
from forepass.inputs.dates import EPOCH_YEAR, year_fraction
from forepass.inputs.definitions import load_definitions
from forepass.inputs.tables import load_table, load_tables
from forepass.settings import Settings
from forepass.tell.figures import INK, VERMILION, house_style, label_values, write_below
from forepass.trend_checks.predictive import bands, draw_fans, interval

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PUBLISHED: Mapping[str, tuple[str, ...]] = {
    "flops_16bit": ("chip_fp16_flops_growth", "chip_bf16_flops_doubling_time"),
    "flops_8bit": ("server_peak_flops_growth",),
    "bandwidth": (
        "server_dram_bandwidth_growth",
        "chip_memory_bandwidth_doubling_time",
        "chip_hbm_bandwidth_doubling_time",
    ),
    "capacity": ("chip_memory_capacity_doubling_time", "chip_hbm_capacity_doubling_time"),
    "scale_up_bandwidth": ("server_interconnect_bandwidth_growth",),
    "power": (),
    "price": (),
}
PER = {
    "16-bit FLOP/s per W": ("flops_16bit", "power", "chip_energy_efficiency_growth"),
    "16-bit FLOP/s per USD": ("flops_16bit", "price", "price_performance_growth_2026"),
}
PANELS = {
    "chip_flops_8bit": ("8-bit rate, PFLOP/s", 1e-15),
    "chip_flops_16bit": ("16-bit rate, PFLOP/s", 1e-15),
    "chip_flops_4bit": ("4-bit rate, PFLOP/s", 1e-15),
    "chip_bandwidth": ("memory bandwidth, TB/s", 1e-12),
    "chip_memory": ("memory capacity, GB", 1e-9),
    "chip_power": ("power, kW", 1e-3),
    "chip_scale_up_bandwidth": ("scale-up bandwidth, TB/s", 1e-12),
    "chip_price_usd": ("price, thousand USD", 1e-3),
}
SEEN = {
    **{panel: panel.removeprefix("chip_") for panel in PANELS},
    "chip_memory": "capacity",
    "chip_price_usd": "price",
}
FIRST, NOW, AHEAD, LAST = 2016, 2026, 2030, 2035
SHARES = {"in50": 0.5, "in80": 0.8}

type Floats = NDArray[np.float64]


def notes(posterior: xr.Dataset, settings: Settings) -> list[str]:
    """Return lines on the memory wall, structures, roadmaps, formats, and what priors expected."""
    records = _records(settings)
    ours = wall(posterior, settings)
    stacked = ours.loc["stacked"]
    found = [
        "Memory wall, growth of 8-bit FLOP per byte of the typical vendor, log per year: "
        + "; ".join(
            f"{years} {stacked[f'{years} p50']:+.2f} "
            f"({stacked[f'{years} p10']:+.2f} to {stacked[f'{years} p90']:+.2f})"
            for years in (f"{FIRST} to {NOW}", f"{NOW - 5} to {NOW}", f"{NOW} to {AHEAD}")
        )
    ]
    found += [
        f"Probability that the newest part has more FLOP per byte than in {NOW}, {name}: "
        f"{row[f'rises to {AHEAD}']:.0%} in {AHEAD}, {row[f'rises to {LAST}']:.0%} in {LAST}"
        for name, row in ours.iterrows()
    ]
    fleet = fleet_flop_per_byte(settings)
    years = (len(fleet) - 1) / 4
    compute, traffic = (
        published_growth(name, settings)
        for name in ("world_ai_compute_sold_growth", "world_ai_memory_bandwidth_growth")
    )
    found.append(
        f"By fleet, all chips counted as shipped: {fleet.iloc[0]:.0f} FLOP per byte at "
        f"{fleet.index[0]}, {fleet.iloc[-1]:.0f} at {fleet.index[-1]}, "
        f"{np.log(fleet.iloc[-1] / fleet.iloc[0]) / years:+.2f} a year in logs; published totals: "
        f"compute {compute:.1f}x and bandwidth {traffic:.1f}x a year, "
        f"{np.log(compute / traffic):+.2f}"
    )
    found += [
        f"{row['quantity']} in {row['year']}: drifting {row['drifting']:.3g}, limit-bound "
        f"{row['limited']:.3g}, stacked {row['stacked']:.3g} with an 80% interval of a factor "
        f"{row['factor80']:.1f}, of whose variance {row['between']:.0%} is between structures"
        for row in spread_between_structures(posterior, settings).to_dict("records")
    ]
    for name, what in (
        ("roadmap_shortfall", "announced specs stand above what ships by, log"),
        ("roadmap_slip", "announced dates slip by, years"),
    ):
        found.append(f"Roadmaps: {what}: {interval(posterior[name].values, '+.2f')}")
    found.append(
        "Vendors with too few shipped chips, whose effects come from the population: "
        + ", ".join(records.thin_vendors)
    )
    found.append(
        "Formats by year:\n" + formats_by_year(settings).to_string(float_format="{:.0%}".format)
    )
    found.append(
        "Rent of a chip-hour over its cost, by year, and what a year of age and other "
        "contracts multiply it by:\n"
        + rent_over_cost(posterior, settings).to_string(float_format="{:.2f}".format)
    )
    check = predictive_check(prior_parts(settings), records)
    found.append(
        "Prior predictive: shares of shipped chips in the 50 and 80% intervals, least-squares "
        "growth, and the share of draws with less of it\n"
        + check.to_string(float_format="{:.2f}".format)
    )
    return found


def figures(posterior: xr.Dataset, settings: Settings) -> dict[str, "Callable[[], Figure]"]:
    """Return what draws the figures, by name."""
    record, reference = _records(settings), load_definitions(settings.priors).reference_vendor
    forward = chips.project(posterior, np.arange(FIRST, LAST + 1), _rng(settings))
    seen = {panel: shipped(record, spec) for panel, spec in SEEN.items()}
    words = f"newest part of {reference}"
    return {
        "fans": lambda: draw_fans(forward, PANELS, seen, series=reference, words=words),
        "wall": lambda: _draw_wall(forward, seen, fleet_flop_per_byte(settings)),
    }


def _draw_wall(forward: xr.Dataset, seen: Mapping[str, pd.DataFrame], fleet: pd.Series) -> "Figure":
    """Return the figure: FLOP per byte by chip, by fleet, and its forecast; and the wall's rate."""
    from matplotlib.figure import Figure

    years = forward["year"].to_numpy()
    flops, bandwidth = seen["chip_flops_8bit"], seen["chip_bandwidth"]
    both = flops.index.intersection(bandwidth.index)
    ratio = np.exp(flops.loc[both, "value"] - bandwidth.loc[both, "value"])
    with house_style():
        figure = Figure(figsize=(13, 5.2), layout="constrained")
        left, right = figure.subplots(1, 2)
        bands(left, years + 0.5, forward["memory_wall_ratio"].to_numpy())
        left.scatter(flops.loc[both, "when"], ratio, s=16, color=INK)
        ends = [float(day[:4]) + float(day[5:7]) / 12 for day in fleet.index]
        left.plot(ends, fleet.to_numpy(), color=VERMILION, linewidth=2.5)
        left.set_yscale("log")
        left.set_title("8-bit FLOP per byte of memory traffic")
        label_values(left)
        bands(right, years + 0.5, forward["memory_wall"].to_numpy())
        right.axhline(0, color=INK, linewidth=1)
        right.set_xticks(years[::4])
        right.set_title("memory wall: growth of FLOP/s less\nthat of bandwidth, log per year")
        write_below(
            figure,
            "Bands: 50, 80 and 90% intervals; left of the newest part, right of the trend. Points: "
            "shipped parts. Vermilion: all chips counted as shipped, together.",
        )
    return figure


def _records(settings: Settings) -> ChipRecords:
    tables = load_tables(chips.TABLES, settings.data)
    return chips_on_record(tables, load_definitions(settings.priors))


def growth_rates(posterior: xr.Dataset, settings: Settings) -> list[Growth]:
    """Return growth of specs of the typical vendor, over the record and ahead of it."""
    specs = _typical(posterior, settings)
    found = []
    for (first, last), named in (((FIRST, NOW), True), ((NOW, AHEAD), False)):
        rate = (specs.sel(year=last) - specs.sel(year=first)) / (last - first)
        years = f"{first} to {last}"
        for spec, names in PUBLISHED.items():
            beside = names if named else ()
            values = rate.sel(spec=spec).values
            found.append(growth(f"{spec}, {years}", values, settings, *beside))
        for name, (above, below, published) in PER.items():
            values = (rate.sel(spec=above) - rate.sel(spec=below)).values
            beside = (published,) if named else ()
            found.append(growth(f"{name}, {years}", values, settings, *beside))
    return found


def wall(posterior: xr.Dataset, settings: Settings) -> pd.DataFrame:
    """Return the memory wall by structure: growth of FLOP per byte, and whether it keeps rising.

    Index the structures and "stacked"; quantiles of growth in log per year over the record, its
    last five years and to 2030; the probability that the newest part has more FLOP per byte in
    2030, and in 2035, than in 2026.
    """
    rows = {}
    for name, draws in _by_structure(posterior).items():
        specs = _typical(draws, settings)
        ratio = specs.sel(spec="flops_8bit") - specs.sel(spec="bandwidth")
        row = {}
        for first, last in ((FIRST, NOW), (NOW - 5, NOW), (NOW, AHEAD), (NOW, LAST)):
            rate = ((ratio.sel(year=last) - ratio.sel(year=first)) / (last - first)).values
            for level in (10, 50, 90):
                row[f"{first} to {last} p{level}"] = float(np.quantile(rate, level / 100))
        ahead = chips.project(draws, np.arange(NOW, LAST + 1), _rng(settings))["memory_wall_ratio"]
        for year in (AHEAD, LAST):
            row[f"rises to {year}"] = float((ahead.sel(year=year) > ahead.sel(year=NOW)).mean())
        rows[name] = row
    return pd.DataFrame(rows).T


def spread_between_structures(posterior: xr.Dataset, settings: Settings) -> pd.DataFrame:
    """Return medians by structure, and how much of the stacked variance lies between them.

    A row for each quantity and year: medians, the 80% interval of the stacked draws as a factor
    high over low, and `between`, a share of the variance of logs.
    """
    years = np.arange(NOW, LAST + 1)
    drawn = {
        name: chips.project(draws, years, _rng(settings))
        for name, draws in _by_structure(posterior).items()
    }
    rows = []
    for quantity in ("chip_flops_8bit", "chip_bandwidth", "chip_memory", "chip_power"):
        for year in (AHEAD, LAST):
            logs = {name: np.log(d[quantity].sel(year=year).values) for name, d in drawn.items()}
            low, high = np.quantile(logs["stacked"], [0.1, 0.9])
            weight = float(posterior["limit_bound_weight"].mean())
            apart = logs[STRUCTURES[0]].mean() - logs[STRUCTURES[1]].mean()
            rows.append(
                {"quantity": quantity, "year": year}
                | {name: float(np.exp(np.median(values))) for name, values in logs.items()}
                | {
                    "factor80": float(np.exp(high - low)),
                    "between": float(weight * (1 - weight) * apart**2 / logs["stacked"].var()),
                }
            )
    return pd.DataFrame(rows)


def predictive_check(drawn: Floats, records: ChipRecords) -> pd.DataFrame:
    """Return how shipped chips lie among draws of their sheets, dims (draw, chip, spec), by spec.

    Index specs: chips, share of them in the 50 and 80% intervals, and the share of draws whose
    least-squares growth over the same chips is below the record's.
    """
    rows = {}
    for at, spec in enumerate(SPECS):
        shown = records.present[:, at] & ~records.announced
        truth, draws = records.log_specs[shown, at], drawn[:, shown, at]
        row: dict[str, float] = {"chips": int(shown.sum())}
        for name, share in SHARES.items():
            row[name] = float(covered(draws, truth, share).mean())
        away = records.when[shown] - records.when[shown].mean()
        row["growth"] = float((truth * away).sum() / (away**2).sum())
        drawn_growth = (draws * away).sum(axis=1) / (away**2).sum()
        row["growth_place"] = float((drawn_growth < row["growth"]).mean())
        rows[spec] = row
    return pd.DataFrame(rows).T


def prior_parts(settings: Settings, draws: int = 300) -> Floats:
    """Return draws of the sheets of the record's chips before the record is seen."""
    import pymc as pm

    from forepass.posterior import build_model

    with build_model("chips", settings):
        found = pm.sample_prior_predictive(draws, random_seed=settings.seed)
    return np.asarray(found["prior_predictive"]["log_specs"].values[0])


def fleet_flop_per_byte(settings: Settings) -> pd.Series:
    """Return 8-bit FLOP per byte of all counted chips at the end of each quarter.

    Counted are the chips of `chip_stock.csv` whose rates and bandwidth are known.
    """
    stock, sheet = (load_table(name, settings.data) for name in ("chip_stock", "chips"))
    eight = sheet[["flops_fp8_flop_per_s", "flops_int8_op_per_s"]].max(axis=1)
    rates = ["eight", "memory_bandwidth_bytes_per_s"]
    of_chip = sheet.assign(eight=eight).set_index("chip")[rates]
    known = stock.join(of_chip, on="chip").dropna(subset=rates)
    summed = known[rates].mul(known["units_p50"], axis=0).groupby(known["quarter_end"]).sum()
    return summed["eight"] / summed["memory_bandwidth_bytes_per_s"]


def rent_over_cost(posterior: xr.Dataset, settings: Settings) -> pd.DataFrame:
    """Return the margin of a new part on demand, and effects of age and contract on it.

    Quantiles p10, p50, p90 of factors; index years of the record and to 2035, then effects.
    """
    years = np.arange(int(posterior["half_year"][0]), LAST + 1)
    by_year = margin_by_year(posterior, years, _rng(settings))
    factors = {str(year): by_year[:, at] for at, year in enumerate(years)}
    factors |= {
        what: np.exp(posterior[name].values)
        for what, name in (
            ("a year of age", "rent_by_age"),
            ("reserved", "rent_reserved"),
            ("spot", "rent_spot"),
        )
    }
    levels = {"p10": 0.1, "p50": 0.5, "p90": 0.9}
    found = {what: np.quantile(drawn, list(levels.values())) for what, drawn in factors.items()}
    return pd.DataFrame(found, index=list(levels)).T


def formats_by_year(settings: Settings) -> pd.DataFrame:
    """Return shares of shipped parts with fast 8 and 4 bits, and of models in each, by year."""
    sheet, models = (load_table(name, settings.data) for name in ("chips", "language_models"))
    sheet = sheet[sheet["shipped"] & sheet["flops_16bit_flop_per_s"].notna()]
    eight = sheet[["flops_fp8_flop_per_s", "flops_int8_op_per_s"]].max(axis=1)
    parts = pd.DataFrame(
        {
            "year": _years(sheet["release_date"]),
            "parts with fast 8 bit": eight > 1.2 * sheet["flops_16bit_flop_per_s"],
            "parts with fast 4 bit": sheet["flops_4bit_flop_per_s"] > 1.2 * eight,
        }
    )
    bits = models["native_weight_bits"]
    released = pd.DataFrame(
        {
            "year": _years(models["release_date"]),
            "models in 8 bit": bits.eq(8).where(bits.notna()),
            "models in 4 bit": bits.le(4).where(bits.notna()),
        }
    )
    by_year = [frame.astype(float).groupby("year").mean() for frame in (parts, released)]
    return pd.concat(by_year, axis=1).rename_axis("year").sort_index()


def _years(dates: pd.Series) -> pd.Series:
    return dates.map(lambda date: np.floor(year_fraction(date)) + EPOCH_YEAR)


def _by_structure(posterior: xr.Dataset) -> dict[str, xr.Dataset]:
    """Return the draws of each structure, and all of them."""
    of = {
        name: posterior.isel(draw=np.flatnonzero(posterior["limit_bound"].values == index))
        for index, name in enumerate(STRUCTURES)
    }
    return of | {"stacked": posterior}


def _typical(posterior: xr.Dataset, settings: Settings) -> xr.DataArray:
    span = np.arange(FIRST, LAST + 1)
    path, _ = trend_path(posterior, span, _rng(settings))
    return xr.DataArray(
        specs_from_traits(path),
        dims=("draw", "year", "spec"),
        coords={"year": span, "spec": list(SPECS)},
    )


def _rng(settings: Settings) -> np.random.Generator:
    return np.random.default_rng(settings.seed)
