"""Simple forecasts, on records made up for the purpose."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forepass.backtest.baselines import (
    BASELINES,
    last_value,
    log_linear,
    published_rate,
    random_walk,
)

YEARS = np.arange(2000.5, 2026.0)


def record(when: np.ndarray, value: np.ndarray, series: Any = "only") -> pd.DataFrame:  # noqa: ANN401
    return pd.DataFrame({"when": when, "value": value}).assign(series=series)


def line(seed: int) -> pd.DataFrame:
    when = np.arange(2010.0, 2022.0, 0.25)
    noise = np.random.default_rng(seed).normal(0, 0.2, when.size)
    return record(when, 5 + 0.3 * (when - 2010) + noise)


def walk(seed: int, drift: float) -> pd.DataFrame:
    steps = np.random.default_rng(seed).normal(drift, 0.2, YEARS.size)
    return record(YEARS, np.cumsum(steps))


@pytest.mark.parametrize(
    ("forecast", "made"),
    [
        (log_linear, line),
        (random_walk, lambda seed: walk(seed, 0.3)),
        (last_value, lambda seed: walk(seed, 0.0)),
        (lambda early, late: published_rate(early, late, np.exp(0.3)), line),
    ],
)
def test_intervals_cover_their_share_of_a_record_that_they_describe(
    forecast: Callable[[pd.DataFrame, pd.DataFrame], np.ndarray],
    made: Callable[[int], pd.DataFrame],
) -> None:
    covered = []
    for seed in range(80):
        early, late = made(seed).iloc[:-5], made(seed).iloc[-5:]
        low, high = np.quantile(forecast(early, late), [0.1, 0.9], axis=0)
        covered.append((low <= late["value"]) & (late["value"] <= high))
    assert 0.7 < np.mean(covered) < 0.9


def test_a_walk_starts_from_the_rows_own_series_and_from_all_of_them_where_it_is_new() -> None:
    when = np.tile(np.arange(2010.5, 2020.0), 2)
    series = np.repeat(["low", "high"], 10)
    early = record(when, np.where(series == "low", 0.0, 4.0) + 0.1 * (when - 2010), series)
    late = record(np.array([2020.5] * 3), np.zeros(3), ["low", "high", "new"])
    centre = np.median(random_walk(early, late), axis=0)
    np.testing.assert_allclose(centre, [1.05, 5.05, 3.05], atol=1e-6)


@pytest.mark.parametrize("forecast", BASELINES.values())
def test_what_came_is_not_read_and_few_rows_do(
    forecast: Callable[[pd.DataFrame, pd.DataFrame], np.ndarray],
) -> None:
    early = record(np.array([2020.1, 2020.2, 2020.4]), np.array([1.0, 1.3, 1.1]))
    late = record(np.array([2021.0, 2023.0]), np.array([np.nan, np.nan]))
    assert np.isfinite(forecast(early, late)).all()
