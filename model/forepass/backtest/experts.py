"""Forecasts that others published and that have come due, held against the rows that came.

Most state one number, so it is their distance that is told, in natural logs, and no score.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from forepass.inputs.dates import is_date, last_day
from forepass.inputs.tables import load_tables
from forepass.settings import Settings

CAME_AS = {
    "world_h100e_installed": r"installed_h100_equivalents_world",
    "world_h100e_produced_year": r"world_h100e_added_year_ex_china_makers",
    "leading_lab_h100e": r"\w+_lab_fleet_h100e",
    "ai_datacenter_power": r"ai_datacenter_power_w",
    "colossus2_h100e": r"colossus2_h100e",
}
"""What a forecast quantity is called among the rows of the fleet that came."""
LARGEST = ("leading_lab_h100e",)


@dataclass(frozen=True, slots=True)
class Due:
    """A forecast that has come due.

    Attributes
    ----------
    forecaster, made, quantity, date : whose, when, of what, and for when.
    said, came : its median, and the middle of the rows that came, in the unit of the forecast.
    error : log of said over came.
    """

    forecaster: str
    made: str
    quantity: str
    date: str
    said: float
    came: float
    error: float


def due(settings: Settings) -> list[Due]:
    """Return the experts' forecasts that rows told since then answer."""
    tables = load_tables(("expert_forecasts", "fleet"), settings.data)
    found = []
    for row in tables["expert_forecasts"].to_dict("records"):
        quantity, made, date = (str(row[key]) for key in ("quantity", "made_date", "target_date"))
        said, came = float(row["p50"]), _came(quantity, made, date, tables["fleet"])
        if np.isfinite(came) and np.isfinite(said):
            who, error = str(row["forecaster"]), float(np.log(said / came))
            found.append(Due(who, made, quantity, date, said, came, error))
    return found


def _came(quantity: str, made: str, date: str, fleet: pd.DataFrame) -> float:
    """Return what came of a forecast quantity by the rows told after it, NaN where none were."""
    if quantity not in CAME_AS or not is_date(date):
        return float("nan")
    rows = fleet[fleet["quantity"].str.fullmatch(CAME_AS[quantity])]
    told = rows["known"].map(last_day) > last_day(made)
    rows = rows[told & (rows["date"].map(last_day) == last_day(date))]
    return float(rows["central"].max() if quantity in LARGEST else rows["central"].median())
