"""Full disks, folders that cannot be written, writers at once, clocks set back, older caches."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from forepass import atomic, kept
from forepass.errors import InputError
from forepass.kept_fits import Diagnostics, Fit, keep_fit, read_fit
from forepass.register.folder import read_register, record

KEY = "0123456789abcdef" * 4
FORECAST: dict[str, Any] = {
    **{
        "forepass": "0",
        "as_of": "2026",
        "seed": 1,
        "years": [2026],
        "inputs": {},
        "scenario": {"name": "baseline"},
    },
    "quantities": {"fleet": {"unit": "chips", "long_name": "Fleet", "p50": [1.0]}},
}


def fit_of(value: float, draws: int = 1000) -> Fit:
    found = Diagnostics("chips", 1.0, 500.0, 500.0, 0, 1.0, draws)
    return Fit(xr.Dataset({"level": ("draw", np.full(draws, value))}), found, KEY, from_cache=False)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Yield a folder on a disk of 256 KB; skip where none may be mounted."""
    home = tmp_path / "disk"
    home.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k,mode=755", "tmpfs", str(home)]
    try:
        done = subprocess.run(mount, capture_output=True, check=False)
    except OSError:
        pytest.skip("no mount here")
    if done.returncode:
        pytest.skip("nothing may be mounted here")
    yield home
    subprocess.run(["umount", str(home)], check=True)


def _remount(home: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(home)], check=True)


@pytest.mark.parametrize("state", ["full", "read-only"])
def test_a_disk_that_takes_no_more_loses_nothing_that_it_has(
    state: str, small_disk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer, page, entries = (small_disk / name for name in ("answer.json", "page.html", "register"))
    kept.keep(answer, [1], "answer")
    atomic.write_text(page, "old")
    keep_fit("chips", fit_of(1.0), small_disk)
    first = record(entries, FORECAST, reason="first", today=date(2026, 1, 1))
    before = {path: path.read_bytes() for path in small_disk.rglob("*") if path.is_file()}
    if state == "full":
        filler = small_disk / "filler"
        with filler.open("wb", buffering=0) as stream, suppress(OSError):
            while True:
                stream.write(b"\0" * 1024)
        before[filler] = filler.read_bytes()
    else:
        _remount(small_disk, "ro")
    kept.keep(answer, [2] * 100_000, "answer")
    with pytest.raises(OSError, match=r"No space|Read-only"):
        atomic.write_text(page, "new" * 100_000)
    keep_fit("chips", fit_of(2.0, 50_000), small_disk)
    with pytest.raises(InputError, match="register: cannot be written"):
        record(entries, FORECAST, reason="second", today=date(2026, 1, 2))
    assert {p: p.read_bytes() for p in small_disk.rglob("*") if p.is_file()} == before
    said = capsys.readouterr().err
    assert said.count("not cached") == 2
    if state == "full":
        filler.unlink()
    else:
        _remount(small_disk, "rw")
    kept.keep(answer, [2], "answer")
    assert kept.read_kept(answer, "answer") == [2]
    assert read_fit("chips", KEY, small_disk)
    second = record(entries, FORECAST, reason="second", today=date(2026, 1, 2))
    found = read_register(entries)
    assert ([entry.name for entry in found.entries], found.faults) == (
        [first.name, second.name],
        [],
    )


def test_a_full_standard_output_is_one_line() -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full here")
    with full.open("w") as out:
        done = subprocess.run(
            [sys.executable, "-m", "forepass", "priors", "list"],
            stdout=out,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr.splitlines() == ["forepass: output: No space left on device"]


def test_writers_at_once_of_one_fit_leave_it_whole_whoever_reads_when(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # The same inputs and seed have the same draws, and these the same bytes.
    keep_fit("chips", fit_of(3.0), tmp_path)

    def keep_again() -> None:
        for _ in range(5):
            keep_fit("chips", fit_of(3.0), tmp_path)

    writers = [threading.Thread(target=keep_again) for _ in range(3)]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        found = read_fit("chips", KEY, tmp_path)
        assert found
        assert (found.posterior["level"] == 3.0).all()
    assert capsys.readouterr().err == ""


def test_the_same_draws_have_the_same_bytes_whenever_they_are_written(tmp_path: Path) -> None:
    contents = []
    for number in range(2):
        fit = fit_of(3.0)
        fit.posterior.attrs["created_at"] = str(number)  # as the sampler says
        keep_fit("chips", fit, tmp_path / str(number))
        [path] = (tmp_path / str(number) / "fits").glob("*.nc")
        contents.append(path.read_bytes())
        time.sleep(1.1)  # HDF5 counts in seconds where it notes times
    assert contents[0] == contents[1]


def _truncated(draws: Path, record: Path) -> None:
    draws.write_bytes(draws.read_bytes()[:-100])
    assert record.exists()


def _of_another_fit(draws: Path, _record: Path) -> None:
    fit_of(9.0).posterior.to_netcdf(draws, engine="h5netcdf")


def _older(_draws: Path, record: Path) -> None:
    older = json.loads(record.read_text())
    del older["checksum"]
    record.write_text(json.dumps(older))


def _flattered(_draws: Path, record: Path) -> None:
    record.write_text(record.read_text().replace('"divergences": 0', '"divergences": 1'))


def _words(_draws: Path, record: Path) -> None:
    record.write_text(record.read_text().replace('"rhat": 1.0', '"rhat": "1.0"'))


def _deep(_draws: Path, record: Path) -> None:
    record.write_text("[" * 100_000)


def _renamed(draws: Path, record: Path) -> None:
    for path in (draws, record):
        path.rename(path.with_name(path.name.replace("chips", "fleet")))


@pytest.mark.parametrize(
    "damage", [_truncated, _of_another_fit, _older, _flattered, _words, _deep, _renamed]
)
def test_a_kept_fit_that_is_not_as_written_is_never_served(
    damage: Any,  # noqa: ANN401
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    keep_fit("chips", fit_of(1.0), tmp_path)
    [draws] = (tmp_path / "fits").glob("*.nc")
    damage(draws, draws.with_suffix(".json"))
    name = "fleet" if damage is _renamed else "chips"
    assert read_fit(name, KEY, tmp_path) is None
    assert "damaged" in capsys.readouterr().err
    keep_fit("chips", fit_of(1.0), tmp_path)
    assert read_fit("chips", KEY, tmp_path)


def test_draws_that_are_objects_are_never_served(tmp_path: Path) -> None:
    odd = fit_of(1.0).posterior.assign(level=("draw", np.array(["a"] * 1000, dtype=object)))
    keep_fit("chips", Fit(odd, fit_of(1.0).diagnostics, KEY, from_cache=False), tmp_path)
    assert read_fit("chips", KEY, tmp_path) is None


def test_killed_between_draws_and_record_the_fit_is_made_again(tmp_path: Path) -> None:
    keep_fit("chips", fit_of(1.0), tmp_path)
    [record_of] = (tmp_path / "fits").glob("*.json")
    record_of.unlink()
    assert read_fit("chips", KEY, tmp_path) is None
    keep_fit("chips", fit_of(1.0), tmp_path)
    assert read_fit("chips", KEY, tmp_path)


def test_a_clock_set_back_disturbs_neither_the_register_nor_the_cache(tmp_path: Path) -> None:
    for day in (date(2026, 11, 25), date(2020, 1, 1), date(2026, 11, 24)):
        record(tmp_path / "register", FORECAST, reason=day.isoformat(), today=day)
    found = read_register(tmp_path / "register")
    assert found.faults == []
    assert [entry.document["created"][:4] for entry in found.entries] == ["2026", "2020", "2026"]
    kept.keep(tmp_path / "kept.json", [1], "answer")
    to_come = time.time() + 1e6
    os.utime(tmp_path / "kept.json", (to_come, to_come))
    assert kept.read_kept(tmp_path / "kept.json", "answer") == [1]


def test_what_killed_writers_left_is_cleared_an_hour_later_and_nothing_else(
    tmp_path: Path,
) -> None:
    names = {"old": time.time() - 4000, "at work": time.time(), "to come": time.time() + 1e6}
    for name, written in names.items():
        (tmp_path / f"{atomic.MARK}{name}").touch()
        os.utime(tmp_path / f"{atomic.MARK}{name}", (written, written))
    (tmp_path / "mine").touch()
    os.utime(tmp_path / "mine", (0, 0))
    atomic.make_folder(tmp_path)
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {f"{atomic.MARK}at work", f"{atomic.MARK}to come", "mine"}


@pytest.mark.parametrize("done", ["entry", "index", "all"])
def test_a_recorder_killed_at_any_step_leaves_no_fault_and_the_next_finishes_it(
    done: str, tmp_path: Path
) -> None:
    record(tmp_path, FORECAST, reason="first", today=date(2026, 1, 1))
    index = (tmp_path / "index.txt").read_text()
    second = record(tmp_path, FORECAST, reason="second", today=date(2026, 1, 2))
    if done != "all":
        (tmp_path / second.name).rename(tmp_path / ".pending")
    if done == "entry":
        (tmp_path / "index.txt").write_text(index)
    found = read_register(tmp_path)
    assert found.faults == []
    assert len(found.entries) == (1 if done == "entry" else 2)
    record(tmp_path, FORECAST, reason="third", today=date(2026, 1, 3))
    found = read_register(tmp_path)
    assert found.faults == []
    assert len(found.entries) == (2 if done == "entry" else 3)
    assert not (tmp_path / ".pending").exists()
