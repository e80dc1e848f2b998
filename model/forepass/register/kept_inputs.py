"""What a forecast was made from: hashes of files, and copies of them to make it again."""

import gzip
import io
import re
import zlib
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from forepass import atomic, fingerprints, limits
from forepass.errors import InputError, one_line
from forepass.inputs.text_files import read_bytes
from forepass.register.folder import hash_of, written_in
from forepass.rooms import CHECKOUT, room
from forepass.settings import Settings
from forepass.what_if.scenarios import FOLDER, SUFFIX, Scenario

STORE, KINDS = "inputs", ("data", "priors", "scenario")
FILE_NAME = re.compile(r"(scenarios/)?[A-Za-z0-9_][A-Za-z0-9_-]*\.(csv|toml)")
HASH = re.compile(r"[0-9a-f]{64}")


def describe(settings: Settings, scenario: Scenario) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return the hashes of all that shapes a forecast, and the contents of its files by hash."""
    data = {path.name: _content(path) for path in fingerprints.ending(settings.data, ".csv")}
    priors = {path.name: _content(path) for path in fingerprints.ending(settings.priors, SUFFIX)}
    read = {"data": data, "priors": priors, "scenario": _scenario_files(settings, scenario)}
    contents = {hash_of(raw): raw for files in read.values() for raw in files.values()}
    inputs: dict[str, Any] = {
        kind: {name: hash_of(raw) for name, raw in files.items()} for kind, files in read.items()
    }
    inputs["code"] = code()
    return inputs, contents


def code() -> dict[str, str | None]:
    """Return what else decides the numbers: the hash of the package, of the lock, and versions."""
    lock = CHECKOUT / "requirements.lock"
    return {
        "package": fingerprints.fingerprint(fingerprints.code_files()),
        "lock": hash_of(lock.read_bytes()) if lock.is_file() else None,
        **{name: version(name) for name in fingerprints.NUMERICAL_PACKAGES},
    }


def _content(path: Traversable) -> bytes:
    return read_bytes(path, path.name, most_bytes=limits.COPY_BYTES)


def _scenario_files(settings: Settings, scenario: Scenario) -> dict[str, bytes]:
    """Return the files of a scenario and of what it inherits, as they lie beside priors."""
    own = settings.priors / FOLDER
    home = own if own.is_dir() else room("priors") / FOLDER
    found: dict[str, bytes] = {}
    for name in scenario.chain:
        path: Traversable = home / f"{name}{SUFFIX}"
        if name.endswith(SUFFIX):
            path = Path(name)
        place = f"{FOLDER}/{path.name}"
        if place in found or not FILE_NAME.fullmatch(place):
            raise InputError(f"{name}: give the scenario's file a name of its own, in a-z, 0-9, -")
        found[place] = _content(path)
    return found


def keep_copies(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Keep each content once, compressed, under its hash."""
    home = folder / STORE
    with written_in(home):
        for key, raw in contents.items():
            if _read(folder, key) is None:
                with atomic.replacing(home / f"{key}.gz") as temporary:
                    temporary.write_bytes(gzip.compress(raw, mtime=0))


def restore(register: Path, inputs: Mapping[str, Any], kind: str, folder: Path) -> Path:
    """Write the files of one of `KINDS` of an entry into a folder, as they were, and return it.

    Raises
    ------
    InputError
        Naming a copy that is missing or not what was kept.
    """
    if kind not in inputs:
        raise InputError(f"inputs: no {kind} was recorded, so nothing can be run again from it")
    for name, key in inputs[kind].items():
        if not FILE_NAME.fullmatch(name) or not HASH.fullmatch(str(key)):
            raise InputError(f"inputs: {kind}: {name!r} is no name of a file with its hash")
        raw = _read(register, key)
        if raw is None:
            raise InputError(f"{STORE}/{key}.gz: the copy of {kind}/{name} is missing or damaged")
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(raw)
    return folder


def faults_of(register: Path, documents: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return a line for each copy that an entry needs and that cannot be trusted."""
    needed = {
        str(key): f"{kind}/{name}"
        for document in documents
        for kind in KINDS
        for name, key in document["inputs"].get(kind, {}).items()
    }
    return [
        one_line(f"{STORE}/{key}.gz: the copy of {what} is missing or damaged")
        for key, what in sorted(needed.items())
        if not HASH.fullmatch(key) or _read(register, key) is None
    ]


def _read(register: Path, key: str) -> bytes | None:
    """Return a kept content if it is that of the hash."""
    try:
        packed = limits.read_whole(register / STORE / f"{key}.gz", limits.COPY_BYTES)
        with gzip.open(io.BytesIO(packed)) as stream:
            raw = stream.read(limits.COPY_BYTES + 1)
    except (OSError, EOFError, ValueError, zlib.error):
        return None
    return raw if hash_of(raw) == key else None
