"""Numbers as people read them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forepass.tell.rounding import interval_text, number_text, scaled

SIZES = st.floats(min_value=1e-3, max_value=1e12)


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        ((412.3, 63.1, 2710.0), "410 (63 to 2,700)"),
        ((557.14, 551.2, 563.0), "557 (551 to 563)"),
        ((0.1912, 0.0423, 0.834), "0.19 (0.042 to 0.83)"),
        ((8.0, 4.0, 16.0), "8 (4 to 16)"),
        ((3.5714, 3.5714, 3.5714), "3.57"),
        ((0.0, 0.0, 0.0), "0"),
        ((12.0, -3.0, 27.5), "12 (-3.0 to 28)"),
        ((None, 1.0, 2.0), "-"),
    ],
)
def test_intervals_show_no_more_figures_than_their_width_bears(
    numbers: tuple[float | None, float, float], text: str
) -> None:
    assert interval_text(*numbers) == text


@given(SIZES, st.floats(1.01, 1e3), st.floats(1.01, 1e3))
def test_rounding_moves_no_number_by_more_than_a_tenth_of_the_interval(
    centre: float, below: float, above: float
) -> None:
    shown = centre, centre / below, centre * above
    texts = interval_text(*shown).replace("(", "").replace(")", "").replace("to ", "").split()
    width = shown[2] - shown[1]
    for text, number in zip(texts, shown, strict=True):
        assert abs(float(text.replace(",", "")) - number) <= 0.1 * width * (1 + 1e-6) + 5e-5


@pytest.mark.parametrize(
    ("unit", "values", "shown"),
    [
        ("FLOP/s", [1.2e15, 4.5e15], ("PFLOP/s", 1e-15)),
        ("bytes/s", [3.35e12], ("TB/s", 1e-12)),
        ("W", [2e9, 5e10], ("GW", 1e-9)),
        ("tokens/s", [1200.0], ("tokens/s", 1.0)),
        ("tokens/s", [2e6, 9e9], ("million tokens/s", 1e-6)),
        ("H100e", [1e7, None], ("million H100e", 1e-6)),
        ("share", [0.1], ("%", 100.0)),
        ("USD per million tokens", [1e6], ("USD per million tokens", 1.0)),
        ("ratio", [250.0], ("", 1.0)),
        ("tokens/s", [None], ("tokens/s", 1.0)),
    ],
)
def test_a_row_gets_one_scale_that_suits_its_values(
    unit: str, values: list[float | None], shown: tuple[str, float]
) -> None:
    name, factor = scaled(unit, values)
    assert name == shown[0]
    assert factor == pytest.approx(shown[1])


@given(st.floats(1e-3, 1e15))
def test_three_figures_are_within_half_a_percent(value: float) -> None:
    shown = float(number_text(value).replace(",", ""))
    assert math.isclose(shown, value, rel_tol=0.0051)
