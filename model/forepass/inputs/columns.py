"""Kinds of columns and checks that the schemas are made of, with the words for a bad cell.

A check's ``error`` says what the value must be, and the ``description`` of its column how to mend
it; `forepass.inputs.tables` puts file, line and column before both. A check of several columns is
named by them, with ", " between.
"""

from collections.abc import Sequence

import pandas as pd
import pandera.pandas as pa

from forepass.inputs.dates import is_date, last_day

WIDEST_NUMBER_BITS = 64


def number(mend: str, *checks: pa.Check, required: bool = False) -> pa.Column:
    """Return a column of finite numbers."""
    return pa.Column(float, list(checks), nullable=not required, description=f"give {mend}")


def positive(mend: str, *checks: pa.Check, required: bool = False) -> pa.Column:
    """Return a column of numbers above zero."""
    above = pa.Check(lambda values: values > 0, error="must be a positive number")
    return number(mend, above, *checks, required=required)


def at_least_zero(mend: str, *checks: pa.Check) -> pa.Column:
    """Return a column of numbers from zero up."""
    return number(mend, pa.Check(lambda values: values >= 0, error="must not be negative"), *checks)


def count(mend: str, *, required: bool = False) -> pa.Column:
    """Return a column of whole numbers above zero."""
    whole = pa.Check(lambda values: values % 1 == 0, error="must be a whole number")
    return positive(mend, whole, required=required)


def bits(thing: str, *, required: bool = False) -> pa.Column:
    """Return a column of bits per number."""
    narrow = pa.Check(
        lambda values: values <= WIDEST_NUMBER_BITS,
        error=f"must be at most {WIDEST_NUMBER_BITS} bits",
    )
    return positive(f"bits per {thing}, as 16, 8 or 4", narrow, required=required)


def share(mend: str) -> pa.Column:
    """Return a column of numbers above 0 and at most 1."""
    return positive(mend, at_most_one())


def at_most_one() -> pa.Check:
    """Return a check that numbers do not exceed 1."""
    return pa.Check(lambda values: values <= 1, error="must be at most 1")


def text(*checks: pa.Check, required: bool = True, mend: str | None = None) -> pa.Column:
    """Return a column of texts."""
    return pa.Column(str, list(checks), nullable=not required, description=mend)


def choice(values: Sequence[str], *, required: bool = True) -> pa.Column:
    """Return a column of texts out of a few."""
    known = pa.Check(lambda cells: cells.isin(values), error="is not a known value")
    return text(known, required=required, mend=f"one of {', '.join(values)}")


def dated(*, required: bool = True, day: bool = False) -> pa.Column:
    """Return a column of ISO dates: a year, a month or a day, or only the last."""
    whole = len("YYYY-MM-DD") if day else 0
    real = pa.Check(
        lambda cells: cells.map(lambda cell: is_date(cell) and len(cell) >= whole),
        error="must be a date",
    )
    return text(
        real, required=required, mend="as 2026-11-23" if day else "as 2026, 2026-11 or 2026-11-23"
    )


def key() -> pa.Column:
    """Return a column of names in lower-case kebab form, each once."""
    kebab = pa.Check(
        lambda cells: cells.str.fullmatch(r"[a-z0-9]+(?:[-._][a-z0-9]+)*"),
        error="must be lower-case words joined by hyphens",
    )
    return text(kebab, once(), mend="as h100-sxm")


def once() -> pa.Check:
    """Return a check that no value stands in a second row."""
    return pa.Check(lambda cells: ~cells.duplicated(), error="must stand in one row only")


def flag() -> pa.Column:
    """Return a column of true and false."""
    return pa.Column(bool, description="write true or false")


def rising(*columns: str) -> pa.Check:
    """Return a check that numbers do not fall from the first column to the last."""

    def rises(frame: pd.DataFrame) -> pd.Series:
        values = frame[[column for column in columns if column in frame]]
        before = values.ffill(axis=1).shift(1, axis=1)
        return ~(values < before).any(axis=1)

    return pa.Check(
        rises, name=", ".join(columns), error="must not fall from left to right", ignore_na=False
    )


def not_above(smaller: str, larger: str) -> pa.Check:
    """Return a check that one column does not exceed another."""
    return pa.Check(
        lambda frame: ~(frame[smaller] > frame[larger]),
        name=f"{smaller}, {larger}",
        error="the first must not exceed the second",
        ignore_na=False,
    )


def any_of(*columns: str) -> pa.Check:
    """Return a check that one of the columns at least holds a value."""
    return pa.Check(
        lambda frame: frame[list(columns)].notna().any(axis=1),
        name=", ".join(columns),
        error="must hold one value at least",
        ignore_na=False,
    )


def in_order(earlier: str, later: str) -> pa.Check:
    """Return a check that one date does not come after another."""

    def ordered(frame: pd.DataFrame) -> pd.Series:
        sound = frame[[earlier, later]].map(is_date).all(axis=1)  # the columns' own checks tell
        first, second = (
            frame[column].where(sound, "2000").map(last_day) for column in (earlier, later)
        )
        return first <= second

    return pa.Check(
        ordered, name=f"{earlier}, {later}", error="must be in order of time", ignore_na=False
    )
