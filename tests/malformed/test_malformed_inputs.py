"""Whatever is read, spoilt in any way, is refused in one line, or is sound after all."""

import json
import os
import random
import resource
import signal
import socket
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forepass import kept, limits
from forepass.errors import InputError
from forepass.fingerprints import input_hashes
from forepass.inputs.rows import read_rows
from forepass.inputs.toml_files import read_tables
from forepass.register.folder import read_register

pytestmark = pytest.mark.usefixtures("within")

type Spoil = Callable[[random.Random], tuple[Path, bytes, str]]

MALFORMED = 10_000
SECONDS_EACH, MEGABYTES = 120, 2_000


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rng=st.randoms(use_true_random=False))
def test_a_spoilt_input_is_refused_in_one_line_or_sound(spoil: Spoil, rng: random.Random) -> None:
    path, _, found = spoil(rng)
    assert found in ("refused", "sound", "made again"), path


@pytest.mark.by_hand
def test_ten_thousand_malformed_inputs_are_refused_each_in_one_line(
    spoil: Spoil, capsys: pytest.CaptureFixture[str]
) -> None:
    found, number = Counter[str](), 0
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    while found["refused"] + found["made again"] < MALFORMED:
        signal.alarm(SECONDS_EACH)
        path, _, state = spoil(random.Random(number))
        found[state] += 1
        found[f"{path.parent.name}/ {state}"] += 1
        number += 1
        if number % 100 == 0:
            capsys.readouterr()
            with capsys.disabled():
                print(number, dict(found), flush=True)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1000
    with capsys.disabled():
        print(f"{number} tried, memory {grown:.0f} MB: {dict(found)}")
    assert grown < MEGABYTES


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path) -> None:
    os.chdir(path.parent)  # a socket's name is short
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(path.name)


IN_ITS_PLACE: dict[str, Callable[[Path], Any]] = {
    "nothing": lambda _: None,
    "a folder": Path.mkdir,
    "a pipe": _pipe,
    "a socket": _socket,
    "a link to itself": lambda path: path.symlink_to(path),
    "a link to nowhere": lambda path: path.symlink_to("../../nowhere"),
    "an endless device": lambda path: path.symlink_to("/dev/zero"),
}


@pytest.mark.parametrize("what", IN_ITS_PLACE)
def test_what_stands_in_the_place_of_a_file_is_refused_and_never_waited_for(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("chips.csv", "fleet.toml", "kept.json", "2026-11-01-0123456789ab.json"):
        IN_ITS_PLACE[what](tmp_path / name)
    with pytest.raises(InputError, match=r"chips\.csv"):
        read_rows(tmp_path / "chips.csv")
    with pytest.raises(InputError, match=r"fleet\.toml"):
        read_tables("fleet.toml", tmp_path)
    if what != "nothing":
        with pytest.raises(InputError, match=r"chips\.csv"):
            input_hashes(tmp_path, tmp_path)
        assert read_register(tmp_path).faults or what == "a link to nowhere"
    assert kept.read_kept(tmp_path / "kept.json", "answer") is None


@pytest.mark.parametrize(
    "text",
    [
        "x" * 100_000_000,
        "a,b\n" + "1,2\n" * 10_001,
        ",".join(f"c{number}" for number in range(100_000)) + "\n1\n",
        "a,b\n1," + "x" * (limits.CELL_CHARACTERS + 1) + "\n",
        'a,b\n1,"' + "x\n" * limits.CELL_CHARACTERS,
        "a,b\n1,2\0\n",
        "a,b\n1,\x1b[2J\n",
    ],
    ids=["100 MB", "rows", "columns", "a cell", "an unclosed quote", "NUL", "an escape"],
)
def test_a_table_beyond_the_limits_is_refused_in_time(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "TABLE_ROWS", 10_000)  # as slow as the rest
    path = tmp_path / "chips.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=r"chips\.csv"):
        read_rows(path)


@pytest.mark.parametrize(
    "text",
    [
        "a" + ".a" * 200_000 + " = 1",
        "[" + "a." * 200_000 + "a]",
        "".join(f'["{number}".' + '"b c" . ' * 30 + "a]\n" for number in range(3_000)),
        "[a]\nx = " + "[" * 100 + "]" * 100,
        "[a]\nx = " + "{y=" * 40 + "1" + "}" * 40,
        "[a]\nx = 0x" + "f" * 10_000,
        "[a]\nx = " + "9" * 10_000,
        "[a]\nx = 1979-05-27",
        "[a]\nx = 07:32:00",
        '[a]\nx = "\\u0000"',
        "x" * 900_000,
    ],
    ids=lambda text: text[:20],
)
def test_beliefs_beyond_the_limits_are_refused_in_time(text: str, tmp_path: Path) -> None:
    from forepass.inputs.priors import load_priors

    (tmp_path / "fleet.toml").write_text(text)
    signal.alarm(10)
    with pytest.raises(InputError, match=r"fleet\.toml"):
        load_priors("fleet", tmp_path)


def test_long_names_are_refused_before_they_are_looked_for() -> None:
    from forepass.inputs.names import resolve

    with pytest.raises(InputError, match="unknown chip 'nvidia nvidia"):
        resolve("nvidia " * 20_000, {"h100": "h100"})


@pytest.mark.parametrize(
    "raw",
    [b"[" * 100_000, b'{"a":' * 100_000, b"\xff", b"1" * 5000, b"[NaN]"],
)
def test_what_json_cannot_hold_is_made_again(
    raw: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "kept.json").write_bytes(raw)
    assert kept.read_kept(tmp_path / "kept.json", "answer") is None
    assert "damaged" in capsys.readouterr().err


def test_a_message_is_one_line_that_no_terminal_obeys_however_long_what_it_quotes() -> None:
    words = str(InputError("a\n\x1b[2J" + "x" * 10_000 + "\u202e end"))
    assert len(words) < limits.MESSAGE_CHARACTERS + 10
    assert words.isprintable()
    assert words.endswith("end")
    assert json.dumps(words)
