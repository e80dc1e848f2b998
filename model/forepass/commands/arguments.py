"""Options and argument checks that the subcommands share."""

import argparse
import dataclasses
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from forepass.settings import Settings

__all__ = [
    "Subparsers",
    "add_common",
    "add_despite",
    "existing_file",
    "iso_date",
    "new_file",
    "one_of",
    "output_folder",
    "positive_integer",
    "positive_number",
    "settings_from",
    "share",
    "year_list",
]

type Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_common(parser: argparse.ArgumentParser) -> None:
    """Give ``parser`` the options that every subcommand has."""
    common = parser.add_argument_group("common options")
    common.add_argument("--json", action="store_true", help="print JSON instead of text")
    common.add_argument(
        "--seed", type=seed, metavar="N", help="seed of every random draw (a whole number)"
    )
    common.add_argument("--quiet", action="store_true", help="show no progress")
    common.add_argument(
        "--data", type=folder, metavar="DIR", help="folder of observed tables, not the shipped one"
    )
    common.add_argument(
        "--priors", type=folder, metavar="DIR", help="folder of priors, not the shipped one"
    )


def add_despite(parser: argparse.ArgumentParser) -> None:
    """Give ``parser`` the option that lets a failed fit answer."""
    parser.add_argument(
        "--despite-failed-checks",
        action="store_true",
        help="answer even from a fit that failed its convergence checks",
    )


def settings_from(args: argparse.Namespace) -> "Settings":
    """Return the settings that the common options ask for."""
    from forepass.settings import Settings

    asked = {"seed": args.seed, "data": args.data, "priors": args.priors}
    given = {name: value for name, value in asked.items() if value is not None}
    return dataclasses.replace(Settings.default(), **given)


def positive_number(text: str) -> float:
    """Return a finite number above zero."""
    value = _number(text, "a number above 0")
    if value <= 0:
        raise _wrong("a number above 0", text)
    return value


def share(text: str) -> float:
    """Return a number from 0 to 1."""
    value = _number(text, "a share from 0 to 1")
    if not 0 <= value <= 1:
        raise _wrong("a share from 0 to 1", text)
    return value


def positive_integer(text: str) -> int:
    """Return a whole number above zero."""
    value = _integer(text, "a whole number above 0")
    if value < 1:
        raise _wrong("a whole number above 0", text)
    return value


def seed(text: str) -> int:
    """Return a whole number that is not negative."""
    value = _integer(text, "a whole number, 0 or more")
    if value < 0:
        raise _wrong("a whole number, 0 or more", text)
    return value


def one_of(*allowed: int) -> Callable[[str], int]:
    """Return a check that a whole number is one of those allowed."""
    names = f"{', '.join(map(str, allowed[:-1]))} or {allowed[-1]}"

    def check(text: str) -> int:
        value = _integer(text, names)
        if value not in allowed:
            raise _wrong(names, text)
        return value

    return check


def year_list(text: str) -> list[int]:
    """Return the years of a list such as ``2026,2030,2035``, in order and each once."""
    return sorted({_integer(year, "years such as 2026,2030") for year in text.split(",")})


def iso_date(text: str) -> str:
    """Return a date written YYYY, YYYY-MM or YYYY-MM-DD."""
    import datetime

    if not re.fullmatch(r"\d{4}(-\d{2}(-\d{2})?)?", text):
        raise _wrong("a date such as 2026, 2026-05 or 2026-05-31", text)
    try:
        datetime.date.fromisoformat((text + "-01-01")[:10])
    except ValueError:
        raise _wrong("a date of the calendar", text) from None
    return text


def folder(text: str) -> Path:
    """Return the path of a folder that is there."""
    path = Path(text)
    if not path.is_dir():
        raise _wrong("a folder that exists", text)
    return path


def existing_file(text: str) -> Path:
    """Return the path of a file that is there."""
    path = Path(text)
    if not path.is_file():
        raise _wrong("a file that exists", text)
    return path


def new_file(text: str) -> Path:
    """Return a path that a file can be written to, so that work is not lost at the end."""
    path = Path(text)
    if path.is_dir() or not path.parent.is_dir():
        raise _wrong("a file in a folder that exists", text)
    return path


def output_folder(text: str) -> Path:
    """Return the path of a folder that is there or can be made."""
    path = Path(text)
    if path.exists() and not path.is_dir():
        raise _wrong("a folder", text)
    return path


def _number(text: str, want: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise _wrong(want, text) from None
    if not math.isfinite(value):
        raise _wrong(want, text)
    return value


def _integer(text: str, want: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise _wrong(want, text) from None


def _wrong(want: str, got: str) -> argparse.ArgumentTypeError:
    return argparse.ArgumentTypeError(f"must be {want}, got {got!r}")
