"""Write files so that a reader sees the old one or the new one, never half of either."""

import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

ORDINARY_FILE, ORDINARY_FOLDER = 0o644, 0o755
"""What others may do with what is written, where the user's mask does not forbid it."""
MARK = ".unfinished-"
"""How the name begins of a file that is being written, and of one whose writer was killed."""
ABANDONED_S = 3600.0
"""Nothing takes so long to write: what was begun longer ago will not be finished."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path`` that takes its place when the block ends well.

    The temporary file keeps the suffix, because writers choose their format by it. When the
    block raises, or is interrupted, the file at ``path`` stays as it was; killed outright, a
    writer leaves a hidden file, which `make_folder` clears.
    """
    temporary = path.with_name(f"{MARK}{secrets.token_hex(8)}{path.suffix}")
    os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, ORDINARY_FILE))
    try:
        yield temporary
        with temporary.open("rb+") as written:
            os.fsync(written.fileno())  # else a power cut may leave a name without its content
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write ``text`` to ``path`` in UTF-8 with LF line ends, all of it or nothing."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def make_folder(folder: Path) -> None:
    """Make a folder of our own, and clear it of what killed writers left an hour ago or more.

    What seems to come from the future, because the clock was set back, is left till then.
    """
    for missing in reversed([one for one in (folder, *folder.parents) if not one.exists()]):
        missing.mkdir(ORDINARY_FOLDER, exist_ok=True)
    folder.mkdir(exist_ok=True)  # says so where a file is in its place
    for left in folder.glob(f"{MARK}*"):
        with suppress(OSError):  # another run may be clearing too
            if time.time() - left.stat().st_mtime > ABANDONED_S:
                left.unlink()
