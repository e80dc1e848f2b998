"""Comparisons: the shipped ones find their rows, faulty ones are refused by file and key."""

import shutil
from pathlib import Path

import pytest

from forepass.errors import InputError
from forepass.inputs.comparisons import FILE, load_comparisons
from forepass.rooms import room

ENTRY = """
[stock]
table = "expert_forecasts"
where = { quantity = "world_h100e_installed", forecaster = "AI 2027 (Romeo Dean)" }
quantity = "fleet_h100e"
reading = "Another unit."
"""


def written(folder: Path, text: str) -> Path:
    (folder / FILE).write_text(text, encoding="utf-8")
    return folder


def test_the_shipped_comparisons_have_a_figure_a_date_and_a_reading() -> None:
    published = load_comparisons()
    assert {one.quantity for one in published} >= {"fleet_h100e", "fleet_power", "training_flop"}
    for one in published:
        assert one.date
        assert one.by
        assert one.reading
        assert one.point is not None or one.low is not None


def test_an_entry_stands_for_every_row_that_it_picks_at_its_own_date(tmp_path: Path) -> None:
    found = load_comparisons(written(tmp_path, ENTRY + "factor = 2\n"))
    assert [(one.date, one.point) for one in found] == [
        *(("2025-12", 3.6e7), ("2026-12", 8e7), ("2027-12", 2e8)),
    ]
    assert not found[0].seen


def test_stated_percentiles_come_before_a_range(tmp_path: Path) -> None:
    text = ENTRY.replace("world_h100e_installed", "digital_workers_openai_could_run")
    text = text.replace("AI 2027 (Romeo Dean)", "Epoch AI")
    [one] = load_comparisons(written(tmp_path, text))
    assert (one.low, one.point, one.high) == (4e5, 7e6, 3e8)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("reading =", "raeding =", "unknown field 'raeding'; did you mean reading?"),
        ('reading = "Another unit."', "", "reading is missing; add reading"),
        ('"expert_forecasts"', '"chips"', "no published table 'chips'; known: expert_forecasts"),
        ("forecaster =", "forcaster =", "has no column 'forcaster'; did you mean forecaster"),
        ("(Romeo Dean)", "(Romeo)", "no such row of data/expert_forecasts.csv: forecaster is now"),
        ("world_h100e_installed", "world_h100e", "quantity is nowhere 'world_h100e'; did you mean"),
        ("where = {", "where = 3 #", "where must name a row"),
        ('"AI 2027 (Romeo Dean)"', "2027", "where: forecaster must be text in quotes, got 2027"),
        ("reading =", 'at = "soon"\nreading =', 'at must be a date such as "2026" or "2026-05"'),
        ("reading =", "factor = 0\nreading =", "factor must be above 0, got 0"),
        ("reading =", 'speed = "fast"\nreading =', "speed must be a finite number without quotes"),
        ("reading =", "part = 1\nreading =", "part must be true or false, got 1"),
    ],
)
def test_a_faulty_comparison_is_refused_by_file_and_key(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    assert old in ENTRY
    folder = written(tmp_path, ENTRY.replace(old, new, 1))
    with pytest.raises(InputError) as refusal:
        load_comparisons(folder)
    assert str(refusal.value).startswith(f"{tmp_path / FILE}: stock: ")
    assert message in str(refusal.value)


def test_a_row_without_a_date_of_its_own_needs_one(tmp_path: Path) -> None:
    text = ENTRY.replace('"expert_forecasts"', '"published_trends"')
    text = text.replace(', forecaster = "AI 2027 (Romeo Dean)"', "")
    text = text.replace("world_h100e_installed", "ai2027_world_compute_growth")
    with pytest.raises(InputError, match='no date of its own; add at = "YYYY"'):
        load_comparisons(written(tmp_path, text))
    [one] = load_comparisons(written(tmp_path, text + 'at = "2026"\n'))
    assert (one.date, one.point, one.by) == ("2026", 2.25, "ai2027-compute")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("1.8e7", "many", r"p50 in .*expert_forecasts\.csv must be a number, got 'many'"),
        ("1.8e7", "1e999", r"p50 in .*expert_forecasts\.csv must be a number, got '1e999'"),
        (",p05,", ",q05,", r"expert_forecasts\.csv line 1: column 'p05' is missing"),
    ],
)
def test_a_table_that_nobody_checked_is_refused_by_its_cell(
    old: str, new: str, message: str, tmp_path: Path
) -> None:
    shutil.copytree(str(room("data")), tmp_path / "data")
    table = tmp_path / "data" / "expert_forecasts.csv"
    text = table.read_text(encoding="utf-8")
    assert old in text
    table.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(InputError, match=message):
        load_comparisons(written(tmp_path, ENTRY), tmp_path / "data")
