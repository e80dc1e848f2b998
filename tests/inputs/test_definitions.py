"""Conventions: the shipped ones load, faulty ones are refused by file and key."""

import tomllib
from pathlib import Path

import pytest

from forepass.errors import InputError
from forepass.inputs.definitions import FILE, TYPES, load_definitions
from forepass.rooms import room


def changed(folder: Path, old: str, new: str) -> Path:
    text = (room("priors") / FILE).read_text(encoding="utf-8")
    assert old in text
    (folder / FILE).write_text(text.replace(old, new, 1), encoding="utf-8")
    return folder


def test_the_shipped_definitions_have_units_and_reasons() -> None:
    definitions = load_definitions()
    assert definitions.reference_model == "gpt-4"
    assert definitions.h100_equivalent_ops_per_s == 1.979e15
    assert isinstance(definitions.first_year, int)
    assert isinstance(definitions.reference_input_tokens, float)
    tables = tomllib.loads((room("priors") / FILE).read_text(encoding="utf-8"))
    assert set(tables) == set(TYPES)
    assert all(table["unit"] and table["rationale"] for table in tables.values())


def test_a_folder_of_ones_own_takes_the_place_of_the_shipped_one(tmp_path: Path) -> None:
    folder = changed(tmp_path, "value = 2035", "value = 2040")
    assert load_definitions(folder).last_year == 2040


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[last_year]", "[lats_year]", "lats_year: nothing uses it; did you mean last_year"),
        (
            "[reference_chip]\nvalue =",
            "[reference_chip]\nvlaue =",
            "reference_chip: unknown field 'v",
        ),
        ('unit = "vendor"', "", "reference_vendor: unit is missing; add unit = ..."),
        ('value = "gpt-4"', "value = 4", "reference_model: value must be text in quotes"),
        ("value = 2035", "value = 2035.5", "last_year: value must be a whole number"),
        ("value = 2035", "value = 2019", "first_year: value must be before last_year = 2019"),
        ("value = 50", 'value = "50"', "copy_speed_tokens_per_s: value must be a finite number"),
        ("value = 50", "value = 0", "copy_speed_tokens_per_s: value must be above 0, got 0"),
        ("value = 2035", "value = 999999999", "last_year: value must be a year from 1950 to 2100"),
        ("value = 128", "value = 0", "post_chips: value must be above 0, got 0"),
        ('value = "2026-', 'value = "soon', "software_date: value must be a date such as"),
        ("value = 50", "value = true", "copy_speed_tokens_per_s: value must be a finite number"),
        ("value = 50", "value = nan", "copy_speed_tokens_per_s: value must be a finite number"),
    ],
)
def test_a_faulty_definition_is_refused_by_file_and_key(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    with pytest.raises(InputError) as refusal:
        load_definitions(changed(tmp_path, old, new))
    assert str(refusal.value).startswith(f"{tmp_path / FILE}: {message}")


def test_a_missing_definition_is_refused(tmp_path: Path) -> None:
    text = (room("priors") / FILE).read_text(encoding="utf-8")
    (tmp_path / FILE).write_text(text.split("[last_year]")[0], encoding="utf-8")
    with pytest.raises(InputError, match=r"definitions\.toml: last_year is missing; add"):
        load_definitions(tmp_path)
