"""Files that people write: named as messages name them, read with care, near words for slips."""

import difflib
from collections.abc import Iterable
from importlib.resources.abc import Traversable

from forepass.errors import InputError
from forepass.rooms import room


def label(path: Traversable, room_name: str) -> str:
    """Return how messages name a file: one that is shipped by its room, others as they are."""
    shipped = str(path) == str(room(room_name) / path.name)
    return f"{room_name}/{path.name}" if shipped else str(path)


def read_text(path: Traversable, file: str, *, most_bytes: int) -> str:
    """Return the text of a UTF-8 file that messages call ``file``."""
    try:
        with path.open("rb") as stream:
            content = stream.read(most_bytes + 1)
    except FileNotFoundError:
        raise InputError(f"{file}: no such file") from None
    except OSError as error:
        raise InputError(f"{file}: cannot be read ({error.strerror or error})") from None
    if len(content) > most_bytes:
        raise InputError(f"{file}: larger than {most_bytes // 1_000_000} MB, so not read")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError(f"{file} line {line}: not UTF-8 (save the file as UTF-8)") from None


def suggest(name: str, known: Iterable[str]) -> str:
    """Return the known names closest to a misspelt one, as the end of a message."""
    known = list(known)
    close = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    if close:
        return f"did you mean {' or '.join(close)}?"
    return f"known: {', '.join(known)}" if known else "none are known"
