"""Checks against rows: silent on what is right, and short on what is not."""

from collections.abc import Callable

import pytest

from forepass.fit_checks import predictive
from forepass.fit_checks.replicas import Quantity

Make = Callable[..., Quantity]
CHECKS = (
    predictive.coverage,
    predictive.uniformity,
    predictive.residuals,
    predictive.leave_one_out,
)


def test_a_quantity_that_is_predicted_well_passes_every_check(make: Make) -> None:
    for check in CHECKS:
        found = check("chips", [make()])
        assert found.passed, found.short
        assert found.short == []


@pytest.mark.parametrize("width", [0.4, 2.0])
def test_intervals_too_wide_or_too_narrow_fall_short(make: Make, width: float) -> None:
    found = predictive.coverage("chips", [make(), make(width=width)])
    assert not found.passed
    assert all(line.startswith("size: ") for line in found.short)
    assert not predictive.uniformity("chips", [make(width=width)]).passed


def test_residuals_that_follow_time_and_maker_are_named(make: Make) -> None:
    found = predictive.residuals("chips", [make(slope=1.0)])
    assert not found.passed
    assert {line.split(" hang on ")[1].split(" (")[0] for line in found.short} == {"when", "maker"}


def test_rows_that_cannot_be_left_out_fall_short(make: Make) -> None:
    found = predictive.leave_one_out("chips", [make(k=0.9)])
    assert not found.passed
    assert "400 of 400 rows, largest k 0.90" in found.short[0]


def test_few_rows_may_miss_by_chance(make: Make) -> None:
    whole = make()
    few = Quantity("few", whole.left_out, whole.pit[:2], whole.residual[:2], whole.about[:2])
    assert predictive.coverage("chips", [few]).passed
