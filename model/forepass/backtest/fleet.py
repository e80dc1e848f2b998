"""The world's chips as one source counts them: what the makers of that day have sold by year's end.

The counts were reconstructed in 2026, and are read again as if each quarter had been counted soon
after its end. What a source errs by in all its counts alike plays no part: a later count of the
same source errs alike.
"""

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from forepass.backtest.targets import Draws, Target, row_frame
from forepass.blocks import chips, fleet
from forepass.blocks.fleet.shipments import WHOLE_FLEET, quarterly_record
from forepass.blocks.fleet.vintages import ship
from forepass.blocks.trends import times
from forepass.inputs.tables import load_tables
from forepass.settings import Settings

NEEDS = ("fleet", "chips")
AGAIN = {"chip_stock": "quarter_end"}
TARGETS = {
    "stock_chips": Target("chips sold", "chips"),
    "stock_h100e": Target(
        "compute sold",
        "H100e",
        ("nvidia_installed_compute_growth",),
        fan="newest",
        scale=1e-6,
        shown_in="million H100e",
    ),
}
FLOWS = {"stock_chips": "units_p50", "stock_h100e": "h100e_p50"}

type Floats = NDArray[np.float64]


def records(settings: Settings) -> dict[str, pd.DataFrame]:
    """Return what makers have sold by each quarter's end, for each set of makers ever counted."""
    stock = load_tables(("chip_stock",), settings.data)["chip_stock"]
    totals = stock[stock["chip"] == WHOLE_FLEET]
    return {name: _by_makers(totals, column) for name, column in FLOWS.items()}


def _by_makers(totals: pd.DataFrame, column: str) -> pd.DataFrame:
    counts = totals.pivot(index="quarter_end", columns="designer", values=column)
    sets = sorted({tuple(counts.columns[row]) for row in counts.notna().to_numpy()}, key=len)
    frames = []
    for makers in sets:
        sold = counts[list(makers)].dropna().sum(axis=1)
        when, value = times(pd.Series(sold.index)), np.log(sold.to_numpy())
        scored = [end.endswith("12-31") for end in sold.index]
        frames.append(row_frame(when, value, ", ".join(makers), "all", scored=scored))
    return pd.concat(frames, ignore_index=True)


def predicted(
    draws: Draws, rows: pd.DataFrame, target: str, settings: Settings, rng: np.random.Generator
) -> Floats:
    """Return draws of the log of what the fit's makers have sold by ends of years, (draw, row).

    What the source had counted last, and what the draws ship from then on.
    """
    posterior, year = draws["fleet"], np.rint(rows["when"].to_numpy()).astype(int) - 1
    tables = load_tables(fleet.TABLES, settings.data)
    designers = posterior["designer"].to_numpy().tolist()
    counted = tables["chip_stock"][tables["chip_stock"]["designer"].isin(designers)]
    last = str(posterior["quarter"].to_numpy()[-1])
    then = counted[_quarters(counted) <= last]
    newest = then[(then["chip"] == WHOLE_FLEET) & (_quarters(then) == last)]
    printed = quarterly_record(then, tables["chips"]).printed_sd
    own = (
        posterior["designer_error_scale"]
        * posterior["designer_error_z"]
        * xr.DataArray(printed, dims="designer")
    )
    as_counted = posterior.assign(
        log_shipments=posterior["log_shipments"] - posterior["source_error"] - own,
        # The makers on record alone are counted.
        missing_share=xr.full_like(posterior["missing_share"], 1e-9),
    )
    end, final = int(last[:4]), max(int(year.max()), 2025)
    chip_rng, ship_rng = rng.spawn(2)
    first = int(str(posterior["quarter"].to_numpy()[0])[:4])
    newest_part = chips.project(draws["chips"], np.arange(first - 1, final + 1), chip_rng)
    shipped = ship(as_counted, newest_part, final, ship_rng)
    per_chip = 1.0 if target == "stock_chips" else shipped.per_chip["h100e"]
    flow = (shipped.chips * per_chip)[:, shipped.vintages >= end]
    logs = as_counted["log_shipments"]
    if target == "stock_h100e":
        logs = logs + as_counted["log_h100e_per_chip"]
    this_year = [q for q in posterior["quarter"].to_numpy() if str(q).startswith(str(end))]
    seen = logs.sel(quarter=this_year).transpose("draw", "quarter", "designer").to_numpy()
    flow[:, 0] -= np.exp(seen).sum(axis=(1, 2))
    sold = float(newest[FLOWS[target]].sum()) + np.cumsum(flow, axis=1)
    return np.asarray(np.log(sold[:, np.maximum(year - end, 0)]))


def _quarters(rows: pd.DataFrame) -> pd.Series:
    return pd.to_datetime(rows["quarter_end"]).dt.to_period("Q").astype(str)
