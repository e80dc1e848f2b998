"""Scores of forecasts from earlier dates, on records made up for the purpose."""

from collections.abc import Callable

import numpy as np
import pytest

from forepass.trend_checks.leave_future_out import (
    Forecast,
    Record,
    leave_future_out,
    log_linear,
    random_walk,
    summary,
)

YEARS = np.arange(2010.0, 2022.0, 0.25)


def line(*, noise: float = 0.2, slope: float = 0.3, seed: int = 1) -> Record:
    rng = np.random.default_rng(seed)
    values = 5 + slope * (YEARS - 2010) + rng.normal(0, noise, YEARS.size)
    return Record(YEARS, values, np.array(["only"] * YEARS.size))


def as_forecast(record: Record, spread: float, draws: int = 1000) -> Forecast:
    def forecast(cut: float) -> dict[str, np.ndarray]:
        late = record.part(record.when >= cut)
        rng = np.random.default_rng(2)
        return {"it": late.log_value + rng.normal(0, spread, (draws, late.when.size))}

    return forecast


def test_a_forecast_that_knows_the_answer_scores_better_than_either_naive_one() -> None:
    scores = leave_future_out({"it": line()}, as_forecast(line(), 0.01), [2016.0, 2018.0])
    assert set(scores["cut"]) == {2016.0, 2018.0}
    assert (scores["crps"] < scores["crps log-linear"]).mean() > 0.9
    assert (scores["crps"] < scores["crps random walk"]).mean() > 0.9
    assert scores["cover50"].all()


def test_only_rows_from_the_cut_on_are_scored_and_their_horizons_are_told_apart() -> None:
    scores = leave_future_out({"it": line()}, as_forecast(line(), 0.1), [2018.0])
    assert len(scores) == (YEARS >= 2018).sum()
    table = summary(scores)
    assert table["horizon"].tolist() == ["up to 1", "1 to 3", "above 3"]
    assert table["rows"].tolist() == [5, 8, 3]
    assert table["rows"].sum() == len(scores)


@pytest.mark.parametrize("naive", [log_linear, random_walk])
def test_intervals_of_a_naive_forecast_cover_their_share_of_a_record_that_it_describes(
    naive: Callable[[Record, Record], np.ndarray],
) -> None:
    covered = []
    for seed in range(150):
        rng = np.random.default_rng(seed)
        if naive is log_linear:
            record = line(seed=seed)
        else:
            years = np.arange(2000.5, 2026.0)
            walk = np.cumsum(rng.normal(0.3, 0.2, years.size))
            record = Record(years, walk, np.array(["only"] * years.size))
        cut = record.when[-5]
        late = record.part(record.when >= cut)
        low, high = np.quantile(naive(record.part(record.when < cut), late), [0.1, 0.9], axis=0)
        covered.append((low <= late.log_value) & (late.log_value <= high))
    assert 0.74 < np.mean(covered) < 0.86


def test_a_walk_starts_from_the_rows_own_series_and_from_all_of_them_where_it_is_new() -> None:
    years = np.tile(np.arange(2010.5, 2020.0), 2)
    series = np.repeat(["low", "high"], 10)
    values = np.where(series == "low", 0.0, 4.0) + 0.1 * (years - 2010)
    late = Record(np.array([2020.5] * 3), np.zeros(3), np.array(["low", "high", "new"]))
    centre = np.median(random_walk(Record(years, values, series), late), axis=0)
    np.testing.assert_allclose(centre, [1.05, 5.05, 3.05], atol=1e-6)


def test_a_cut_with_too_few_earlier_rows_is_left_out() -> None:
    scores = leave_future_out({"it": line()}, as_forecast(line(), 0.1), [2010.6, 2018.0])
    assert set(scores["cut"]) == {2018.0}
