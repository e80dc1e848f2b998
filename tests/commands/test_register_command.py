"""``forepass register`` from end to end, with a stand-in for the model that reads its inputs."""

import gzip
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from forepass.cli import main
from forepass.commands import scenario_options
from forepass.rooms import CHECKOUT
from forepass.settings import Settings

Run = Callable[..., tuple[int, str, str]]
CHANGED = "\n"


def made_up(
    _scenario: object, _questions: object, _args: object, settings: Settings, years: list[int]
) -> xr.Dataset:
    """Return draws whose median is 10, doubled by data, trebled by priors, a tenth up by seed 2."""
    median = 10.0 * (2.0 if longer(settings.data / "fleet.csv", "data") else 1.0)
    median *= 3.0 if longer(settings.priors / "demand.toml", "priors") else 1.0
    median *= 1.1 if settings.seed == 2 else 1.0
    values = median * np.exp(np.linspace(-1, 1, 101))[:, None] * np.ones(len(years))
    attrs = {"units": "H100e", "long_name": "Fleet"}
    return xr.Dataset({"fleet_h100e": (("draw", "year"), values, attrs)}, coords={"year": years})


def longer(path: Any, room: str) -> bool:  # noqa: ANN401 - a Traversable with bytes
    return len(path.read_bytes()) > len((CHECKOUT / room / path.name).read_bytes())


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.setattr(scenario_options, "drawn", made_up)
    monkeypatch.setenv("FOREPASS_CACHE", str(tmp_path / "cache"))

    def run_main(action: str, *argv: object) -> tuple[int, str, str]:
        folder = ["--register", tmp_path / "register"]
        status = main(["register", *map(str, [action, *folder, *argv])])
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return run_main


def changed(tmp_path: Path, room: str, file: str) -> Path:
    """Return a copy of a room in which one file has grown."""
    copy = tmp_path / f"changed-{room}"
    shutil.copytree(CHECKOUT / room, copy)
    with (copy / file).open("a", encoding="utf-8") as stream:
        stream.write(CHANGED)
    return copy


def record(run: Run, *argv: object, reason: str = "why") -> str:
    status, out, err = run("record", "--reason", reason, "--from", 2029, "--to", 2030, *argv)
    assert (status, out[:9]) == (0, "recorded "), err
    return out.split("\n")[0].removeprefix("recorded ")


def parts(run: Run, *argv: object) -> dict[str, float]:
    status, out, err = run("diff", *argv, "--json", "--quiet")
    assert status == 0, err
    found: dict[str, float] = json.loads(out)["changes"][0]["parts"]
    return found


def test_an_entry_is_listed_shown_and_verified(run: Run, tmp_path: Path) -> None:
    name = record(run, reason="a \x1b[31mred\n one")
    assert "a \\x1b[31mred\\n one" in run("list")[1]
    status, out, _ = run("show", "latest", "--years", 2030)
    assert status == 0
    assert "reason: a \\x1b[31mred" in out
    assert "Fleet" in out
    assert json.loads(run("show", name, "--json")[1])["content"]["quantities"]["fleet_h100e"][
        "p50"
    ] == [10.0, 10.0]
    status, out, _ = run("verify")
    assert (status, out[:9]) == (0, "1 entries")
    head = json.loads(run("list", "--json")[1])["entries"][0]["hash"]
    assert run("verify", "--head", head[:10])[0] == 0
    shutil.rmtree(tmp_path / "register")
    status, out, _ = run("verify", "--head", head[:10])
    assert (status, out.count("an end was cut off")) == (1, 1)


def test_a_damaged_entry_and_a_damaged_copy_are_named(run: Run, tmp_path: Path) -> None:
    first = record(run)
    record(run, "--seed", 2)
    path = tmp_path / "register" / first
    path.write_bytes(path.read_bytes().replace(b"why", b"who"))
    copy, forged = sorted((tmp_path / "register" / "inputs").iterdir())[:2]
    copy.write_bytes(copy.read_bytes()[:-9])
    forged.write_bytes(gzip.compress(b"other", mtime=0))
    status, out, _ = run("verify")
    assert status == 1
    assert f"{first}: changed since it was recorded" in out
    assert copy.name in out
    assert forged.name in out
    for action in (["list"], ["score"], ["show", "latest"]):
        status, out, err = run(*action)
        assert status == 0
        assert first in err
        assert first not in out


def test_one_kind_bears_the_whole_change_without_another_run(run: Run, tmp_path: Path) -> None:
    one = record(run)
    other = record(run, "--priors", changed(tmp_path, "priors", "demand.toml"))
    third = record(run, "--seed", 2)
    assert parts(run, one, other) == {"priors": pytest.approx(3)}
    assert parts(run, one, third) == {"seed": pytest.approx(1.1)}
    status, out, _ = run("diff", one, other)
    assert status == 0
    assert "priors: demand.toml" in out
    assert "x 3" in out


def test_several_kinds_are_told_apart_from_the_kept_inputs(run: Run, tmp_path: Path) -> None:
    one = record(run)
    data = changed(tmp_path, "data", "fleet.csv")
    priors = changed(tmp_path, "priors", "demand.toml")
    other = record(run, "--data", data, "--priors", priors, "--seed", 2)
    shutil.rmtree(data)
    shutil.rmtree(priors)
    status, out, _ = run("diff", one, other)
    assert status == 0
    assert "data and priors and seed differ: --attribute" in out
    assert parts(run, one, other, "--attribute") == {
        "data": pytest.approx(2),
        "priors": pytest.approx(3),
        "seed": pytest.approx(1.1, rel=1e-5),
    }


def test_a_scenario_and_what_was_set_are_part_of_the_making(run: Run) -> None:
    one = record(run)
    other = record(run, "--scenario", "wall-returns", "--set", "duty_cycle=0.7", "--seed", 2)
    found = parts(run, one, other, "--attribute")
    assert found == {"scenario": pytest.approx(1), "seed": pytest.approx(1.1, rel=1e-5)}


def test_a_change_by_chance_is_marked_and_what_stayed_is_left_out(run: Run) -> None:
    one, other, third = record(run), record(run), record(run, "--seed", 2)
    error = json.loads(run("show", one[:-5], "--json")[1])["content"]["quantities"]["fleet_h100e"]
    # Twenty batches of five or six draws, whose medians lie evenly in logs from -0.95 to 0.95.
    medians = 10 * np.exp([np.median(b) for b in np.array_split(np.linspace(-1, 1, 101), 20)])
    assert error["p50_error"][0] == pytest.approx(medians.std(ddof=1) / np.sqrt(20), rel=1e-5)
    assert "the same in both: 1" in run("diff", one, other)[1]
    chance = 1.1 * np.sqrt(2) * medians.std(ddof=1) / np.sqrt(20) / 10
    assert f"x 1.1 ± {chance:.3f} ~" in run("diff", one, third)[1]


def test_nothing_due_is_an_ordinary_answer(run: Run) -> None:
    assert run("score")[0] == 0
    record(run)
    status, out, _ = run("score", "--on", "2020")
    assert status == 0
    assert "nothing has come due yet" in out


def test_an_entry_that_is_not_there_is_refused_with_the_closest(run: Run) -> None:
    status, _, err = run("show", "latest")
    assert (status, "no entry in" in err) == (2, True)
    name = record(run)
    status, _, err = run("show", name.replace("2026", "2062").replace("-", ""))
    assert status == 2
    assert "no entry" in err
