"""The ladder of requests in flight: speed falls, throughput rises, cost falls with it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from forepass import posterior
from forepass.cli import main
from forepass.errors import InputError
from forepass.forward.capacity import PassesRequest, passes
from forepass.forward.sweep import sweep
from forepass.inputs.definitions import load_definitions
from forepass.posterior import Fit
from forepass.tell import sweep_figures

type Tables = Mapping[str, pd.DataFrame]
type Fits = Mapping[str, Fit]


def asked(**changed: Any) -> PassesRequest:  # noqa: ANN401
    usual: dict[str, Any] = {
        "chip": "h100",
        "n_chips": 8,
        "model": "llama-3.1-70b",
        "weight_bits": 16.0,
        "input_tokens": 2000.0,
        "output_tokens": 500.0,
        "price_usd_per_chip_hour": 2.0,
    }
    return PassesRequest(**usual | changed)


@pytest.fixture(scope="module")
def swept(prior_fits: Fits, question_tables: Tables) -> xr.Dataset:
    return sweep(asked(), prior_fits, question_tables, load_definitions())


def test_the_ladder_starts_at_one_request_and_has_a_dozen_even_steps(swept: xr.Dataset) -> None:
    rungs = swept["concurrency"].values
    assert rungs[0] == 1
    assert 10 <= len(rungs) <= 12
    assert np.all(np.diff(rungs) > 0)
    assert rungs[-1] > 100


def test_in_every_draw_speed_falls_and_throughput_rises_along_the_ladder(
    swept: xr.Dataset,
) -> None:
    assert np.all(np.diff(swept["speed_per_user"].values, axis=1) < 1e-9)
    assert np.all(np.diff(swept["passes_realised_per_chip"].values, axis=1) > -1e-9)
    assert np.all(np.diff(swept["cost_usd_per_million_tokens"].values, axis=1) < 1e-9)


def test_a_rung_agrees_with_the_answer_of_passes_at_its_concurrency(
    swept: xr.Dataset, prior_fits: Fits, question_tables: Tables
) -> None:
    rung = swept.isel(concurrency=5)
    asking = asked(concurrency=float(rung["concurrency"]))
    answer = passes(asking, prior_fits, question_tables, load_definitions())
    for name in ("speed_per_user", "passes_realised_per_chip", "cost_usd_per_million_tokens"):
        np.testing.assert_allclose(rung[name].values, answer[name].values, rtol=1e-9)


def test_the_curve_against_speed_agrees_with_passes_held_to_that_speed(
    prior_fits: Fits, question_tables: Tables
) -> None:
    # Held to a speed, passes makes replicas as small as memory allows: four chips here.
    definitions = load_definitions()
    swept = sweep(asked(n_chips=4), prior_fits, question_tables, definitions)
    point = swept.isel(speed=25)
    asking = asked(n_chips=4, speed=float(point["speed"]))
    answer = passes(asking, prior_fits, question_tables, definitions)
    held = answer["passes_realised_per_chip"].values
    curve = point["passes_at_speed"].values
    top = swept["passes_realised_per_chip"].values[:, -1]
    within = (curve > 0) & (curve < 0.9 * top) & np.isfinite(held)
    assert within.sum() > 20
    # The curve is joined between rungs in logs, so it is close rather than equal.
    assert np.median(np.abs(np.log(curve[within] / held[within]))) < 0.1


def test_a_speed_that_a_draw_cannot_reach_counts_as_no_throughput(swept: xr.Dataset) -> None:
    alone = swept["speed_per_user"].values[:, 0]
    unreachable = alone < float(swept["speed"][-1])
    assert 0.3 < unreachable.mean() < 0.5
    last = swept.isel(speed=-1)
    assert np.all(last["passes_at_speed"].values[unreachable] == 0)
    assert np.all(np.isinf(last["cost_at_speed"].values[unreachable]))


def test_without_a_count_the_fewest_chips_that_hold_the_model_serve_it(
    prior_fits: Fits, question_tables: Tables
) -> None:
    out = passes(asked(n_chips=None), prior_fits, question_tables, load_definitions())
    assert out.attrs["notes"][0].startswith("4 x h100-sxm")
    with pytest.raises(InputError, match="takes at least 2"):
        sweep(asked(n_chips=1), prior_fits, question_tables, load_definitions())


@pytest.fixture
def sweeping(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, prior_fits: Fits) -> list[str]:
    """Return the arguments of a sweep that is answered from draws of the priors."""
    monkeypatch.setattr(posterior, "fitted", lambda *_, **__: prior_fits)
    monkeypatch.setenv("FOREPASS_CACHE", str(tmp_path / "cache"))
    return ["passes", "--chip", "h100", "--model", "llama-3.1-70b", "--price", "2", "--sweep"]


def test_the_table_has_a_row_for_each_rung(
    sweeping: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(sweeping) == 0
    lines = capsys.readouterr().out.splitlines()
    rule = next(i for i, line in enumerate(lines) if line.startswith("---"))
    assert lines[rule + 1].split()[0] == "1"
    assert lines[rule + 12].strip()
    assert "the fewest h100, llama-3.1-70b" in lines[1]
    assert max(map(len, lines[:rule])) <= 132


def test_json_lists_the_rungs_beside_the_quantiles_and_the_figure_is_written(
    sweeping: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*sweeping, "--json", "--figure", str(tmp_path / "out"), "--quiet"]) == 0
    document = json.loads(capsys.readouterr().out)
    entry = document["quantities"]["cost_usd_per_million_tokens"]
    assert entry["dims"] == ["concurrency"]
    assert len(entry["p10"]) == len(entry["concurrency"])
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["sweep.png", "sweep.svg"]
    titles = [axis.get_title(loc="left") for axis in sweep_figures.draw_sweep(document).axes]
    assert titles[1].startswith("Cost per million output tokens")
    for key in ("p05", "p10", "p25", "p50", "p75", "p90", "p95"):
        document["quantities"]["cost_at_speed"][key] = [None] * 40
    assert len(sweep_figures.draw_sweep(document).axes) == 1
