"""Scores of entries, against values worked out by hand."""

import math
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from forepass.errors import InputError
from forepass.register.scores import Outcome, outcomes, scored, summarised
from forepass.rooms import room
from forepass.settings import Settings

LOGS = (1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0)
NAMES = ("p05", "p10", "p25", "p50", "p75", "p90", "p95")
DOCUMENT: dict[str, Any] = {
    "created": "2026-11-25",
    "years": [2026, 2027],
    "quantities": {
        "fleet_h100e": {
            **{"unit": "H100e", "long_name": "Fleet"},
            **{n: [math.exp(x), math.exp(x + 1)] for n, x in zip(NAMES, LOGS, strict=True)},
        }
    },
}


def outcome(log: float, *, period: str = "2026-12", known: str = "2027-01-15") -> Outcome:
    day = date.fromisoformat(known)
    return Outcome("stock", "fleet_h100e", period, math.exp(log), "a", day)


def due(one: Outcome, on: str = "2027-12-31") -> list[dict[str, Any]]:
    return scored(DOCUMENT, [one], on=date.fromisoformat(on))


def test_the_crps_is_the_weighted_pinball_loss_of_logs() -> None:
    [record] = due(outcome(6.5))
    # Levels below pay level x distance, the one above (1 - level) x distance.
    below = [(0.05, 0.075, 5.5), (0.1, 0.1, 4.5), (0.25, 0.2, 3.5), (0.5, 0.25, 2.5)]
    below += [(0.75, 0.2, 1.5), (0.9, 0.1, 0.5)]
    by_hand = 2 * (sum(level * width * far for level, width, far in below) + 0.05 * 0.075 * 0.5)
    assert record["crps"] == pytest.approx(by_hand)
    assert record["inside"] == {"50": False, "80": False, "90": True}
    assert record["forecast_was"] == "under"


def test_between_years_the_quantiles_are_interpolated_in_logs() -> None:
    [record] = due(outcome(4.5, period="2027-06"))
    assert record["p50"] == pytest.approx(math.exp(4.5))
    assert record["forecast_was"] in ("at", "over", "under")
    assert record["inside"]["50"]


@pytest.mark.parametrize(
    ("one", "on"),
    [
        (outcome(4.0, known="2026-11-25"), "2027-12-31"),
        (outcome(4.0), "2027-01-14"),
        (outcome(4.0, period="2027-06", known="2027-01-15"), "2027-06-29"),
        (outcome(4.0, period="2040", known="2027-01-15"), "2041-06-29"),
    ],
)
def test_what_was_known_or_is_not_yet_due_or_was_not_forecast_is_left_out(
    one: Outcome, on: str
) -> None:
    assert due(one, on) == []


def test_shares_and_sides_are_counted() -> None:
    records = [*due(outcome(6.5)), *due(outcome(3.5)), *due(outcome(9.0)), *due(outcome(4.1))]
    found = summarised(records)
    assert found["due"] == 4
    assert found["coverage"] == {"50": 0.5, "80": 0.5, "90": 0.75}
    assert (found["over"], found["under"]) == (1, 3)
    assert found["crps"] == pytest.approx(sum(record["crps"] for record in records) / 4)
    assert summarised([]) == {"due": 0}


def test_the_shipped_outcomes_are_what_was_seen_and_not_what_is_expected(tmp_path: Path) -> None:
    settings = Settings(cache=tmp_path)
    found = outcomes(settings.priors, settings.data)
    by_name = {one.name: one for one in found}
    assert by_name["h100e_2025_deployed"].quantity == "fleet_h100e"
    assert not any(name.startswith(("h100e_ai2027", "growth_")) for name in by_name)
    runs = [one for one in found if one.quantity == "training_flop"]
    assert len({one.period for one in runs}) == len(runs) > 5
    assert {one.period for one in runs} >= {"2023", "2024"}


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        (
            "training.csv",
            ",training_flop,",
            ",flop,",
            r"training\.csv line 1: unknown column 'flop'",
        ),
        (
            "training.csv",
            ",2018-",
            ",soon-",
            r"training\.csv line \d+, column known: must be a date",
        ),
        ("fleet.csv", "\n2024-", "\nsoon-", r"fleet\.csv line \d+, column date: must be a date"),
    ],
)
def test_tables_that_nobody_checked_are_refused_by_their_cell(
    name: str, old: str, new: str, message: str, tmp_path: Path
) -> None:
    shutil.copytree(str(room("data")), tmp_path / "data")
    table = tmp_path / "data" / name
    text = table.read_text(encoding="utf-8")
    assert old in text
    table.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(InputError, match=message):
        outcomes(room("priors"), tmp_path / "data")


def test_a_comparison_without_a_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "comparisons.toml").write_text("[a]\nwhere = {}\n", encoding="utf-8")
    with pytest.raises(InputError, match="table is missing"):
        outcomes(tmp_path, room("data"))
