"""The folder that a report is written to: all of it or nothing, and nobody else's files lost."""

import glob
import hashlib
import json
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from forepass import atomic
from forepass.errors import InputError

MANIFEST = "manifest.json"
MADE_BY = "forepass report"


def check_free(folder: Path, *, force: bool) -> None:
    """Refuse a folder that holds anything that no report of ours put there.

    Raises
    ------
    InputError
        Naming the first file of somebody else's.
    """
    _recovered(folder)
    if folder.exists() and not folder.is_dir():
        raise InputError(f"--out: {folder} is not a folder")
    if not force and (others := _strangers(folder)):
        raise InputError(
            f"--out: {folder} holds {others[0].as_posix()}, which no report put there; "
            "give another folder, or --force to keep it and write beside it"
        )


@contextmanager
def replacing_folder(folder: Path) -> Iterator[Path]:
    """Yield a new folder that takes the place of ``folder`` when the block ends well.

    Files of somebody else's in the old one are carried over. When the block raises, or a disk
    fills, or the machine stops, the old folder is there as it was, or is put back at the next run.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    _recovered(folder)
    new = folder.parent / f".{folder.name}-new-{secrets.token_hex(8)}"
    new.mkdir(atomic.ORDINARY_FOLDER)
    try:
        yield new
        if folder.exists():
            _carry_over(folder, new)
            old = _aside(folder)
            folder.rename(old)
            new.rename(folder)
            shutil.rmtree(old)
        else:
            new.rename(folder)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def write_manifest(folder: Path, about: Mapping[str, Any]) -> None:
    """Write what the report was made from, and the hash of each of its files."""
    files = {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    document = {"made_by": MADE_BY, **about, "files": files}
    text = json.dumps(document, indent=2, allow_nan=False) + "\n"
    atomic.write_text(folder / MANIFEST, text)


def _listed(folder: Path) -> set[str]:
    """Return the names of a report's files, by its manifest; of none, where it has none."""
    try:
        document = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if document["made_by"] == MADE_BY:
            return {MANIFEST, *map(str, document["files"])}
    except (OSError, ValueError, KeyError, TypeError):
        pass  # no report of ours: all files are somebody's
    return set()


def _strangers(folder: Path) -> list[Path]:
    """Return the files that no report of ours put into a folder, by their places in it."""
    own = _listed(folder)
    places = [path.relative_to(folder) for path in sorted(folder.rglob("*")) if not path.is_dir()]
    return [place for place in places if place.as_posix() not in own]


def _carry_over(old: Path, new: Path) -> None:
    """Copy what is somebody else's into the new folder; a name that we write is ours."""
    for place in _strangers(old):
        if not (new / place).exists():
            (new / place).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(old / place, new / place, follow_symlinks=False)


def _aside(folder: Path) -> Path:
    return folder.parent / f".{folder.name}-old"


def _recovered(folder: Path) -> None:
    """Put back, or clear away, what a run left that was stopped between two renames."""
    old = _aside(folder)
    if old.is_dir():
        if folder.exists():
            shutil.rmtree(old)
        else:
            old.rename(folder)
    for new in folder.parent.glob(f".{glob.escape(folder.name)}-new-*"):
        if time.time() - new.stat().st_mtime > atomic.ABANDONED_S:
            shutil.rmtree(new, ignore_errors=True)
