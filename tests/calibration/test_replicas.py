"""Replicas of a toy model: refits by exchange of data, resumption, and what a wrong fit shows."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pymc as pm
import pytest

from forepass import kept
from forepass.calibration import block_records, ranks, runs
from forepass.calibration.replicas import (
    DRAWS_RANKED,
    Design,
    Open,
    Replicator,
    observed_as_data,
    replicator,
)
from forepass.settings import Settings

REPLICAS = 40


@pytest.fixture(scope="module")
def toy() -> tuple[Open, Design]:
    """Return a normal mean and scale with observations, open to exchange."""
    with pm.Model(coords={"thing": ["a", "b"]}) as model:
        mean = pm.Normal("mean", dims="thing")
        scale = pm.LogNormal("scale", 0.0, 0.3)
        pm.Normal("seen", mean[np.array([0, 0, 1, 1, 1])], scale, observed=np.zeros(5))
    return Open(model, observed_as_data(model)), Design(ranked=("mean", "scale"))


@pytest.fixture(scope="module")
def made(toy: tuple[Open, Design]) -> Replicator:
    """Return the toy, compiled once."""
    return replicator(*toy)


@pytest.fixture
def settings(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    toy: tuple[Open, Design],
    made: Replicator,
) -> Settings:
    """Return settings with an empty cache, under which a block is the toy."""
    monkeypatch.setattr(block_records, "opened", lambda *_: toy[0])
    monkeypatch.setattr(block_records, "design", lambda _: toy[1])
    monkeypatch.setattr(runs, "replicator", lambda *_: made)
    return replace(Settings(), cache=tmp_path)


def test_a_right_model_is_accepted(settings: Settings) -> None:
    found = runs.replicas("training", REPLICAS, settings)
    frame = pd.DataFrame([one["ranks"] for one in found])
    assert set(frame) == {"mean, a", "mean, b", "scale", "log likelihood of the data"}
    summary = ranks.summary({"toy": frame}, places=DRAWS_RANKED + 1)
    assert (summary["p_adjusted"] >= ranks.LEVEL).all()
    assert frame.to_numpy().min() >= 0
    assert frame.to_numpy().max() <= DRAWS_RANKED


def test_refits_use_the_data_that_they_are_given(made: Replicator) -> None:
    low, high = (
        made.refit({"seen_observed": np.full(5, at)}, seed=1).posterior["mean"].mean()
        for at in (-3.0, 3.0)
    )
    assert low < -1 < 1 < high


def test_a_killed_run_goes_on_with_the_same_result(
    settings: Settings,
    made: Replicator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = runs.replicas("training", 6, replace(settings, cache=settings.cache / "whole"))

    class Killed:
        def ranks(self, place: int, seed: int) -> dict[str, object]:
            if place == 3:
                raise KeyboardInterrupt
            return made.ranks(place, seed)

    monkeypatch.setattr(runs, "replicator", lambda *_: Killed())
    with pytest.raises(KeyboardInterrupt):
        runs.replicas("training", 6, settings)
    folder = next((settings.cache / "calibration").iterdir())
    assert len(list(folder.iterdir())) == 3
    told: list[None] = []
    monkeypatch.setattr(runs, "replicator", lambda *_: made)
    again = runs.replicas("training", 6, settings, progress=lambda: told.append(None))
    assert again == whole
    assert len(told) == 6


def test_what_is_kept_is_not_made_again_and_what_is_damaged_is(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    first = runs.replicas("training", 2, settings)
    path = next((settings.cache / "calibration").glob("*/00001.json"))
    kept.keep(path, {"ranks": {"mean, a": 7}}, "replica")
    assert runs.replicas("training", 2, settings)[1] == {"ranks": {"mean, a": 7}}
    path.write_text("{", encoding="utf-8")
    assert runs.replicas("training", 2, settings) == first
    assert "damaged" in capsys.readouterr().err


def test_another_seed_is_another_run(settings: Settings) -> None:
    assert runs.key("training", settings) != runs.key("training", replace(settings, seed=2))
    assert runs.replica_seed("training", 0, settings) != runs.replica_seed("training", 1, settings)
    assert runs.replica_seed("training", 0, settings) != runs.replica_seed("demand", 0, settings)
