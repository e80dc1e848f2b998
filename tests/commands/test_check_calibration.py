"""``forepass check --calibration``: exit status, its files, and what is refused."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forepass.calibration import runs
from forepass.calibration.replicas import DRAWS_RANKED
from forepass.cli import main

type Made = Callable[..., list[dict[str, Any]]]


def replicas(narrow: float) -> Made:
    """Return what stands in for refits: even ranks, or those of a posterior that is too narrow."""

    def made(block: str, number: int, *_: object, **__: object) -> list[dict[str, Any]]:
        even = (np.arange(number) + 0.5) / number - 0.5
        place = np.clip(even * narrow + 0.5, 0, 1 - 1e-9) * (DRAWS_RANKED + 1)
        ranks = np.random.default_rng(1).permutation(place.astype(int)).tolist()
        return [{"ranks": {f"{block}_level": rank}, "divergences": 1} for rank in ranks]

    return made


def test_even_ranks_pass(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(runs, "replicas", replicas(1.0))
    options = ["--csv", str(tmp_path / "c.csv"), "--figure", str(tmp_path / "figures")]
    assert main(["check", "--calibration", "--replicates", "40", *options]) == 0
    table = pd.read_csv(tmp_path / "c.csv")
    assert len(table) == 6
    assert {"block", "variable", "replicates", "statistic", "p"} <= set(table)
    assert {path.name for path in (tmp_path / "figures").iterdir()} == {
        "calibration.png",
        "calibration.svg",
    }
    assert "training level" in capsys.readouterr().out


def test_ranks_at_the_ends_fail_and_say_that_draws_are_too_narrow(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(runs, "replicas", replicas(2.5))
    asked = ["check", "--calibration", "--block", "training", "--json"]
    assert main(asked) == 1
    found = json.loads(capsys.readouterr().out)
    (row,) = found["calibration"]
    assert row["p_adjusted"] < found["level"]
    assert row["spread"] > 1.2
    assert found["divergences"] == {"training": 100}
