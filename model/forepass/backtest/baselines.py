"""Simple forecasts of the same rows, from the same earlier record.

All are of natural logs, and come as evenly spaced quantiles, dims (draw, row). A row given as
``late`` tells its date, its series and what is given of it, and its value is not read.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

DRAWS = 1000
FEWEST_ROWS = 3
"""With fewer earlier rows no baseline has an interval."""
RECENT = 3.0
"""Years before the newest row whose rows say where a published rate starts from."""
SHORTEST = 0.1
"""Years ahead that a walk goes at least: two rows of one moment differ too."""

type Floats = NDArray[np.float64]


def log_linear(early: pd.DataFrame, late: pd.DataFrame) -> Floats:
    """Return the prediction of a least-squares line: a Student t, wider away from the record."""
    from scipy import stats

    when, value = early["when"].to_numpy(), early["value"].to_numpy()
    n, away = len(when), when - when.mean()
    spread = max(float((away**2).sum()), np.finfo(float).eps)
    slope = float((away * value).sum()) / spread
    noise = np.sqrt(((value - value.mean() - slope * away) ** 2).sum() / (n - 2))
    ahead = late["when"].to_numpy() - when.mean()
    scale = noise * np.sqrt(1 + 1 / n + ahead**2 / spread)
    return _quantiles(value.mean() + slope * ahead, scale, stats.t(n - 2))


def random_walk(early: pd.DataFrame, late: pd.DataFrame) -> Floats:
    """Return a random walk with the drift and the steps of the record's own series."""
    steps, years = _steps(early)
    return _walk(early, late, drift=float(steps.sum() / years.sum()), uncertain=1 / years.sum())


def last_value(early: pd.DataFrame, late: pd.DataFrame) -> Floats:
    """Return the newest value, as far off as the record's steps have been."""
    return _walk(early, late, drift=0.0, uncertain=0.0)


def published_rate(early: pd.DataFrame, late: pd.DataFrame, per_year: float) -> Floats:
    """Return the newest years' record drawn forward at a published rate (x per year)."""
    from scipy import stats

    newest = early[early["when"] > early["when"].max() - RECENT]
    at = newest["value"].to_numpy() - np.log(per_year) * newest["when"].to_numpy()
    n = len(at)
    noise = at.std(ddof=1) if n > 1 else 0.0
    centre = at.mean() + np.log(per_year) * late["when"].to_numpy()
    scale = np.full(len(late), max(noise, SHORTEST) * np.sqrt(1 + 1 / n))
    return _quantiles(centre, scale, stats.t(max(n - 1, 1)))


BASELINES: dict[str, Callable[[pd.DataFrame, pd.DataFrame], Floats]] = {
    "log-linear": log_linear,
    "random walk": random_walk,
    "last value": last_value,
}


def _walk(early: pd.DataFrame, late: pd.DataFrame, *, drift: float, uncertain: float) -> Floats:
    """Return a walk from the newest year of a row's own series, or of all where it has none.

    It steps between the mean values of years of one series.
    """
    from scipy import stats

    steps, years = _steps(early)
    size = np.sqrt(((steps - drift * years) ** 2 / years).mean())
    start = {
        name: _yearly(own if len(own := early[early["series"] == name]) else early)[-1]
        for name in set(late["series"])
    }
    origin = np.array([start[name] for name in late["series"]])
    ahead = np.maximum(late["when"].to_numpy() - origin[:, 0], SHORTEST)
    scale = size * np.sqrt(ahead + uncertain * ahead**2)
    return _quantiles(origin[:, 1] + drift * ahead, scale, stats.norm())


def _steps(record: pd.DataFrame) -> tuple[Floats, Floats]:
    """Return changes between successive years of each series, and the years that they took."""
    walks = [_yearly(own) for _, own in record.groupby("series")]
    if all(len(walk) < 3 for walk in walks):
        walks = [_yearly(record)]
    changes = np.concatenate([np.diff(walk, axis=0) for walk in walks])
    if not len(changes):  # all of one year: what its rows differ by, a year apart
        return np.array([record["value"].std()]), np.ones(1)
    return changes[:, 1], changes[:, 0]


def _yearly(record: pd.DataFrame) -> Floats:
    """Return mean date and mean value of each calendar year with rows, dims (year, 2)."""
    columns = record[["when", "value"]]
    return columns.groupby(np.floor(record["when"])).mean().to_numpy()


def _quantiles(centre: Floats, scale: Floats, shape: object) -> Floats:
    even = (np.arange(DRAWS) + 0.5) / DRAWS
    standard = shape.ppf(even)  # type: ignore[attr-defined] # scipy is untyped
    return np.asarray(centre + np.maximum(scale, 1e-3) * standard[:, None])
