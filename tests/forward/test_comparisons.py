"""Our quantities beside published ones: what can be compared, at which date, and the verdict."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from forepass.errors import InputError
from forepass.forward.comparisons import KNOWN, check_quantities, comparable, judged, verdict
from forepass.forward.projection import Projection
from forepass.inputs.comparisons import Published, load_comparisons

ONE = Published(
    name="stock",
    by="someone",
    says="chips",
    source="a",
    date="2026-12",
    low=None,
    point=40.0,
    high=None,
    quantity="fleet_h100e",
    speed=None,
    part=False,
    seen=False,
    reading="words",
)


@pytest.fixture(scope="module")
def drawn(projection: Projection) -> xr.Dataset:
    return comparable(projection, speeds=[13.0])


def test_every_quantity_that_may_be_named_is_drawn_with_its_unit(drawn: xr.Dataset) -> None:
    assert set(KNOWN) <= set(drawn.data_vars)
    for name in KNOWN:
        assert set(drawn[name].dims) == {"draw", "year"}
        assert drawn[name].attrs["units"]
        assert np.isfinite(drawn[name].sel(year=slice(2021, None))).all()


def test_what_the_forecast_does_not_show_follows_from_the_blocks(
    drawn: xr.Dataset, projection: Projection
) -> None:
    fleet = projection.fleet
    lab = fleet["lab_share"] * fleet["fleet_h100e"]
    np.testing.assert_allclose(drawn["lab_h100e"], lab.transpose(*drawn["lab_h100e"].dims))
    growth = fleet["fleet_h100e"].sel(year=2030) / fleet["fleet_h100e"].sel(year=2029).values
    np.testing.assert_allclose(drawn["fleet_h100e_growth"].sel(year=2030), growth)
    np.testing.assert_allclose(
        drawn["cost_change_per_year"].sel(year=2030) + 1,
        1 / drawn["cost_fall_per_year"].sel(year=2030),
    )
    assert (drawn["fleet_chip_power"] < drawn["fleet_power"]).all()


def test_slower_copies_are_more_numerous(drawn: xr.Dataset) -> None:
    slow = drawn["copies_lab at 13 tokens/s"]
    assert (slow >= drawn["copies_lab"]).all()
    assert slow.attrs["long_name"].endswith("13 tokens/s each")


def test_every_shipped_comparison_is_judged(drawn: xr.Dataset) -> None:
    published = load_comparisons()
    check_quantities(published)
    at_hand = [one for one in published if one.speed in (None, 13.0)]
    assert len(judged(drawn, at_hand)) == len(at_hand) > 50


def test_a_quantity_that_is_none_of_ours_is_refused_with_the_closest() -> None:
    with pytest.raises(InputError, match=r"stock: no quantity 'fleet_h10e'; did you mean fleet_h1"):
        check_quantities([replace(ONE, quantity="fleet_h10e")])


def made_up(name: str) -> xr.Dataset:
    values = np.outer(np.linspace(1.0, 2.0, 101), [10.0, 40.0])
    attrs = {"units": "H100e", "long_name": "Stock"}
    return xr.Dataset({name: (("draw", "year"), values, attrs)}, coords={"year": [2025, 2026]})


@pytest.mark.parametrize(
    ("name", "date", "median"),
    [
        ("fleet_h100e", "2026", 60.0),
        ("fleet_h100e", "2026-12", 60.0),
        ("fleet_h100e", "2026-06", 30.0),
        ("training_cluster_h100e", "2026", 60.0),
        ("training_cluster_h100e", "2025-12", 60 / 4 ** (13 / 24)),
    ],
)
def test_ours_is_of_the_date_of_the_published_figure(name: str, date: str, median: float) -> None:
    [record] = judged(made_up(name), [replace(ONE, quantity=name, date=date)])
    assert record["p50"] == pytest.approx(median)
    assert record["ratio"] == pytest.approx(40 / median)


def test_a_date_that_nothing_is_forecast_for_is_refused() -> None:
    with pytest.raises(InputError, match="stock: nothing is forecast for 2040"):
        judged(made_up("fleet_h100e"), [replace(ONE, date="2040")])


@pytest.mark.parametrize(
    ("low", "point", "high", "part", "said"),
    [
        (None, 12.0, None, False, "agrees"),
        (1.0, 12.0, 90.0, False, "agrees"),
        (None, 40.0, None, False, "above, 2 times"),
        (None, 2.5, None, False, "below, 4 times"),
        (15.0, 40.0, 80.0, False, "intervals overlap"),
        (30.0, 40.0, 80.0, False, "above, 2 times"),
        (12.0, None, 18.0, False, "agrees"),
        (12.0, None, 30.0, False, "intervals overlap"),
        (30.0, None, 60.0, False, "above, 1.5 times"),
        (1.0, None, 2.0, False, "below, 5 times"),
        (5.0, None, None, False, "agrees"),
        (40.0, None, None, False, "above, 2 times"),
        (None, 3.0, None, True, "a part: 0.2 of the whole"),
        (None, 40.0, None, True, "above, 2 times"),
    ],
)
def test_the_verdict_says_whether_they_agree_and_by_how_much_not(
    low: float | None, point: float | None, high: float | None, part: bool, said: str
) -> None:
    one = replace(ONE, low=low, point=point, high=high, part=part)
    assert verdict(one, 10.0, 15.0, 20.0) == said


def test_the_verdict_knows_nothing_and_less_than_nothing() -> None:
    assert verdict(ONE, 0.0, 0.0, 0.0) == "above, ours is nothing"
    falls = replace(ONE, low=-0.9, point=None, high=-0.7)
    assert verdict(falls, -0.5, -0.1, 1.0) == "below, by 0.2"
