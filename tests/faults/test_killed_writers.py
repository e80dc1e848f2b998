"""Writers killed at any moment: nothing lost, nothing half-written served, the next one right."""

import hashlib
import importlib.util
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from forepass import atomic, kept
from forepass.kept_fits import read_fit
from forepass.register.folder import read_register
from forepass.report.folder import MANIFEST, check_free

PROGRAM = Path(__file__).with_name("writers.py")
QUICK, BY_HAND = 3, 40  # deaths of each kind of writer; 240 of six kinds
WRITERS = ("answer", "page", "report", "entry", "draws", "fit")
"""Of `writers.OPERATIONS`."""


def _writers() -> Any:  # noqa: ANN401 - a module that is run as a program too
    spec = importlib.util.spec_from_file_location("writers", PROGRAM)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def _server(operation: str, folder: Path) -> Iterator[Callable[[float | None], str]]:
    """Yield what lets one writer run, killed after so many seconds, and says how it went."""
    command = [sys.executable, str(PROGRAM), operation, str(folder)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=environment, **pipes) as server:
        assert server.stdin
        assert server.stdout
        requests, said = server.stdin, server.stdout
        assert said.readline() == "ready\n"

        def once(seconds: float | None) -> str:
            requests.write("go\n")
            requests.flush()
            child = int(said.readline())
            if seconds is not None:
                time.sleep(seconds)
                with suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
            return said.readline().strip()

        yield once
        requests.close()


def _state(operation: str, folder: Path) -> object:
    """Return what is served of what was written, having looked that it is whole."""
    if operation == "answer":
        found = kept.read_kept(folder / "answers" / "one.json", "answer")
        assert found is None or found == _writers().answer_of(found["number"])
        return found and found["number"]
    if operation == "page":
        path = folder / "page.html"
        text = path.read_text(encoding="utf-8")[-7:] if path.exists() else ""
        assert not text or path.stat().st_size > 7 * _writers().SIZE
        return text
    if operation == "report":
        # A run that was stopped between two renames is put right by the next that asks.
        check_free(folder / "report", force=False)
        if not (folder / "report").exists():
            return None
        manifest = json.loads((folder / "report" / MANIFEST).read_text(encoding="utf-8"))
        for name, digest in manifest["files"].items():
            content = (folder / "report" / name).read_bytes()
            assert hashlib.sha256(content).hexdigest() == digest, name
        assert len(manifest["files"]) == 4
        return manifest["seed"]
    if operation == "entry":
        found = read_register(folder / "register")
        assert found.faults == []
        return tuple(entry.name for entry in found.entries)
    [*records] = (folder / "fits").glob("*.json") if (folder / "fits").is_dir() else []
    if not records:
        return None
    key = json.loads(records[0].read_text())["sha256"]
    fit = read_fit("training", records[0].stem.removeprefix("training-"), folder)
    assert fit, "draws and record do not fit"
    return key


@pytest.mark.parametrize(
    ("operation", "deaths"),
    [
        *((name, QUICK) for name in WRITERS if name != "fit"),
        *(pytest.param(name, BY_HAND, marks=pytest.mark.by_hand) for name in WRITERS),
    ],
)
def test_whenever_a_writer_is_killed_what_it_left_is_whole_and_the_next_is_right(
    operation: str, deaths: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = random.Random(operation)
    with _server(operation, tmp_path) as once:
        begun = time.monotonic()
        assert once(None) == "done"
        usual = time.monotonic() - begun
        first, killed = _state(operation, tmp_path), 0
        assert first
        for _ in range(deaths):
            before = _state(operation, tmp_path)
            ended = once(rng.uniform(0, usual))
            killed += ended == "killed"
            assert ended in ("killed", "done")
            after = _state(operation, tmp_path)
            if operation == "entry":
                assert after[: len(before)] == before  # type: ignore[index,arg-type]
                assert len(after) - len(before) in ((1,) if ended == "done" else (0, 1))  # type: ignore[arg-type]
            elif operation in ("draws", "fit"):
                assert after == first  # the same draws, whoever wrote them
        before = _state(operation, tmp_path)
        assert once(None) == "done"
        assert operation in ("draws", "fit") or _state(operation, tmp_path) != before
    assert killed > deaths // 4
    assert "damaged" not in capsys.readouterr().err
    left = list(tmp_path.rglob(f"{atomic.MARK}*"))
    for path in left:
        os.utime(path, (0, 0))
        atomic.make_folder(path.parent)
        assert not path.exists()
    with capsys.disabled():
        print(f"\n{operation}: {killed} of {deaths} killed, {len(left)} unfinished files left")
