"""How quantities compare with the year of the record, and what each is found to rest on."""

import numpy as np
import pytest
import xarray as xr

from forepass.evidence.futures import compared_with, rests_on
from forepass.forward.comparisons import with_beside
from forepass.forward.projection import Projection
from forepass.what_if.changed import Changed


@pytest.fixture(scope="module")
def drawn(projection: Projection) -> xr.Dataset:
    return with_beside(projection)


def test_each_draw_is_compared_with_itself(drawn: xr.Dataset) -> None:
    found, power = compared_with(drawn, 2026), drawn["fleet_power"]
    since = found["fleet_power.since"]
    np.testing.assert_allclose(since.sel(year=2026), 1.0)
    np.testing.assert_allclose(since.sel(year=2030), power.sel(year=2030) / power.sel(year=2026))
    rises = found["fleet_power.rises"].sel(year=2030)
    np.testing.assert_array_equal(rises, since.sel(year=2030) > 1)


def test_what_a_quantity_rests_on_is_found_by_trying(found: Changed) -> None:
    blocks = rests_on(found, 1)
    assert blocks["demand_tokens_per_s"] == ["demand"]
    assert blocks["chip_bandwidth"] == ["chips"]
    assert blocks["fleet_h100e"] == ["chips", "fleet"]
    assert "serving" in blocks["world_tokens_per_s"]
    assert "training" not in blocks["world_tokens_per_s"]
