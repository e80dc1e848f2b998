"""What is kept for next time as JSON, with a checksum that is looked at when it is read."""

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from forepass import atomic, limits


def digest(value: object) -> str:
    """Return the hash of a value that JSON can hold, the same for whatever order of its keys."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def read_kept(path: Path, what: str) -> Any:  # noqa: ANN401 - whatever was kept
    """Return what is kept at ``path``, or None where there is nothing that can be trusted.

    What is there and is not what was written is said, by the words for ``what`` it is.
    """
    try:
        kept = json.loads(limits.read_whole(path, limits.ANSWER_BYTES))
        document = kept["document"]
        if kept["checksum"] == digest(document):
            return document
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        pass  # said below, like a wrong checksum
    print(f"forepass: cached {what} {path} is damaged, computing it again", file=sys.stderr)
    return None


def keep(path: Path, document: object, what: str) -> None:
    """Keep a value for next time; what cannot be kept is still an answer."""
    try:
        atomic.make_folder(path.parent)
        record = {"checksum": digest(document), "document": document}
        atomic.write_text(path, json.dumps(record) + "\n")
    except OSError as error:
        print(f"forepass: {what} not cached: {error}", file=sys.stderr)
