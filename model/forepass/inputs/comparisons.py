"""Which published figure goes with which quantity of ours, from priors/comparisons.toml."""

from __future__ import annotations

import math
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from typing import Any

from forepass.errors import InputError
from forepass.inputs.dates import is_date
from forepass.inputs.known import newest
from forepass.inputs.rows import Rows, check_header, read_rows
from forepass.inputs.text_files import suggest
from forepass.inputs.toml_files import check_fields, number, read_tables, text_field
from forepass.rooms import room

FILE = "comparisons.toml"
REQUIRED = ("table", "where", "quantity", "reading")
OPTIONAL = ("at", "factor", "speed", "part", "seen")
# Of each table: who says it, its date, and what holds low, point and high, the first found first.
FORECAST = (("p05", "p10", "range_low"), ("p50",), ("p95", "p90", "range_high"))
FACT = (("low",), ("central",), ("high",))
TABLES = {
    "expert_forecasts": ("forecaster", "target_date", FORECAST),
    "fleet": ("source", "date", FACT),
    "demand": ("actor", "date", FACT),
    "published_trends": ("source", "", FACT),
}


@dataclass(frozen=True, slots=True)
class Published:
    """One published figure in the unit of our quantity.

    Attributes
    ----------
    name, by, says, source
        Its entry, who says it, the quantity in the table, and the key of the source.
    date
        ISO text: the year, the month or the day that it is of.
    low, point, high
        Each may be missing; a lone low is a lower bound.
    quantity
        Ours.
    speed
        Tokens/s of each copy or worker, in place of the definitions'.
    part
        Whether it counts a part of what ours counts, so that it must not lie above.
    seen
        Whether a block is fitted to it.
    reading
        How the two differ, in words.
    """

    name: str
    by: str
    says: str
    source: str
    date: str
    low: float | None
    point: float | None
    high: float | None
    quantity: str
    speed: float | None
    part: bool
    seen: bool
    reading: str


def centre_of(one: Published) -> float:
    """Return the point of a published figure, or the middle of its range, in logs where it can."""
    if one.point is not None:
        return one.point
    ends = [end for end in (one.low, one.high) if end is not None]
    if all(end > 0 for end in ends):
        return math.exp(sum(map(math.log, ends)) / len(ends))
    return sum(ends) / len(ends)


def load_comparisons(
    folder: Traversable | None = None,
    data: Traversable | None = None,
    *,
    seen_only: bool = False,
) -> list[Published]:
    """Return the published figures in the order of the file, from the tables in ``data``.

    Folders are the shipped priors/ and data/ unless given. ``seen_only`` leaves out entries whose
    rows are not there, as on an earlier day.

    Raises
    ------
    InputError
        Naming file and key, also where no row of the table is as wanted.
    """
    tables, file = read_tables(FILE, folder)
    home = room("data") if data is None else data
    return [
        found
        for name, table in tables.items()
        for found in _published(name, table, home, f"{file}: {name}", seen_only=seen_only)
    ]


def _published(
    name: str, table: dict[str, Any], data: Traversable, where: str, *, seen_only: bool
) -> list[Published]:
    check_fields(table, required=REQUIRED, optional=OPTIONAL, where=where)
    source = text_field(table, "table", where)
    if source not in TABLES:
        raise InputError(f"{where}: no published table {source!r}; {suggest(source, TABLES)}")
    by, dated, levels = TABLES[source]
    at = text_field(table, "at", where) if "at" in table else None
    if at is not None and not is_date(at):
        raise InputError(f'{where}: at must be a date such as "2026" or "2026-05", got {at!r}')
    positive = {key: number(table[key], key, where) for key in ("factor", "speed") if key in table}
    for key, value in positive.items():
        if not value > 0:
            raise InputError(f"{where}: {key} must be above 0, got {value:g}")
    part, seen = (_flag(table, field, where) for field in ("part", "seen"))
    quantity, reading = (text_field(table, field, where) for field in ("quantity", "reading"))
    found = []
    rows = newest(read_rows(data / f"{source}.csv", may_be_empty=seen_only), source)
    held = [name for names in levels for name in names]
    check_header(rows, rows.header, [by, "quantity", "source", *held])
    for row in _matching(rows, table["where"], where, seen_only=seen_only):
        date = at or row.get(dated, "")
        if not date:
            raise InputError(f'{where}: the row has no date of its own; add at = "YYYY"')
        factor = positive.get("factor", 1.0)
        low, point, high = (_first(row, names, factor, where, rows.file) for names in levels)
        if low is None and point is None:
            raise InputError(f"{where}: the row holds neither a figure nor a range")
        about = (name, row[by], row["quantity"], row["source"], date)
        ours = (quantity, positive.get("speed"), part, seen, reading)
        found.append(Published(*about, low, point, high, *ours))
    return found


def _matching(rows: Rows, wanted: object, where: str, *, seen_only: bool) -> list[dict[str, str]]:
    """Return the rows whose cells are as wanted, by column; that there are none is refused."""
    if not isinstance(wanted, dict) or not wanted:
        raise InputError(f'{where}: where must name a row, as in where = {{ quantity = "..." }}')
    for column, cell in wanted.items():
        if column not in rows.header:
            raise InputError(
                f"{where}: where: {rows.file} has no column {column!r}; "
                f"{suggest(column, rows.header)}"
            )
        if not isinstance(cell, str):
            raise InputError(f"{where}: where: {column} must be text in quotes, got {cell!r}")
    left = rows.records()
    for column, cell in wanted.items():
        known = sorted({row[column] for row in left})
        left = [row for row in left if row[column] == cell]
        if not left and not seen_only:
            raise InputError(
                f"{where}: no such row of {rows.file}: {column} is nowhere {cell!r}; "
                f"{suggest(cell, known)}"
            )
    return left


def _first(
    row: dict[str, str], names: tuple[str, ...], factor: float, where: str, file: str
) -> float | None:
    """Return the first figure of a row; this table may not have been checked cell by cell."""
    column = next((name for name in names if row[name]), None)
    if column is None:
        return None
    try:
        found = float(row[column]) * factor
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        raise InputError(f"{where}: {column} in {file} must be a number, got {row[column]!r}")
    return found


def _flag(table: dict[str, Any], field: str, where: str) -> bool:
    value = table.get(field, False)
    if not isinstance(value, bool):
        raise InputError(f"{where}: {field} must be true or false, got {value!r}")
    return value
