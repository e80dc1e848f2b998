"""Rows by when they became known: nothing is seen early, and the newest version stands."""

from datetime import date
from pathlib import Path

import pytest

from forepass.errors import InputError
from forepass.inputs.known import LATER, as_csv, first_known, newest, seen_by
from forepass.inputs.rows import Rows, read_rows


def table(tmp_path: Path, text: str, name: str = "chips") -> Rows:
    path = tmp_path / f"{name}.csv"
    path.write_text(text, encoding="utf-8")
    return read_rows(path)


def names(rows: Rows) -> list[str]:
    return [cells[0] for cells in rows.cells]


@pytest.mark.parametrize(
    ("known", "day", "seen"),
    [
        ("2020-06-15", date(2020, 6, 15), True),
        ("2020-06-15", date(2020, 6, 14), False),
        ("2020-06", date(2020, 6, 29), False),
        ("2020-06", date(2020, 6, 30), True),
        ("2020", date(2020, 12, 30), False),
        ("2020", date(2020, 12, 31), True),
    ],
)
def test_a_month_or_a_year_counts_from_its_last_day(
    tmp_path: Path, known: str, day: date, *, seen: bool
) -> None:
    rows = table(tmp_path, f"chip,known\na,{known}\nold,1990\n")
    assert ("a" in names(newest(rows, "chips", day))) is seen


def test_the_newest_version_stands_of_those_that_a_day_knew(tmp_path: Path) -> None:
    text = "chip,known,power_w\na,2020-01,1\na,2022-01,2\nb,2021,3\n"
    rows = table(tmp_path, text)
    assert [cells[2] for cells in newest(rows, "chips").cells] == ["2", "3"]
    assert [cells[2] for cells in newest(rows, "chips", date(2021, 6, 1)).cells] == ["1"]
    assert newest(rows, "chips").lines == [3, 4]


def test_quarters_of_one_chip_are_no_versions_of_each_other(tmp_path: Path) -> None:
    text = (
        "designer,chip,quarter_end,known\n"
        "A,x,2023-03-31,2024-01\nA,x,2023-06-30,2024-01\nA,x,2023-06-30,2024-05\n"
    )
    rows = newest(table(tmp_path, text, "chip_stock"), "chip_stock")
    assert [cells[2:] for cells in rows.cells] == [
        ("2023-03-31", "2024-01"),
        ("2023-06-30", "2024-05"),
    ]


def test_two_rows_of_one_key_and_date_both_stay_for_the_check_that_refuses_them(
    tmp_path: Path,
) -> None:
    rows = table(tmp_path, "chip,known\na,2020\na,2020\n")
    assert len(newest(rows, "chips").cells) == 2


def test_what_names_a_thing_not_yet_known_is_not_seen(tmp_path: Path) -> None:
    tables = {
        "chips": table(tmp_path, "chip,known\na,2020\nb,2023\n"),
        "chip_stock": table(
            tmp_path,
            "designer,chip,quarter_end,known\nX,a,1,2020\nX,b,1,2020\nX,all,1,2020\n",
            "chip_stock",
        ),
    }
    seen = seen_by(tables, date(2021, 1, 1))
    assert [cells[1] for cells in seen["chip_stock"].cells] == ["a", "all"]


def test_sources_of_the_day_stay_and_later_ones_are_named_as_such(tmp_path: Path) -> None:
    tables = {
        "chips": table(tmp_path, "chip,known,source\na,2020,old;new\nb,2020,new\n"),
        "sources": table(
            tmp_path, "source,title,date\nold,Old,2019\nnew,New,2024\nblank,No date,\n", "sources"
        ),
    }
    seen = seen_by(tables, date(2021, 1, 1))
    assert [cells[2] for cells in seen["chips"].cells] == ["old", LATER["source"]]
    assert names(seen["sources"]) == ["old", LATER["source"]]


def test_a_date_that_is_none_is_refused_with_its_place(tmp_path: Path) -> None:
    rows = table(tmp_path, "chip,known\na,2020\nb,soon\n")
    with pytest.raises(InputError, match=r"chips\.csv line 3, column known: .*'soon'"):
        newest(rows, "chips", date(2021, 1, 1))


def test_the_first_date_is_by_the_day_that_counts(tmp_path: Path) -> None:
    assert first_known(table(tmp_path, "chip,known\na,2020\nb,2020-03\n")) == "2020-03"


def test_rows_come_back_from_their_text(tmp_path: Path) -> None:
    rows = table(tmp_path, 'chip,note,known\na,"one, ""two""",2020\n')
    assert table(tmp_path, as_csv(rows)).cells == rows.cells
