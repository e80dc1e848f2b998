"""``forepass check --world``: the table, its files, and what is refused."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from forepass import posterior
from forepass.cli import main
from forepass.commands import check_world
from forepass.inputs.comparisons import FILE
from forepass.rooms import room

ENTRIES = """
[stock]
table = "expert_forecasts"
where = { quantity = "world_h100e_installed", forecaster = "AI 2027 (Romeo Dean)" }
quantity = "fleet_h100e"
reading = "Another unit."

[later]
table = "expert_forecasts"
where = { quantity = "world_h100e_installed", forecaster = "Epoch AI" }
quantity = "fleet_h100e"
seen = true
reading = "A trend."
"""


@pytest.fixture
def priors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return priors that hold two comparisons; the draws are made up."""

    def draw(*_: object) -> xr.Dataset:
        spread = np.linspace(0.5, 2.0, 101)[:, None]
        values = spread * 1e6 * 2.0 ** np.arange(16)
        attrs = {"units": "H100e", "long_name": "Deployed"}
        return xr.Dataset(
            {"fleet_h100e": (("draw", "year"), values, attrs)},
            coords={"year": np.arange(2020, 2036)},
            attrs={"notes": ["made up"]},
        )

    monkeypatch.setattr(check_world, "_draw", draw)
    monkeypatch.setenv("FOREPASS_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "priors"
    folder.mkdir()
    (folder / FILE).write_text(ENTRIES, encoding="utf-8")
    return folder


def test_the_table_has_published_and_ours_side_by_side_and_says_a_reading_once(
    priors: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "--world", "--priors", str(priors)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "Deployed, million H100e" in lines
    first = next(line for line in lines if "2025-12" in line)
    assert "18.0" in first
    assert "below, 1.16 times" in first
    assert first.endswith("Another unit.")
    assert sum("Another unit." in line for line in lines) == 1
    assert sum("(in the fit)" in line for line in lines) == 1
    assert "- made up" in lines


def test_json_and_csv_hold_every_record(
    priors: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "world.csv"
    argv = ["check", "--world", "--priors", str(priors), "--json", "--csv", str(path)]
    assert main(argv) == 0
    document = json.loads(capsys.readouterr().out)
    assert set(document["inputs"]) == {"data", "priors", "code"}
    assert [one["date"] for one in document["comparisons"]] == [
        *("2025-12", "2026-12", "2027-12", "2030"),
    ]
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert [float(row["ratio"]) for row in rows] == pytest.approx(
        [one["ratio"] for one in document["comparisons"]]
    )


def test_a_bad_file_exits_with_2_before_anything_is_fitted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fit_nothing(*_: object, **__: object) -> None:
        raise AssertionError("comparisons must be checked before anything is fitted")

    monkeypatch.setattr(posterior, "fitted", fit_nothing)
    monkeypatch.setenv("FOREPASS_CACHE", str(tmp_path / "cache"))
    for old, told in (("fleet_h100e", "no quantity 'fleet_h100x'"), ("Epoch AI", "no such row")):
        text = ENTRIES.replace(old, old[:-1] + "x")
        (tmp_path / FILE).write_text(text, encoding="utf-8")
        assert main(["check", "--world", "--priors", str(tmp_path)]) == 2
        error = capsys.readouterr().err
        assert told in error
        assert error.count("\n") == 1


def test_the_priors_check_reads_the_comparisons(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in room("priors").iterdir():
        if path.name.endswith(".toml"):
            (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / FILE).write_text(ENTRIES.replace("table", "tabel", 1), encoding="utf-8")
    assert main(["priors", "check", "--priors", str(tmp_path)]) == 2
    assert "stock: unknown field 'tabel'" in capsys.readouterr().err
