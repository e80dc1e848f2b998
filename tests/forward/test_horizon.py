"""From when on only scenarios should be trusted."""

import numpy as np
import pytest
import xarray as xr

from forepass.forward.horizon import marked, scenarios_only_from

YEARS = [2026, 2027, 2028, 2029]


@pytest.mark.parametrize(
    ("folds", "since"),
    [
        ([2, 3, 4, 5], None),
        ([2, 101, 200, 300], 2027),
        ([200, 3, 101, 300], 2028),
        ([2, 3, 101, 100], None),
        ([2, None, 101, None], 2028),
        ([101, 102, 103, 104], 2026),
    ],
)
def test_it_is_the_year_after_which_the_interval_stays_wider(
    folds: list[float | None], since: int | None
) -> None:
    low = [None if fold is None else 1.0 for fold in folds]
    assert scenarios_only_from(low, folds, YEARS, fold=100) == since


def test_each_quantity_by_year_says_so_and_a_note_sums_up() -> None:
    spread = np.exp(np.random.default_rng(1).normal(size=(500, 1)) * [0.1, 1.0, 3.0, 4.0])
    attrs = {"units": "1", "long_name": "Words"}
    draws = xr.Dataset(
        {
            "wide": (("draw", "year"), spread, attrs),
            "narrow": (("draw", "year"), spread**0.01, attrs),
            "parts": (("draw", "year", "part"), spread[..., None], attrs),
        },
        coords={"year": YEARS, "part": ["all"]},
    )
    document = marked(draws, fold=100, seed=1, as_of="", inputs={})
    entries = document["quantities"]
    assert entries["wide"]["scenarios_only_from"] == 2028
    assert entries["narrow"]["scenarios_only_from"] is None
    assert "scenarios_only_from" not in entries["parts"]
    assert document["notes"] == ["scenarios only, as p90 is above 100 times p10: wide from 2028"]
