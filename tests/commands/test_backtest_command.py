"""``forepass backtest``: tables, files and messages, from made-up results."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forepass.backtest import runs
from forepass.backtest.runs import PEERS, Result, Task
from forepass.backtest.scores import scored
from forepass.cli import main
from forepass.settings import Settings

SCORED = {"chips": ("bandwidth", "power"), "fleet": ("stock_h100e",)}


def made_up(task: Task, rhat: float = 1.0) -> Result:
    """Return scores of forecasts that are calibrated, beside peers that are worse."""
    rng = np.random.default_rng(int(task.origin))
    frames = []
    for target in SCORED.get(task.block, ()):
        frame = scored(rng.normal(0, 1, (300, 10)), rng.normal(0, 1, 10))
        peers: dict[str, float | None] = {
            f"{what} {peer}": 1.5 for peer in PEERS for what in ("crps", "cover80")
        }
        peers["crps published rate"] = None if target == "power" else 0.9
        frames.append(
            frame.assign(
                target=target,
                block=task.block,
                origin=task.origin,
                horizon=[1] * 5 + [2] * 5,
                cluster=[f"maker {n}" for n in range(10)],
                mode="reconstructed" if task.block == "fleet" else "as known",
                **peers,
            )
        )
    rows = pd.concat(frames).to_dict("records") if frames else []
    fans = {}
    if task.block == "chips":
        when = [task.origin + ahead for ahead in (0.02, 1, 2, 3, 4, 5)]
        level = [1e12 * 1.5**ahead for ahead in range(6)]
        fan = {"when": when, "p10": [x / 2 for x in level], "p50": level}
        fans["bandwidth"] = {**fan, "p90": [x * 2 for x in level]}
    few = "2 earlier rows, fewer than 3"
    unscored = {"tokens": few} if task.block == "demand" else {}
    return Result(rows, fans, unscored, rhat)  # type: ignore[arg-type] # records of floats


@pytest.fixture(autouse=True)
def made(monkeypatch: pytest.MonkeyPatch) -> list[Task]:
    asked: list[Task] = []

    def results(tasks: list[Task], _: Settings, **__: object) -> Iterator[tuple[Task, Result]]:
        asked.extend(tasks)
        # Not in the order asked for, as workers finish.
        for task in reversed(tasks):
            yield task, made_up(task, rhat=1.3 if task.origin == 2019.5 else 1.0)

    monkeypatch.setattr(runs, "results", results)
    return asked


def test_targets_stand_beside_simple_forecasts_and_what_was_not_scored_below(
    made: list[Task], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["backtest", "--from", "2020", "--to", "2022"]) == 0
    printed = capsys.readouterr().out
    assert [task.origin for task in made if task.block == "chips"] == [2020, 2021, 2022]
    lines = printed.splitlines()
    row = next(line for line in lines if line.startswith("bandwidth of a chip"))
    assert row.split()[4:6] == ["3", "30"]
    assert any(line.startswith("compute sold*") for line in lines)
    assert "* counted again later" in printed
    assert "tokens that an actor reports from 2020, 2021, 2022: 2 earlier rows" in printed
    assert "token price: its few rows" in printed
    assert "80% intervals cover" in printed


def test_every_half_year_of_one_target_and_its_table(
    made: list[Task], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    table, out = tmp_path / "scores.csv", tmp_path / "figures"
    argv = ["backtest", "--target", "bandwidth", "--from", "2020", "--to", "2021.5"]
    argv += ["--every", "0.5", "--json", "--csv", str(table), "--figure", str(out)]
    assert main(argv) == 0
    document = json.loads(capsys.readouterr().out)
    assert {task.block for task in made} == {"chips"}
    assert [fit["origin"] for fit in document["fits"]] == [2020, 2020.5, 2021, 2021.5]
    whole = next(row for row in document["scores"] if row["horizon"] == "all")
    assert (whole["target"], whole["rows"]) == ("bandwidth", 40)
    assert whole["best"] == "published rate"
    assert whole["versus best"] == pytest.approx(whole["crps"] / 0.9)
    assert whole["cover80_low"] <= whole["cover80"] <= whole["cover80_high"]
    read = pd.read_csv(table)
    assert read["horizon"].tolist() == ["1", "2", "all", "1", "2", "all"]
    names = sorted(path.name for path in out.iterdir())
    kinds = (".png", ".svg")
    assert names == [f"{name}{kind}" for name in ("backtest", "backtest_fans") for kind in kinds]


def test_chains_that_disagree_are_named_and_exit_with_1(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["backtest", "--block", "chips", "--from", "2019.5", "--to", "2019.5"]) == 1
    assert "the fit of chips from 2019.5 fell short: R-hat 1.30" in capsys.readouterr().out


def test_origins_with_nothing_to_score_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["backtest", "--block", "demand"]) == 2
    told = "nothing to score from these origins (demand from 2018: 2 earlier"
    assert told in capsys.readouterr().err
