"""Thresholds: what is asked, when they are passed, and with what probability by each year."""

from typing import Any

import numpy as np
import pytest
import xarray as xr

from forepass.errors import InputError
from forepass.forward.thresholds import (
    Threshold,
    check_names,
    crossings,
    read_threshold,
)
from forepass.tell.render import date_text

YEARS = [2025, 2026, 2027, 2028]
ABOVE = Threshold("world_tokens_per_s", above=True, value=10.0)


def draws() -> xr.Dataset:
    """Return four draws: beyond from the start, once and no more, at the end, never."""
    values = np.array([[20, 30, 40, 50], [1, 100, 1, 1], [1, 1, 1, 100], [1, 2, 3, 4]], dtype=float)
    tokens = {"units": "tokens/s", "long_name": "Tokens"}
    share = {"units": "1", "long_name": "Share"}
    return xr.Dataset(
        {
            "world_tokens_per_s": (("draw", "year"), values, tokens),
            "inference_share": (("draw", "year"), values / 101, share),
        },
        coords={"year": YEARS},
        attrs={"notes": ["made up"]},
    )


def answered(*asked: Threshold) -> dict[str, Any]:
    return crossings(draws(), asked=asked, seed=1, as_of="2026-11", inputs={})


@pytest.mark.parametrize(("relation", "above"), [(">", True), ("above", True), ("<", False)])
def test_a_threshold_is_read_from_three_words(relation: str, above: bool) -> None:
    assert read_threshold(["x", relation, "1e11"]) == Threshold("x", above, 1e11)


@pytest.mark.parametrize("text", ["many", "0", "-1", "nan", "inf"])
def test_a_value_that_has_no_log_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=rf"value of x must be a number above 0, got '{text}'"):
        read_threshold(["x", ">", text])


def test_a_relation_that_is_none_is_refused() -> None:
    with pytest.raises(InputError, match="quoted for the shell, or above or below, got '>='"):
        read_threshold(["x", ">=", "1"])


def test_an_unknown_quantity_is_refused_with_the_closest() -> None:
    with pytest.raises(
        InputError, match=r"no quantity 'fleet_pwer' by year; did you mean fleet_po"
    ):
        check_names([Threshold("fleet_pwer", True, 1.0)], ["fleet_power", "chip_flops"])


def test_a_share_cannot_pass_one() -> None:
    with pytest.raises(InputError, match=r"inference_share is a share.*between 0 and 1.*got 5"):
        answered(Threshold("inference_share", True, 5.0))


def test_first_passage_counts_a_draw_for_good_and_beyond_only_while_it_lasts() -> None:
    quantities = answered(ABOVE)["quantities"]
    assert quantities["world_tokens_per_s > 10, passed by"]["value"] == [0.25, 0.5, 0.5, 0.75]
    assert quantities["world_tokens_per_s > 10, beyond in"]["value"] == [0.25, 0.5, 0.25, 0.5]


def test_what_lies_before_or_after_the_years_has_no_date_and_a_share() -> None:
    entry = answered(ABOVE)["quantities"]["world_tokens_per_s > 10"]
    assert (entry["share_before"], entry["share_never"]) == (0.25, 0.25)
    assert entry["p05"] is None
    assert entry["p95"] is None
    # Halfway in logs from 1 to 100, at the ends of 2025 and 2026.
    assert entry["p50"] == pytest.approx(2026.5)
    assert entry["holds_at"] == "end of the year"
    texts = [date_text(entry, level) for level in ("p05", "p50", "p95")]
    assert texts == ["before 2025-12", "2026-06", "after 2028-12"]


def test_several_thresholds_stand_one_after_the_other_in_years_of_the_document() -> None:
    document = answered(ABOVE, Threshold("inference_share", False, 0.1))
    below = document["quantities"]["inference_share < 0.1, beyond in"]
    assert below["value"] == [0.75, 0.5, 0.75, 0.5]
    names = list(document["quantities"])
    assert names[::3] == ["world_tokens_per_s > 10", "inference_share < 0.1"]
    assert document["years"] == YEARS
    assert document["notes"][0] == "made up"
    assert "interpolated in logs" in document["notes"][-1]


def test_values_that_differ_in_the_last_digit_keep_their_names_apart() -> None:
    assert str(Threshold("x", True, 1e11)) == "x > 1e+11"
    assert str(Threshold("x", False, 1.0000001)) == "x < 1.0000001"
