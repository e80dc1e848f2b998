"""Tables of configurations for ``predict``: read, checked cell by cell, written back whole."""

from pathlib import Path
from typing import TYPE_CHECKING

from forepass import atomic, limits
from forepass.errors import InputError
from forepass.inputs.dates import is_date
from forepass.inputs.rows import Rows, read_rows

if TYPE_CHECKING:
    import pandas as pd

OPTIONAL = ("scenario", "software", "date", "campaign")
NAMES = ("chip", "model")
# Columns of numbers, and whether a cell may be left empty.
NUMBERS = {
    "n_chips": False,
    "weight_bits": True,
    "input_tokens": False,
    "output_tokens": False,
    "concurrency": True,
}
COLUMNS = (*NAMES, *NUMBERS, "disaggregated")
# Read where the table has them.
FURTHER_RANGES = {
    "cached_share": (0, 1, "a share from 0 to 1"),
    "kv_bits": (1, 16, "from 1 to 16 bits"),
    "beams": (1, 64, "from 1 to 64 sequences"),
}
FURTHER = (*OPTIONAL, *FURTHER_RANGES, "speculative")
FLAGS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False, "": False}


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
    for column, may_be_empty in NUMBERS.items():
        values = pd.to_numeric(texts[column], errors="coerce").astype(float)
        empty = (texts[column] == "") & may_be_empty
        ends = limits.LEAST_NUMBER, limits.LARGEST_NUMBER
        want = f"a number from {ends[0]:g} to {ends[1]:g}"
        refuse(~(values.between(*ends) | empty), column, want)
        parsed[column] = values
    refuse(parsed["n_chips"] % 1 != 0, "n_chips", "a whole number above 0")
    as_bits = parsed["weight_bits"].isin([16, 8, 4]) | (texts["weight_bits"] == "")
    refuse(~as_bits, "weight_bits", "16, 8 or 4")
    for column, (low, high, want) in FURTHER_RANGES.items():
        if column not in texts:
            continue
        values = pd.to_numeric(texts[column], errors="coerce").astype(float)
        refuse(~(values.between(low, high) | (texts[column] == "")), column, want)
        parsed[column] = values
    if "date" in texts:
        dates = texts["date"].map(lambda cell: not cell or is_date(cell)).astype(bool)
        refuse(~dates, "date", "a date such as 2026-05")
    for column in (name for name in ("disaggregated", "speculative") if name in texts):
        flags = texts[column].str.lower().map(FLAGS)
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
