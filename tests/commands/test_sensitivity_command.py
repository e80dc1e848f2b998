"""``forepass sensitivity``: one table of three kinds of evidence, its files, and what it keeps."""

import csv
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from forepass import posterior
from forepass.cli import main

if TYPE_CHECKING:
    from forepass.posterior import Fit

ARGV = ["sensitivity", "fleet_power", "--top", "8", "--measure"]
BREAK_EVEN = ["sensitivity", "contracted_power", "--break-even", "contracted_over_drawn"]
NUMERICAL = {"numpy", "pandas", "xarray", "pymc", "scipy", "matplotlib", "rich", "arviz"}


pytestmark = pytest.mark.usefixtures("folder")


@pytest.fixture(scope="module")
def folder(
    tmp_path_factory: pytest.TempPathFactory, forward_fits: "Mapping[str, Fit]"
) -> Iterator[Path]:
    """Return a folder to write to, while answers come from draws of the priors and are kept."""
    place = tmp_path_factory.mktemp("sensitivity")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(posterior, "fitted", lambda *_, **__: dict(forward_fits))
        patch.setenv("FOREPASS_CACHE", str(place / "cache"))
        yield place


def test_the_table_has_the_three_kinds_of_evidence_and_measurements(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(ARGV) == 0
    out = capsys.readouterr().out
    for words in ("judgement: ", "data: ", "structure: ", "future shocks", "median", "prior"):
        assert words in out
    assert "(medians: GW)" in out
    assert "count of the world's deployed chips" in out
    assert "exact" in out
    assert main([*ARGV, "--by", "group"]) == 0
    assert "group of beliefs" in capsys.readouterr().out


def test_json_csv_and_figures_hold_the_same(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table, figures = folder / "shares.csv", folder / "figures"
    assert main([*ARGV, "--json", "--csv", str(table), "--figure", str(figures)]) == 0
    document = json.loads(capsys.readouterr().out)
    assert set(document["inputs"]) == {"data", "priors", "code"}
    assert document["quantity"]["unit"] == "W"
    assert document["quantity"]["p10"] < document["quantity"]["p50"]
    assert sum(entry["share"] for entry in document["kinds"]) == pytest.approx(1)
    assert 0 < len(document["beliefs"]) <= 8
    with table.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    levels = ("kinds", "blocks", "groups", "beliefs", "measurements")
    assert len(rows) == sum(len(document[level]) for level in levels)
    kept = {entry["name"]: entry["share"] for entry in document["beliefs"]}
    told = {row["name"]: float(row["share"]) for row in rows if row["level"] == "belief"}
    assert told == pytest.approx(kept)
    names = {path.name for path in figures.iterdir()}
    assert names == {"tornado.png", "tornado.svg", "shares.png", "shares.svg"}


def test_figures_name_beliefs_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    from forepass.tell.sensitivity_figures import draw_shares, draw_tornado

    assert main([*ARGV, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    acting = [entry for entry in document["beliefs"] if entry["acts_forward"]]
    axis = draw_tornado(document).axes[0]
    labels = [label.get_text() for label in axis.get_yticklabels()]
    assert len(labels) == len(acting)
    assert not any("_" in label for label in labels)
    # The bar of the low end and that of the high end of each, told apart without colour too.
    bars = [patch for patch in axis.patches if hasattr(patch, "get_hatch")]
    assert [bool(bar.get_hatch()) for bar in bars] == [False, True] * len(acting)
    shown = [label.get_text() for label in draw_shares(document).axes[0].get_yticklabels()]
    assert shown[-1].replace("\n", " ").casefold() == document["groups"][0]["name"].casefold()


def test_a_break_even_says_value_and_probability(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main([*BREAK_EVEN, "--cross", "above", "1", "--json"]) == 0
    never = json.loads(capsys.readouterr().out)
    assert never["break_even"]["value"] is None
    middle = never["quantity"]["p50"]
    assert main([*BREAK_EVEN, "--cross", "<", str(middle), "--json"]) == 0
    entry = json.loads(capsys.readouterr().out)["break_even"]
    assert entry["low"] < entry["value"] < entry["high"]
    assert 0.1 < entry["probability"] < 0.9
    assert main([*BREAK_EVEN, "--cross", "<", str(middle)]) == 0
    out = capsys.readouterr().out
    assert "Contracted over drawn" in out
    assert "probability of a value that puts it below" in out


@pytest.mark.parametrize("argv", [ARGV, [*BREAK_EVEN, "--cross", "above", "1"]])
def test_a_warm_answer_imports_no_numerical_library(
    argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(argv) == 0
    cold = capsys.readouterr().out
    process = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "forepass", *argv],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        env={**os.environ},
    )
    assert process.returncode == 0
    assert process.stdout == cold
    lines = [line for line in process.stderr.splitlines() if line.startswith("import time:")]
    imported = {line.rpartition("|")[2].strip().split(".")[0] for line in lines}
    assert imported & NUMERICAL == set()


def test_what_is_set_moves_nothing_more_and_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*BREAK_EVEN, "--cross", "above", "1", "--json"]) == 0
    free = json.loads(capsys.readouterr().out)
    argv = ["sensitivity", "contracted_power", "--set", "contracted_over_drawn=3", "--json"]
    assert main(argv) == 0
    document = json.loads(capsys.readouterr().out)
    assert any("contracted_over_drawn is 3" in note for note in document["notes"])
    assert "fleet.contracted_over_drawn" not in [one["name"] for one in document["beliefs"]]
    assert document["quantity"]["p50"] > free["quantity"]["p50"]
    share = ["--set", "inference_share@2028=0.5"]
    assert main(["sensitivity", "inference_share", *share]) == 2
    error = capsys.readouterr().err
    assert "inference_share in 2030 is the same in all draws" in error
    assert error.count("\n") == 1


def test_what_weights_cannot_tell_is_told_by_a_new_fit_or_said_not_to_be(
    forward_fits: "Mapping[str, Fit]",
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from dataclasses import replace

    made: list[str] = []

    def fitted(names: tuple[str, ...], *_: object, **__: object) -> "dict[str, Fit]":
        if len(names) > 1:
            return dict(forward_fits)
        made.extend(names)
        if len(made) > 1:
            raise posterior.FitFailed("the fit of block 'fleet' fell short; undo")
        fit = forward_fits[names[0]]
        higher = {"pue": fit.posterior["pue"] * 3}
        return {names[0]: replace(fit, posterior=fit.posterior.assign(higher))}

    monkeypatch.setattr(posterior, "fitted", fitted)
    # No weights are good enough, so that everything with priors is marked.
    monkeypatch.setattr("forepass.sensitivities.prior_weight.GOOD_K", -1.0)
    argv = ["sensitivity", "fleet_power", "--top", "2", "--refit"]
    assert main([*argv, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    entries = [*document["groups"], *document["beliefs"]]
    asked = [entry for entry in entries if "refitted" in entry]
    assert [entry["refitted"] for entry in asked].count(True) == 1
    (new,) = [entry for entry in asked if entry["refitted"]]
    assert new["prior_moves"]
    assert new["prior_power"] == 2.0
    assert 0.1 < new["prior_sensitivity"] < 1.0
    reasons = {entry["not_refitted_because"] for entry in asked if not entry["refitted"]}
    assert "the fit of block 'fleet' fell short" in reasons
    assert main(argv) == 0
    out = capsys.readouterr().out
    assert "! refitted" in out
    assert "not refitted: the fit of block 'fleet' fell short" in " ".join(out.split())


def test_an_answer_from_a_failed_fit_says_so(
    forward_fits: "Mapping[str, Fit]",
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from dataclasses import replace

    bad = replace(forward_fits["fleet"].diagnostics, rhat=1.5)
    fits = {**forward_fits, "fleet": replace(forward_fits["fleet"], diagnostics=bad)}
    monkeypatch.setattr(posterior, "fitted", lambda *_, **__: fits)
    assert main([*BREAK_EVEN, "--cross", "above", "2", "--unsafe-ignore-checks"]) == 0
    assert "FAILED CHECKS: the fit of block fleet" in capsys.readouterr().out
