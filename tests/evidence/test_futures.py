"""How quantities compare with the year of the record, and what each is found to rest on."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from forepass.evidence.futures import compared_with, rests_on
from forepass.forward.comparisons import with_beside
from forepass.forward.projection import Projection
from forepass.inputs.definitions import load_definitions
from forepass.inputs.priors import load_all
from forepass.posterior import Fit
from forepass.what_if.changed import Changed
from forepass.what_if.interventions import NONE


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


def test_what_a_quantity_rests_on_is_found_by_trying(
    forward_fits: Mapping[str, Fit], question_tables: Mapping[str, pd.DataFrame]
) -> None:
    read = dict(question_tables)
    asked = Changed(dict(forward_fits), read, load_definitions(), NONE, load_all(), [])
    found = rests_on(asked, 1)
    assert found["demand_tokens_per_s"] == ["demand"]
    assert found["chip_bandwidth"] == ["chips"]
    assert found["fleet_h100e"] == ["chips", "fleet"]
    assert "serving" in found["world_tokens_per_s"]
    assert "training" not in found["world_tokens_per_s"]
