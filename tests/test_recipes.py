"""The recipes of CONTRIBUTING.md, followed step by step in a copy of data/ and priors/."""

import csv
import inspect
import json
import re
import shutil
import tomllib
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path

import pytest

import forepass
from forepass import posterior
from forepass.blocks.serving.model import measured
from forepass.cli import main
from forepass.errors import InputError
from forepass.forward import forecast
from forepass.inputs.priors import BLOCKS, load_priors
from forepass.inputs.tables import TABLES, load_tables
from forepass.kept_fits import Fit
from forepass.rooms import CHECKOUT
from forepass.sensitivities.beliefs import SUBJECTS
from forepass.sensitivities.runs import KNOWN
from forepass.settings import Settings
from forepass.tell import by_year_figures

Run = Callable[..., str]


@pytest.fixture
def house(tmp_path: Path) -> Settings:
    """Return settings of a copy of data/ and priors/, and a cache of its own."""
    for room in ("data", "priors"):
        shutil.copytree(CHECKOUT / room, tmp_path / room)
    return Settings(tmp_path / "data", tmp_path / "priors", cache=tmp_path / "cache")


@pytest.fixture
def run(
    house: Settings,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    forward_fits: Mapping[str, Fit],
) -> Run:
    """Return the command line in that copy, with draws of the priors in place of fits."""
    monkeypatch.setattr(posterior, "fitted", lambda *_, **__: dict(forward_fits))
    monkeypatch.setenv("FOREPASS_CACHE", str(house.cache))

    def told(*argv: object) -> str:
        folders = ("--data", house.data, "--priors", house.priors)
        assert main([str(word) for word in (*argv, *folders)]) == 0
        return capsys.readouterr().out

    return told


def add_row(house: Settings, table: str, like: str, **cells: str) -> None:
    """Append a row to a table: that of one key with some cells changed."""
    path = Path(str(house.data)) / f"{table}.csv"
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    row = next(row for row in rows if like in row.values()) | {"aliases": "", **cells}
    with path.open("a", encoding="utf-8", newline="") as stream:
        known = {name: row[name] for name in rows[0]}
        csv.DictWriter(stream, list(rows[0]), lineterminator="\n").writerow(known)


def test_a_chip_that_is_added_is_priced(house: Settings, run: Run) -> None:
    add_row(house, "sources", "lockwood-b200", source="maker-x1", title="X1 data sheet")
    add_row(house, "chips", "b200", chip="x1", aliases="Maker X1", source="maker-x1")
    assert "agree" in run("data", "check")
    asked = ("--model", "gpt-4", "--price", 2, "--json")
    found = json.loads(run("passes", "--chip", "Maker X1", *asked))["quantities"]
    assert found["passes_realised_per_chip"]["p50"] > 0
    assert found["cost_usd_per_million_tokens"]["p50"] > 0


def test_a_row_without_its_source_is_refused(
    house: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    add_row(house, "chips", "b200", chip="x1", source="maker-x1")
    assert main(["data", "check", "--data", str(house.data)]) == 1
    assert "unknown source 'maker-x1'" in capsys.readouterr().out


def test_a_model_that_is_added_is_served(house: Settings, run: Run) -> None:
    add_row(house, "language_models", "deepseek-v3", model="own-1")
    assert "agree" in run("data", "check")
    assert "own-1" in run("passes", "--chip", "h100", "--model", "own-1")


def test_a_measurement_that_is_added_is_fitted(house: Settings, run: Run) -> None:
    before = posterior._key("serving", house), posterior._key("fleet", house)
    seen = len(measured(load_tables(posterior.block_module("serving").TABLES, house.data))[0])
    add_row(house, "serving", "sv0374", id="own1", output_tokens_per_s_per_chip="120")
    assert "agree" in run("data", "check")
    tables = load_tables(posterior.block_module("serving").TABLES, house.data)
    assert len(measured(tables)[0]) == seen + 1
    # Its block is fitted again, and no other.
    assert posterior._key("serving", house) != before[0]
    assert posterior._key("fleet", house) == before[1]


def test_a_prior_that_is_added_is_one_that_its_block_must_name(house: Settings) -> None:
    belief = '[new_one]\ndistribution = "Normal"\np10 = -1.0\np90 = 1.0\nunit = "log"\n'
    file = Path(str(house.priors / "fleet.toml"))
    stated = file.read_text(encoding="utf-8")
    file.write_text(f'{stated}\n{belief}source = "judgement"\nrationale = "R"\n', encoding="utf-8")
    with pytest.raises(InputError, match="new_one"):
        posterior.build_model("fleet", house)


@pytest.mark.parametrize("block", BLOCKS)
def test_a_block_has_all_that_the_others_have(block: str) -> None:
    module = posterior.block_module(block)
    assert set(module.TABLES) <= set(TABLES)
    assert set(module.PRIORS) == set(load_priors(block))
    assert callable(module.build)
    assert SUBJECTS[block][-1][1] == "", "a last subject that takes whatever is left"
    contracts = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))
    (apart,) = (
        one["modules"]
        for one in contracts["tool"]["importlinter"]["contracts"]
        if one["type"] == "independence"
    )
    assert f"forepass.blocks.{block}" in apart


def test_a_scenario_that_is_added_is_listed_and_run(house: Settings, run: Run) -> None:
    Path(str(house.priors / "scenarios" / "idle-chips.toml")).write_text(
        '[scenario]\ntitle = "Idle chips"\nstory = "S."\nsource = "judgement"\n'
        "[pins]\nduty_cycle = [0.1, 0.2]\n",
        encoding="utf-8",
    )
    assert "Idle chips" in run("scenario", "list")
    argv = ("scenario", "compare", "baseline", "idle-chips", "--from", 2030, "--to", 2030, "--json")
    found = json.loads(run(*argv))["quantities"]["world_tokens_per_s_ratio"]
    assert found["p50"][0][0] < 1


def test_a_quantity_has_unit_and_words_and_can_be_asked_about(run: Run) -> None:
    run("data", "check")
    draws = forepass.forecast([2030])
    assert list(map(str, draws)) == list(forecast.SHOWN)
    assert all(array.attrs["units"] and array.attrs["long_name"] for array in draws.values())
    assert set(forecast.ORDER) <= set(KNOWN)
    assert {*forecast.PASSED_ON, *forecast.CAPACITIES} <= set(forecast.SHOWN)


def test_a_panel_is_a_name_in_a_list(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    document = json.loads(run("forecast", "--from", 2028, "--json"))
    before = len(by_year_figures.draw_by_year(document, "forecast").axes)
    panels = {
        **by_year_figures.PANELS,
        "forecast": (*by_year_figures.PANELS["forecast"], "fleet_power"),
    }
    monkeypatch.setattr(by_year_figures, "PANELS", panels)
    assert len(by_year_figures.draw_by_year(document, "forecast").axes) == before + 1


def test_every_chart_is_drawn_in_the_house_style() -> None:
    charts = {}
    for file in sorted((CHECKOUT / "model" / "forepass" / "tell").glob("*figures.py")):
        module = import_module(f"forepass.tell.{file.stem}")
        for name, function in inspect.getmembers(module, inspect.isfunction):
            source = inspect.getsource(inspect.unwrap(function))
            if name.startswith("draw_") and re.search(r'-> "?Figure"?:', source):
                charts[name] = "house_style()" in source
    assert len(charts) > 8
    assert [name for name, in_style in charts.items() if not in_style] == []
