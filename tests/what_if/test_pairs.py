"""Scenarios in pairs: ratios of draws, differences of shares, and an interval that is narrow."""

import numpy as np
import xarray as xr

from forepass.what_if.pairs import joined


def draws(factor: float) -> xr.Dataset:
    """Return a quantity that scatters tenfold, a share, and a quantity with a further dim."""
    rng = np.random.default_rng(1)
    level = np.exp(2.3 * rng.standard_normal((400, 2)))
    share = rng.uniform(0.2, 0.4, (400, 2))
    attrs = {"units": "tokens/s", "long_name": "Capacity"}
    return xr.Dataset(
        {
            "capacity": (("draw", "year"), factor * level, attrs),
            "share": (("draw", "year"), share + factor / 10, {"units": "share", "long_name": "S"}),
            "limit": (("draw", "year", "of"), np.ones((400, 2, 3)), attrs),
        },
        coords={"year": [2029, 2030]},
    )


def test_a_ratio_of_pairs_is_exact_where_levels_scatter() -> None:
    out = joined({"base": draws(1.0), "double": draws(2.0), "half": draws(0.5)})
    assert out["capacity_ratio"].dims == ("draw", "year", "compared")
    assert out["capacity_ratio"]["compared"].values.tolist() == ["double", "half"]
    np.testing.assert_allclose(out["capacity_ratio"].sel(compared="double"), 2.0)
    np.testing.assert_allclose(out["capacity_ratio"].sel(compared="half"), 0.5)
    assert out["capacity_ratio"].attrs["units"] == "ratio"


def test_shares_are_subtracted() -> None:
    out = joined({"base": draws(1.0), "double": draws(2.0)})
    assert "share_ratio" not in out
    np.testing.assert_allclose(out["share_difference"], 0.1)
    assert out["share_difference"].attrs["units"] == "share"


def test_levels_stand_by_scenario_in_the_order_asked() -> None:
    out = joined({"half": draws(0.5), "base": draws(1.0)})
    assert out["capacity"]["scenario"].values.tolist() == ["half", "base"]
    np.testing.assert_array_equal(out["capacity"].sel(scenario="base"), draws(1.0)["capacity"])


def test_what_has_further_dims_is_left_out() -> None:
    assert "limit" not in joined({"base": draws(1.0), "double": draws(2.0)})


def test_a_ratio_to_nothing_is_no_number_and_no_warning() -> None:
    empty = draws(1.0)
    empty["capacity"][:] = 0.0
    out = joined({"empty": empty, "base": draws(1.0)})
    assert not np.isfinite(out["capacity_ratio"]).any()
