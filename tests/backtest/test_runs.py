"""Runs of a backtest with a stand-in for the fit: kept, taken up again, the same in any order."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from forepass.backtest import runs
from forepass.backtest.runs import Result, Task, results, tasks
from forepass.backtest.targets import Target
from forepass.posterior import Diagnostics, Fit
from forepass.settings import Settings

WHEN = np.arange(2015.2, 2026.0, 0.5)
ASKED = tasks(["demand"], first=2021.0, last=2023.0, every=0.5)


def result(task: Task, settings: Settings) -> Result:
    [(asked, found)] = results([task], settings)
    assert asked == task
    return found


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Put a block of one made-up target in place of every block, and return the fits made."""
    fits: list[str] = []

    def records(settings: Settings) -> dict[str, pd.DataFrame]:
        end = 2100.0 if settings.as_of is None else settings.as_of.year + 0.99
        rows = pd.DataFrame({"when": WHEN, "value": 0.3 * (WHEN - 2015), "series": "all"})
        return {"it": rows[rows["when"] < end].assign(group="all"), "never": rows[:0]}

    def predicted(
        _draws: Mapping[str, object],
        rows: pd.DataFrame,
        _target: str,
        _settings: Settings,
        rng: np.random.Generator,
    ) -> np.ndarray:
        return 0.3 * (rows["when"].to_numpy() - 2015) + rng.normal(0, 0.2, (200, len(rows)))

    def fitted(names: tuple[str], then: Settings, **_: object) -> dict[str, Fit]:
        fits.append(f"{then.as_of}")
        found = Diagnostics(names[0], 1.0, 900.0, 900.0, 0, 1.0, 200)
        return {names[0]: Fit(xr.Dataset(), found, "key", from_cache=False)}

    block = SimpleNamespace(
        TARGETS={"it": Target("it", "1", fan="all"), "never": Target("never", "1")},
        NEEDS=("demand",),
        AGAIN={},
        records=records,
        predicted=predicted,
    )
    monkeypatch.setattr(runs, "targets_of", lambda _: block)
    monkeypatch.setattr(runs, "fitted", fitted)
    monkeypatch.setattr(runs, "seen_as_of", lambda s, day, **_: replace(s, as_of=day))
    return fits


def test_rows_dated_after_the_origin_are_scored_within_five_years(
    made: list[str], tmp_path: Path
) -> None:
    found = result(Task("demand", 2020.0), Settings(cache=tmp_path))
    when = [row["when"] for row in found.rows]
    assert when == [moment for moment in WHEN.round(6) if 2020 <= moment < 2025]
    assert {row["horizon"] for row in found.rows} == {1, 2, 3, 4, 5}
    assert found.unscored == {"never": "0 earlier rows, fewer than 3"}
    assert found.fans["it"]["when"][-1] == 2025.0
    assert made == ["2019-12-31"]


def test_a_stopped_run_goes_on_where_it_was_with_the_same_result(
    made: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = dict(results(ASKED, Settings(cache=tmp_path / "whole")))
    broken = Settings(cache=tmp_path / "broken")
    fit = vars(runs)["fitted"]
    made.clear()

    def stopped(*args: object, **options: object) -> object:
        if len(made) == 2:
            raise KeyboardInterrupt
        return fit(*args, **options)

    monkeypatch.setattr(runs, "fitted", stopped)
    with pytest.raises(KeyboardInterrupt):
        list(results(ASKED, broken))
    monkeypatch.setattr(runs, "fitted", fit)
    again = dict(results(reversed(ASKED), broken))
    assert again == whole
    assert len(made) == len(ASKED)  # what was done was not done again
    assert not list(tmp_path.rglob("*.tmp*"))


def test_a_result_hangs_on_the_seed_and_on_what_can_be_read_and_survives_damage(
    made: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    task, settings = ASKED[0], Settings(cache=tmp_path)
    first = result(task, settings)
    assert result(task, settings) == first
    assert len(made) == 1
    assert result(task, replace(settings, seed=2)).rows != first.rows
    [file, _] = sorted(tmp_path.rglob("*.json"), key=lambda path: path.stat().st_mtime_ns)
    file.write_text(file.read_text().replace("0.", "1.", 1))
    assert result(task, settings) == first
    assert "is damaged" in capsys.readouterr().err
    assert len(made) == 3


def test_an_origin_knows_the_days_before_it() -> None:
    assert Task("chips", 2021.0).day == date(2020, 12, 31)
    assert Task("chips", 2021.5).day == date(2021, 6, 30)
    assert [task.origin for task in ASKED] == [2021.0, 2021.5, 2022.0, 2022.5, 2023.0]


def test_an_empty_result_says_why() -> None:
    assert Result([], {}, {"it": "why"}).rhat == 1.0
