"""Files that people write: named as messages name them, read with care, near words for slips."""

import difflib
import re
from collections.abc import Iterable
from importlib.resources.abc import Traversable

from forepass import limits
from forepass.errors import InputError
from forepass.rooms import room

CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def label(path: Traversable, room_name: str) -> str:
    """Return how messages name a file: one that is shipped by its room, others as they are."""
    shipped = str(path) == str(room(room_name) / path.name)
    return f"{room_name}/{path.name}" if shipped else str(path)


def read_text(path: Traversable, file: str, *, most_bytes: int) -> str:
    """Return the text of a UTF-8 file that messages call ``file``."""
    content = read_bytes(path, file, most_bytes=most_bytes)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError(f"{file} line {line}: not UTF-8 (save the file as UTF-8)") from None
    if found := CONTROL.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise InputError(f"{file} line {line}: holds a control character {found[0]!r}; retype it")
    return text


def read_bytes(path: Traversable, file: str, *, most_bytes: int) -> bytes:
    """Return the bytes of a file that messages call ``file``."""
    try:
        return limits.read_whole(path, most_bytes)
    except FileNotFoundError:
        raise InputError(f"{file}: no such file") from None
    except OSError as error:
        raise InputError(f"{file}: cannot be read ({error.strerror or error})") from None
    except ValueError as error:
        raise InputError(f"{file}: {error}") from None


def suggest(name: str, known: Iterable[str]) -> str:
    """Return the known names closest to a misspelt one, as the end of a message."""
    known, name = list(known), name[: limits.NAME_CHARACTERS]
    close = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    if close:
        return f"did you mean {' or '.join(close)}?"
    return f"known: {', '.join(known)}" if known else "none are known"
