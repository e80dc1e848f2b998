"""The command line: what it refuses, how it exits, what it prints and writes."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from forepass import posterior
from forepass.cli import main
from forepass.commands import by_year_commands, passes_command
from forepass.forward import capacity
from forepass.rooms import room

GRID = ["scenario", "compare", "baseline", "wall-returns", "--grid"]
CLUSTER = ["--scheduler", "tcp://host:8786"]
UNSEEN = ["--serving-validation"]
PASSES = ["passes", "--chip", "a100", "--model", "gpt-4"]
NUMERICAL = {"numpy", "pandas", "xarray", "pymc", "scipy", "matplotlib", "rich", "arviz"}

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("FOREPASS_CACHE", str(folder))
    return folder


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def run_main(*argv: object) -> tuple[int, str, str]:
        status = main([str(argument) for argument in argv])
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return run_main


def by_year_draws(_args: object, _settings: object, years: list[int]) -> xr.Dataset:
    """Stand in for the draw layer: one quantity that grows."""
    values = np.exp(np.random.default_rng(2).normal(size=(50, len(years)))) * 1e12
    attrs = {"units": "tokens/s", "long_name": "Tokens the world can process"}
    return xr.Dataset(
        {"world_tokens_per_s": (("draw", "year"), values, attrs)},
        coords={"year": years},
        attrs={"notes": ["made up"]},
    )


def passes_draws(_args: object, _request: object, _settings: object) -> xr.Dataset:
    attrs = {"units": "passes/s", "long_name": "Upper bound per chip"}
    return xr.Dataset({"passes_upper_per_chip": ((), 557.1, attrs)})


@pytest.fixture
def made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answer from made-up draws, so that nothing is fitted."""
    monkeypatch.setattr(by_year_commands, "_draw", by_year_draws)
    monkeypatch.setattr(passes_command, "_draw", passes_draws)


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        ([], "COMMAND"),
        (["forcast"], "did you mean forecast"),
        (["xyzzy"], "no subcommand 'xyzzy'; known: passes, predict"),
        (["passes"], "--chip"),
        ([*PASSES, "--chips", "0"], "--chips"),
        ([*PASSES, "--chips", "-3"], "--chips"),
        ([*PASSES, "--chips", "1.5"], "whole number above 0, got '1.5'"),
        ([*PASSES, "--weight-bits", "6"], "--weight-bits: must be 16, 8 or 4, got '6'"),
        ([*PASSES, "--input", "nan"], "--input: must be a number from 1e-09 to 1e+15, got 'nan'"),
        ([*PASSES, "--input", "1e308"], "--input: must be a number from 1e-09 to 1e+15"),
        ([*PASSES, "--output", "1e-300"], "--output: must be a number from 1e-09 to 1e+15"),
        ([*PASSES, "--output", "inf"], "--output"),
        ([*PASSES, "--output", "many"], "--output"),
        ([*PASSES, "--concurrency", "0"], "--concurrency"),
        ([*PASSES, "--speed", "-1"], "--speed"),
        ([*PASSES, "--concurrency", "8", "--speed", "20"], "not allowed with"),
        ([*PASSES, "--sweep", "--speed", "20"], "not allowed with"),
        ([*PASSES, "--figure", "figures"], "--figure draws the trade-off of --sweep"),
        ([*PASSES, "--cached-share", "1.2"], "--cached-share: must be a share from 0 to 1"),
        ([*PASSES, "--price", "free"], "--price"),
        ([*PASSES, "--date", "2026-13"], "--date"),
        ([*PASSES, "--date", "May"], "--date"),
        ([*PASSES, "--seed", "-1"], "--seed"),
        ([*PASSES, "--chips-file", "nowhere.csv"], "--chips-file: must be a file that exists"),
        ([*PASSES, "--data", "nowhere"], "--data: must be a folder that exists"),
        (["passes", "--chip", "a1000", "--model", "gpt-4"], "unknown chip 'a1000': did you mean"),
        (["passes", "--chip", "a100", "--model", "gtp-4"], "unknown model 'gtp-4': did you mean"),
        (["forecast", "--to", "1990"], "--to must lie within 2020 to 2035, got 1990"),
        (["forecast", "--from", "2040"], "--from must lie within 2020 to 2035, got 2040"),
        (["forecast", "--from", "2030", "--to", "2028"], "--from must not be after --to"),
        (["forecast", "--to", "2030", "--years", "2031"], "--years must lie within 2020 to 2030"),
        (["forecast", "--to", "soon"], "--to"),
        (["forecast", "--draws", "1e6"], "--draws: must be a whole number from 100 to 200000"),
        (["overhang", "--draws", "200001"], "--draws: must be a whole number from 100 to 200000"),
        (["forecast", "--csv", "/no/such/folder/x.csv"], "--csv: must be a file in a folder"),
        (["overhang", "--years", "2026,x"], "--years"),
        (["forecast", "--when", "fleet_power", ">"], "--when: expected 3 arguments"),
        (["forecast", "--when", "fleet_power", "=", "1"], "'>' or '<', quoted for the shell"),
        (
            ["forecast", "--when", "fleet_power", ">", "many"],
            "must be a number above 0, got 'many'",
        ),
        (["forecast", "--when", "fleet_power", ">", "-1"], "must be a number above 0, got '-1'"),
        (["forecast", "--when", "fleet_pwr", ">", "1"], "no quantity 'fleet_pwr' by year; did you"),
        (["overhang", "--when", "release_overhang", ">", "1"], "no quantity 'release_overhang' by"),
        (["overhang", "--when", "copies_lab", ">", "1", "--quarterly"], "--quarterly does not go"),
        (
            ["forecast", "--scenario", "wall-return"],
            "no scenario 'wall-return'; did you mean wall-",
        ),
        (["forecast", "--set", "duty_cycl=0.7"], "duty_cycl: no such belief or quantity; did you"),
        (["overhang", "--set", "duty_cycle=1.7"], "duty_cycle: must be between 0 and 1"),
        (["overhang", "--set", "duty_cycle=0.7 to 0.3"], "0.7 to 0.3 must rise; low end first"),
        (["overhang", "--set", "reference_model=gtp-4"], "unknown model 'gtp-4': did you mean"),
        (["overhang", "--speed", "0"], "--speed: must be a number from 1e-09 to 1e+15"),
        (["scenario", "show", "wall"], "no scenario 'wall'"),
        (
            ["scenario", "compare", "baseline"],
            "two scenarios or more, each once; got baseline alone",
        ),
        (["scenario", "compare", "baseline", "baseline"], "got baseline twice"),
        (["scenario", "run", "baseline", "--to", "1990"], "--to must lie within 2020 to 2035"),
        (["sensitivity", "world_tokens"], "no quantity 'world_tokens' by year; did you mean world"),
        (["sensitivity", "fleet_power", "--year", "2050"], "--year must lie within 2020 to 2035"),
        (["sensitivity", "fleet_power", "--by", "chip"], "--by: invalid choice"),
        (["sensitivity", "fleet_power", "--break-even", "pue"], "--cross RELATION X go together"),
        (
            ["sensitivity", "fleet_power", "--break-even", "peu", "--cross", "above", "1e11"],
            "no belief 'peu'; did you mean pue",
        ),
        (
            ["sensitivity", "fleet_power", "--break-even", "pue", "--cross", "=", "1e11"],
            "--cross: between quantity and value must stand",
        ),
        (
            ["sensitivity", "fleet_power", "--break-even", "pue", "--cross", ">", "1", "--measure"],
            "--measure does not go with --break-even",
        ),
        ([*GRID, "duty_cycle=0.5"], "must be NAME=A,B,..."),
        ([*GRID, "duty_cycle=0.5,0.5"], "got duty_cycle=0.5 twice"),
        ([*GRID, "duty_cycle=0.5,many"], "--grid duty_cycle=many: must be a number"),
        ([*GRID, "pue=1,2", *CLUSTER, "--workers", "2"], "not allowed with"),
        ([*GRID, "pue=1,2", "--scheduler", "h"], "must be an address such as tcp://host:8786, got"),
        (["backtest", "--block", "chps"], "did you mean chips?"),
        (["backtest", "--target", "bandwith"], "did you mean bandwidth?"),
        (["backtest", "--from", "2023", "--to", "2020"], "--from 2023 is after --to 2020"),
        (["backtest", "--from", "2020.3"], "must be a year or a half"),
        (["check", "--kind", "chip"], "--kind belongs to --serving-validation"),
        (["check", "--csv", "x.csv"], "--csv belongs to --serving-validation"),
        (["check", "--trends", "--csv", "x.csv"], "--csv belongs to --serving-validation"),
        (["check", *UNSEEN, "--block", "fleet"], "--block does not go with --serving-validation"),
        (["check", *UNSEEN, "--trends"], "--trends does not go with --serving-validation"),
        (["check", *UNSEEN, "--kind", "colour"], "--kind"),
        (["check", "--block", "fleet", "--figure", "out"], "--figure draws the serving block"),
        (["check", "--block", "flete"], "did you mean fleet?"),
        (["check", "--trends", "--block", "fleet"], "no trend of fleet is checked"),
        (["check", "--world", "--trends"], "--trends does not go with --world"),
        (["check", "--world", *UNSEEN], "--serving-validation does not go with --world"),
        (["check", "--calibration", "--trends"], "--trends does not go with --calibration"),
        (["check", "--calibration", "--replicates", "5"], "20 or more"),
        (["check", "--calibration", "--block", "trainin"], "training"),
        (["check", "--replicates", "50"], "--replicates belongs to --calibration"),
        (["check", "--workers", "2"], "--workers belongs to --calibration"),
        (["fit", "--block", "flete"], "no block 'flete' for --block; did you mean fleet?"),
        (["predict", "nowhere.csv", "--out", "out.csv"], "nowhere.csv"),
        (["data", "show", "chip"], "no table 'chip'; did you mean chips"),
        (["data", "paint"], "paint"),
    ],
)
def test_bad_usage_is_one_line_that_names_the_field_and_exits_with_2(
    run: Run, monkeypatch: pytest.MonkeyPatch, argv: list[str], told: str
) -> None:
    def fit_nothing(*_: object, **__: object) -> None:
        raise AssertionError("arguments must be checked before anything is fitted")

    monkeypatch.setattr(posterior, "fitted", fit_nothing)
    status, out, err = run(*argv)
    assert status == 2
    assert out == ""
    assert err.startswith("forepass: ")
    assert err.count("\n") == 1
    assert told in err


@pytest.mark.usefixtures("made_up")
@pytest.mark.parametrize("command", ["forecast", "overhang"])
def test_json_by_year_has_the_shape_that_the_design_promises(run: Run, command: str) -> None:
    status, out, err = run(command, "--to", "2030", "--json", "--seed", "7")
    document = json.loads(out)
    assert (status, err) == (0, "")
    assert document["seed"] == 7
    assert set(document["inputs"]) == {"data", "priors", "code"}
    assert document["years"] == list(range(2020, 2031))
    entry = document["quantities"]["world_tokens_per_s"]
    assert entry["unit"] == "tokens/s"
    levels = ("p05", "p10", "p25", "p50", "p75", "p90", "p95")
    assert all(len(entry[level]) == 11 for level in levels)
    assert all(np.diff([entry[level] for level in levels], axis=0).ravel() > 0)


@pytest.mark.usefixtures("made_up")
def test_when_answers_in_the_form_of_the_other_documents_with_a_table_of_dates(
    run: Run, tmp_path: Path
) -> None:
    argv = ("forecast", "--when", "world_tokens_per_s", ">", "1e12", "--years", "2026,2030")
    status, out, _ = run(*argv, "--csv", tmp_path / "when.csv")
    assert status == 0
    assert "\nTokens the world can process, above" in out
    assert "\n1 trillion tokens/s" in out
    assert next(line.split() for line in out.splitlines() if line.startswith("  ")) == [
        *("2026", "2030"),
    ]
    written = pd.read_csv(tmp_path / "when.csv")
    assert len(written) == 1 + 2 * 16
    assert written["p50"][1:].between(0, 1).all()
    document = json.loads(run(*argv, "--json")[1])
    assert set(document["inputs"]) == {"data", "priors", "code"}
    assert document["request"]["when"] == ["world_tokens_per_s > 1e+12"]
    assert document["quantities"]["world_tokens_per_s > 1e+12"]["share_before"] > 0


@pytest.mark.usefixtures("made_up")
def test_quarters_take_the_place_of_years_in_text_csv_json_and_figure(
    run: Run, tmp_path: Path
) -> None:
    argv = ("forecast", "--quarterly", "--from", "2026", "--to", "2027")
    table, draws = tmp_path / "f.csv", tmp_path / "f.nc"
    more = ("--csv", table, "--netcdf", draws, "--figure", tmp_path / "figure")
    status, out, _ = run(*argv, "--years", "2027", *more)
    assert status == 0
    assert out.splitlines()[2].split() == ["2027Q1", "2027Q2", "2027Q3", "2027Q4"]
    assert pd.read_csv(table)["quarter"].tolist()[::7] == ["2026Q1", "2027Q4"]
    assert xr.load_dataset(draws, engine="h5netcdf").sizes["quarter"] == 8
    document = json.loads(run(*argv, "--json")[1])
    years = json.loads(run("forecast", "--json")[1])
    assert "years" not in document
    assert document["quarters"][0] == "2026Q1"
    entry, annual = (d["quantities"]["world_tokens_per_s"] for d in (document, years))
    assert entry["p50"][3] == pytest.approx(annual["p50"][years["years"].index(2026)])
    assert entry["scenarios_only_from"] is None
    assert "quarterly" not in years["request"]


@pytest.mark.usefixtures("made_up")
def test_json_of_passes_holds_a_bound_as_a_value_and_the_request(run: Run) -> None:
    status, out, _ = run(*PASSES, "--json", "--weight-bits", "16", "--chips", "128")
    document = json.loads(out)
    assert status == 0
    assert document["quantities"]["passes_upper_per_chip"]["value"] == 557.1
    assert document["request"]["n_chips"] == 128
    assert document["request"]["input_tokens"] > 0


@pytest.mark.usefixtures("made_up")
def test_forecast_prints_a_table_and_writes_the_files_asked_for(run: Run, tmp_path: Path) -> None:
    figure, table, draws = tmp_path / "figure", tmp_path / "f.csv", tmp_path / "f.nc"
    status, out, err = run("forecast", "--figure", figure, "--csv", table, "--netcdf", draws)
    assert status == 0
    assert "Tokens the world can process," in out
    assert "trillion tokens/s" in out
    assert [path.name for path in sorted(figure.iterdir())] == ["forecast.png", "forecast.svg"]
    assert len(pd.read_csv(table)) == 16
    assert xr.load_dataset(draws, engine="h5netcdf")["world_tokens_per_s"].shape == (50, 16)
    assert err.count("wrote") == 4


@pytest.mark.usefixtures("made_up")
def test_quiet_says_nothing_on_standard_error(run: Run, tmp_path: Path) -> None:
    status, _, err = run("forecast", "--csv", tmp_path / "f.csv", "--quiet")
    assert (status, err) == (0, "")


def test_an_interrupt_exits_with_130_and_writes_nothing(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cache: Path
) -> None:
    def interrupted(*_: object) -> xr.Dataset:
        raise KeyboardInterrupt

    monkeypatch.setattr(by_year_commands, "_draw", interrupted)
    status, out, err = run("forecast", "--csv", tmp_path / "f.csv")
    assert (status, out, err.count("\n")) == (130, "", 1)
    assert not (tmp_path / "f.csv").exists()
    assert not cache.exists()


def test_passes_knows_a_chip_by_its_memory(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object, **__: object) -> dict[str, object]:
        raise posterior.FitFailed("asked for a fit, so the names were known")

    monkeypatch.setattr(posterior, "fitted", failing)
    assert run("passes", "--chip", "P100 16GB", "--model", "gpt-4")[0] == 1
    assert run("passes", "--chip", "P100 80GB", "--model", "gpt-4")[0] == 2


def fake_fit(name: str, divergences: int) -> SimpleNamespace:
    found = posterior.Diagnostics(
        block=name,
        rhat=1.002,
        ess_bulk=1900.0,
        ess_tail=1500.0,
        divergences=divergences,
        seconds=12.3,
        draws=4000,
    )
    return SimpleNamespace(diagnostics=found, key="ab", from_cache=False)


@pytest.mark.parametrize(("divergences", "expected"), [(0, 0), (3, 1)])
def test_fit_shows_diagnostics_and_exits_with_1_when_a_check_fails(
    run: Run, monkeypatch: pytest.MonkeyPatch, divergences: int, expected: int
) -> None:
    def fake(names: list[str], *_: object, **__: object) -> dict[str, object]:
        return {name: fake_fit(name, divergences) for name in names}

    monkeypatch.setattr(posterior, "fitted", fake)
    status, out, _ = run("fit", "--block", "fleet", "--block", "chips")
    assert status == expected
    assert [line.split()[0] for line in out.splitlines()[2:]] == ["chips", "fleet"]
    assert "12.3" in out
    assert ("FAILED" in out) == bool(expected)
    status, out, _ = run("fit", "--json")
    blocks = json.loads(out)["blocks"]
    assert set(blocks) == set(posterior.BLOCKS)
    assert blocks["fleet"]["passed"] is not bool(expected)


CONFIGURATIONS = """\
id,chip,n_chips,model,weight_bits,input_tokens,output_tokens,concurrency,disaggregated,mine
1,h100-sxm,8,llama-3.1-70b,16,1000,500,32,False,"kept, as it is"
2,h100-sxm,eight,llama-3.1-70b,16,1000,500,32,False,b
3,h100-sxm,8,llama-3.1-70b,6,1000,500,32,False,c
4,h100-sxm,8,llama-3.1-70b,,1000,500,,,d
5,h100-sxm,8,llama-3.1-70b,8,-5,500,,maybe,e
6,h1000,8,llama-3.1-70b,8,10,500,,true,f
7,h100-sxm,1.5,llama-3.1-70b,8,10,500,,true,g
8,h100-sxm,8,,8,10,500,,true,h
9,h100-sxm,8,llama-3.1-70b,8,10,500,,maybe,i
"""


def predicted(table: pd.DataFrame, *_: object, **__: object) -> tuple[pd.DataFrame, dict[int, str]]:
    """Stand in for the draw layer: refuses h1000."""
    good = table[table["chip"] != "h1000"]
    result = pd.DataFrame({"output_tokens_per_s_per_chip_p50": good["n_chips"] * 2.5})
    bad = table.index.difference(good.index)
    return result, {int(row): "unknown chip 'h1000'" for row in bad}


@pytest.fixture
def predicting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posterior, "fitted", lambda *_, **__: {})
    monkeypatch.setattr(capacity, "predict", predicted)


@pytest.mark.usefixtures("predicting")
def test_predict_does_the_good_rows_and_reports_the_others(run: Run, tmp_path: Path) -> None:
    table, out = tmp_path / "in.csv", tmp_path / "out.csv"
    table.write_text(CONFIGURATIONS)
    status, _, err = run("predict", table, "--out", out)
    assert status == 1
    assert err.splitlines()[:-1] == [
        f"forepass: {table} line {line}: {told}"
        for line, told in (
            (3, "n_chips must be a whole number above 0, got 'eight'"),
            (4, "weight_bits must be 16, 8 or 4, got '6'"),
            (6, "input_tokens must be a number from 1e-09 to 1e+15, got '-5'"),
            (7, "unknown chip 'h1000'"),
            (8, "n_chips must be a whole number above 0, got '1.5'"),
            (9, "model must be a name, got ''"),
            (10, "disaggregated must be true or false, got 'maybe'"),
        )
    ]
    written = pd.read_csv(out)
    assert written["mine"].tolist() == ["kept, as it is", *"bcdefghi"]
    column = written["output_tokens_per_s_per_chip_p50"]
    assert column.notna().tolist() == [row in (0, 3) for row in range(9)]
    assert column[0] == 20.0


def test_predict_reads_what_a_table_says_beyond_the_needed_columns(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[pd.DataFrame] = []

    def watched(table: pd.DataFrame, *_: object) -> tuple[pd.DataFrame, dict[int, str]]:
        seen.append(table)
        return predicted(table)

    monkeypatch.setattr(posterior, "fitted", lambda *_, **__: {})
    monkeypatch.setattr(capacity, "predict", watched)
    header, row = CONFIGURATIONS.splitlines()[:2]
    more = ",campaign,speculative,cached_share,kv_bits,beams,date"
    table = tmp_path / "in.csv"
    undated = f"{row},,no,0,8,1"
    table.write_text(
        f"{header}{more}\n{row},mlperf,yes,0.5,8,4,2026-05\n{row},,maybe,2,0,,\n{undated},soon\n"
    )
    status, _, err = run("predict", table, "--out", tmp_path / "out.csv")
    assert status == 1
    first, second, *_ = err.splitlines()
    assert first.endswith("cached_share must be a share from 0 to 1, got '2'")
    assert second.endswith("date must be a date such as 2026-05, got 'soon'")
    [parsed] = seen
    found = parsed.iloc[0][["campaign", "speculative", "cached_share", "kv_bits", "beams"]]
    assert found.tolist() == ["mlperf", True, 0.5, 8.0, 4.0]


@pytest.mark.usefixtures("predicting")
def test_predict_reports_as_json_and_exits_with_0_when_all_rows_are_done(
    run: Run, tmp_path: Path
) -> None:
    table, out = tmp_path / "in.csv", tmp_path / "out.csv"
    table.write_text("\n".join(CONFIGURATIONS.splitlines()[:2]) + "\n")
    status, printed, err = run("predict", table, "--out", out, "--json")
    assert (status, err) == (0, "")
    found = json.loads(printed)
    assert (found["rows"], found["out"], found["errors"]) == (1, str(out), [])
    assert set(found["inputs"]) == {"data", "priors", "code"}


@pytest.mark.usefixtures("predicting")
@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "empty"),
        (b"chip,model\nh100,gpt-4\n", "column n_chips, weight_bits"),
        (b"chip,chip\na,b\n", "twice"),
        (CONFIGURATIONS.encode() + b"10,h100\n", "line 11"),
        (b"\xff\xfe\x00", "UTF-8"),
    ],
)
def test_predict_refuses_what_is_no_table_of_configurations(
    run: Run, tmp_path: Path, content: bytes, told: str
) -> None:
    table, out = tmp_path / "in.csv", tmp_path / "out.csv"
    table.write_bytes(content)
    status, _, err = run("predict", table, "--out", out)
    assert (status, err.count("\n")) == (2, 1)
    assert told in err
    assert not out.exists()


@pytest.mark.usefixtures("predicting")
def test_predicted_columns_replace_older_ones_of_the_same_name(run: Run, tmp_path: Path) -> None:
    table = tmp_path / "in.csv"
    table.write_text(CONFIGURATIONS.replace("mine", "output_tokens_per_s_per_chip_p50"))
    status, _, _ = run("predict", table, "--out", table)
    assert status == 1
    assert pd.read_csv(table)["output_tokens_per_s_per_chip_p50"][0] == 20.0


def test_data_list_counts_rows_and_sources(run: Run) -> None:
    status, out, _ = run("data", "list", "--json")
    tables = {row["table"]: row for row in json.loads(out)["tables"]}
    assert status == 0
    assert tables["chips"]["rows"] > 10
    assert tables["chips"]["sources"] > 1
    assert run("data", "list")[1].splitlines()[0].split() == ["table", "rows", "sources", "newest"]


def test_data_show_prints_every_row(run: Run) -> None:
    rows = json.loads(run("data", "show", "chips", "--json")[1])["rows"]
    status, out, _ = run("data", "show", "chips")
    assert status == 0
    assert len(out.splitlines()) == len(rows) + 2
    assert "h100-sxm" in out


def test_data_check_exits_with_1_when_a_table_is_wrong(run: Run, tmp_path: Path) -> None:
    status, out, _ = run("data", "check", "--json")
    assert (status, json.loads(out)["findings"]) == (0, [])
    broken = tmp_path / "data"
    broken.mkdir()
    for path in room("data").iterdir():
        if path.name.endswith(".csv"):
            (broken / path.name).write_bytes(path.read_bytes())
    chips = (broken / "chips.csv").read_text().splitlines()
    chips[1] = chips[1].replace(chips[1].split(",")[0], "H100 SXM", 1)
    (broken / "chips.csv").write_text("\n".join(chips) + "\n")
    status, out, _ = run("data", "check", "--data", broken)
    assert status == 1
    assert "chips.csv" in out


def spawn(*argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "forepass", *argv],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
    )


def imported(process: subprocess.CompletedProcess[str]) -> set[str]:
    """Return the top-level names of what a process imported."""
    lines = [line for line in process.stderr.splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip().split(".")[0] for line in lines}


def test_help_imports_no_numerical_library_and_shows_an_example() -> None:
    process = spawn("passes", "--help")
    assert process.returncode == 0
    assert "example" in process.stdout
    assert imported(process) & NUMERICAL == set()
    assert "forepass" in imported(process)


@pytest.mark.usefixtures("made_up")
@pytest.mark.parametrize(
    "argv",
    [
        ("forecast", "--to", "2030"),
        ("forecast", "--quarterly", "--to", "2030"),
        ("forecast", "--as-of", "2026-11-20", "--to", "2030"),
        ("forecast", "--when", "world_tokens_per_s", "above", "1e12"),
        ("forecast", "--scenario", "power-bound", "--set", "duty_cycle=0.7"),
        (*PASSES, "--chips", "8"),
    ],
)
def test_a_warm_answer_imports_no_numerical_library(run: Run, argv: tuple[str, ...]) -> None:
    status, cold, _ = run(*argv)
    process = spawn(*argv)
    assert (status, process.returncode) == (0, 0)
    assert process.stdout == cold
    assert imported(process) & NUMERICAL == set()


def test_a_reader_that_leaves_early_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    process = subprocess.run(
        [sys.executable, "-m", "forepass", "data", "show", "chips"],
        stdout=writing,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writing)
    assert (process.returncode, process.stderr) == (0, b"")


def test_progress_is_silent_where_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    from forepass.commands.fitting import progress_over

    with progress_over(["chips"], quiet=False) as report:
        report("chips", "done")
    assert capsys.readouterr().err == ""


def test_progress_names_block_and_stage_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    import io

    from forepass.commands.fitting import progress_over

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    watched: Any = Terminal()
    monkeypatch.setattr(sys, "stderr", watched)
    with progress_over(["language_models"], quiet=False) as report:
        report("language_models", "sampling")
        report("language_models", "done")
    assert "language models" in watched.getvalue()


def test_a_command_loads_no_other_and_is_found_by_its_name() -> None:
    from forepass import cli

    loaded = "print(*(name for name in sys.modules if name.endswith('_command')))"
    program = f"import sys; from forepass.cli import build_parser; build_parser(['fit']); {loaded}"
    ran = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert ran.stdout.split() == ["forepass.commands.fit_command"]
    for name in cli.COMMANDS:
        with pytest.raises(SystemExit) as shown:
            cli.build_parser([name]).parse_args([name, "--help"])
        assert shown.value.code == 0
