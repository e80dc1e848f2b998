"""More draws than the posteriors hold: how runs join them, and that one seed gives them again."""

from typing import TYPE_CHECKING

import numpy as np
import pytest

from forepass.forward.repeated import repeated

if TYPE_CHECKING:
    from forepass.posterior import Fit

SEED = 3


def firsts(fit: "Fit") -> list[float]:
    name = next(name for name, array in fit.posterior.data_vars.items() if array.dims == ("draw",))
    return fit.posterior[name].to_numpy().tolist()


@pytest.fixture
def two(forward_fits: "dict[str, Fit]") -> "dict[str, Fit]":
    return {name: forward_fits[name] for name in ("training", "demand")}


def test_the_first_run_is_that_of_a_plain_forecast(two: "dict[str, Fit]") -> None:
    (fits, seed), *rest = repeated(two, None, seed=SEED)
    assert (fits, seed, rest) == (two, SEED, [])


def test_later_runs_hold_the_same_draws_joined_otherwise(two: "dict[str, Fit]") -> None:
    held = two["demand"].posterior.sizes["draw"]
    (_, first), (fits, second) = repeated(two, 2 * held, seed=SEED)
    assert first != second
    orders = []
    for name, fit in fits.items():
        before, after = firsts(two[name]), firsts(fit)
        assert sorted(after) == sorted(before)
        orders.append([before.index(value) for value in after])
    assert orders[0] != orders[1]
    assert orders[0] != sorted(orders[0])


@pytest.mark.parametrize("wanted", [7, 101, 250])
def test_there_are_as_many_draws_as_asked(two: "dict[str, Fit]", wanted: int) -> None:
    runs = list(repeated(two, wanted, seed=SEED))
    assert sum(fits["demand"].posterior.sizes["draw"] for fits, _ in runs) == wanted
    assert len({seed for _, seed in runs}) == len(runs)


def test_one_seed_gives_the_same_runs_again(two: "dict[str, Fit]") -> None:
    ran = [
        [(seed, firsts(fits["training"])) for fits, seed in repeated(two, 250, seed=SEED)]
        for _ in range(2)
    ]
    np.testing.assert_equal(ran[0], ran[1])
