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
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from forepass import atomic, limits
from forepass.errors import InputError, one_line
from forepass.inputs.dates import is_date
from forepass.inputs.text_files import read_bytes, read_text, suggest
from forepass.rooms import CHECKOUT, room

INDEX, PENDING = "index.txt", ".pending"
NAME = re.compile(r"(\d{4}-\d{2}-\d{2})-([0-9a-f]{12})\.json")
LINE = re.compile(r"([0-9a-f]{64}) (\S+)")
LONGEST_REASON = 2000
FIELDS = {
    **{"created": str, "reason": str, "forepass": str, "as_of": str, "seed": int, "years": list},
    **{"quantities": dict, "inputs": dict, "scenario": dict},
}
WORDS = ("unit", "long_name")
PATIENCE_S, PAUSE_S = 10.0, 0.02

type Document = dict[str, Any]


def hash_of(raw: bytes) -> str:
    """Return the SHA-256 of a content in hexadecimals, which names it."""
    return hashlib.sha256(raw).hexdigest()


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
    with written_in(folder), _alone(folder):
        return _append(folder, {**document, "reason": reason, "created": today.isoformat()})


@contextmanager
def written_in(folder: Path) -> Iterator[None]:
    """Make a folder to write in, and say how to mend it where that fails."""
    try:
        atomic.make_folder(folder)
        yield
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
    _settle(folder, lines)
    text = as_text({**document, "parent": lines[-1][0] if lines else None})
    found = hash_of(text.encode())
    name = f"{document['created']}-{found[:12]}.json"
    if len(text) > limits.ENTRY_BYTES:
        raise InputError(f"an entry of {len(text):,} bytes is too large; record fewer years")
    # Recorded is what the index names: killed before, nothing was; after, what lies ready is it.
    atomic.write_text(folder / PENDING, text)
    try:
        kept = [*lines, (found, name)]
        atomic.write_text(folder / INDEX, "".join(f"{key} {file}\n" for key, file in kept))
        (folder / PENDING).rename(folder / name)
    except BaseException:
        _settle(folder, _index(folder)[0])
        raise
    return Entry(name, found, json.loads(text))


def _settle(folder: Path, lines: list[tuple[str, str]]) -> None:
    """Finish what another recorder was killed over, if it got as far as the index."""
    if not (folder / PENDING).exists():
        return
    try:
        raw = limits.read_whole(folder / PENDING, limits.ENTRY_BYTES)
    except ValueError:  # larger than any entry, so nothing that the index names
        raw = b""
    if lines and lines[-1][0] == hash_of(raw):
        (folder / PENDING).rename(folder / lines[-1][1])
    else:
        (folder / PENDING).unlink()


def as_text(document: Document) -> str:
    """Return the one text of an entry: keys in order, ASCII, a list of numbers on one line."""
    text = json.dumps(document, indent=1, sort_keys=True, allow_nan=False)
    # A line break never stands within a JSON string, so that no text of the user's is touched.
    return re.sub(r"\[\n([^\[\]{}\"]*)\]", lambda m: f"[{' '.join(m[1].split())}]", text) + "\n"


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder, which ends with its holder; wait while another has it."""
    import fcntl  # of POSIX; loaded by recorders alone

    held, until = os.open(folder, os.O_RDONLY), time.monotonic() + PATIENCE_S
    try:
        while True:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    raise InputError(
                        f"{folder}: another recorder is at work; try again when it is done"
                    ) from None
                time.sleep(PAUSE_S)
        yield
    finally:
        os.close(held)


def read_register(folder: Path) -> Register:
    """Return what can be trusted of a register, and what is wrong with the rest."""
    if not folder.is_dir():
        return Register(folder, [], [])
    with _alone(folder):
        lines, faults = _index(folder)
        contents, found = _files(folder)
    faults += found
    if contents and not lines and not faults:
        faults.append(f"{INDEX}: missing; entries stand in the order of their dates")
    by_hash = {hash_of(raw): name for name, raw in contents.items()}
    lines = lines or [(key, name) for key, name in by_hash.items() if _of_name(name) == key[:12]]
    entries, before = [], None
    for key, name in lines:
        place = by_hash.get(key)
        if place is None:
            state = "changed since it was recorded" if name in contents else "missing"
            # A file that could not be read has been named already.
            if not any(fault.startswith(f"{name}:") for fault in faults):
                faults.append(f"{name}: {state}")
        else:
            if place not in (name, PENDING):
                faults.append(f"{place}: renamed, recorded as {name}")
            document, fault = _document(contents[place], before, name)
            faults += [f"{place}: {fault}"] if fault else []
            if document is not None:
                entries.append(Entry(name, key, document))
        before = key
    known = {name for _, name in lines} | {by_hash[key] for key, _ in lines if key in by_hash}
    strangers = sorted(name for name in contents if name not in (*known, PENDING))
    faults += [f"{name}: not in {INDEX}: added by hand, or cut off" for name in strangers]
    return Register(folder, entries, list(map(one_line, faults)))


def recorded() -> list[dict[str, str]]:
    """Return the entries published with the project, each with when and why; none in a wheel."""
    folder = room("reports/register")
    if not isinstance(folder, Path):
        return []
    return [
        {
            "entry": entry.name.removesuffix(".json"),
            "created": str(entry.document["created"]),
            "reason": str(entry.document["reason"]),
        }
        for entry in read_register(folder).entries
    ]


def _of_name(name: str) -> str:
    found = NAME.fullmatch(name)
    return found[2] if found else ""


def _index(folder: Path) -> tuple[list[tuple[str, str]], list[str]]:
    """Return hash and name of every line of the index, and its faults."""
    if not (folder / INDEX).is_file():
        return [], []
    try:
        text = read_text(folder / INDEX, INDEX, most_bytes=limits.INDEX_BYTES)
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
    for path in (*sorted(folder.glob("*.json")), folder / PENDING):
        if path.name.startswith(".") if path.name != PENDING else not path.exists():
            continue
        try:
            contents[path.name] = read_bytes(path, path.name, most_bytes=limits.ENTRY_BYTES)
        except InputError as error:
            faults.append(str(error))
    return contents, faults


def _document(raw: bytes, before: str | None, name: str) -> tuple[Document | None, str]:
    """Return what an entry holds, and what is wrong with it."""
    try:
        document = json.loads(raw.decode("utf-8"))
        as_text(document)  # that no number in it is none
    except (ValueError, RecursionError):
        return None, "is no JSON that can be read"
    if not isinstance(document, dict) or limits.nested_too_deep(document):
        return None, "is no entry"
    for field, kind in FIELDS.items():
        if not isinstance(document.get(field), kind):
            return None, f"{field} is missing or no {kind.__name__}"
    if not _sound_quantities(document):
        return None, "quantities are not numbers by year"
    if not all(isinstance(files, dict) for files in document["inputs"].values()):
        return None, "inputs are not hashes by name"
    if document["seed"] < 0 or not _sound_scenario(document["scenario"]):
        return None, "seed or scenario are none that can be run"
    if not is_date(document["as_of"]):
        return None, f"as_of is no date: {document['as_of']}"
    if not is_date(document["created"]) or len(document["created"]) != len("YYYY-MM-DD"):
        return None, f"created is no day: {document['created']}"
    if document["created"] != name[: len("YYYY-MM-DD")]:
        return document, f"created {document['created']}, but named {name}"
    if document.get("parent") != before:
        return document, "does not follow the entry before it: one was removed, added or moved"
    return document, ""


def _sound_quantities(document: Document) -> bool:
    """Return whether every quantity has its words, and else a number or none for each year."""
    years, entries = document["years"], document["quantities"].values()
    if not all(isinstance(one, dict) for one in entries):
        return False
    columns = [values for one in entries for key, values in one.items() if key not in WORDS]
    return (
        all(type(year) is int for year in years)
        and all(isinstance(one.get(word), str) for one in entries for word in WORDS)
        and all(isinstance(values, list) and len(values) == len(years) for values in columns)
        and all(one is None or _is_number(one) for values in columns for one in values)
    )


def _sound_scenario(scenario: Document) -> bool:
    asked = scenario.get("set") or []
    return isinstance(scenario.get("name"), str) and (
        isinstance(asked, list) and all(isinstance(text, str) for text in asked)
    )


def _is_number(value: object) -> bool:
    """Return whether arithmetic takes it; a whole number of JSON has no bound."""
    return isinstance(value, int | float) and abs(value) <= sys.float_info.max


def find(register: Register, wanted: str) -> Entry:
    """Return the entry of a name, of the beginning of its name or hash, or the ``latest``."""
    if not register.entries:
        raise InputError(f"no entry in {register.folder}; forepass register record --reason TEXT")
    if wanted == "latest":
        return register.entries[-1]
    names = {entry.name.removesuffix(".json"): entry for entry in register.entries}
    stem = wanted.removesuffix(".json")
    found = [
        name
        for name, entry in names.items()
        if stem and (name.startswith(stem) or entry.hash.startswith(stem))
    ]
    if len(found) == 1:
        return names[found[0]]
    if found:
        several = ", ".join(found[:5])
        raise InputError(f"entry {wanted!r} is the beginning of several: {several}")
    raise InputError(f"no entry {wanted!r}; {suggest(stem, [*names, 'latest'])}")
