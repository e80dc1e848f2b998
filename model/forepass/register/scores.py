"""Recorded forecasts against what has become known since, on the dates that have come due."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.resources.abc import Traversable
from typing import TYPE_CHECKING, Any

from forepass.documents import QUANTILES
from forepass.inputs.comparisons import FILE, centre_of, load_comparisons
from forepass.inputs.dates import first_day, is_date, last_day
from forepass.inputs.rows import read_rows
from forepass.inputs.toml_files import read_tables

if TYPE_CHECKING:
    import pandas as pd

OBSERVED = ("fleet", "demand")
"""Of the tables of priors/comparisons.toml those that hold what was seen, not what is expected."""
WIDTHS = (0.075, 0.1, 0.2, 0.25, 0.2, 0.1, 0.075)
"""The part of all levels that is nearest to each of `QUANTILES`."""
INTERVALS = {50: ("p25", "p75"), 80: ("p10", "p90"), 90: ("p05", "p95")}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became known of one of our quantities.

    Attributes
    ----------
    period : ISO text of the year, month or day that it is of.
    known : the day from which it was public.
    """

    name: str
    quantity: str
    period: str
    value: float
    source: str
    known: date


def outcomes(priors: Traversable, data: Traversable) -> list[Outcome]:
    """Return the rows that are the same thing as one of our quantities, in order of date.

    Those that comparisons.toml pairs with a quantity, of the tables `OBSERVED`, leaving out parts
    of a whole and other speeds; and the largest training run of each year of training.csv.
    """
    from forepass.inputs.tables import load_tables  # slow to load, and a list of entries needs none

    checked = load_tables((*OBSERVED, "training"), data)
    since = _known_since(data)
    published = load_comparisons(priors, data)
    tables, _ = read_tables(FILE, priors)
    seen = {name for name, table in tables.items() if table["table"] in OBSERVED}
    found = [
        Outcome(
            one.name, one.quantity, one.date, centre_of(one), one.source, _known(one.source, since)
        )
        for one in published
        if one.name in seen and not one.part and one.speed is None
    ]
    runs = _largest_runs(checked["training"], since)
    return sorted([*found, *runs], key=lambda one: (one.period, one.name))


def _largest_runs(training: "pd.DataFrame", since: Mapping[str, date]) -> list[Outcome]:
    """Return the largest run of each year, known when the year is over and the run described."""
    runs = training.dropna(subset="training_flop")
    largest = runs.groupby(runs["release_date"].str[:4])["training_flop"].idxmax()
    return [
        Outcome(
            f"training_{row['model']}",
            "training_flop",
            str(year),
            float(row["training_flop"]),
            row["source"],
            _known(row["source"], since, row["known"]),
        )
        for year, row in zip(largest.index, runs.loc[largest].to_dict("records"), strict=True)
    ]


def _known_since(data: Traversable) -> dict[str, date]:
    rows = read_rows(data / "sources.csv").records()
    return {row["source"]: first_day(row["date"]) for row in rows if is_date(row["date"])}


def _known(keys: str, since: Mapping[str, date], stated: str = "") -> date:
    """Return the first day a row may have been known: as it states, or as its sources are dated.

    The first of them, so that nothing counts as news that a forecast may have seen.
    """
    if stated:
        return first_day(stated)
    return min((since[key] for key in keys.split(";") if key in since), default=date.min)


def scored(
    document: Mapping[str, Any], found: Iterable[Outcome], *, on: date
) -> list[dict[str, Any]]:
    """Return a record of each outcome that came due by ``on`` and was not known at recording.

    ``crps`` is of logs: twice the pinball loss over all levels, from the quantiles recorded
    (Gneiting and Ranjan 2011, J. Bus. Econ. Stat. 29); ``inside`` says which intervals hold it.
    """
    recorded = date.fromisoformat(document["created"])
    records = []
    for one in found:
        due = max(last_day(one.period), one.known)
        if not (recorded < one.known and due <= on) or one.value <= 0:
            continue
        quantiles = _at(document, one)
        if quantiles is None:
            continue
        median = quantiles["p50"]
        side = "under" if one.value > median else "over" if one.value < median else "at"
        records.append(
            {
                **{"name": one.name, "quantity": one.quantity, "date": one.period},
                **{"unit": document["quantities"][one.quantity]["unit"], "source": one.source},
                **{"known": one.known.isoformat(), "observed": one.value},
                **{key: quantiles[key] for key in ("p10", "p50", "p90")},
                "crps": _crps(quantiles, one.value),
                "inside": {
                    str(mass): quantiles[bottom] <= one.value <= quantiles[top]
                    for mass, (bottom, top) in INTERVALS.items()
                },
                "forecast_was": side,
            }
        )
    return records


def _at(document: Mapping[str, Any], one: Outcome) -> dict[str, float] | None:
    """Return the quantiles at the date of an outcome, each interpolated as a draw would be."""
    import numpy as np
    import xarray as xr

    from forepass.forward import timing

    entry = document["quantities"].get(one.quantity)
    if entry is None or not all(key in entry for key in QUANTILES):
        return None
    values = np.array([entry[key] for key in QUANTILES], dtype=float)
    array = xr.DataArray(
        values,
        {"year": document["years"]},
        ("draw", "year"),
        name=one.quantity,
        attrs={"units": entry["unit"]},
    )
    found = timing.at_dates(array, [timing.decimal_date(one.period, one.quantity)])[:, 0]
    if not (np.isfinite(found) & (found > 0)).all():
        return None
    return dict(zip(QUANTILES, map(float, found), strict=True))


def _crps(quantiles: Mapping[str, float], observed: float) -> float:
    import numpy as np
    import scoringrules

    forecast = np.log([quantiles[key] for key in QUANTILES])
    levels = np.array(list(QUANTILES.values()))
    losses = scoringrules.quantile_score(np.log(observed), forecast, levels, backend="numpy")
    return float(2 * np.average(losses, weights=WIDTHS))


def summarised(records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return mean CRPS, the share that each interval holds, and how often the median was off."""
    if not records:
        return {"due": 0}
    count, sides = len(records), Counter(one["forecast_was"] for one in records)
    masses = map(str, INTERVALS)
    return {
        "due": count,
        "crps": sum(one["crps"] for one in records) / count,
        "coverage": {mass: sum(one["inside"][mass] for one in records) / count for mass in masses},
        "over": sides["over"],
        "under": sides["under"],
    }
