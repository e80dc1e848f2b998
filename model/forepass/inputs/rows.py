"""CSV files as text: every cell trimmed, every row with its line, every fault with its place."""

import csv
import difflib
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.resources.abc import Traversable

from forepass import limits
from forepass.errors import InputError
from forepass.inputs.text_files import label, read_text


@dataclass(frozen=True, slots=True)
class Rows:
    """The cells of one CSV file.

    Attributes
    ----------
    file
        How messages name the file.
    header
        Column names in order.
    cells
        One tuple of trimmed texts per row, as long as the header.
    lines
        The line of the file on which each row begins, from 1.
    """

    file: str
    header: tuple[str, ...]
    cells: list[tuple[str, ...]]
    lines: list[int]

    def column(self, name: str) -> list[str]:
        """Return the cells of one column."""
        if name not in self.header:
            raise InputError(f"{self.file} line 1: column {name!r} is missing")
        place = self.header.index(name)
        return [cells[place] for cells in self.cells]

    def records(self) -> list[dict[str, str]]:
        """Return the cells of each row by column."""
        return [dict(zip(self.header, cells, strict=True)) for cells in self.cells]


def read_rows(path: Traversable, *, may_be_empty: bool = False) -> Rows:
    """Return the cells of a CSV file (UTF-8, one header line, blank lines skipped).

    What is missing, empty, too large, not UTF-8, or no sound CSV is refused, with the line;
    a header alone too, unless the table may be empty.
    """
    file = label(path, "data")
    header: tuple[str, ...] = ()
    cells: list[tuple[str, ...]] = []
    lines: list[int] = []
    for line, fields in _records(file, read_text(path, file, most_bytes=limits.TABLE_BYTES)):
        row = tuple(field.strip() for field in fields)
        if not header:
            header = _header(file, line, row)
        elif len(row) != len(header):
            raise InputError(
                f"{file} line {line}: {len(row)} fields where the header has {len(header)} "
                "(put quotes around a text that holds a comma)"
            )
        else:
            cells.append(row)
            lines.append(line)
        if len(cells) > limits.TABLE_ROWS:
            raise InputError(f"{file}: more than {limits.TABLE_ROWS:,} rows; cut it into several")
    if not cells and not (header and may_be_empty):
        raise InputError(f"{file}: {'no rows below the header' if header else 'the file is empty'}")
    return Rows(file, header, cells, lines)


def check_header(rows: Rows, known: Sequence[str], required: Iterable[str]) -> None:
    """Refuse a column that is not ``known``, and the lack of a ``required`` one."""
    for column in rows.header:
        if column not in known:
            raise InputError(
                f"{rows.file} line 1: unknown column {column!r}{closest_hint(column, known)}"
            )
    for column in required:
        if column not in rows.header:
            raise InputError(f"{rows.file} line 1: column {column!r} is missing")


def closest_hint(text: str, known: Iterable[str]) -> str:
    """Return ``: did you mean X?`` for the closest of ``known``, or nothing."""
    close = difflib.get_close_matches(text[: limits.NAME_CHARACTERS], list(known), n=1)
    return f": did you mean {close[0]}?" if close else ""


def _records(file: str, text: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise InputError(
                f"{file} line {line}: broken CSV, {error} (look for an unclosed quote)"
            ) from None
        if any(len(field) > limits.CELL_CHARACTERS for field in fields):
            raise InputError(
                f"{file} line {line}: a field of more than {limits.CELL_CHARACTERS:,} characters "
                "(look for an unclosed quote)"
            )
        if any(field.strip() for field in fields) or len(fields) > 1:
            yield line, fields


def _header(file: str, line: int, names: tuple[str, ...]) -> tuple[str, ...]:
    if len(names) > limits.TABLE_COLUMNS:
        raise InputError(f"{file} line {line}: more than {limits.TABLE_COLUMNS:,} columns")
    for position, name in enumerate(names):
        if not name:
            raise InputError(f"{file} line {line}: column {position + 1} has no name")
        if name in names[:position]:
            raise InputError(f"{file} line {line}: column {name!r} stands there twice")
    return names
