"""TOML files read with care: every failure names the file, the line or key, and the mend."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable
from importlib.resources.abc import Traversable
from typing import Any

from forepass.errors import InputError
from forepass.rooms import room

# No file of beliefs that a person wrote comes near this many bytes.
LARGEST = 1_000_000

NAME = re.compile(r"[a-z][a-z0-9_]*")


def located(room_name: str, file_name: str, folder: Traversable | None) -> tuple[Traversable, str]:
    """Return a room's file, from `folder` where given, and the label that messages use for it."""
    shipped = room(room_name)
    if folder is None or folder == shipped:
        return shipped / file_name, f"{room_name}/{file_name}"
    return folder / file_name, str(folder / file_name)


def read_tables(file: Traversable, label: str) -> dict[str, dict[str, Any]]:
    """Return the tables of a TOML file by name, in the order of the file.

    Raises
    ------
    InputError
        If the file is missing, too large, not UTF-8, not TOML, or holds anything but tables
        with names in lower case.
    """
    try:
        with file.open("rb") as stream:
            content = stream.read(LARGEST + 1)
    except FileNotFoundError:
        raise InputError(f"{label}: no such file; check the folder's name") from None
    except OSError as error:
        raise InputError(f"{label}: cannot be read ({error.strerror})") from None
    if len(content) > LARGEST:
        raise InputError(f"{label}: larger than {LARGEST:,} bytes; is it the right file?")
    tables = _parse(content, label)
    for name, table in tables.items():
        if NAME.fullmatch(name) is None:
            raise InputError(
                f"{label}: {name!r}: a name has only a-z, 0-9 and _, and starts with a letter"
            )
        if not isinstance(table, dict):
            raise InputError(f"{label}: {name}: put [{name}] on a line of its own, fields below it")
    return tables


def _parse(content: bytes, label: str) -> dict[str, Any]:
    try:
        return tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise InputError(f"{label}, line {line}: not UTF-8; save the file as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        problem, _, place = str(error).rpartition(" (at ")
        found = re.match(r"line (\d+)", place)
        line = int(found[1]) if found else content.count(b"\n") + 1
        raise InputError(f"{label}, line {line}: not valid TOML: {problem}") from None
    except (RecursionError, ValueError):
        raise InputError(f"{label}: not valid TOML: nested too deeply or a number too long") from (
            None
        )


def check_fields(
    table: dict[str, Any], *, required: Iterable[str], optional: Iterable[str], where: str
) -> None:
    """Refuse fields that nobody reads, then fields that are absent.

    Raises
    ------
    InputError
        Naming the first such field, and the known field closest to a misspelt one.
    """
    known = [*required, *optional]
    for field in table:
        if field not in known:
            raise InputError(f"{where}: unknown field {field!r}; {suggest(field, known)}")
    for field in required:
        if field not in table:
            raise InputError(f"{where}: {field} is missing; add {field} = ...")


def text_field(table: dict[str, Any], field: str, where: str) -> str:
    """Return a field that must hold words."""
    value = table[field]
    if not isinstance(value, str) or not value.strip():
        raise InputError(f'{where}: {field} must be text in quotes, as in {field} = "..."')
    words = " ".join(value.split())
    if not words.isprintable():
        raise InputError(f"{where}: {field} holds control characters; retype it")
    return words


def suggest(name: str, known: Iterable[str]) -> str:
    """Return the known names closest to a misspelt one, as the end of a message."""
    known = list(known)
    close = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    if close:
        return f"did you mean {' or '.join(close)}?"
    return f"known: {', '.join(known)}" if known else "none are known"
