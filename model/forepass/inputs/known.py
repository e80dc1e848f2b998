"""When rows became known: the newest version of each fact, and what a date had not seen yet.

A row's ``known`` is the date at which somebody could first have read it; of a source it is its
``date``. A month or a year counts from its last day, so that nothing is seen early. Rows of one
key that differ in ``known`` are versions of one fact, of which the newest stands.
"""

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date

from forepass.errors import InputError
from forepass.inputs.dates import is_date, last_day
from forepass.inputs.rows import Rows

__all__ = [
    "DESIGNER_TOTAL",
    "JOINS",
    "KNOWN",
    "LATER",
    "SOURCES",
    "as_csv",
    "first_known",
    "newest",
    "seen_by",
]

KNOWN = "known"
SOURCES = "sources"
DESIGNER_TOTAL = "all"  # the name that chip_stock gives to a designer's chips together
JOINS = {
    "chip_prices": {"chip": "chips"},
    "training": {"chip": "chips", "model": "language_models"},
    "serving": {"chip": "chips", "model": "language_models"},
    "chip_stock": {"chip": "chips"},
}
"""Columns that name a row of another table."""
FACT = ("date", "quantity", "unit", "source")
KEYS = {
    "chips": ("chip",),
    "language_models": ("model",),
    "training": ("model",),
    "serving": ("id",),
    "chip_stock": ("designer", "chip", "quarter_end"),
    "stock_revisions": ("date", "designer", "unit"),
    "chip_prices": ("chip", "date", "price_type", "source"),
    "fleet": FACT,
    "demand": (*FACT, "actor"),
    "published_trends": FACT,
    "expert_forecasts": ("made_date", "forecaster", "quantity", "target_date", "unit"),
}
"""What makes two rows of a table versions of one fact."""
LATER = {"source": "read-later", "title": "A record made later, of what was known then"}
"""The source of rows that were known before any of the documents from which they were read."""


def newest(rows: Rows, table: str, by: date | None = None) -> Rows:
    """Return the rows known by a day, or all, without those that a newer version replaces.

    Raises
    ------
    InputError
        Naming file, line and column of a date that is none, where a day is asked for.
    """
    column = "date" if table == SOURCES else KNOWN
    if column not in rows.header:
        return rows
    days = [_day(text) for text in rows.column(column)]
    kept = list(range(len(days)))
    if by is not None:
        for row, day in enumerate(days):
            if day is None and table != SOURCES:
                raise InputError(
                    f"{rows.file} line {rows.lines[row]}, column {column}: must be a date, "
                    f"got {rows.column(column)[row]!r} (as 2026, 2026-11 or 2026-11-23)"
                )
        kept = [row for row in kept if (days[row] or date.max) <= by]
    if (columns := KEYS.get(table)) and set(columns) <= set(rows.header):
        keys = list(zip(*(rows.column(name) for name in columns), strict=True))
        last: dict[tuple[str, ...], date] = {}
        for row in kept:
            last[keys[row]] = max(days[row] or date.min, last.get(keys[row], date.min))
        kept = [row for row in kept if (days[row] or date.max) >= last[keys[row]]]
    return _of(rows, kept)


def seen_by(tables: Mapping[str, Rows], day: date) -> dict[str, Rows]:
    """Return what could be read on a day of all tables together.

    A row is seen once it and what it names are known. Of its sources those of that day stay, and
    where there was none yet, `LATER` stands for them.
    """
    seen = {name: newest(rows, name, day) for name, rows in tables.items()}
    for name, joins in JOINS.items():
        for column, other in joins.items():
            if name in seen and other in seen and column in seen[name].header:
                known = {"", DESIGNER_TOTAL, *seen[other].column(seen[other].header[0])}
                cells = seen[name].column(column)
                seen[name] = _of(seen[name], [at for at, c in enumerate(cells) if c in known])
    if SOURCES in seen:
        dated = set(seen[SOURCES].column("source"))
        seen = {name: _cited(rows, dated) for name, rows in seen.items()}
        stand_in = tuple(LATER.get(column, "") for column in seen[SOURCES].header)
        sources = seen[SOURCES]
        seen[SOURCES] = replace(
            sources, cells=[*sources.cells, stand_in], lines=[*sources.lines, 0]
        )
    return seen


def first_known(rows: Rows) -> str:
    """Return the earliest date at which a row of a table was known, empty where none has one."""
    dated = [text for text in rows.column(KNOWN) if is_date(text)]
    return min(dated, key=last_day, default="")


def as_csv(rows: Rows) -> str:
    """Return rows as the text of a CSV file."""
    lines = io.StringIO()
    csv.writer(lines, lineterminator="\n").writerows([rows.header, *rows.cells])
    return lines.getvalue()


def _day(text: str) -> date | None:
    return last_day(text) if is_date(text) else None


def _of(rows: Rows, kept: Iterable[int]) -> Rows:
    kept = list(kept)
    return replace(
        rows, cells=[rows.cells[row] for row in kept], lines=[rows.lines[row] for row in kept]
    )


def _cited(rows: Rows, dated: set[str]) -> Rows:
    """Return rows that cite only what there was; a table of sources cites none."""
    if "source" not in rows.header or KNOWN not in rows.header:
        return rows
    place = rows.header.index("source")

    def cite(cell: str) -> str:
        return ";".join(key for key in cell.split(";") if key.strip() in dated) or LATER["source"]

    cells = [(*row[:place], cite(row[place]), *row[place + 1 :]) for row in rows.cells]
    return replace(rows, cells=cells)
