"""Cells of a table: text to numbers and flags, and the words for one that is wrong."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import pandas as pd

from forepass.errors import InputError
from forepass.inputs.rows import Rows

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
FLAGS = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Places:
    """File and line of each row of a frame, by index label."""

    rows: tuple[tuple[str, int], ...]

    def __deepcopy__(self, memo: object) -> Self:
        """Return the same object: pandas copies attributes at each step, this never changes."""
        return self


def place(frame: pd.DataFrame, row: int) -> tuple[str, int]:
    """Return the file and the line from which the row with this index label was read."""
    places: Places = frame.attrs["places"]
    return places.rows[row]


def fault(rows: Rows, row: int, columns: str, must: str, mend: str | None) -> str:
    """Return the message on one cell, or on several with ", " between their columns."""
    names = [name for name in columns.split(", ") if name in rows.header]
    values = ", ".join(repr(rows.cells[row][rows.header.index(name)]) for name in names)
    hint = f" ({mend})" if mend else ""
    plural = "s" if len(names) > 1 else ""
    where = f"{rows.file} line {rows.lines[row]}, column{plural} {', '.join(names)}"
    return f"{where}: {must}, got {values}{hint}"


def typed(rows: Rows, kinds: Mapping[str, tuple[str, str | None]]) -> pd.DataFrame:
    """Return the cells as columns of float64, bool or ``str``.

    ``kinds`` holds the dtype of each column and the words that mend a bad cell. The first cell that
    is no finite number, or no flag, where its column wants one is refused.
    """
    columns: dict[str, pd.Series] = {}
    for position, name in enumerate(rows.header):
        kind, _ = kinds[name]
        cells = [row[position] for row in rows.cells]
        if kind == "float64":
            columns[name] = pd.Series([_number(cell) for cell in cells], dtype="float64")
        elif kind == "bool":
            flags = [FLAGS.get(cell.lower(), False) for cell in cells]
            columns[name] = pd.Series(flags, dtype="bool")
        else:
            columns[name] = pd.Series([cell or None for cell in cells], dtype="str")
    _refuse_untyped(rows, kinds)
    return pd.DataFrame(columns)


def _number(cell: str) -> float:
    return float(cell) if NUMBER.fullmatch(cell) else math.nan


def _refuse_untyped(rows: Rows, kinds: Mapping[str, tuple[str, str | None]]) -> None:
    for row, cells in enumerate(rows.cells):
        for name, cell in zip(rows.header, cells, strict=True):
            kind, mend = kinds[name]
            if kind == "float64" and cell and not math.isfinite(_number(cell)):
                raise InputError(fault(rows, row, name, "must be a finite number", mend))
            if kind == "bool" and cell.lower() not in FLAGS:
                raise InputError(fault(rows, row, name, "must be true or false", mend))
