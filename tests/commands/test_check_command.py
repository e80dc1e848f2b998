"""``forepass check``: exit status, table of validation, and what stays silent."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from forepass import posterior
from forepass.blocks.serving import validation
from forepass.cli import main
from forepass.commands import check_trends
from forepass.posterior import Fit
from forepass.trend_checks.published import Growth

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


def test_convergence_of_the_blocks_asked_for_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--block", "fleet", "--block", "chips"]) == 0
    printed = capsys.readouterr().out
    assert [line.split()[0] for line in printed.splitlines()[2:]] == ["chips", "fleet"]


def test_a_fit_that_fell_short_exits_with_1(
    fits: dict[str, Fit], capsys: pytest.CaptureFixture[str]
) -> None:
    good = fits["demand"]
    fits["demand"] = replace(good, diagnostics=replace(good.diagnostics, rhat=1.2))
    assert main(["check", "--block", "demand"]) == 1
    assert "FAILED" in capsys.readouterr().out


def test_the_serving_block_is_held_against_the_rows_that_it_saw(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    argv = ["check", "--block", "serving", "--figure", str(tmp_path / "out"), "--json", "--quiet"]
    assert main(argv) == 0
    document = json.loads(capsys.readouterr().out)
    assert set(document["predictive"]["loo"]) == {"elpd", "se", "p", "k_max", "bad_share"}
    assert document["blocks"]["serving"]["passed"] is True
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["serving_check.png", "serving_check.svg"]


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


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (["--kind", "chip"], "--kind belongs to --serving-validation"),
        (["--csv", "x.csv"], "--csv belongs to --serving-validation"),
        (["--trends", "--csv", "x.csv"], "--csv belongs to --serving-validation"),
        (["--serving-validation", "--block", "fleet"], "--block: --serving-validation is of"),
        (["--serving-validation", "--kind", "colour"], "--kind"),
        (["--block", "fleet", "--figure", "out"], "--figure draws the serving block"),
        (["--block", "flete"], "did you mean fleet?"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    argv: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", *argv]) == 2
    printed = capsys.readouterr()
    assert (printed.out, printed.err.count("\n")) == ("", 1)
    assert told in printed.err


def test_growth_stands_beside_published_rates_and_findings_below() -> None:
    rates = [Growth("bandwidth", 1.2, 1.3, 1.4, {"chip_hbm_bandwidth_doubling_time": 1.28})]
    table, said = check_trends.as_text({"chips": rates}, {"chips": ["one finding", "another"]})
    assert "1.30 (1.20 to 1.40)" in table
    assert "1.28 (chip_hbm_bandwidth_doubling_time)" in table
    assert said == "one finding\nanother"


def test_a_block_without_a_trend_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--trends", "--block", "fleet"]) == 2
    assert "no trend of fleet is checked" in capsys.readouterr().err
