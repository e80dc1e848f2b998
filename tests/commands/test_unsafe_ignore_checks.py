"""A fit that failed its checks stops every command that draws, or marks all that it writes."""

import csv
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import xarray as xr

from forepass import kept_fits, posterior
from forepass.cli import main
from forepass.posterior import Fit
from forepass.settings import Settings

MARK = "FAILED CHECKS: the fit of block serving did not converge"
CONFIGURATION = (
    "chip,n_chips,model,weight_bits,input_tokens,output_tokens,concurrency,disaggregated"
)
DRAWN = (
    ["forecast"],
    ["overhang"],
    ["passes", "--chip", "h100", "--model", "gpt-4"],
    ["predict", "rows.csv", "--out", "predicted.csv"],
    ["scenario", "run", "wall-returns"],
    ["scenario", "compare", "baseline", "wall-returns"],
    ["sensitivity", "world_tokens_per_s"],
    ["post"],
)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory, forward_fits: Mapping[str, Fit]) -> Path:
    """Return a cache of kept fits, that of serving with damaged diagnostics."""
    folder, settings = tmp_path_factory.mktemp("cache"), Settings()
    for name, fit in forward_fits.items():
        found = replace(fit.diagnostics, block=name, divergences=int(name == "serving") * 7)
        damaged = replace(fit, key=posterior._key(name, settings), diagnostics=found)
        kept_fits.keep_fit(name, damaged, folder)
    return folder


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: Path) -> Path:
    """Answer from those fits, in a folder with a table of one configuration."""
    monkeypatch.setenv("FOREPASS_CACHE", str(kept))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.csv").write_text(f"{CONFIGURATION}\nh100-sxm,64,gpt-4,16,1000,500,64,false\n")
    return kept


@pytest.mark.parametrize("argv", DRAWN, ids=lambda argv: " ".join(argv[:2]))
def test_a_failed_fit_stops_what_draws_and_says_what_to_do(
    argv: list[str], cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*argv, "--quiet"]) == 1
    printed = capsys.readouterr()
    assert (printed.out, printed.err.count("\n")) == ("", 1)
    assert "the fit of block 'serving' fell short" in printed.err
    assert "forepass fit --block serving --force" in printed.err
    assert "--unsafe-ignore-checks" in printed.err
    assert not (cache / "answers").exists()


@pytest.mark.usefixtures("cache")
def test_every_output_of_a_failed_fit_is_marked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {name: tmp_path / f"out.{name}" for name in ("csv", "nc")}
    argv = ["forecast", "--unsafe-ignore-checks", "--quiet", "--csv", str(files["csv"])]
    argv += ["--netcdf", str(files["nc"]), "--figure", str(tmp_path)]
    assert main([*argv, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["failed_checks"] == [MARK]
    assert document["request"]["unsafe_ignore_checks"] is True
    with files["csv"].open() as lines:
        made = {row["made_from"] for row in csv.DictReader(lines)}
    assert len(made) == 1
    carried = {
        "csv": made.pop(),
        "nc": str(xr.load_dataset(files["nc"], engine="h5netcdf").attrs),
        "png": (tmp_path / "forecast.png").read_bytes().decode("latin-1"),
        "svg": (tmp_path / "forecast.svg").read_text(),
    }
    for text in carried.values():
        assert MARK in text
        for value in document["inputs"].values():
            assert value in text
    assert main(argv[:3]) == 0
    text = capsys.readouterr().out
    assert MARK in text
    assert all(value[:12] in text for value in document["inputs"].values())


@pytest.mark.usefixtures("cache")
def test_predictions_of_a_failed_fit_are_marked_row_by_row(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ["predict", "rows.csv", "--out", "predicted.csv", "--unsafe-ignore-checks"]
    assert main(argv) == 0
    assert MARK in capsys.readouterr().err
    (row,) = csv.DictReader((tmp_path / "predicted.csv").read_text().splitlines())
    assert MARK in row["made_from"]
    assert "data " in row["made_from"]
