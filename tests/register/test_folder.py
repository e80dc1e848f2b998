"""The folder of a register: the chain of entries, and every way of tampering with it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from forepass import atomic, limits
from forepass.errors import InputError
from forepass.register.folder import (
    PENDING,
    Entry,
    _alone,
    as_text,
    find,
    read_register,
    record,
)
from forepass.register.kept_inputs import faults_of, restore
from forepass.rooms import CHECKOUT

DAY = date(2026, 11, 25)
DOCUMENT: dict[str, Any] = {
    **{"forepass": "0.1.0", "as_of": "2026-11", "seed": 1, "years": [2026, 2027]},
    **{"inputs": {"data": {}, "priors": {}, "code": {}}, "scenario": {"name": "as believed"}},
    "quantities": {"fleet": {"unit": "chips", "long_name": "Fleet", "p50": [1.5, 2.0]}},
}


QUANTITY = DOCUMENT["quantities"]["fleet"]


def forged(**changes: object) -> str:
    return as_text(DOCUMENT | {"created": "2026-11-25", "reason": "r"} | changes)


def recorded(folder: Path, *reasons: str) -> list[Entry]:
    return [record(folder, DOCUMENT, reason=reason, today=DAY) for reason in reasons]


def rewrite(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_entries_are_chained_and_named_by_what_they_hold(tmp_path: Path) -> None:
    first, second = recorded(tmp_path / "new", "one", "two")
    assert first.document["parent"] is None
    assert second.document["parent"] == first.hash
    assert second.name == f"2026-11-25-{second.hash[:12]}.json"
    found = read_register(tmp_path / "new")
    assert found.entries == [first, second]
    assert found.faults == []
    assert first.document["quantities"] == DOCUMENT["quantities"]


def test_a_hostile_reason_is_kept_as_text(tmp_path: Path) -> None:
    reason = 'x"},\n[1,\n 2]\x1b[2J \u202e ../../etc $(rm -rf) \udcff'
    recorded(tmp_path, reason)
    assert read_register(tmp_path).entries[0].document["reason"] == reason
    assert '"p50": [1.5, 2.0]' in as_text(DOCUMENT)


@pytest.mark.parametrize("reason", ["", " \n", "x" * 2001])
def test_a_reason_of_no_use_is_refused(tmp_path: Path, reason: str) -> None:
    with pytest.raises(InputError, match="--reason must be text"):
        recorded(tmp_path, reason)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("1.5", "1.6"),
        ("two", "owt"),
        ("2026-11-25", "2026-11-24"),
        ('"parent": "', '"parent": "0'),
        ('"seed": 1', '"seed":  1'),
        ("}\n", "}\n\n"),
        ("{", ""),
    ],
)
def test_a_changed_byte_of_any_kind_is_named_and_the_rest_served(
    tmp_path: Path, old: str, new: str
) -> None:
    first, second, third = recorded(tmp_path, "one", "two", "three")
    rewrite(tmp_path / second.name, old, new)
    found = read_register(tmp_path)
    assert found.faults == [f"{second.name}: changed since it was recorded"]
    assert found.entries == [first, third]


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_deleted_entry_is_missed_wherever_it_stood(tmp_path: Path, place: int) -> None:
    entries = recorded(tmp_path, "one", "two", "three")
    (tmp_path / entries[place].name).unlink()
    found = read_register(tmp_path)
    assert found.faults == [f"{entries[place].name}: missing"]
    assert len(found.entries) == 2


@pytest.mark.parametrize("place", [0, 1])
def test_an_entry_cut_from_the_index_too_leaves_a_gap(tmp_path: Path, place: int) -> None:
    entries = recorded(tmp_path, "one", "two", "three")
    (tmp_path / entries[place].name).unlink()
    rewrite(tmp_path / "index.txt", f"{entries[place].hash} {entries[place].name}\n", "")
    [fault] = read_register(tmp_path).faults
    assert fault.startswith(f"{entries[place + 1].name}: does not follow")


def test_a_renamed_entry_is_named_and_still_served(tmp_path: Path) -> None:
    [entry] = recorded(tmp_path, "one")
    (tmp_path / entry.name).rename(tmp_path / "2026-01-01-000000000000.json")
    found = read_register(tmp_path)
    assert found.faults == [f"2026-01-01-000000000000.json: renamed, recorded as {entry.name}"]
    assert found.entries == [entry]


def test_strangers_a_lost_index_and_a_damaged_one_are_named(tmp_path: Path) -> None:
    entries = recorded(tmp_path, "one", "two")
    (tmp_path / "mine.json").write_text("[" * 100_000, encoding="utf-8")
    [fault] = read_register(tmp_path).faults
    assert fault.startswith("mine.json: not in index.txt")
    (tmp_path / "mine.json").unlink()
    index = (tmp_path / "index.txt").read_text(encoding="utf-8")
    (tmp_path / "index.txt").write_text(index + "junk\n", encoding="utf-8")
    assert read_register(tmp_path).faults[0].startswith("index.txt line 3")
    with pytest.raises(InputError, match="restore the file before recording"):
        recorded(tmp_path, "three")
    (tmp_path / "index.txt").unlink()
    found = read_register(tmp_path)
    assert found.faults[0].startswith("index.txt: missing")
    assert {entry.hash for entry in found.entries} == {entry.hash for entry in entries}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[" * 100_000, "is no JSON"),
        ("[]", "is no entry"),
        ("{}", "created is missing"),
        (forged(quantities={"a": 3}), "quantities are not numbers"),
        (forged(quantities={"a": QUANTITY | {"p50": [10**400, 1]}}), "quantities are not numbers"),
        (forged(created="2p26-11-25"), "created is no day"),
        (forged(created="2026-11"), "created is no day"),
        (forged(seed=-1), "seed or scenario"),
        (forged(scenario={}), "seed or scenario"),
        (forged(scenario={"name": "a", "set": [1]}), "seed or scenario"),
    ],
)
def test_a_forged_entry_that_is_no_forecast_is_not_served(
    tmp_path: Path, text: str, words: str
) -> None:
    import hashlib

    found = hashlib.sha256(text.encode()).hexdigest()
    name = f"2026-11-25-{found[:12]}.json"
    (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "index.txt").write_text(f"{found} {name}\n", encoding="utf-8")
    register = read_register(tmp_path)
    assert register.entries == []
    assert words in register.faults[0]


def test_an_interrupt_leaves_no_half_entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded(tmp_path, "one")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    write = atomic.write_text

    def interrupted(path: Path, text: str) -> None:
        if path.name == "index.txt":
            raise KeyboardInterrupt
        write(path, text)

    monkeypatch.setattr(atomic, "write_text", interrupted)
    with pytest.raises(KeyboardInterrupt):
        recorded(tmp_path, "two")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_what_is_no_entry_in_the_place_of_one_half_written_is_cleared_away(tmp_path: Path) -> None:
    (tmp_path / PENDING).write_bytes(b"x" * (limits.ENTRY_BYTES + 1))
    [entry] = recorded(tmp_path, "one")
    assert not (tmp_path / PENDING).exists()
    assert read_register(tmp_path).entries == [entry]


def test_recorders_at_once_make_one_chain(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: recorded(tmp_path, f"reason {number}"), range(24)))
    found = read_register(tmp_path)
    assert found.faults == []
    assert len(found.entries) == 24


def test_a_recorder_that_never_ends_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("forepass.register.folder.PATIENCE_S", 0.0)
    with _alone(tmp_path), pytest.raises(InputError, match="another recorder is at work"):
        recorded(tmp_path, "one")


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="file: cannot be written"):
        recorded(tmp_path / "file", "one")


def test_an_entry_is_found_by_its_beginning(tmp_path: Path) -> None:
    first, second = recorded(tmp_path, "one", "two")
    found = read_register(tmp_path)
    assert find(found, first.hash[:8]) == first
    assert find(found, first.name) == first
    assert find(found, "latest") == second
    with pytest.raises(InputError, match="beginning of several"):
        find(found, "2026")
    with pytest.raises(InputError, match="did you mean latest"):
        find(found, "latset")


def test_the_register_of_this_repository_is_unaltered() -> None:
    found = read_register(CHECKOUT / "reports" / "register")
    assert found.faults == []
    assert faults_of(found.folder, [entry.document for entry in found.entries]) == []


def test_half_a_letter_in_a_hash_is_a_fault_that_can_be_printed(tmp_path: Path) -> None:
    (fault,) = faults_of(tmp_path, [{"inputs": {"data": {"chips.csv": "\ud800\x1b[2J"}}}])
    assert fault.encode()
    assert "copy of data/chips.csv is missing" in fault
    assert fault.isprintable()


def test_an_entry_that_kept_no_copies_is_named_where_they_are_asked_for(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no data was recorded"):
        restore(tmp_path, {"priors": {}}, "data", tmp_path / "out")
