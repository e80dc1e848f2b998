"""Tables of configurations for ``predict``: read, checked cell by cell, written back whole."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forepass import atomic, limits
from forepass.errors import InputError
from forepass.inputs.dates import is_date
from forepass.inputs.rows import Rows, read_rows

if TYPE_CHECKING:
    import pandas as pd

NAMES = ("chip", "model")


def _within(n: Any) -> Any:  # noqa: ANN401 - a Series, and pandas is slow to load
    return n.between(limits.LEAST_NUMBER, limits.LARGEST_NUMBER)


NUMBERS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "n_chips": ("a whole number above 0", lambda n: _within(n) & (n % 1 == 0)),
    "weight_bits": ("16, 8 or 4", lambda n: n.isin([16, 8, 4])),
    "input_tokens": (limits.NUMBER, _within),
    "output_tokens": (limits.NUMBER, _within),
    "concurrency": (limits.NUMBER, _within),
    "cached_share": ("a share from 0 to 1", lambda n: n.between(0, 1)),
    "kv_bits": ("from 1 to 16 bits", lambda n: n.between(1, 16)),
    "beams": ("from 1 to 64 sequences", lambda n: n.between(1, 64)),
}
"""Columns of numbers: what a cell must be, in words and as a test of a Series."""
FILLED = ("n_chips", "input_tokens", "output_tokens")
"""Columns of numbers in which no cell may be left empty."""
FLAGS = ("disaggregated", "speculative")
FURTHER = (
    *("scenario", "software", "date", "campaign"),
    *("speculative", "cached_share", "kv_bits", "beams"),
)
"""Read where the table has them; it must have the others."""
COLUMNS = tuple(name for name in (*NAMES, *NUMBERS, *FLAGS) if name not in FURTHER)
TRUTH = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False, "": False}


def read(path: Path) -> Rows:
    """Return the rows of the table at ``path``, every cell as text, unless it lacks a column."""
    rows = read_rows(path)
    missing = [column for column in COLUMNS if column not in rows.header]
    if missing:
        raise InputError(f"{rows.file} line 1: column {', '.join(missing)} is missing")
    return rows


def parse(rows: Rows) -> "tuple[pd.DataFrame, dict[int, str]]":
    """Return the rows whose cells can be read, typed, and for the others what is wrong.

    Numbers are floats (NaN where empty), flags bool, names as they were written. The index, and the
    key of each sentence on a bad row, is the row's place in ``rows``.
    """
    import pandas as pd

    written = pd.DataFrame(rows.cells, columns=list(rows.header), dtype=str)
    texts = written[[name for name in (*COLUMNS, *FURTHER) if name in rows.header]]
    parsed, errors = texts.copy(), dict[int, str]()

    def refuse(bad: "pd.Series[bool]", column: str, want: str) -> None:
        for place, text in texts[column][bad].items():
            errors.setdefault(int(str(place)), f"{column} must be {want}, got {text!r}")

    for column in NAMES:
        refuse(texts[column] == "", column, "a name")
    for column in (name for name in NUMBERS if name in texts):
        want, holds = NUMBERS[column]
        parsed[column] = pd.to_numeric(texts[column], errors="coerce").astype(float)
        stated = (texts[column] != "") | (column in FILLED)
        refuse(stated & ~holds(parsed[column]), column, want)
    if "date" in texts:
        dated = texts["date"].map(lambda cell: not cell or is_date(cell)).astype(bool)
        refuse(~dated, "date", "a date such as 2026-05")
    for column in (name for name in FLAGS if name in texts):
        flags = texts[column].str.lower().map(TRUTH)
        refuse(flags.isna(), column, "true or false")
        parsed[column] = flags.eq(True)
    return parsed.drop(index=list(errors)), errors


def write(rows: Rows, predicted: "pd.DataFrame", path: Path) -> None:
    """Write ``rows`` with the predicted columns after them, empty where there is no prediction."""
    import pandas as pd

    kept = [name for name in rows.header if name not in predicted.columns]
    written = pd.DataFrame(rows.cells, columns=list(rows.header), dtype=str)[kept]
    table = written.join(predicted.reindex(written.index))
    with atomic.replacing(path) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n")
