"""How much of a file is read and how deep it may go: past these no person wrote it, nor did we."""

import os
import stat
from collections.abc import Iterable
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

__all__ = ["nested_too_deep", "read_whole"]

BELIEFS_BYTES = 1_000_000
"""Of a TOML file of priors/ or of a scenario."""
TABLE_BYTES, TABLE_ROWS, TABLE_COLUMNS, CELL_CHARACTERS = 50_000_000, 1_000_000, 1_000, 100_000
"""Of a CSV file: of data/, of a user's own chips or models, or for ``predict``."""
LEAST_NUMBER, LARGEST_NUMBER = 1e-9, 1e15
"""Of what a user asks of a load: tokens, requests, chips, dollars; beyond, arithmetic overflows."""
NUMBER = f"a number from {LEAST_NUMBER:g} to {LARGEST_NUMBER:g}"
"""The same in words."""
NAME_CHARACTERS = 200
"""Of a chip or a model as a user writes it."""
ENTRY_BYTES, INDEX_BYTES = 1_000_000, 10_000_000
"""Of a register: of an entry, and of the list of all."""
COPY_BYTES = TABLE_BYTES
"""Of a file of which a register keeps a copy, before compression."""
ANSWER_BYTES = 500_000_000
"""Of an answer, a likelihood or the record of a fit in the cache."""
DRAWS_BYTES = 8_000_000_000
"""Of the draws of a fit in the cache, in its file and in memory."""
DEPTH = 16
"""Tables, lists or objects within each other, in TOML and JSON."""
WHOLE_NUMBER_BITS = 14_000
"""Of a whole number, beyond which Python does not print it."""
MESSAGE_CHARACTERS = 1_000
"""Of an error, however long what it quotes is."""


def read_whole(path: Traversable, most_bytes: int) -> bytes:
    """Return the bytes of an ordinary file.

    Raises
    ------
    OSError
        Where there is none: a folder, a pipe or a device is never waited for.
    ValueError
        Where it is larger.
    """
    with (
        open(path, "rb", opener=_without_waiting) if isinstance(path, Path) else path.open("rb")
    ) as stream:
        content: bytes = stream.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise ValueError(f"larger than {most_bytes // 1_000_000} MB, so not read")
    return content


def nested_too_deep(document: object) -> bool:
    """Return whether what JSON or TOML held goes deeper than `DEPTH`."""
    level: list[Any] = [document]
    for _ in range(DEPTH + 1):
        level = [inner for one in level for inner in _within(one)]
        if not level:
            return False
    return True


def _within(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _without_waiting(path: str, flags: int) -> int:
    """Open an ordinary file, and nothing whose opening or reading may never end."""
    handle = os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(0, "no ordinary file")
    return handle
