"""The two structures of growth: what limits take, what bends leave, how draws are mixed."""

import numpy as np
import xarray as xr

from forepass.blocks.chips.records import TRAITS
from forepass.blocks.chips.structures import (
    BY_POWER,
    BY_STACKS,
    POWER,
    lost_to_limits,
    mixed,
    recorded_path,
)
from forepass.blocks.trends import mean_slopes

WHEN = np.linspace(0, 400, 801)[:, None]
LIMITS = {"stacks_pace": 0.1, "power_room": 9.0, "stacks_room": 3.0}
GROWTH = np.full(len(TRAITS), 0.2)


def test_a_package_gains_no_more_than_its_room() -> None:
    gained = GROWTH * WHEN + lost_to_limits(GROWTH, when=WHEN, **LIMITS)
    assert gained[:, POWER].max() < np.log1p(9.0) + 1e-9
    np.testing.assert_allclose(gained[-1, POWER], np.log1p(9.0), rtol=1e-3)
    steady = (GROWTH - 0.1) * WHEN[-1]
    stacks = (gained[-1] - steady)[BY_STACKS > 0]
    np.testing.assert_allclose(stacks, np.log1p(3.0), rtol=1e-3)


def test_limits_take_nothing_at_the_anchor_nor_from_traits_without_one() -> None:
    lost = lost_to_limits(GROWTH, when=WHEN, **LIMITS)
    assert not lost[0].any()
    assert not lost[:, (BY_POWER + BY_STACKS) == 0].any()
    assert (lost <= 0).all()


def test_bends_leave_the_mean_slope_of_the_record_to_be_its_growth() -> None:
    rng = np.random.default_rng(1)
    knots, origin = np.arange(-7.0, 3.0), -2.0
    draws = xr.Dataset(
        {
            "level": (("draw", "trait"), rng.normal(size=(5, len(TRAITS)))),
            "growth": (("draw", "trait"), rng.normal(size=(5, len(TRAITS)))),
            "bend": (("draw", "knot", "trait"), rng.normal(size=(5, 10, len(TRAITS)))),
            "bend_lean": (
                ("draw", "knot"),
                np.tile(mean_slopes(knots, -7.5, 2.5, origin=-2), (5, 1)),
            ),
            "bend_origin": ("draw", np.full(5, origin)),
            "limit_bound": ("draw", np.zeros(5)),
            **{name: ("draw", np.full(5, value)) for name, value in LIMITS.items()},
        },
        coords={"knot": knots},
    )
    path = recorded_path(draws, np.array([-7.5, 2.5]))
    np.testing.assert_allclose((path[:, 1] - path[:, 0]) / 10, draws["growth"], rtol=1e-9)


def test_draws_are_of_the_limit_bound_structure_by_its_weight() -> None:
    def fit(bound: float) -> xr.Dataset:
        number = np.full(4000, bound)
        return xr.Dataset(
            {
                "limit_bound": ("draw", number),
                "level": (("draw", "trait"), np.tile(number[:, None], (1, 3))),
                "limit_bound_weight": ("draw", np.full(4000, 0.3)),
            }
        )

    both = mixed([fit(0.0), fit(1.0)], seed=1)
    np.testing.assert_allclose(both["limit_bound"].mean(), 0.3, atol=0.03)
    assert (both["level"] == both["limit_bound"]).all()
