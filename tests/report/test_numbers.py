"""Numbers as the report tells them, and where each is found."""

from typing import Any

import pytest

from forepass.errors import InputError
from forepass.report.known import known_numbers
from forepass.report.numbers import Number, Numbers


@pytest.mark.parametrize(
    ("unit", "values", "both"),
    [
        ("tokens/s", (4.3e9, 0.98e9, 18e9), "4.3 billion tokens/s (0.98 to 18)"),
        ("W", (4.8e10, 4.0e10, 5.8e10), "48 GW (40 to 58)"),
        ("share", (0.12, 0.07, 0.19), "12% (7.0 to 19)"),
        ("USD per million tokens", (0.52, 0.13, 2.6), "$0.52 per million tokens (0.13 to 2.6)"),
        ("ratio", (13.0, 0.68, 110.0), "13 (0.68 to 110)"),
        ("probability", (0.23, None, None), "23%"),
        ("probability", (0.004, None, None), "under 1%"),
        ("probability", (0.996, None, None), "over 99%"),
        ("probability", (1.0, None, None), "100%"),
        ("count", (3645.0, None, None), "3,645"),
        ("passes/s", (None, None, None), "none passes/s"),
    ],
)
def test_a_number_is_rounded_by_its_interval(
    unit: str, values: tuple[float | None, float | None, float | None], both: str
) -> None:
    centre, low, high = values
    assert Number("k", "words", unit, centre, low, high).both == both


def test_the_forms_are_parts_of_the_whole() -> None:
    number = Number("k", "words", "tokens/s", 4.3e9, 0.98e9, 18e9)
    assert number.median == "4.3 billion tokens/s"
    assert number.interval == "0.98 to 18 billion tokens/s"
    assert (number.plain, number.bare) == ("4.3", "4.3 (0.98 to 18)")


def test_a_key_that_is_none_is_refused_with_the_closest() -> None:
    numbers = Numbers({"fleet_power@2030": Number("k", "words", "W", 1.0)})
    with pytest.raises(InputError, match=r"no number 'fleet_powr@2030'.*did you mean"):
        numbers["fleet_powr@2030"]


def test_every_family_of_numbers_is_found_in_the_evidence(evidence: dict[str, Any]) -> None:
    numbers = known_numbers(evidence)
    place = evidence["years"].index(2030)
    entry = evidence["quantities"]["fleet_power"]
    number = numbers["fleet_power@2030"]
    assert (number.centre, number.low) == (entry["p50"][place], entry["p10"][place])
    assert set(number.rests_on) == {"chips", "fleet"}
    for key in (
        "fleet_power.since@2030",
        "fleet_power.rises@2030",
        "supply_limit.power@2030",
        "release_overhang.3.all@2026",
        "when.hundred_gigawatts",
        "when.hundred_gigawatts@2030",
        "limit.hundred_gigawatts",
        "claim.tokens_add",
        "post.claim_tokens_add",
        "power-bound.world_tokens_per_s_ratio@2030",
        "share.world_tokens_per_s@2030.judgement",
        "backtest.all.cover80",
        "calibration.short",
        "fit.fleet.rhat",
        "table.chips.rows",
        "prior.fleet.duty_cycle",
        "definition.copy_speed_tokens_per_s",
        "published.unseen",
    ):
        assert numbers[key].words
    counts = [
        numbers[f"published.{name}"].centre for name in ("agrees", "overlap", "above", "below")
    ]
    assert sum(filter(None, counts)) == numbers["published.unseen"].centre
