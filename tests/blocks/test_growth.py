"""Damped growth: limits, half-life, and numbers that a longer horizon keeps."""

import numpy as np
import pytest

from forepass.blocks.growth import (
    as_years,
    damped_log_path,
    drifting_logit,
    logit,
    regime_breaks,
    sigmoid,
)


def _path(steps: int, *, shock: float = 0.0, halflife: float = 2.0) -> np.ndarray:
    return damped_log_path(
        growth_now=np.full(500, 0.8),
        growth_longrun=np.full(500, 0.2),
        halflife=np.full(500, halflife),
        shock=np.full(500, shock),
        steps=steps,
        step=0.5,
        rng=np.random.default_rng(3),
    )


def test_growth_halves_its_distance_to_the_long_run_in_a_half_life() -> None:
    growth = np.diff(_path(20)[0], prepend=0.0) / 0.5
    assert growth[3] == pytest.approx(0.2 + 0.6 / 2)


def test_growth_settles_at_its_long_run_rate() -> None:
    growth = np.diff(_path(200)[0]) / 0.5
    assert growth[-1] == pytest.approx(0.2, abs=1e-6)


def test_shocks_widen_the_path() -> None:
    spread = _path(40, shock=0.2).std(axis=0)
    assert (np.diff(spread) > 0).all()


def test_a_longer_path_begins_as_the_shorter_one() -> None:
    np.testing.assert_array_equal(_path(40, shock=0.2)[:, :10], _path(10, shock=0.2))


def test_no_steps_give_an_empty_path() -> None:
    assert _path(0).shape == (500, 0)


def test_a_share_without_drift_is_the_sigmoid_of_its_trend() -> None:
    trend = np.linspace(-2.0, 2.0, 5)[None].repeat(3, axis=0)
    share = drifting_logit(
        trend, drift=np.zeros(3), ahead=np.ones(5, dtype=bool), rng=np.random.default_rng(1)
    )
    np.testing.assert_allclose(logit(share), trend)


def test_the_record_does_not_drift() -> None:
    ahead = np.array([False, False, True, True])
    share = drifting_logit(
        np.zeros((100, 4)), drift=np.ones(100), ahead=ahead, rng=np.random.default_rng(1)
    )
    np.testing.assert_allclose(share[:, :2], 0.5)
    assert share[:, 3].std() > share[:, 2].std() > 0


def test_logit_undoes_sigmoid() -> None:
    x = np.linspace(-8, 8, 9)
    np.testing.assert_allclose(logit(sigmoid(x)), x)


@pytest.mark.parametrize("years", [[], [2025, 2027], [2026, 2025], [2025, 2025]])
def test_years_out_of_order_are_refused(years: list[int]) -> None:
    with pytest.raises(ValueError, match="follow one another"):
        as_years(np.array(years, dtype=int))


def _broken(steps: int, *, chance: float = 0.3, halflife: float = 4.0) -> np.ndarray:
    return regime_breaks(
        chance=np.full(20_000, chance),
        size=np.full(20_000, 2.0),
        halflife=np.full(20_000, halflife),
        steps=steps,
        rng=np.random.default_rng(8),
    )


def test_a_level_moves_in_the_years_that_have_a_break_and_as_far_as_breaks_go() -> None:
    first = _broken(1)[:, 0]
    assert (first != 0).mean() == pytest.approx(0.3, abs=0.01)
    assert first[first != 0].std() == pytest.approx(2.0, abs=0.06)
    assert not _broken(5, chance=0.0).any()


def test_what_a_break_moved_fades_so_that_breaks_do_not_pile_up() -> None:
    kept = 0.5 ** (1 / 4)
    spread = _broken(60).std(axis=0)
    assert spread[-1] == pytest.approx(np.sqrt(0.3) * 2 / np.sqrt(1 - kept**2), rel=0.05)
    assert spread[2] > spread[0]


def test_a_longer_path_of_breaks_begins_as_the_shorter_one() -> None:
    np.testing.assert_array_equal(_broken(20)[:, :5], _broken(5))
