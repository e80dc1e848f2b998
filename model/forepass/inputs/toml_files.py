"""TOML files of priors/: every failure names the file, the line or key, and the mend."""

from __future__ import annotations

import json
import math
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from importlib.resources.abc import Traversable
from typing import Any

from forepass import limits
from forepass.errors import InputError
from forepass.inputs.text_files import label, read_text, suggest
from forepass.rooms import room

NAME = re.compile(r"[a-z][a-z0-9_]*")
# Keys with so many dots take a parser of TOML time by the square of their number.
DEEP_KEY = re.compile(
    rf"""(?<![\w-])(?:(?:[\w-]+|"[^"\n]*"|'[^'\n]*')[ \t]*\.[ \t]*){{{limits.DEPTH}}}"""
)
TOO_DEEP = "not valid TOML: nested too deeply or a number too long"

type Table = dict[str, Any]


def read_tables(name: str, folder: Traversable | None) -> tuple[dict[str, Table], str]:
    """Return the tables of a file in ``folder`` or the shipped priors/, and its name in messages.

    Anything but tables with names in lower case is refused.
    """
    path = (room("priors") if folder is None else folder) / name
    file = label(path, "priors")
    tables = _parse(read_text(path, file, most_bytes=limits.BELIEFS_BYTES), file)
    for key, table in tables.items():
        if NAME.fullmatch(key) is None:
            raise InputError(
                f"{file}: {key!r}: a name has only a-z, 0-9 and _, and starts with a letter"
            )
        if not isinstance(table, dict):
            raise InputError(f"{file}: {key}: put [{key}] on a line of its own, fields below it")
    return tables, file


def _parse(text: str, file: str) -> dict[str, Any]:
    if DEEP_KEY.search(text):
        raise InputError(f"{file}: {TOO_DEEP}")
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        problem, _, place = str(error).rpartition(" (at ")
        found = re.match(r"line (\d+)", place)
        line = int(found[1]) if found else text.count("\n") + 1
        raise InputError(f"{file} line {line}: not valid TOML: {problem}") from None
    except (RecursionError, ValueError):
        raise InputError(f"{file}: {TOO_DEEP}") from None
    if limits.nested_too_deep(tables):
        raise InputError(f"{file}: {TOO_DEEP}")
    for key, value in _values(tables):
        if isinstance(value, int) and value.bit_length() > limits.WHOLE_NUMBER_BITS:
            raise InputError(f"{file}: {key}: {TOO_DEEP}")
        if not isinstance(value, str | int | float):
            raise InputError(f'{file}: {key}: put dates in quotes, as in {key} = "{value}"')
    return tables


def _values(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - as TOML has it
    """Yield every text, number and date with the key of the nearest table that has it."""
    if isinstance(value, dict | list):
        for name, inner in value.items() if isinstance(value, dict) else ((key, x) for x in value):
            yield from _values(inner, name)
    else:
        yield key, value


def check_tables(
    tables: Iterable[str], known: Iterable[str], *, fields: Iterable[str], unused: str, file: str
) -> None:
    """Refuse tables that nobody reads, then the lack of one of those that are ``known``.

    ``fields`` is what a table must hold, ``unused`` what to say of one that nobody reads.
    """
    tables, known = list(tables), list(known)
    missing = [name for name in known if name not in tables]
    for name in tables:
        if name not in known:
            mend = suggest(name, missing) if missing else f"delete [{name}]"
            raise InputError(f"{file}: {name}: {unused}; {mend}")
    if missing:
        raise InputError(
            f"{file}: {missing[0]} is missing; add [{missing[0]}] with {', '.join(fields)}"
        )


def check_fields(
    table: Table, *, required: Iterable[str], optional: Iterable[str] = (), where: str
) -> None:
    """Refuse fields that nobody reads, then fields that are absent."""
    known = [*required, *optional]
    for field in table:
        if field not in known:
            raise InputError(f"{where}: unknown field {field!r}; {suggest(field, known)}")
    for field in required:
        if field not in table:
            raise InputError(f"{where}: {field} is missing; add {field} = ...")


def as_toml(tables: Mapping[str, Table]) -> str:
    """Return tables of texts, numbers and lists as the text of a TOML file."""
    texts = (
        "\n".join([f"[{name}]", *(f"{key} = {_toml(value)}" for key, value in table.items()), ""])
        for name, table in tables.items()
    )
    return "\n".join([*texts, ""])


def _toml(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, str):
        # Of JSON's escapes TOML knows all but those of letters beyond 16 bits.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
    return str(value).lower()


def text_field(table: Table, field: str, where: str) -> str:
    """Return a field that must hold words."""
    value = table[field]
    if not isinstance(value, str) or not value.strip():
        raise InputError(f'{where}: {field} must be text in quotes, as in {field} = "..."')
    words = " ".join(value.split())
    if not words.isprintable():
        raise InputError(f"{where}: {field} holds control characters; retype it")
    return words


def number(value: object, field: str, where: str, *, finite: bool = True) -> float:
    """Return the value of a field that must hold a number."""
    # TOML's true is Python's 1, and its integers have no bound.
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            found = float(value)
        except OverflowError:
            found = math.inf
        if math.isfinite(found) or (not finite and not math.isnan(found)):
            return found
    kind = "a finite number" if finite else "a number"
    raise InputError(f"{where}: {field} must be {kind} without quotes, got {str(value)[:40]!r}")
