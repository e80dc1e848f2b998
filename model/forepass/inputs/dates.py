"""Dates as tables write them: a year, a month or a day."""

import calendar
import re
from datetime import date

EPOCH_YEAR = 2022  # time in models is counted in years since the start of this one
EARLIEST, LATEST = 1950, 2100
PATTERN = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?", re.ASCII)


def first_day(text: str) -> date:
    """Return the first day of a year, month or day: YYYY, YYYY-MM or YYYY-MM-DD, 1950 to 2100.

    Anything else raises ``ValueError``.
    """
    match = PATTERN.fullmatch(text)
    if match is None or not EARLIEST <= int(match[1]) <= LATEST:
        raise ValueError(f"must be YYYY, YYYY-MM or YYYY-MM-DD, got {text!r}")
    return date(int(match[1]), int(match[2] or 1), int(match[3] or 1))


def last_day(text: str) -> date:
    """Return the last day of the year, month or day that ``text`` names."""
    first = first_day(text)
    if len(text) == len("YYYY"):
        return first.replace(month=12, day=31)
    if len(text) == len("YYYY-MM"):
        return first.replace(day=calendar.monthrange(first.year, first.month)[1])
    return first


def is_date(text: object) -> bool:
    """Return whether ``text`` is a day, month or year that exists."""
    try:
        return isinstance(text, str) and first_day(text) is not None
    except ValueError:
        return False


def year_fraction(text: str | float | None) -> float:
    """Return years since the start of 2022, in the middle of the period that ``text`` names.

    A missing value (NaN or None) gives NaN; what is no date raises ``ValueError``.
    """
    if not isinstance(text, str):
        return float("nan")
    first, last = first_day(text), last_day(text)
    new_year = date(first.year, 1, 1)
    year_length = 366 if calendar.isleap(first.year) else 365
    middle = ((first - new_year).days + (last - new_year).days + 1) / 2
    return first.year - EPOCH_YEAR + middle / year_length
