"""Tables load whole and typed, or are refused in one line that names the cell."""

import csv
import math
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forepass import limits
from forepass.errors import InputError
from forepass.inputs.cells import place
from forepass.inputs.dates import first_day, last_day, year_fraction
from forepass.inputs.records import chip_record, model_record
from forepass.inputs.schemas import SCHEMAS
from forepass.inputs.tables import (
    TABLES,
    load_table,
    load_tables,
    load_user_table,
    with_user_table,
)
from forepass.rooms import room

type Change = Callable[..., Path]

GOOD = {
    "sources": {"source": "sheet", "title": "A data sheet", "date": "2024-05"},
    "chips": {
        "chip": "x1",
        "aliases": "X One|X-1 SXM",
        "vendor": "Maker",
        "generation": "x",
        "release_date": "2024-05",
        "flops_16bit_flop_per_s": "1e15",
        "flops_fp8_flop_per_s": "2e15",
        "flops_int8_op_per_s": "1e15",
        "memory_bandwidth_bytes_per_s": "3e12",
        "memory_capacity_bytes": "8e10",
        "shipped": "true",
    },
    "chip_prices": {
        "chip": "x1",
        "date": "2024-06",
        "price_type": "purchase",
        "central_usd": "3e4",
    },
    "chip_stock": {
        "quarter_end": "2024-09-30",
        "since": "2024-01-01",
        "designer": "Maker",
        "chip": "all",
        "units_p50": "1e5",
    },
    "language_models": {
        "model": "m1",
        "developer": "Lab",
        "release_date": "2024",
        "architecture": "dense",
        "total_params": "7e10",
        "active_params": "7e10",
    },
    "serving": {
        "id": "s1",
        "date": "2024-06-03",
        "chip": "x1",
        "n_chips": "8",
        "model": "m1",
        "weight_bits": "8",
        "disaggregated": "false",
        "speculative": "false",
        "scenario": "offline",
        "output_tokens_per_s_per_chip": "100",
        "campaign": "sheet",
    },
}
ORIGIN = {"known": "2024-05", "status": "disclosed", "source": "sheet"}


def write(folder: Path, name: str, **changes: str) -> Path:
    columns = list(SCHEMAS[name].columns)
    row = {**(ORIGIN if name != "sources" else {}), **GOOD[name], **changes}
    path = folder / f"{name}.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerow(row)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in GOOD:
        write(tmp_path, name)
    return tmp_path


def refusal(name: str, folder: Path) -> str:
    with pytest.raises(InputError) as refused:
        load_table(name, folder)
    message = str(refused.value)
    assert "\n" not in message
    return message.replace(f"{folder}/", "")


def test_every_shipped_table_loads() -> None:
    tables = load_tables(TABLES)
    assert all(len(frame) > 0 for frame in tables.values())
    files = [path.name for path in room("data").iterdir() if path.name.endswith(".csv")]
    assert set(files) == {f"{name}.csv" for name in TABLES}


def test_shipped_tables_load_in_seconds_not_minutes() -> None:
    start = time.process_time()
    load_tables(TABLES)
    assert time.process_time() - start < 5


def test_cells_are_typed_and_absence_is_nan(folder: Path) -> None:
    chips = load_table("chips", folder)
    assert chips["power_w"].dtype == "float64"
    assert chips["shipped"].dtype == "bool"
    assert chips["release_date"].dtype == "str"
    assert chips["power_w"].isna().all()
    assert chips["note"].isna().all()
    assert chips.loc[0, "memory_bandwidth_bytes_per_s"] == 3e12


def test_cells_are_trimmed(folder: Path) -> None:
    write(folder, "chips", vendor="  Maker ", power_w=" 700 ")
    chips = load_table("chips", folder)
    assert (chips.loc[0, "vendor"], chips.loc[0, "power_w"]) == ("Maker", 700)


@pytest.mark.parametrize(
    ("name", "column", "value", "message"),
    [
        (
            "chips",
            "memory_bandwidth_bytes_per_s",
            "-3e12",
            "must be a positive number, got '-3e12' (give bytes per second, as 3.35e12)",
        ),
        ("chips", "power_w", "0", "must be a positive number, got '0' (give watts, as 700)"),
        ("chips", "power_w", "700 W", "must be a finite number, got '700 W' (give watts, as 700)"),
        ("chips", "power_w", "nan", "must be a finite number, got 'nan' (give watts, as 700)"),
        ("chips", "power_w", "1e999", "must be a finite number, got '1e999' (give watts, as 700)"),
        ("chips", "power_w", "1_000", "must be a finite number, got '1_000' (give watts, as 700)"),
        ("chips", "scale_up_chips", "8.5", "must be a whole number, got '8.5'"),
        ("chips", "release_date", "2024-13", "must be a date, got '2024-13' (as 2026, 2026-11"),
        ("chips", "release_date", "2023-02-29", "must be a date, got '2023-02-29'"),
        ("chips", "release_date", "May 2024", "must be a date, got 'May 2024'"),
        ("chips", "shipped", "yes", "must be true or false, got 'yes' (write true or false)"),
        ("chips", "shipped", "", "must be true or false, got ''"),
        ("chips", "vendor", "", "must not be empty, got ''"),
        ("chips", "chip", "X1 SXM", "must be lower-case words joined by hyphens, got 'X1 SXM'"),
        ("chips", "status", "rumoured", "is not a known value, got 'rumoured' (one of measured,"),
        ("chips", "source", "", "must not be empty, got '' (give keys of sources.csv"),
        ("chips", "source", "sheet;shet", "unknown source 'shet': did you mean sheet?"),
        ("serving", "chip", "x11", "unknown chip 'x11': did you mean x1?"),
        ("serving", "chip", "X One", "must be the name in chips.csv, got 'X One' (write x1)"),
        ("serving", "model", "m11", "unknown model 'm11': did you mean m1?"),
        ("serving", "weight_bits", "80", "must be at most 64 bits, got '80'"),
        ("serving", "weight_bits", "", "must not be empty, got ''"),
        ("serving", "scenario", "online", "is not a known value, got 'online'"),
        ("chips", "source", "zzz", "unknown source 'zzz': sources.csv has no such key"),
        ("chip_stock", "since", "2024-13-01", "must be a date, got '2024-13-01' (as 2026-11-23)"),
        ("chip_stock", "quarter_end", "2024-03", "must be a date, got '2024-03'"),
        ("chip_stock", "chip", "x11", "unknown chip 'x11': did you mean x1?"),
        ("chip_prices", "chip", "x11", "unknown chip 'x11': did you mean x1?"),
    ],
)
def test_a_bad_cell_is_named_with_its_line_and_its_mend(
    name: str, column: str, value: str, message: str, folder: Path
) -> None:
    write(folder, name, **{column: value})
    refused = refusal(name, folder)
    assert refused.startswith(f"{name}.csv line 2, column {column}: ")
    assert message in refused


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        (
            "language_models",
            {"active_params": "8e10"},
            "columns active_params, total_params: the first must not exceed the second, "
            "got '8e10', '7e10'",
        ),
        (
            "chip_prices",
            {"low_usd": "4e4", "high_usd": "5e4"},
            "columns low_usd, central_usd, high_usd: must not fall from left to right, "
            "got '4e4', '3e4', '5e4'",
        ),
        (
            "chip_prices",
            {"low_usd": "4e4", "central_usd": "", "high_usd": "3e4"},
            "must not fall from left to right, got '4e4', '', '3e4'",
        ),
        (
            "chip_stock",
            {"since": "2025-01-01"},
            "columns since, quarter_end: must be in order of time, got '2025-01-01', '2024-09-30'",
        ),
        ("chip_prices", {"central_usd": ""}, "must hold one value at least, got '', '', ''"),
    ],
)
def test_cells_that_contradict_each_other_are_named_together(
    name: str, changes: dict[str, str], message: str, folder: Path
) -> None:
    write(folder, name, **changes)
    assert message in refusal(name, folder)


def test_the_first_bad_line_is_reported(folder: Path) -> None:
    path = write(folder, "chips", power_w="-1")
    good = write(folder, "chips").read_text(encoding="utf-8").splitlines()
    bad = good[1].replace("3e12", "-3e12")
    path.write_text("\n".join([*good, "", bad, bad.replace("8e10", "-1")]) + "\n", encoding="utf-8")
    assert refusal("chips", folder).startswith("chips.csv line 4, column ")


def test_a_name_in_two_rows_is_refused_at_the_second(folder: Path) -> None:
    path = folder / "chips.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([*lines, lines[1]]), encoding="utf-8")
    assert refusal("chips", folder).startswith(
        "chips.csv line 3, column chip: must stand in one row only, got 'x1'"
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "chips.csv: the file is empty"),
        (b"\n\n", "chips.csv: the file is empty"),
        (b"chip,vendor\n", "chips.csv: no rows below the header"),
        (b"chip,vendor\nx1,Maker,2\n", "chips.csv line 2: 3 fields where the header has 2"),
        (b"chip,vendor\nx1\n", "chips.csv line 2: 1 fields where the header has 2"),
        (b'chip,vendor\nx1,"Maker\nx2,b\n', "chips.csv line 2: broken CSV, unexpected end of data"),
        (b"chip,vendor\nx0,a\nx1,\xff\n", "chips.csv line 3: not UTF-8 (save the file as UTF-8)"),
        (b"chip,chip\nx1,x1\n", "chips.csv line 1: column 'chip' stands there twice"),
        (b"chip,\nx1,x1\n", "chips.csv line 1: column 2 has no name"),
        (b"chip,vendr\nx1,x1\n", "chips.csv line 1: unknown column 'vendr': did you mean vendor?"),
        (b"chip,vendor\nx1,x1\n", "chips.csv line 1: column 'aliases' is missing"),
    ],
)
def test_a_broken_file_is_refused_with_its_line(content: bytes, message: str, folder: Path) -> None:
    (folder / "chips.csv").write_bytes(content)
    assert refusal("chips", folder).startswith(message)


def test_a_missing_file_is_refused(folder: Path) -> None:
    (folder / "chips.csv").unlink()
    assert refusal("chips", folder) == "chips.csv: no such file"


def test_a_folder_in_place_of_a_file_is_refused(folder: Path) -> None:
    (folder / "chips.csv").unlink()
    (folder / "chips.csv").mkdir()
    assert refusal("chips", folder).startswith("chips.csv: cannot be read")


def test_a_file_too_large_to_be_a_table_is_refused(folder: Path) -> None:
    with (folder / "chips.csv").open("r+b") as stream:
        stream.truncate(limits.TABLE_BYTES + 1)
    assert refusal("chips", folder) == "chips.csv: larger than 50 MB, so not read"


def test_an_unknown_table_is_refused(folder: Path) -> None:
    assert refusal("chps", folder) == "no table is called 'chps': did you mean chips?"


def test_a_byte_order_mark_and_windows_line_ends_are_read(folder: Path) -> None:
    path = folder / "chips.csv"
    text = path.read_text(encoding="utf-8").replace("\n", "\r\n")
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert load_table("chips", folder).loc[0, "chip"] == "x1"


def test_a_row_knows_its_line_past_quoted_line_ends(folder: Path) -> None:
    path = write(folder, "chips", note="two\nlines")
    lines = write(folder, "chips", chip="x2").read_text(encoding="utf-8").splitlines()
    path = write(folder, "chips", note="two\nlines")
    path.write_text(path.read_text(encoding="utf-8") + lines[1] + "\n", encoding="utf-8")
    chips = load_table("chips", folder)
    assert place(chips, 1) == (str(path), 4)


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("2022", 0.5),
        ("2024", 2.5),
        ("2022-01", 31 / 2 / 365),
        ("2024-12", 2 + (366 - 31 / 2) / 366),
        ("2022-01-01", 0.5 / 365),
        ("2020-07-02", -2 + (182 + 1.5) / 366),
    ],
)
def test_a_date_counts_years_to_the_middle_of_what_it_names(text: str, years: float) -> None:
    assert year_fraction(text) == pytest.approx(years)


def test_a_table_broken_anywhere_is_refused_in_one_line_or_loads(folder: Path) -> None:
    whole = {name: (folder / f"{name}.csv").read_bytes() for name in GOOD}
    random = np.random.default_rng(5)
    pieces = (b'"', b",", b"\n", b"\r", b"\0", b"-", b"nan", b"\xff", b"9" * 400, "\u0661".encode())
    for _ in range(150):
        name = str(random.choice(list(GOOD)))
        start, stop = sorted(random.integers(0, len(whole[name]), size=2))
        piece = pieces[random.integers(len(pieces))]
        content = whole[name][:start] + piece + whole[name][min(start + 3, stop) :]
        (folder / f"{name}.csv").write_bytes(content)
        try:
            answer = str(len(load_table(name, folder)))
        except InputError as error:
            answer = str(error)
        assert answer.isprintable()
        (folder / f"{name}.csv").write_bytes(whole[name])


def test_a_missing_date_counts_as_nan() -> None:
    assert math.isnan(year_fraction(math.nan))
    assert math.isnan(year_fraction(None))


@given(st.dates(min_value=first_day("1950"), max_value=last_day("2100")))
def test_a_day_lies_within_its_month_and_its_month_within_its_year(day: object) -> None:
    text = str(day)
    for part in (text, text[:7], text[:4]):
        assert first_day(part) <= first_day(text) <= last_day(part)
        assert math.floor(year_fraction(part)) == int(text[:4]) - 2022


def test_a_record_holds_the_row_and_the_better_8_bit_rate(folder: Path) -> None:
    chip = chip_record("X-ONE", load_tables(["chips"], folder))
    assert (chip.name, chip.vendor, chip.shipped) == ("x1", "Maker", True)
    assert chip.flops_8bit_flop_per_s == 2e15
    assert math.isnan(chip.flops_4bit_flop_per_s)
    assert chip.release_year == pytest.approx(year_fraction("2024-05"))


def test_a_record_has_none_for_a_missing_text_and_nan_for_a_missing_number(folder: Path) -> None:
    model = model_record("M 1", load_tables(["language_models"], folder))
    assert model.attention is None
    assert math.isnan(model.n_experts)


def test_a_users_chip_needs_little_and_resolves(folder: Path) -> None:
    own = folder / "own.csv"
    own.write_text(
        "chip,memory_bandwidth_bytes_per_s,memory_capacity_bytes,flops_fp8_flop_per_s\n"
        "My Chip,9e12,2e11,5e15\n"
    )
    tables = with_user_table(load_tables(["chips"], folder), "chips", load_user_table("chips", own))
    chip = chip_record("mychip", tables)
    assert (chip.name, chip.flops_8bit_flop_per_s, chip.vendor) == ("My Chip", 5e15, "other")
    assert chip.release_date is None
    assert chip_record("x1", tables).memory_capacity_bytes == 8e10
    assert place(tables["chips"], 1) == (str(own), 2)


def test_a_users_row_takes_the_place_of_the_shipped_one(folder: Path) -> None:
    own = write(folder, "chips", memory_capacity_bytes="9e10")
    frame = load_user_table("chips", own)
    write(folder, "chips")
    tables = with_user_table(load_tables(["chips"], folder), "chips", frame)
    assert chip_record("x one", tables).memory_capacity_bytes == 9e10
    assert len(tables["chips"]) == 1


@pytest.mark.parametrize(
    ("header", "row", "message"),
    [
        ("chip,memory_capacity_bytes", "a,1", "column 'memory_bandwidth_bytes_per_s' is missing"),
        (
            "chip,memory_capacity_bytes,memory_bandwidth_bytes_per_s",
            "a,1,1",
            "must hold one value at least",
        ),
        (
            "chip,memory_capacity_bytes,memory_bandwidth_bytes_per_s,flops_fp8_flop_per_s",
            "a,1,-1,1",
            "column memory_bandwidth_bytes_per_s: must be a positive number, got '-1'",
        ),
        (
            "chip,memory_capacity_bytes,memory_bandwidth_bytes_per_s,flops_fp8_flops",
            "a,1,-1,1",
            "unknown column 'flops_fp8_flops': did you mean flops_fp8_flop_per_s?",
        ),
    ],
)
def test_a_users_bad_chip_is_refused(header: str, row: str, message: str, folder: Path) -> None:
    own = folder / "own.csv"
    own.write_text(f"{header}\n{row}\n")
    with pytest.raises(InputError) as refused:
        load_user_table("chips", own)
    assert message in str(refused.value)


def test_a_users_model_that_takes_anothers_alias_is_refused(folder: Path) -> None:
    own = folder / "own.csv"
    own.write_text("model,aliases,total_params,active_params\nm2,M-1,1e9,1e9\n")
    tables = load_tables(["language_models"], folder)
    tables = with_user_table(tables, "language_models", load_user_table("language_models", own))
    with pytest.raises(InputError, match="'M-1' stands for both 'm1' and 'm2'"):
        model_record("m2", tables)


def test_places_survive_a_copy_of_the_frame() -> None:
    chips = load_table("chips")
    assert isinstance(chips, pd.DataFrame)
    assert place(chips[chips["shipped"]].copy(), 0) == ("data/chips.csv", 2)
