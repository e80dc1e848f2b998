"""Tests of uniform ranks: what is right passes, what is too narrow, shifted or clumped does not."""

import numpy as np
import pandas as pd
import pytest

from forepass.calibration import ranks

REPLICAS, PLACES, VARIABLES = 100, 64, 12


def conjugate(narrowed: float, shifted: float = 0.0) -> pd.DataFrame:
    """Return ranks of normal means among draws of their posterior, which may be wrong."""
    rng = np.random.default_rng(1)
    truth = rng.normal(size=(REPLICAS, VARIABLES))
    seen = truth + rng.normal(size=truth.shape)
    deviation = narrowed * np.sqrt(0.5)
    draws = seen / 2 + shifted + deviation * rng.normal(size=(PLACES - 1, *truth.shape))
    below = (draws < truth).sum(axis=0)
    return pd.DataFrame(below, columns=[f"mean {at}" for at in range(VARIABLES)])


def test_a_right_posterior_is_accepted() -> None:
    found = ranks.summary({"toy": conjugate(1.0)}, places=PLACES)
    assert (found["p_adjusted"] >= ranks.LEVEL).all()
    assert found["mean_place"].mean() == pytest.approx(0.5, abs=0.03)
    assert found["spread"].mean() == pytest.approx(1.0, abs=0.05)


def test_a_posterior_that_is_too_narrow_is_rejected_and_told_as_such() -> None:
    found = ranks.summary({"toy": conjugate(0.6)}, places=PLACES)
    assert (found["p_adjusted"] < ranks.LEVEL).mean() > 0.8
    assert (found["spread"] > 1.1).all()


def test_draws_that_lie_too_low_are_rejected_and_told_as_such() -> None:
    found = ranks.summary({"toy": conjugate(1.0, shifted=-0.5)}, places=PLACES)
    assert (found["p_adjusted"] < ranks.LEVEL).all()
    assert (found["mean_place"] > 0.6).all()


def test_the_adjusted_level_holds_over_many_variables() -> None:
    rng = np.random.default_rng(2)
    fell = [
        ranks.summary(
            {"toy": pd.DataFrame(rng.integers(PLACES, size=(REPLICAS, 20)))}, places=PLACES
        )["p_adjusted"].min()
        < ranks.LEVEL
        for _ in range(100)
    ]
    assert sum(fell) <= 12  # binomial of 100 at 1 in 20: above it once in three hundred


def test_the_band_holds_uniform_ranks_as_often_as_it_says() -> None:
    low, high = ranks.band(REPLICAS, PLACES)
    drawn = np.random.default_rng(3).multinomial(REPLICAS, np.full(PLACES, 1 / PLACES), size=4000)
    share = drawn.cumsum(axis=1)[:, :-1] / REPLICAS
    inside = ((share >= low) & (share <= high)).all(axis=1).mean()
    assert inside == pytest.approx(1 - ranks.LEVEL, abs=0.012)
