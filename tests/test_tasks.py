"""Tasks on real worker processes: the same numbers, whoever does them and whoever dies."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from forepass import fingerprints, tasks
from forepass.errors import InputError
from forepass.settings import Settings

if TYPE_CHECKING:
    from distributed import Client

NAMES = [f"task {n}" for n in range(12)]
FOLDER = Path(__file__).parent
INTERRUPTED = """
import sys
from pathlib import Path
from forepass import tasks
import made_up_tasks

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    try:
        with tasks.cluster(workers=1) as on:
            for task, _ in tasks.run(made_up_tasks.endless, range(2), folder, on=on):
                print("done", task, flush=True)
    except KeyboardInterrupt:
        raise SystemExit(130)
"""


@pytest.fixture(scope="module")
def work() -> Iterator[ModuleType]:
    """Return the work, where workers find it too: they take over the path of what starts them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(FOLDER)
        yield import_module("made_up_tasks")


@pytest.fixture(scope="module")
def two(work: ModuleType) -> Iterator["Client"]:
    del work
    with tasks.cluster(workers=2) as on:
        assert on is not None
        yield on


@pytest.fixture(scope="module")
def alone(work: ModuleType) -> dict[str, list[float]]:
    return dict(tasks.run(work.drawn, NAMES, 1, on=None))


def test_numbers_hang_on_the_task_alone(
    work: ModuleType, two: "Client", alone: dict[str, list[float]]
) -> None:
    assert dict(tasks.run(work.drawn, NAMES, 1, on=two)) == alone
    assert dict(tasks.run(work.drawn, reversed(NAMES), 1, on=two)) == alone
    with tasks.cluster(workers=1) as on:
        assert dict(tasks.run(work.drawn, NAMES, 1, on=on)) == alone
    assert dict(tasks.run(work.drawn, NAMES, 2, on=two)) != alone


def test_a_killed_worker_costs_its_task_alone(
    work: ModuleType, two: "Client", alone: dict[str, list[float]], tmp_path: Path
) -> None:
    found = dict(tasks.run(work.drawn_or_dead, NAMES, (1, tmp_path, False), on=two))
    assert (tmp_path / "killed").exists()
    assert found == alone
    started = [line.split() for line in (tmp_path / "started").read_text().splitlines()]
    killed = next(process for _, name, process in started if name == "3")
    again = [line for line in started if line[1] == "3"]
    assert len(again) == 2
    assert again[1][2] != killed


def test_a_task_that_kills_every_worker_ends_the_run_in_a_line(
    work: ModuleType, two: "Client", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert two.cluster is not None
    monkeypatch.setattr(two.cluster.scheduler, "allowed_failures", 1)
    with pytest.raises(InputError, match=r"task 3: every worker that tried it died"):
        dict(tasks.run(work.drawn_or_dead, NAMES, (1, tmp_path, True), on=two))


def test_what_a_task_refuses_arrives_as_it_was_said(work: ModuleType, two: "Client") -> None:
    with pytest.raises(InputError, match=r"^task 0: not like this$"):
        dict(tasks.run(work.refused, NAMES[:1], 1, on=two))


def test_settings_find_the_shipped_folders_of_the_worker_and_keep_those_given(
    work: ModuleType, two: "Client", tmp_path: Path
) -> None:
    settings = Settings(cache=tmp_path)
    told = dict(tasks.run(work.folders, [0], settings, on=two))
    assert told[0] == (str(settings.data), str(settings.priors), str(tmp_path))
    _, (sent,) = settings.__reduce__()
    assert sent == {"cache": tmp_path}


def test_a_worker_with_other_code_or_inputs_is_refused(
    work: ModuleType, two: "Client", monkeypatch: pytest.MonkeyPatch
) -> None:
    own = fingerprints.input_hashes
    monkeypatch.setattr(
        fingerprints, "input_hashes", lambda *folders: own(*folders) | {"priors": "others"}
    )
    with pytest.raises(InputError, match="a worker has other priors than this machine; install"):
        dict(tasks.run(work.drawn, NAMES[:1], 1, on=two))


def test_a_running_scheduler_is_used_and_left_running(
    work: ModuleType, two: "Client", alone: dict[str, list[float]]
) -> None:
    assert two.cluster is not None
    with tasks.cluster(scheduler=two.cluster.scheduler_address) as on:
        assert dict(tasks.run(work.drawn, NAMES, 1, on=on)) == alone
    assert dict(tasks.run(work.drawn, NAMES, 1, on=two)) == alone


def test_no_scheduler_is_said_in_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "PATIENCE", "1s")
    with (
        pytest.raises(InputError, match="no scheduler answers there"),
        tasks.cluster(scheduler="tcp://127.0.0.1:9"),
    ):
        pass


def test_a_scheduler_without_a_worker_is_waited_for_and_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with tasks.cluster(workers=0) as empty:
        assert empty is not None
        assert empty.cluster is not None
        address = empty.cluster.scheduler_address
        with tasks.cluster(scheduler=address):
            assert capsys.readouterr().err == (
                f"forepass: {address} has no worker yet; waiting for one\n"
            )


def test_nothing_listens_beyond_this_machine(two: "Client") -> None:
    import psutil

    own = psutil.Process()
    listening = {
        one.laddr.ip
        for process in (own, *own.children(recursive=True))
        for one in process.net_connections("inet")
        if one.status == psutil.CONN_LISTEN
    }
    assert listening == {"127.0.0.1"}
    assert two.dashboard_link.startswith("http://127.0.0.1:")


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_no_worker_and_says_nothing(
    how: signal.Signals, tmp_path: Path
) -> None:
    script = tmp_path / "run.py"
    script.write_text(INTERRUPTED)
    environment = os.environ | {"PYTHONPATH": str(FOLDER)}
    pids = tmp_path / "workers"
    pids.mkdir()
    run = subprocess.Popen(
        [sys.executable, script, pids],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert run.stdout is not None
    assert run.stdout.readline() == "done 0\n"
    while len(workers := [int(path.name) for path in pids.iterdir()]) < 1:
        time.sleep(0.05)
    # To the whole group, as a terminal does it.
    os.killpg(run.pid, how)
    _, said = run.communicate(timeout=30)
    assert run.returncode == 130
    assert said == ""
    assert not [pid for pid in workers if Path(f"/proc/{pid}").exists()]
