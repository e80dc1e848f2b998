"""Forecasts from earlier dates scored against what came, beside two naive ones.

A block is fitted to the rows dated before a cut and forecasts the later ones. Everything here is
about natural logs of a quantity; whoever forecasts has put the error of a row into its draws. The
naive forecasts see the same earlier rows: a line fitted to all of them by least squares, with its
prediction interval, and a random walk with drift that starts from the newest year of the row's
own series.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = [
    "NAIVE",
    "Forecast",
    "Record",
    "horizon",
    "leave_future_out",
    "log_linear",
    "random_walk",
    "summary",
]

SHARES = {"cover50": 0.5, "cover80": 0.8}
NAIVE_DRAWS = 2000
FEWEST_ROWS = 4
"""With fewer earlier rows neither naive forecast has an interval, and the cut is left out."""
HORIZONS = {"up to 1": (0.0, 1.0), "1 to 3": (1.0, 3.0), "above 3": (3.0, np.inf)}
"""Years between cut and row; the middle one is what "about two years ahead" means."""

type Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Record:
    """One quantity as it came.

    Attributes
    ----------
    when : date of each row as a decimal year, dims (row).
    log_value : natural log of the quantity, dims (row).
    series : what each row continues, as its vendor or developer, dims (row).
    """

    when: Floats
    log_value: Floats
    series: NDArray[np.str_]

    def part(self, rows: NDArray[np.bool_]) -> "Record":
        """Return the chosen rows."""
        return Record(self.when[rows], self.log_value[rows], self.series[rows])


type Forecast = Callable[[float], Mapping[str, Floats]]
"""Given a cut, fits to rows dated before it and returns for each quantity the draws of the log of
its rows from the cut on, in the record's order, dims (draw, row)."""


def leave_future_out(
    records: Mapping[str, Record], forecast: Forecast, cuts: Iterable[float]
) -> pd.DataFrame:
    """Return the scores of every row after each cut.

    Parameters
    ----------
    records
        Quantities by name.
    forecast
        As `Forecast`.
    cuts
        Decimal years.

    Returns
    -------
    pd.DataFrame
        A row for each (quantity, cut, later row): years `ahead`, error of the median, whether the
        50 and 80% intervals cover it, its place among the draws (`pit`), CRPS, and the same CRPS
        and cover of each naive forecast.
    """
    found = []
    for cut in cuts:
        drawn = forecast(cut)
        for quantity, record in records.items():
            early, late = record.part(record.when < cut), record.part(record.when >= cut)
            if late.when.size and early.when.size >= FEWEST_ROWS:
                own = _scored(drawn[quantity], late.log_value)
                rivals = [
                    _scored(naive(early, late), late.log_value)[
                        ["cover50", "cover80", "crps"]
                    ].add_suffix(f" {name}")
                    for name, naive in NAIVE.items()
                ]
                frame = pd.concat([own, *rivals], axis=1)
                frame.insert(0, "ahead", late.when - cut)
                frame.insert(0, "cut", cut)
                frame.insert(0, "quantity", quantity)
                found.append(frame)
    return pd.concat(found, ignore_index=True)


def summary(scores: pd.DataFrame, by: Iterable[str] = ("quantity",)) -> pd.DataFrame:
    """Return means of scores by horizon and by the columns `by`, counted in `rows`."""
    keys = [*by, "horizon"]
    labelled = scores.assign(horizon=horizon(scores["ahead"]))
    grouped = labelled.groupby(keys, observed=True, sort=False)
    means = grouped[[name for name in scores if str(name).startswith(("cover", "crps"))]].mean()
    means.insert(0, "rows", grouped.size())
    means.insert(1, "bias", grouped["error"].median())
    return means.reset_index()


def horizon(ahead: pd.Series) -> pd.Series:
    """Return the class of horizon, of `HORIZONS`, that each number of years ahead belongs to."""
    edges = [-np.inf, *(high for _, high in HORIZONS.values())]
    return pd.cut(ahead, edges, labels=list(HORIZONS))


def log_linear(early: Record, late: Record) -> Floats:
    """Return quantiles of the prediction of a least-squares line, dims (draw, row).

    The draws are evenly spaced in probability: a Student t around the line, wider away from the
    middle of the earlier dates.
    """
    from scipy import stats

    n, middle = early.when.size, early.when.mean()
    away = early.when - middle
    spread = max(float((away**2).sum()), np.finfo(float).eps)
    slope = float((away * early.log_value).sum()) / spread
    rest = early.log_value - early.log_value.mean() - slope * away
    noise = np.sqrt((rest**2).sum() / (n - 2))
    scale = noise * np.sqrt(1 + 1 / n + (late.when - middle) ** 2 / spread)
    centre = early.log_value.mean() + slope * (late.when - middle)
    return np.asarray(centre + scale * stats.t.ppf(_even(), n - 2)[:, None])


def random_walk(early: Record, late: Record) -> Floats:
    """Return quantiles of a random walk with drift, dims (draw, row).

    The walk steps between the mean values of years of one series; drift and size of a step are
    common to all series. A series without earlier rows starts from the newest year of all rows.
    """
    from scipy import stats

    steps, years = _steps(early)
    drift = steps.sum() / years.sum()
    size = np.sqrt(((steps - drift * years) ** 2 / years).sum() / max(steps.size - 1, 1))
    start = np.array([_newest(early, name) for name in late.series])
    ahead = np.maximum(late.when - start[:, 0], 0.0)
    scale = size * np.sqrt(ahead + ahead**2 / years.sum())
    centre = start[:, 1] + drift * ahead
    return np.asarray(centre + scale * stats.norm.ppf(_even())[:, None])


NAIVE = {"log-linear": log_linear, "random walk": random_walk}


def _steps(record: Record) -> tuple[Floats, Floats]:
    """Return changes between successive years of each series, and the years that they took."""
    walks = [_yearly(record.part(record.series == name)) for name in np.unique(record.series)]
    if all(len(walk) < 3 for walk in walks):
        walks = [_yearly(record)]
    changes = np.concatenate([np.diff(walk, axis=0) for walk in walks])
    return changes[:, 1], changes[:, 0]


def _newest(record: Record, name: str) -> Floats:
    own = record.part(record.series == name)
    return np.asarray(_yearly(own if own.when.size else record)[-1])


def _yearly(record: Record) -> Floats:
    """Return mean date and mean value of each calendar year with rows, dims (year, 2)."""
    frame = pd.DataFrame({"when": record.when, "value": record.log_value})
    return frame.groupby(np.floor(record.when)).mean().to_numpy()


def _even() -> Floats:
    return (np.arange(NAIVE_DRAWS) + 0.5) / NAIVE_DRAWS


def _scored(drawn: Floats, truth: Floats) -> pd.DataFrame:
    """Return the scores of draws, dims (draw, row), against what came, dims (row)."""
    import scoringrules

    found = {"error": np.median(drawn, axis=0) - truth, "pit": (drawn < truth).mean(axis=0)}
    for name, share in SHARES.items():
        low, high = np.quantile(drawn, [(1 - share) / 2, (1 + share) / 2], axis=0)
        found[name] = ((low <= truth) & (truth <= high)).astype(float)
    found["crps"] = scoringrules.crps_ensemble(truth, drawn.T, backend="numpy")
    return pd.DataFrame(found)
