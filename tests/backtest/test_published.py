"""Published growth in one unit, beside draws of the same thing."""

import numpy as np
import pytest

from forepass.backtest.published import growth, published_growth
from forepass.settings import Settings


def test_doubling_times_and_rates_come_out_in_x_per_year() -> None:
    settings = Settings()
    assert published_growth("price_performance_growth", settings) == pytest.approx(1.3)
    of_years = published_growth("chip_memory_bandwidth_doubling_time", settings)
    assert of_years**4.1 == pytest.approx(2.0)
    of_months = published_growth("world_ai_compute_sold_doubling_time", settings)
    assert of_months ** (7 / 12) == pytest.approx(2.0)


def test_what_is_no_growth_is_refused() -> None:
    settings = Settings()
    with pytest.raises(KeyError, match="no central figure of it"):
        published_growth("it", settings)
    with pytest.raises(ValueError, match="in bytes/s"):
        published_growth("world_ai_memory_bandwidth", settings)


def test_a_growth_is_told_in_x_per_year_by_its_quantiles() -> None:
    found = growth("it", np.linspace(0, np.log(2), 101), Settings())
    assert (found.low, found.median, found.high) == pytest.approx((2**0.1, 2**0.5, 2**0.9))
    assert not found.published
