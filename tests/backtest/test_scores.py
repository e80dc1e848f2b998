"""Scores of forecasts whose merits are known, and means of them."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from forepass.backtest.scores import horizon, scored
from forepass.backtest.summary import summary

RNG = np.random.default_rng(3)
TRUTH = RNG.normal(0, 1, 400)
CALIBRATED = RNG.normal(0, 1, (1000, 400))


def test_a_calibrated_forecast_covers_its_shares_and_lies_anywhere() -> None:
    found = scored(CALIBRATED, TRUTH)
    for name, share in (("cover50", 0.5), ("cover80", 0.8), ("cover90", 0.9)):
        assert found[name].mean() == pytest.approx(share, abs=0.06)
    assert np.histogram(found["pit"], 4, (0, 1))[0].min() > 70


@pytest.mark.parametrize("off", [CALIBRATED * 3, CALIBRATED / 5, CALIBRATED + 1.5])
def test_a_forecast_that_is_too_wide_too_narrow_or_shifted_scores_worse(off: np.ndarray) -> None:
    good, bad = scored(CALIBRATED, TRUTH).mean(), scored(off, TRUTH).mean()
    for name in ("crps", "log_score", "interval"):
        assert bad[name] > good[name]


def test_the_interval_score_is_the_width_and_what_lies_above_and_below() -> None:
    low, high = scored(CALIBRATED + 2, TRUTH), scored(CALIBRATED - 2, TRUTH)
    for found in (low, high):
        parts = found["width"] + found["above"] + found["below"]
        np.testing.assert_allclose(found["interval"], parts)
    assert low["above"].mean() > 5 > low["below"].mean()
    assert high["below"].mean() > 5 > high["above"].mean()


def test_what_lies_beyond_all_draws_still_has_a_score() -> None:
    found = scored(CALIBRATED[:, :1], np.array([60.0]))
    assert np.isfinite(found.to_numpy()).all()
    assert found["pit"][0] == 1


def test_horizons_are_the_years_within_which_a_row_came() -> None:
    assert horizon(pd.Series([0.0, 0.4, 1.0, 1.1, 4.9])).tolist() == [1, 1, 1, 2, 5]


def rows(**columns: Any) -> pd.DataFrame:  # noqa: ANN401
    """Return forty scored rows, of two targets: one of thirty rows, the other of ten."""
    frame = scored(CALIBRATED[:, :40], TRUTH[:40])
    names = ["many"] * 30 + ["few"] * 10
    made = frame.assign(target=names, origin=2020.0, cluster=[f"{n}" for n in range(40)])
    return made.assign(**{"crps good": 0.5, "crps poor": 2.0}).assign(**columns)


def test_targets_weigh_the_same_however_many_rows_they_have() -> None:
    crps = np.where(np.arange(40) < 30, 1.0, 2.0)
    found = summary(rows(crps=crps, every="all"), ["good", "poor"], ["every"], seed=1).iloc[0]
    assert found["crps"] == pytest.approx(1.5)
    assert found["versus poor"] == pytest.approx(0.75)
    assert (found["best"], found["versus best"]) == ("good", pytest.approx(3.0))


def test_a_simple_forecast_of_some_rows_is_compared_on_those_and_is_not_the_best() -> None:
    some = np.where(np.arange(40) < 5, 0.1, np.nan)
    found = summary(
        rows(**{"crps good": some, "every": "all"}), ["good", "poor"], ["every"], seed=1
    )
    assert found["best"][0] == "poor"
    have = rows()["crps"].to_numpy()[:5].mean()
    assert found["versus good"][0] == pytest.approx(have / 0.1)


def test_rows_that_share_their_luck_tell_less() -> None:
    alike = rows().assign(cover80=np.repeat(rows()["cover80"].to_numpy()[:8], 5))
    widths = []
    for cluster in (np.arange(40), np.arange(40) // 5):
        found = summary(alike.assign(cluster=cluster), ["good"], ["target"], seed=1)
        widths.append((found["cover80_high"] - found["cover80_low"])[0])
    assert widths[1] > 1.5 * widths[0] > 0
