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
from forepass.trend_checks.leave_future_out import NAIVE

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


def scores(crps: float) -> pd.DataFrame:
    """Return made-up scores of three rows about two years ahead and one far off."""
    columns = {"cover50": 1.0, "cover80": 1.0, "crps": crps, "error": 0.1, "pit": 0.5}
    naive = {f"{name} {rival}": 0.7 for name in ("cover50", "cover80", "crps") for rival in NAIVE}
    rows = [
        {"quantity": quantity, "cut": 2022.0, "ahead": ahead, "structure": structure}
        for quantity in ("bandwidth", "power")
        for structure in ("drifting", "stacked")
        for ahead in (1.5, 2.0, 2.9, 8.0)
    ]
    return pd.DataFrame(rows).assign(**columns, **naive)


def test_trends_are_summed_up_over_quantities_and_horizons() -> None:
    found = check_trends.summaries([scores(0.4).assign(block="chips")])
    every = found[(found["quantity"] == "all") & (found["structure"] == "stacked")]
    assert every.set_index("horizon")["rows"].to_dict() == {"1 to 3": 6, "above 3": 2}
    assert found["crps"].to_numpy() == pytest.approx(0.4)


def test_the_table_of_trends_shows_the_stacked_structure_beside_naive_forecasts() -> None:
    found = check_trends.summaries([scores(0.4).assign(block="chips")])
    near, every = check_trends.as_text(found, {}, {})[1::2]
    assert "bandwidth stacked" in near
    assert "drifting" not in near
    assert "drifting" in every
    assert "0.400" in near
    assert "0.700" in near


def test_a_block_without_a_trend_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--trends", "--block", "fleet"]) == 2
    assert "no trend of fleet is checked" in capsys.readouterr().err
