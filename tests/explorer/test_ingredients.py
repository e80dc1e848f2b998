"""Products of ingredients are the forecast's and the overhang's own numbers."""

from collections.abc import Mapping

import numpy as np
import pytest
import xarray as xr

from forepass.explorer.ingredients import HEADLINES, Factor, ingredients, narrowed
from forepass.forward.forecast import forecast_of
from forepass.forward.overhang import overhang_of
from forepass.forward.projection import Projection

YEARS = (2027, 2028, 2029, 2030)

type Floats = np.typing.NDArray[np.float64]


def product(arrays: Mapping[str, Floats], factors: tuple[Factor, ...], t: int) -> Floats:
    whole = np.ones(arrays["human_rate"].shape)
    for name, power, *ahead in factors:
        values = arrays[name]
        whole = whole * (values[t + sum(ahead)] if values.ndim == 2 else values) ** power
    return whole


@pytest.fixture(scope="module")
def told(projection: Projection) -> xr.Dataset:
    years = np.array(YEARS)
    return xr.merge([forecast_of(projection, years), overhang_of(projection, years)])


@pytest.fixture(scope="module")
def arrays(projection: Projection) -> Mapping[str, Floats]:
    speed = projection.definitions.copy_speed_tokens_per_s
    found = ingredients(narrowed(projection, YEARS))
    return found | {"speed": np.full(found["human_rate"].shape, speed)}


@pytest.mark.parametrize("headline", HEADLINES, ids=lambda headline: headline.name)
def test_a_headline_is_the_product_of_its_factors(headline, told, arrays) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    name, _, years = headline.name.partition(":")
    expected = told[name]
    if years:
        expected = expected.sel(years_since_release=int(years), part="all")
    for t, year in enumerate(YEARS[: len(YEARS) - int(years or 0)]):
        by_draw = expected.sel(year=year).values
        np.testing.assert_allclose(product(arrays, headline.factors, t), by_draw, rtol=1e-6)
    assert headline.unit == expected.attrs["units"]
