"""When in a year a quantity by year holds, and what it is at a date between years."""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

OF_A_FLEET = ("fleet_", "contracted_", "world_", "lab_", "copies_", "worker_")
"""How the names begin of what counts chips, which are counted at the end of a year, or what they
could run; everything else is a rate of its year and holds at the middle."""
WORDS = {1.0: "end", 0.5: "middle"}
SHARES, STEPPED = ("share", "1"), ("bits", "probability")
NOTE = (
    "fleets and what they can run are of a year's end, everything else of its middle; between, "
    "each draw is interpolated in logs (shares in logits, bits in steps), which adds no news"
)
QUARTERS, MONTHS = 4, 12
SECONDS_PER_DAY = 86400.0

type Floats = NDArray[np.float64]


def part_of_year(name: str) -> float:
    """Return the part of a year that is over when a quantity's value for the year holds."""
    return 1.0 if name.startswith(OF_A_FLEET) else 0.5


def decimal_date(date: str, name: str) -> float:
    """Return where in time a year or a month of a quantity is, by the quantity's own timing."""
    part = part_of_year(name)
    if len(date) == len("YYYY"):
        return int(date) + part
    return int(date[:4]) + (int(date[5:7]) - 1 + part) / MONTHS


def dates_of(array: xr.DataArray) -> Floats:
    """Return the decimal dates, such as 2030.5, at which the values by year hold."""
    return np.asarray(array["year"].values + part_of_year(str(array.name)), dtype=float)


def straight(values: Floats, units: str) -> Floats:
    """Return values on the scale on which they run straight between years: logs, or logits."""
    with np.errstate(divide="ignore", invalid="ignore"):
        if units in SHARES:
            return np.asarray(np.log(values) - np.log1p(-np.minimum(values, 1.0)))
        return np.asarray(np.log(values))


def back(values: Floats, units: str) -> Floats:
    """Return values from the scale of `straight`."""
    with np.errstate(over="ignore"):
        return np.asarray(1 / (1 + np.exp(-values)) if units in SHARES else np.exp(values))


def at_dates(array: xr.DataArray, dates: Sequence[float]) -> Floats:
    """Return each draw at decimal dates, dims (draw, date, ...); NaN outside the years.

    Parameters
    ----------
    array : dims (draw, year, ...), ``units`` in its attributes, and a name, which fixes its timing.
    """
    array = array.transpose("draw", "year", ...)
    known, units, values = dates_of(array), array.attrs["units"], array.values
    when = np.asarray(dates, dtype=float)
    inside = (when >= known[0]) & (when <= known[-1])
    before = np.clip(np.searchsorted(known, when, side="right") - 1, 0, len(known) - 1)
    after = np.minimum(before + 1, len(known) - 1)
    across = (-1,) + (1,) * (values.ndim - 2)
    part = (when - known[before]).reshape(across)
    if units in STEPPED:
        found = values[:, before]
    else:
        low, high = (straight(values[:, place], units) for place in (before, after))
        with np.errstate(invalid="ignore"):
            between = back((1 - part) * low + part * high, units)
        found = np.where(part > 0, between, values[:, before])
    return np.where(inside.reshape(across), found, np.nan)


def quarterly(draws: xr.Dataset, years: Sequence[int]) -> xr.Dataset:
    """Return every quantity at the ends of the quarters of ``years``, dims (draw, quarter, ...).

    Missing where a quarter lies outside what ``draws``, dims (draw, year, ...), span.
    """
    ends = [(year, quarter) for year in years for quarter in range(1, QUARTERS + 1)]
    dates = [year + quarter / QUARTERS for year, quarter in ends]
    labels = [f"{year}Q{quarter}" for year, quarter in ends]
    out = xr.Dataset(coords={"quarter": labels})
    for name, array in draws.data_vars.items():
        later = [str(dim) for dim in array.dims if dim not in ("draw", "year")]
        dims = ("draw", "quarter", *later)
        coords = {dim: array[dim] for dim in later}
        out[name] = xr.DataArray(at_dates(array, dates), coords, dims, attrs=array.attrs)
    words = f"at the end of each quarter: {NOTE}"
    return out.assign_attrs(draws.attrs, notes=[*draws.attrs.get("notes", []), words])


def first_beyond(array: xr.DataArray, threshold: float, *, above: bool) -> Floats:
    """Return the date at which each draw first passes the threshold, dims (draw).

    Infinite where it never does, minus infinity where it is beyond at the first date.
    """
    units, known = array.attrs["units"], dates_of(array)
    sign = 1.0 if above else -1.0
    values = sign * straight(array.transpose("draw", "year").values, units)
    limit = sign * straight(np.asarray(threshold), units)
    beyond = values > limit
    place = np.argmax(beyond, axis=1)
    rows, last = np.arange(len(values)), np.maximum(place - 1, 0)
    start, end = values[rows, last], values[rows, place]
    with np.errstate(invalid="ignore", divide="ignore"):
        part = (limit - start) / (end - start)
    # From nothing, or in steps, there is no way between: the later date holds.
    part = np.where(np.isfinite(part) & (units not in STEPPED), part, 1.0)
    dates = known[last] + part * (known[place] - known[last])
    dates = np.where(place == 0, -np.inf, dates)
    return np.asarray(np.where(beyond.any(axis=1), dates, np.inf))
