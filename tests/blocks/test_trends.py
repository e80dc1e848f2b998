"""Trends that bend: inside the record, and run on from it."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from forepass.blocks.trends import (
    future_slopes,
    hinges,
    knots_within,
    mid_year,
    path_in_record,
    persistent_path,
    slope_at_end,
    standard_shocks,
)

KNOTS = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
DRAWS = np.zeros(3)


def test_knots_are_the_turns_of_years_inside_the_record() -> None:
    assert knots_within(np.array([-1.4, 0.2, 1.9])).tolist() == [-1.0, 0.0, 1.0]


def test_the_middle_of_2024_is_two_and_a_half_years_after_the_origin() -> None:
    assert mid_year(np.array([2024])).tolist() == [2.5]


def test_nothing_bends_at_the_origin() -> None:
    assert not hinges(np.array([0.0]), KNOTS).any()


@given(bend=st.floats(-1, 1), knot=st.integers(0, 4))
def test_a_bend_changes_the_slope_beyond_its_knot_alone(bend: float, knot: int) -> None:
    bends = np.zeros((3, KNOTS.size))
    bends[:, knot] = bend
    when = np.array([-3.0, -2.5, 2.5, 3.0])
    path = path_in_record(DRAWS, DRAWS + 0.2, bends, when=when, knots=KNOTS)
    before, after = (np.diff(path)[:, side] / 0.5 for side in (0, 2))
    ahead = KNOTS[knot] >= 0
    np.testing.assert_allclose(after, 0.2 + (bend if ahead else 0.0), atol=1e-12)
    np.testing.assert_allclose(before, 0.2 - (0.0 if ahead else bend), atol=1e-12)
    np.testing.assert_allclose(slope_at_end(DRAWS + 0.2, bends, KNOTS), after[:3], atol=1e-12)


def test_without_bends_a_trend_is_the_straight_line() -> None:
    when = np.array([-1.0, 0.0, 2.0])
    path = path_in_record(DRAWS + 5, DRAWS + 0.3, np.zeros((3, 5)), when=when, knots=KNOTS)
    np.testing.assert_allclose(path, np.tile(5 + 0.3 * when, (3, 1)))


def test_slopes_close_the_stated_share_of_the_distance_each_year() -> None:
    slopes = future_slopes(DRAWS + 1.0, np.zeros((3, 2)), pull=0.5, anchor=0.2)
    np.testing.assert_allclose(slopes, [[0.6, 0.4]] * 3)


def test_a_persistent_path_keeps_its_spread() -> None:
    rng = np.random.default_rng(1)
    shocks = standard_shocks(rng, 20, (4000,))
    path = persistent_path(rng.standard_normal(4000), shocks, persistence=np.full(4000, 0.7))
    np.testing.assert_allclose(path.std(axis=0), 1.0, atol=0.05)
    assert abs(np.corrcoef(path[:, 9], path[:, 10])[0, 1] - 0.7) < 0.03


def test_a_longer_horizon_only_adds_shocks() -> None:
    short, long = (standard_shocks(np.random.default_rng(2), n, (5, 2)) for n in (3, 8))
    np.testing.assert_array_equal(short, long[:, :3])
