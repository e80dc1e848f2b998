"""The folder of a register: one file per entry, an index of all, and what proves them unchanged.

An entry is named by its date and the hash of its bytes, and holds the hash of the entry before. The
index has a line per entry, in order. A changed byte, a new name, a gap or a stranger thus shows; an
end cut from both folder and index does not, so that the hash of the newest entry is worth noting
elsewhere.
"""

import hashlib
import json
import os
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from forepass import atomic
from forepass.errors import InputError
from forepass.inputs.text_files import read_text, suggest
from forepass.rooms import CHECKOUT

__all__ = [
    "Entry",
    "Register",
    "check_reason",
    "default_folder",
    "find",
    "read_register",
    "record",
]

INDEX, LOCK = "index.txt", ".lock"
NAME = re.compile(r"(\d{4}-\d{2}-\d{2})-([0-9a-f]{12})\.json")
LINE = re.compile(r"([0-9a-f]{64}) (\S+)")
LARGEST_ENTRY_BYTES, LARGEST_INDEX_BYTES = 1_000_000, 10_000_000
LONGEST_REASON = 2000
FIELDS = {
    **{"created": str, "reason": str, "forepass": str, "as_of": str, "seed": int, "years": list},
    **{"quantities": dict, "inputs": dict, "scenario": dict},
}
PATIENCE_S, PAUSE_S = 10.0, 0.02

type Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """A recorded forecast: the file's name, the SHA-256 of its bytes, and what it holds."""

    name: str
    hash: str
    document: Document


@dataclass(frozen=True, slots=True)
class Register:
    """The sound entries in the order of recording, and every fault in words."""

    folder: Path
    entries: list[Entry]
    faults: list[str]


def default_folder() -> Path:
    """Return ``reports/register`` of the checkout; without one, a folder must be named."""
    if not (CHECKOUT / "pyproject.toml").is_file():
        raise InputError("no repository here to keep a register in; name a folder: --register DIR")
    return CHECKOUT / "reports" / "register"


def record(folder: Path, document: Mapping[str, Any], *, reason: str, today: date) -> Entry:
    """Append an entry, with the hash of the one before it, and return it.

    Raises
    ------
    InputError
        Where the reason is empty or too long, the index is damaged, the folder cannot be written,
        or another recorder never ends.
    """
    check_reason(reason)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder):
            return _append(folder, {**document, "reason": reason, "created": today.isoformat()})
    except OSError as error:
        raise InputError(
            f"{folder}: cannot be written ({error.strerror or error}); "
            "free it, or name another folder: --register DIR"
        ) from None


def check_reason(reason: str) -> None:
    """Refuse a reason that says nothing or too much."""
    if not reason.strip() or len(reason) > LONGEST_REASON:
        raise InputError(f"--reason must be text of 1 to {LONGEST_REASON} characters")


def _append(folder: Path, document: Document) -> Entry:
    lines, faults = _index(folder)
    if faults:
        raise InputError(f"{faults[0]}; restore the file before recording")
    text = as_text({**document, "parent": lines[-1][0] if lines else None})
    found = hashlib.sha256(text.encode()).hexdigest()
    name = f"{document['created']}-{found[:12]}.json"
    if len(text) > LARGEST_ENTRY_BYTES:
        raise InputError(f"an entry of {len(text):,} bytes is too large; record fewer years")
    atomic.write_text(folder / name, text)
    try:
        kept = [*lines, (found, name)]
        atomic.write_text(folder / INDEX, "".join(f"{key} {file}\n" for key, file in kept))
    except BaseException:
        (folder / name).unlink(missing_ok=True)
        raise
    return Entry(name, found, json.loads(text))


def as_text(document: Document) -> str:
    """Return the one text of an entry: keys in order, ASCII, a list of numbers on one line."""
    text = json.dumps(document, indent=1, sort_keys=True, allow_nan=False)
    # A line break never stands within a JSON string, so that no text of the user's is touched.
    return re.sub(r"\[\n([^\[\]{}\"]*)\]", lambda m: f"[{' '.join(m[1].split())}]", text) + "\n"


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder; wait while another recorder holds it."""
    lock, until = folder / LOCK, time.monotonic() + PATIENCE_S
    while True:
        try:
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            break
        except FileExistsError:
            if time.monotonic() > until:
                raise InputError(
                    f"{lock}: another recorder is at work, or was killed; "
                    "if none is, delete the file"
                ) from None
            time.sleep(PAUSE_S)
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)


def read_register(folder: Path) -> Register:
    """Return what can be trusted of a register, and what is wrong with the rest."""
    lines, faults = _index(folder)
    contents, found = _files(folder)
    faults += found
    if contents and not lines and not faults:
        faults.append(f"{INDEX}: missing; entries stand in the order of their dates")
    if not lines:
        named = ((hashlib.sha256(raw).hexdigest(), name) for name, raw in sorted(contents.items()))
        lines = [(key, name) for key, name in named if _of_name(name) == key[:12]]
    by_hash = {hashlib.sha256(raw).hexdigest(): name for name, raw in contents.items()}
    entries, before = [], None
    for key, name in lines:
        place = by_hash.get(key)
        if place is None:
            state = "changed since it was recorded" if name in contents else "missing"
            # An unreadable file has been named already.
            if not any(fault.startswith(f"{name}:") for fault in faults):
                faults.append(f"{name}: {state}")
        else:
            if place != name:
                faults.append(f"{place}: renamed, recorded as {name}")
            document, fault = _document(contents[place], before, name)
            faults += [f"{place}: {fault}"] if fault else []
            if document is not None:
                entries.append(Entry(name, key, document))
        before = key
    known = {name for _, name in lines} | {by_hash[key] for key, _ in lines if key in by_hash}
    strangers = sorted(name for name in contents if name not in known)
    faults += [f"{name}: not in {INDEX}: added by hand, or cut off" for name in strangers]
    return Register(folder, entries, faults)


def _of_name(name: str) -> str:
    found = NAME.fullmatch(name)
    return found[2] if found else ""


def _index(folder: Path) -> tuple[list[tuple[str, str]], list[str]]:
    """Return hash and name of every line of the index, and its faults."""
    if not (folder / INDEX).is_file():
        return [], []
    try:
        text = read_text(folder / INDEX, INDEX, most_bytes=LARGEST_INDEX_BYTES)
    except InputError as error:
        return [], [str(error)]
    lines: list[tuple[str, str]] = []
    faults = []
    for number, line in enumerate(text.splitlines(), 1):
        found = LINE.fullmatch(line)
        if found is None or _of_name(found[2]) != found[1][:12]:
            faults.append(f"{INDEX} line {number}: is no hash with the name of its entry")
        elif (found[1], found[2]) in lines:
            faults.append(f"{INDEX} line {number}: stands there twice")
        else:
            lines.append((found[1], found[2]))
    return lines, faults


def _files(folder: Path) -> tuple[dict[str, bytes], list[str]]:
    """Return the bytes of every file that may be an entry, by name, and what cannot be read."""
    contents, faults = {}, []
    for path in sorted(folder.glob("*.json")) if folder.is_dir() else []:
        if path.name.startswith("."):
            continue
        try:
            with path.open("rb") as stream:
                raw = stream.read(LARGEST_ENTRY_BYTES + 1)
        except OSError as error:
            faults.append(f"{path.name}: cannot be read ({error.strerror or error})")
            continue
        if len(raw) > LARGEST_ENTRY_BYTES:
            faults.append(f"{path.name}: larger than an entry may be, so not read")
        else:
            contents[path.name] = raw
    return contents, faults


def _document(raw: bytes, before: str | None, name: str) -> tuple[Document | None, str]:
    """Return what an entry holds, and what is wrong with it."""
    try:
        document = json.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError):
        return None, "is no JSON that can be read"
    if not isinstance(document, dict):
        return None, "is no entry"
    for field, kind in FIELDS.items():
        if not isinstance(document.get(field), kind):
            return None, f"{field} is missing or no {kind.__name__}"
    if not _sound_quantities(document):
        return None, "quantities are not numbers by year"
    if document["created"] != name[: len("YYYY-MM-DD")]:
        return document, f"created {document['created']}, but named {name}"
    if document.get("parent") != before:
        return document, "does not follow the entry before it: one was removed, added or moved"
    return document, ""


def _sound_quantities(document: Document) -> bool:
    years = len(document["years"])

    def numbers(values: object) -> bool:
        return (
            isinstance(values, list)
            and len(values) == years
            and all(one is None or isinstance(one, int | float) for one in values)
        )

    return all(
        isinstance(entry, dict)
        and isinstance(entry.get("unit"), str)
        and isinstance(entry.get("long_name"), str)
        and all(numbers(values) for key, values in entry.items() if key not in WORDS)
        for entry in document["quantities"].values()
    )


WORDS = ("unit", "long_name")


def find(register: Register, wanted: str) -> Entry:
    """Return the entry of a name, of the beginning of its name or hash, or the ``latest``."""
    entries = register.entries
    if not entries:
        raise InputError(f"no entry in {register.folder}; forepass register record --reason TEXT")
    if wanted == "latest":
        return entries[-1]
    names = [entry.name.removesuffix(".json") for entry in entries]
    stem = wanted.removesuffix(".json")
    found = [
        entry
        for entry, name in zip(entries, names, strict=True)
        if stem and (name.startswith(stem) or entry.hash.startswith(stem))
    ]
    if len(found) == 1:
        return found[0]
    if found:
        several = ", ".join(entry.name.removesuffix(".json") for entry in found[:5])
        raise InputError(f"entry {wanted!r} is the beginning of several: {several}")
    raise InputError(f"no entry {wanted!r}; {suggest(stem, [*names, 'latest'])}")
