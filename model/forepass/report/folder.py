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
    if force or not folder.exists():
        return
    own = _listed(folder)
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if not path.is_dir() and name not in own:
            raise InputError(
                f"--out: {folder} holds {name}, which no report put there; "
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


def _carry_over(old: Path, new: Path) -> None:
    """Link what is somebody else's into the new folder; a name that we write is ours."""
    own = _listed(old)
    for path in old.rglob("*"):
        name = path.relative_to(old)
        if path.is_dir() or name.as_posix() in own or (new / name).exists():
            continue
        (new / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, new / name, follow_symlinks=False)


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
