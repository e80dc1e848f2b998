"""``forepass explore``: bad input is refused before the work, and the page is written whole."""

import json
from pathlib import Path

import pytest

from forepass.cli import main
from forepass.commands import explore_command

MADE = {"draws": 5, "packed": "AAAA", "notes": [], "priors": []}


@pytest.fixture(autouse=True)
def stand_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FOREPASS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(explore_command, "_contents", lambda *_: dict(MADE))


def test_the_page_is_written_and_told_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "page.html"
    words = ["explore", "--out", str(out), "--title", "a <b>", "--set", "duty_cycle=0.5", "--json"]
    assert main(words) == 0
    assert json.loads(capsys.readouterr().out)["draws"] == 5
    text = out.read_text(encoding="utf-8")
    assert "<title>a &lt;b&gt;</title>" in text
    assert '"options":["--set","duty_cycle=0.5"]' in text
    assert main(words) == 0
    assert out.read_text(encoding="utf-8") == text


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--out", "nowhere/page.html"], "--out: must be a file in a folder that exists"),
        (["--out", "{mine}"], "is not a page that forepass made; give another name, or --force"),
        (["--out", "{new}", "--title", " "], "--title must say something"),
        (["--out", "{new}", "--set", "duty_cycle"], "must be NAME=VALUE"),
        (["--out", "{new}", "--scenario", "wall-return"], "did you mean"),
        ([], "required: --out"),
    ],
)
def test_bad_input_is_refused_in_one_line(
    options: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = tmp_path / "mine.html"
    mine.write_text("mine", encoding="utf-8")
    filled = [option.format(mine=mine, new=tmp_path / "new.html") for option in options]
    assert main(["explore", *filled]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert mine.read_text(encoding="utf-8") == "mine"
    assert not (tmp_path / "new.html").exists()
