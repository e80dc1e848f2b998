"""Tables of ``data/``: text to checked columns, each fault with its file, line and column."""

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cache
from importlib.resources.abc import Traversable
from pathlib import Path

import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaError, SchemaErrorReason, SchemaErrors

from forepass.errors import InputError
from forepass.inputs.cells import Places, fault, place, typed
from forepass.inputs.known import DESIGNER_TOTAL, JOINS, newest
from forepass.inputs.names import build_index, normalise, resolve
from forepass.inputs.rows import Rows, check_header, closest_hint, read_rows
from forepass.inputs.schemas import OWN_SCHEMAS, SCHEMAS
from forepass.rooms import room

TABLES = tuple(SCHEMAS)
NAMED = {"chips": "chip", "language_models": "model"}
ABSENT_FROM_OWN_TABLES = {
    "vendor": "other",
    "developer": "other",
    "shipped": "true",
    "status": "disclosed",
    "source": "own",
}

type Reader = Callable[[str], Rows]


def load_tables(
    names: Iterable[str],
    folder: Traversable | None = None,
    *,
    may_be_empty: Collection[str] = (),
) -> dict[str, pd.DataFrame]:
    """Return the named tables, checked cell by cell and against the tables that they refer to.

    They lie in ``folder``, or in the shipped ``data/``. Of versions of one fact the newest stands
    (see `forepass.inputs.known`). Frames hold float64 numbers, bool flags and ``str`` texts, NaN
    for a missing number or text; dates stay ISO texts; ``attrs["places"]`` knows the file and line
    of each index label. Those that ``may_be_empty`` may have a header alone.

    Raises
    ------
    InputError
        At the first fault: file, line, column, what the value must be, what it is, how to mend it.
    """
    home = room("data") if folder is None else folder

    @cache
    def read(name: str) -> Rows:
        rows = read_rows(home / f"{name}.csv", may_be_empty=name in may_be_empty)
        return newest(rows, name)

    return {name: _checked(name, read) for name in names}


def load_table(name: str, folder: Traversable | None = None) -> pd.DataFrame:
    """Return one table; see `load_tables`."""
    return load_tables([name], folder)[name]


def load_user_table(kind: str, path: Path) -> pd.DataFrame:
    """Return a user's own ``chips`` or ``language_models``, in the columns of the shipped table.

    Required are the name and what bounds a forward pass: of chips bandwidth, capacity and one rate,
    of models both parameter counts. Other columns may be missing.
    """
    schema = OWN_SCHEMAS[kind]
    rows = read_rows(path)
    given = [name for name, column in schema.columns.items() if not column.nullable]
    check_header(rows, list(schema.columns), [c for c in given if c not in ABSENT_FROM_OWN_TABLES])
    return _validated(_filled(rows, schema.columns), schema)


def with_user_table(
    tables: Mapping[str, pd.DataFrame], kind: str, own: pd.DataFrame
) -> dict[str, pd.DataFrame]:
    """Return ``tables`` with a user's rows, which replace shipped rows of the same name."""
    shipped = tables[kind]
    named = {normalise(name) for name in own[NAMED[kind]]}
    kept = shipped[[normalise(name) not in named for name in shipped[NAMED[kind]]]]
    joined = pd.concat([kept, own], ignore_index=True)
    places = tuple(place(frame, row) for frame in (kept, own) for row in frame.index)
    joined.attrs = {"places": Places(places)}
    return {**tables, kind: joined}


def _checked(name: str, read: Reader) -> pd.DataFrame:
    if name not in SCHEMAS:
        raise InputError(f"no table is called {name!r}{closest_hint(name, SCHEMAS)}")
    rows, schema = read(name), SCHEMAS[name]
    check_header(rows, list(schema.columns), schema.columns)
    frame = _validated(rows, schema)
    if "source" in rows.header and name != "sources":
        _refuse_unknown_sources(rows, read("sources"))
    for column, other in JOINS.get(name, {}).items():
        _refuse_unknown_names(rows, column, read(other))
    return frame


def _validated(rows: Rows, schema: pa.DataFrameSchema) -> pd.DataFrame:
    """Return the rows as typed columns that the schema accepts."""
    kinds = {
        name: (str(column.dtype), column.description) for name, column in schema.columns.items()
    }
    frame = typed(rows, kinds)
    try:
        schema.validate(frame, lazy=True)
    except SchemaErrors as errors:
        raise InputError(
            min(_first_fault(rows, error) for error in errors.schema_errors)[1]
        ) from None
    frame.attrs = {"places": Places(tuple((rows.file, line) for line in rows.lines))}
    return frame


def _first_fault(rows: Rows, error: SchemaError) -> tuple[int, str]:
    """Return the first row that a check of the schema refuses, and the message on it."""
    refusals = {SchemaErrorReason.DATAFRAME_CHECK, SchemaErrorReason.SERIES_CONTAINS_NULLS}
    if error.reason_code not in refusals:
        raise error  # the schema is at fault, not the table
    row = int(error.failure_cases["index"].min())
    if isinstance(error.check, str):
        columns, must = error.schema.name, "must not be empty"
    else:
        columns, must = error.schema.name, error.check.error
        if columns not in rows.header:
            columns = error.check.name
    return row, fault(rows, row, columns, must, error.schema.description)


def _refuse_unknown_sources(rows: Rows, sources: Rows) -> None:
    known = set(sources.column("source"))
    for line, cell in zip(rows.lines, rows.column("source"), strict=True):
        for key in map(str.strip, cell.split(";")):
            if key not in known:
                hint = closest_hint(key, known) or f": {sources.file} has no such key"
                raise InputError(
                    f"{rows.file} line {line}, column source: unknown source {key!r}{hint}"
                )


def _refuse_unknown_names(rows: Rows, column: str, others: Rows) -> None:
    """Refuse a chip or model that is not the name of a row of its own table."""
    known = set(others.column(column))
    position = rows.header.index(column)
    for row, cells in enumerate(rows.cells):
        name = cells[position]
        if (
            name
            and name not in known
            and not (name == DESIGNER_TOTAL and "designer" in rows.header)
        ):
            where = f"{rows.file} line {rows.lines[row]}, column {column}"
            index = build_index(zip(others.column(column), others.column("aliases"), strict=True))
            meant = resolve(name, index, kind=column, where=where)
            raise InputError(
                f"{where}: must be the name in {others.file}, got {name!r} (write {meant})"
            )


def _filled(rows: Rows, columns: Iterable[str]) -> Rows:
    """Return the rows with every column, and what stands for absence in each empty cell."""
    header = (*rows.header, *(name for name in columns if name not in rows.header))
    absent = [ABSENT_FROM_OWN_TABLES.get(name, "") for name in header]
    extra = ("",) * (len(header) - len(rows.header))
    cells = [
        tuple(cell or other for cell, other in zip((*row, *extra), absent, strict=True))
        for row in rows.cells
    ]
    return Rows(rows.file, header, cells, rows.lines)
