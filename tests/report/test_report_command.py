"""``forepass report``: a folder whole and the same each time, bad input refused before the work."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from forepass.cli import main
from forepass.commands import report_command
from forepass.report import pdf
from forepass.report.exports import write_posterior

LOGO = '<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"></svg>'


@pytest.fixture(autouse=True)
def stand_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, evidence: dict[str, Any]) -> None:
    monkeypatch.setenv("FOREPASS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(report_command, "_gathered", lambda *_, **frame: frame | evidence)
    monkeypatch.setattr(report_command, "_draws", lambda *asked: asked[-1].write_bytes(b"draws"))
    monkeypatch.setattr(pdf, "BROWSERS", ())


def _contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_folder_is_whole_and_the_same_each_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, logo = tmp_path / "report", tmp_path / "logo.svg"
    logo.write_text(LOGO, encoding="utf-8")
    words = ["report", "--audience", "brief", "--out", str(out), "--title", "Ours <b>", "--json"]
    words += ["--logo", str(logo)]
    assert main(words) == 0
    told = json.loads(capsys.readouterr().out)
    first = _contents(out)
    assert set(first) == {
        *("manifest.json", "report.md", "report.html", "posterior.nc"),
        *("numbers.json", "numbers.csv", "numbers.tex"),
        *(f"figures/{name}.{kind}" for name in ("world", "scenarios") for kind in ("png", "svg")),
    }
    manifest = json.loads(first["manifest.json"])
    assert set(manifest["files"]) == set(first) - {"manifest.json"}
    assert manifest["left_out"] == ["no browser to print with (chromium or chrome)"]
    assert told["figures"] == 2
    html = first["report.html"].decode()
    assert "<title>Ours &lt;b&gt;</title>" in html
    assert '<img class="logo" src="data:image/svg+xml;base64,' in html
    assert main(words) == 0
    assert _contents(out) == first


def test_cited_numbers_are_those_of_the_document(tmp_path: Path, evidence: dict[str, Any]) -> None:
    out = tmp_path / "report"
    assert main(["report", "--audience", "brief", "--out", str(out), "--without-posterior"]) == 0
    assert not (out / "posterior.nc").exists()
    numbers = json.loads((out / "numbers.json").read_text(encoding="utf-8"))
    cited = numbers["cited"]["fleet_h100e@2026"]
    place = evidence["years"].index(2026)
    assert cited["centre"] == evidence["quantities"]["fleet_h100e"]["p50"][place]
    assert cited["text"] in (out / "report.md").read_text(encoding="utf-8")
    tex = (out / "numbers.tex").read_text(encoding="utf-8")
    text = cited["text"].replace("%", r"\%")
    assert rf"\expandafter\def\csname forepass:fleet_h100e@2026\endcsname{{{text}}}" in tex
    rows = (out / "numbers.csv").read_text(encoding="utf-8").splitlines()
    assert rows[0].startswith("quantity,unit,year,p05,")
    assert any(row.startswith("fleet_h100e,H100e,2026,") for row in rows)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--title", " "], "--title must say something"),
        (["--template", "nowhere"], "--template: nowhere is no folder"),
        (["--logo", "{tmp}/a.exe"], "is no picture"),
        (["--logo", "{tmp}/none.png"], "No such file"),
        (["--logo", "{tmp}/large.png"], "is larger than 2 MB; make it smaller"),
        (["--compare", "baseline"], "--compare takes two scenarios or more"),
        (["--compare", "baseline", "wall-return"], "did you mean"),
        (["--scenario", "wall-return"], "did you mean"),
        (["--audience", "children"], "invalid choice"),
    ],
)
def test_bad_input_is_refused_in_one_line(
    options: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "large.png").write_bytes(bytes(2_000_001))
    filled = [option.format(tmp=tmp_path) for option in options]
    assert main(["report", "--out", str(tmp_path / "report"), *filled]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert not (tmp_path / "report").exists()


def test_a_folder_of_somebody_elses_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "thesis.tex").write_text("years of work", encoding="utf-8")
    assert main(["report", "--out", str(tmp_path)]) == 2
    assert "--force to keep it and write beside it" in capsys.readouterr().err
    assert (tmp_path / "thesis.tex").read_text(encoding="utf-8") == "years of work"


def test_a_template_that_fails_leaves_the_old_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, own = tmp_path / "report", tmp_path / "own"
    words = ["report", "--audience", "brief", "--out", str(out)]
    assert main(words) == 0
    before = _contents(out)
    own.mkdir()
    (own / "brief.md").write_text("{{ n('nothing', 2030) }}", encoding="utf-8")
    assert main([*words, "--template", str(own)]) == 2
    assert "brief.md line 1: no number 'nothing@2030'" in capsys.readouterr().err
    assert _contents(out) == before
    assert {path.name for path in tmp_path.iterdir()} == {"report", "own", "cache"}


def test_draws_come_back_from_their_file_with_units(tmp_path: Path) -> None:
    block = xr.Dataset({"a": ("draw", np.arange(5.0), {"units": "W"})})
    drawn = xr.Dataset({"b": (("draw", "year"), np.ones((5, 2)), {"units": "J"})})
    files = [tmp_path / name for name in ("one.nc", "two.nc")]
    for path in files:
        write_posterior(path, {"chips": block}, drawn, {"forepass": "0"})
    tree = xr.open_datatree(files[0], engine="h5netcdf")
    assert tree["chips"]["a"].attrs["units"] == "W"
    np.testing.assert_array_equal(tree["chips"]["a"], block["a"])
    assert tree["forecast"].attrs["forepass"] == "0"
    tree.close()
    assert files[0].read_bytes() == files[1].read_bytes()


@pytest.mark.skipif(
    not shutil.which("chromium") and not os.environ.get("CI"), reason="no chromium here"
)
def test_a_page_prints_to_the_same_pdf_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pdf, "BROWSERS", ("chromium",))
    page = tmp_path / "page.html"
    page.write_text("<title>t</title><table><tr><th>a<td>b</table>", encoding="utf-8")
    files = [tmp_path / name for name in ("one.pdf", "two.pdf")]
    for path in files:
        assert pdf.printed(page, path) is None
    assert files[0].read_bytes().startswith(b"%PDF")
    assert files[0].read_bytes() == files[1].read_bytes()


def test_a_browser_that_fails_costs_the_pdf_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pdf, "BROWSERS", ("false",))
    page = tmp_path / "page.html"
    page.write_text("x", encoding="utf-8")
    assert "ended with status 1" in str(pdf.printed(page, tmp_path / "page.pdf"))
