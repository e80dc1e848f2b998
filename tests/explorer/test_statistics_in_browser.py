"""The page's own statistics against ArviZ, NumPy and the package, on shared cases."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import xarray as xr
from arviz_stats.base import array

from forepass.forward import timing
from forepass.tell import rounding

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from .conftest import Opened

STATS: Any = array.array_stats


@pytest.fixture(scope="module")
def page(opened: "Opened") -> "Page":
    opened.open()
    return opened.page


def numbers(values: list[float | None]) -> np.typing.NDArray[np.float64]:
    return np.array([np.nan if value is None else value for value in values], dtype=float)


RNG = np.random.default_rng(5)
CASES = {
    "light": RNG.normal(0, 0.3, 2400),
    "heavy": 1.4 * RNG.standard_exponential(2400),
    "hopeless": RNG.standard_t(2, 1000) * 5,
    "few": RNG.normal(0, 1, 60),
    "bounded": -(RNG.uniform(0, 2, 800) ** 2),
}


@pytest.mark.parametrize("case", CASES)
def test_smoothed_weights_and_pareto_k_are_those_of_arviz(page: "Page", case: str) -> None:
    logs = CASES[case]
    words = "(logs) => { const { weights, k, ess } = smoothedWeights(Float64Array.from(logs));"
    got = page.evaluate(words + " return [[...weights], k, ess]; }", logs.tolist())
    smoothed, k = STATS.psislw(-logs)
    weights = np.exp(smoothed)
    assert got[1] == pytest.approx(float(k), abs=1e-6)
    np.testing.assert_allclose(got[0], weights, rtol=1e-5, atol=1e-12)
    assert got[2] == pytest.approx(1 / np.sum(weights**2), rel=1e-5)


def test_a_mark_appears_where_k_or_what_is_left_forbids_an_answer(page: "Page") -> None:
    for k, ess, faults in ((0.7, 400, 0), (0.71, 400, 1), (0.2, 99, 1), (None, 1, 2)):
        found = page.evaluate("([k, ess]) => judged(k ?? NaN, ess, 1000).length", [k, ess])
        assert found == faults


def test_quantiles_of_equal_weights_are_numpys_and_of_others_where_they_should_be(
    page: "Page",
) -> None:
    words = """([values, weights, levels]) => {
        values = values.map((v) => v ?? NaN);
        return weightedQuantiles(values, orderOf(values), weights, levels);
    }"""
    values = np.append(np.float32(np.random.default_rng(1).lognormal(0, 2, 301)), [0.0, 0.0])
    levels = [0.0, 0.05, 0.1, 0.5, 0.913, 1.0]
    equal = [1 / 303] * 303
    got = page.evaluate(words, [values.tolist(), equal, levels])
    np.testing.assert_allclose(got, np.quantile(values, levels), rtol=1e-6)
    # A draw that counts thrice is three draws, but at the ends, where half of one is cut.
    weights = np.where(values > np.median(values), 3.0, 1.0)
    thrice = np.repeat(values, weights.astype(int))
    got = page.evaluate(words, [values.tolist(), (weights / weights.sum()).tolist(), levels[1:5]])
    np.testing.assert_allclose(got, np.quantile(thrice, levels[1:5]), rtol=0.03)
    most = [None] * 200 + values[:101].tolist()
    assert np.isnan(page.evaluate(words, [most, [1 / 301] * 301, [0.5]])).all()
    few = [None] * 100 + values[:201].tolist()
    got = page.evaluate(words, [few, [1 / 301] * 301, [0.5]])
    np.testing.assert_allclose(got, np.median(values[:201]), rtol=1e-6)


@pytest.mark.parametrize(("unit", "above"), [("tokens/s", True), ("share", False), ("bits", True)])
def test_dates_of_passing_are_the_packages(page: "Page", unit: str, above: bool) -> None:
    values = np.random.default_rng(2).uniform(0.05, 0.9, (200, 5))
    draws = xr.DataArray(
        values, {"year": range(2026, 2031)}, ("draw", "year"), "world", {"units": unit}
    )
    expected = timing.first_beyond(draws, 0.6, above=above)
    words = """([byYear, dates, unit, above]) =>
        [...datesOfPassing(byYear, dates, unit, 0.6, above)].map((date) =>
            Math.min(Math.max(date, -9999), 9999))"""
    dates = timing.dates_of(draws).tolist()
    got = page.evaluate(words, [values.T.tolist(), dates, unit, above])
    np.testing.assert_allclose(got, np.clip(expected, -9999, 9999), rtol=1e-9)


@pytest.mark.parametrize(
    "triple", [(56.3, 2.01, 583.0), (0.52, 0.134, 2.61), (690, 346, 1240), (8, 4, 16), (1, 1, 1)]
)
def test_intervals_read_as_they_do_in_the_terminal(page: "Page", triple: tuple[float, ...]) -> None:
    expected = rounding.interval_text(*triple)
    assert page.evaluate("(t) => intervalText(...t)", list(triple)) == expected


@pytest.mark.parametrize(
    ("unit", "values"),
    [("tokens/s", [2e9, 6e11]), ("share", [0.1]), ("W", [1.6e11]), ("workers", [4e3, 9e3])],
)
def test_units_are_scaled_as_in_the_terminal(page: "Page", unit: str, values: list[float]) -> None:
    shown, factor = rounding.scaled(unit, values)
    got = page.evaluate("([unit, values]) => scaled(unit, values)", [unit, values])
    assert got["unit"] == shown
    assert got["factor"] == pytest.approx(factor)
