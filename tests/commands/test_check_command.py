"""``forepass check``: exit status, table of validation, and what stays silent."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from forepass import posterior
from forepass.backtest.published import Growth
from forepass.blocks.serving import validation
from forepass.cli import main
from forepass.commands import check_trends
from forepass.fit_checks import run
from forepass.fit_checks.finding import Finding
from forepass.inputs.priors import load_priors
from forepass.posterior import Fit
from forepass.settings import Settings

type Fits = Mapping[str, Fit]

ROW = {
    "rows": 40,
    "fold50": 1.14,
    "fold90": 1.4,
    "bias": 0.97,
    "cover50": 0.51,
    "cover80": 0.82,
    "width80": 2.1,
    "crps": 0.12,
    "crps upper bound": 2.5,
    "crps roofline at 40%": 0.3,
    "fold roofline at 40%": 1.6,
}


@pytest.fixture(autouse=True)
def fits(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, prior_fits: Fits) -> dict[str, Fit]:
    """Answer from draws of the priors: nothing is fitted."""
    made = dict.fromkeys(posterior.BLOCKS, prior_fits["serving"])
    monkeypatch.setattr(posterior, "fitted", lambda names, *_, **__: {n: made[n] for n in names})
    monkeypatch.setenv("FOREPASS_CACHE", str(tmp_path / "cache"))
    return made


@pytest.fixture
def validated(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the splits that were asked for, each scored with the same made-up numbers."""
    asked: list[str] = []

    def fake(
        *_: object,
        only: Callable[[validation.Split], bool],
        progress: Callable[[str], None],
        **__: object,
    ) -> pd.DataFrame:
        scores = []
        for kind, name in (("chip", "b200"), ("date", "2026-01 and later")):
            if only(validation.Split(kind, name, pd.array([True]).to_numpy(dtype=bool))):
                asked.append(name)
                progress(f"{kind} {name}")
                scores.append({"kind": kind, "name": name, **ROW})
        return pd.DataFrame(scores).set_index(["kind", "name"])

    monkeypatch.setattr(validation, "validate", fake)
    return asked


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the blocks that were checked, each with convergence and one other check."""
    asked: list[str] = []

    def fake(fits: Fits, *_: object) -> list[Finding]:
        asked.extend(fits)
        rates = [
            {"name": "growth", "stated": (0.1, 0.3), "fitted": (0.2, 0.3), "record": 0.5}
            | {"error": 0.1, "ahead": False, "outside": True}
        ]
        return [
            finding
            for block, fit in fits.items()
            for finding in (
                Finding(block, "convergence", fit.diagnostics.passed, "R-hat", "1.01", ["again"]),
                Finding(block, "back-cast", True, "fine", "limit", [], {"rates": rates}),
            )
        ]

    monkeypatch.setattr("forepass.fit_checks.run.findings", fake)
    return asked


def test_a_line_is_shown_for_each_check_of_the_blocks_asked_for(
    found: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "--block", "fleet", "--block", "chips"]) == 0
    printed = capsys.readouterr().out
    assert found == ["chips", "fleet"]
    lines = [line.split()[:3] for line in printed.splitlines()[3:7]]
    assert lines == [
        [block, check, "pass"] for block in found for check in ("convergence", "back-cast")
    ]
    assert "0 of 4 checks fall short" in printed
    assert "- again" not in printed
    assert [line.split()[-1] for line in printed.splitlines() if "growth" in line] == [
        "outside"
    ] * 2


@pytest.mark.usefixtures("found")
def test_a_check_that_fell_short_exits_with_1_and_says_what_to_do(
    fits: dict[str, Fit], capsys: pytest.CaptureFixture[str]
) -> None:
    good = fits["demand"]
    fits["demand"] = replace(good, diagnostics=replace(good.diagnostics, rhat=1.2))
    assert main(["check", "--block", "demand"]) == 1
    printed = capsys.readouterr().out
    assert "SHORT" in printed
    assert "demand, convergence: the limit is 1.01\n- again" in printed


def test_the_answer_is_kept_with_all_that_was_computed(
    found: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        assert main(["check", "--block", "serving", "--json", "--quiet"]) == 0
        document = json.loads(capsys.readouterr().out)
        assert found == ["serving"]
        assert document["blocks"]["serving"]["passed"] is True
        assert set(document["inputs"]) == {"data", "priors", "code"}
        assert document["checks"][1]["values"]["rates"][0]["record"] == 0.5


def test_every_check_of_a_block_is_made_on_its_rows(forward_fits: Fits) -> None:
    fit = forward_fits["training"]
    got = run.findings({"training": fit}, {}, Settings())
    assert [one.check for one in got] == [
        *("convergence", "coverage", "PIT uniform", "residuals", "leave-one-out"),
        *("contraction", "back-cast"),
    ]
    assert got[0].found == "R-hat 1.001, effective draws 900, divergences 0"
    assert got[1].values["pooled"].keys() == {"cover50", "cover80", "cover90"}
    assert len(got[5].values) == len(load_priors("training"))


def test_validation_prints_each_split_beside_the_best_naive_peer(
    validated: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    table = tmp_path / "scores.csv"
    assert main(["check", "--serving-validation", "--csv", str(table)]) == 0
    printed = capsys.readouterr()
    assert validated == ["b200", "2026-01 and later"]
    row = next(line for line in printed.out.splitlines() if line.startswith("chip"))
    cells = row.split()
    assert cells[1:5] == ["b200", "40", "1.14", "1.40"]
    assert "0.30 (roofline at 40%)" in row
    assert cells[-1] == "-60%"
    assert printed.err == f"wrote {table}\n"
    assert pd.read_csv(table).columns[:3].tolist() == ["kind", "name", "rows"]


def test_one_kind_of_split_can_be_asked_for(
    validated: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "--serving-validation", "--kind", "date", "--json"]) == 0
    [row] = json.loads(capsys.readouterr().out)["validation"]
    assert validated == [row["name"]] == ["2026-01 and later"]
    assert row["crps roofline at 40%"] == 0.3


def test_growth_stands_beside_published_rates_and_findings_below() -> None:
    rates = [Growth("bandwidth", 1.2, 1.3, 1.4, {"chip_hbm_bandwidth_doubling_time": 1.28})]
    table, said = check_trends.as_text({"chips": rates}, {"chips": ["one finding", "another"]})
    assert "1.30 (1.20 to 1.40)" in table
    assert "1.28 (chip_hbm_bandwidth_doubling_time)" in table
    assert said == "one finding\nanother"
