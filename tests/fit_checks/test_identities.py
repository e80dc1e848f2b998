"""Identities hold in draws of the priors, and are seen to break; leaps and gaps are named."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from forepass.fit_checks import identities
from forepass.forward.forecast import forecast_of
from forepass.forward.overhang import overhang_of
from forepass.forward.projection import Projection

OF_SEVERAL_BLOCKS = {
    "cost is rent over rate",
    "costs of reading and of decoding make the cost",
    "realised is a share of the upper bound",
    "the upper bound is rate over FLOP",
    "the lower bound is bandwidth over bytes",
    "capacity of 2030 is chips times rate times share and duty, by vintage",
}


@pytest.fixture(scope="module")
def answers(projection: Projection) -> list[xr.Dataset]:
    return [forecast_of(projection, projection.years), overhang_of(projection, projection.years)]


def test_every_identity_holds_to_rounding(
    projection: Projection, answers: list[xr.Dataset]
) -> None:
    found = identities.identities(projection, *answers)
    assert found.passed, found.short
    assert len(found.values) >= 20
    assert set(found.values) >= OF_SEVERAL_BLOCKS


@pytest.mark.parametrize(
    ("block", "variable", "told"),
    [
        ("fleet", "fleet_chips", "stock is the sum of vintages' survivors"),
        ("fleet", "chips_shipped", "stock follows from shipments less retirements"),
        ("demand", "workload_share", "shares of work sum to one"),
        ("training", "training_days", "a cluster does its run in its days"),
    ],
)
def test_an_identity_that_is_off_by_a_millionth_is_named(
    projection: Projection, answers: list[xr.Dataset], block: str, variable: str, told: str
) -> None:
    old = getattr(projection, block)
    off = replace(projection, **{block: old.assign({variable: old[variable] * (1 + 1e-6)})})
    found = identities.identities(off, *answers)
    assert not found.passed
    assert any(line.startswith(told) for line in found.short)


def made_up(**changes: float) -> xr.Dataset:
    values = np.full((1000, 4), 2.0) * 1.5 ** np.arange(4)
    for place, value in changes.items():
        values[:5, int(place[1:])] = value
    attrs = {"units": "tokens/s", "long_name": "capacity"}
    return xr.Dataset(
        {"capacity": (("draw", "year"), values, attrs)}, {"year": [2025, 2026, 2027, 2028]}
    )


def test_what_is_smooth_and_positive_passes() -> None:
    assert identities.bounds([made_up()], [made_up()], 2026).passed


@pytest.mark.parametrize("value", [0.0, -1.0, np.nan, np.inf])
def test_what_is_no_number_above_0_in_a_few_draws_falls_short(value: float) -> None:
    found = identities.bounds([made_up(y2=value)], [made_up()], 2026)
    assert found.short[0].startswith("capacity: no number in its range")


def test_a_leap_falls_short_unless_it_is_past() -> None:
    assert not identities.bounds([made_up()], [made_up(y3=1e6)], 2026).passed
    assert identities.bounds([made_up()], [made_up(y0=1e-6)], 2026).passed
