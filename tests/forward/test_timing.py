"""When in a year a quantity holds, what it is between years, and when it passes a threshold."""

import numpy as np
import pytest
import xarray as xr

from forepass.forward import timing
from forepass.tell.rounding import month

YEARS = np.arange(2025, 2031)


def by_year(name: str, values: object, units: str = "tokens/s") -> xr.DataArray:
    array = np.atleast_2d(np.asarray(values, dtype=float))
    coords = {"year": YEARS[: array.shape[1]]}
    return xr.DataArray(array, coords, ("draw", "year"), name, {"units": units})


@pytest.mark.parametrize(
    ("name", "part"),
    [
        *((name, 1.0) for name in ("fleet_power", "world_tokens_per_s", "copies_lab", "lab_h100e")),
        *((name, 0.5) for name in ("demand_tokens_per_s", "chip_flops", "capacity_over_demand")),
    ],
)
def test_fleets_hold_at_the_end_of_a_year_and_the_rest_at_its_middle(
    name: str, part: float
) -> None:
    assert timing.part_of_year(name) == part
    np.testing.assert_allclose(timing.dates_of(by_year(name, [1, 2])), [2025 + part, 2026 + part])


@pytest.mark.parametrize(
    ("units", "ends", "middle"),
    [("chips", (1, 100), 10), ("share", (0.1, 0.9), 0.5), ("bits", (8, 4), 8), ("W", (0, 5), 0)],
)
def test_between_years_a_draw_runs_straight_in_logs_or_logits_or_steps(
    units: str, ends: tuple[float, float], middle: float
) -> None:
    array = by_year("fleet_chips", ends, units)
    found = timing.at_dates(array, [2026.0, 2026.5, 2027.0])
    np.testing.assert_allclose(found, [[ends[0], middle, ends[1]]])


def test_a_change_that_may_be_negative_is_exact_at_its_own_date() -> None:
    array = by_year("cost_change_per_year", [-0.5, 0.2])
    np.testing.assert_array_equal(timing.at_dates(array, [2025.5, 2026.5]), [[-0.5, 0.2]])


def test_outside_the_years_there_is_nothing() -> None:
    found = timing.at_dates(by_year("demand_tokens_per_s", [1, 2]), [2025.25, 2025.5, 2026.75])
    np.testing.assert_array_equal(np.isnan(found), [[True, False, True]])


def test_quarters_hold_the_years_where_they_end_together_and_keep_further_dims() -> None:
    stock = by_year("fleet_chips", [[1, 2, 4], [3, 9, 27]], "chips")
    part = stock.rename("release_overhang").expand_dims(part=["fleet", "all"], axis=2)
    found = timing.quarterly(xr.Dataset({"fleet_chips": stock, "parts": part}), [2025, 2026, 2027])
    assert found["quarter"].values[[0, -1]].tolist() == ["2025Q1", "2027Q4"]
    ends = found.sel(quarter=["2025Q4", "2026Q4", "2027Q4"])
    np.testing.assert_allclose(ends["fleet_chips"], stock)
    np.testing.assert_allclose(found["fleet_chips"].sel(quarter="2026Q2"), [2**0.5, 27**0.5])
    assert found["parts"].dims == ("draw", "quarter", "part")
    assert found["fleet_chips"].attrs["units"] == "chips"
    assert "interpolated in logs" in found.attrs["notes"][-1]


@pytest.mark.parametrize("above", [True, False])
def test_the_first_passage_is_that_of_a_walk_along_each_draw(above: bool) -> None:
    rng = np.random.default_rng(4)
    values = np.exp(np.cumsum(rng.normal(0.1, 0.6, size=(200, len(YEARS))), axis=1))
    array = by_year("demand_tokens_per_s", values)
    found = timing.first_beyond(array, 1.7, above=above)
    fine = np.linspace(2025.5, 2030.5, 5001)
    path = np.exp(np.stack([np.interp(fine, YEARS + 0.5, log) for log in np.log(values)]))
    beyond = path > 1.7 if above else path < 1.7
    expected = np.where(beyond.any(axis=1), fine[beyond.argmax(axis=1)], np.inf)
    expected[beyond[:, 0]] = -np.inf
    assert np.isinf(expected).any()
    np.testing.assert_allclose(found, expected, atol=1.01e-3)


def test_a_step_or_a_rise_from_nothing_passes_at_the_later_date() -> None:
    bits = by_year("weight_bits", [8, 4, 4], "bits")
    assert timing.first_beyond(bits, 8, above=False)[0] == 2026.5
    copies = by_year("copies_lab", [0, 1e6], "copies")
    assert timing.first_beyond(copies, 1e3, above=True)[0] == 2027.0


def test_a_date_is_told_by_its_month_and_the_end_of_a_year_is_december() -> None:
    assert [month(date) for date in (2030.0, 2030.01, 2030.5, 2031.0)] == [
        *("2029-12", "2030-01", "2030-06", "2030-12"),
    ]
