"""``forepass priors`` on a small folder of beliefs."""

import argparse
import json
from pathlib import Path

import pytest

from forepass.commands import priors_command
from forepass.commands.arguments import add_command, settings_from
from forepass.errors import InputError
from forepass.inputs.priors import BLOCKS

RECORD = """\
[{name}]
distribution = "LogNormal"
p10 = 4_000
p90 = 9e15
unit = "years"
source = "judgement"
rationale = "As long as the oldest ones still rented."
"""


@pytest.fixture
def beliefs(tmp_path: Path) -> Path:
    for block in BLOCKS:
        text = RECORD.format(name=f"life_of_{block}") + RECORD.format(name="shared_name")
        (tmp_path / f"{block}.toml").write_text(text, encoding="utf-8")
    return tmp_path


def run(*words: str, folder: Path) -> int:
    parser = argparse.ArgumentParser()
    add_command(parser.add_subparsers(), priors_command.COMMAND)
    args = parser.parse_args(["priors", *words, "--priors", str(folder)])
    status: int = args.run(args, settings_from(args))
    return status


def test_the_list_has_a_line_for_each_prior(
    beliefs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("list", folder=beliefs) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 + 2 * len(BLOCKS)
    shown = next(" ".join(line.split()) for line in lines if line.startswith("life_of_fleet "))
    assert shown == "life_of_fleet fleet LogNormal 4000 6e+09 9e+15 years judgement"


def test_the_list_as_json_has_quantiles_and_units(
    beliefs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("list", "--json", folder=beliefs) == 0
    records = json.loads(capsys.readouterr().out)["priors"]
    assert {record["block"] for record in records} == set(BLOCKS)
    assert records[0]["quantiles"]["p10"] == pytest.approx(4000)
    assert records[0]["unit"] == "years"


def test_a_prior_is_shown_with_its_reason(
    beliefs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("show", "life_of_fleet", folder=beliefs) == 0
    shown = capsys.readouterr().out
    assert "As long as the oldest ones still rented." in shown
    assert "judgement" in shown


def test_a_name_that_blocks_share_is_shown_for_each_or_for_the_one_asked(
    beliefs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("show", "shared_name", "--json", folder=beliefs)
    assert len(json.loads(capsys.readouterr().out)["priors"]) == len(BLOCKS)
    run("show", "fleet.shared_name", "--json", folder=beliefs)
    assert [p["block"] for p in json.loads(capsys.readouterr().out)["priors"]] == ["fleet"]


def test_a_misspelt_name_is_refused_with_the_closest(beliefs: Path) -> None:
    with pytest.raises(InputError, match=r"^no prior 'life_of_flet'; did you mean life_of_fleet"):
        run("show", "life_of_flet", folder=beliefs)
    with pytest.raises(InputError, match=r"^no prior 'qqq'; see forepass priors list$"):
        run("plot", "qqq", "--out", str(beliefs), folder=beliefs)


def test_the_check_refuses_a_prior_that_no_model_uses(beliefs: Path) -> None:
    with pytest.raises(InputError, match=r"chips\.toml: life_of_chips: the chips model does not"):
        run("check", folder=beliefs)


def test_the_plot_is_written_as_png_and_svg(
    beliefs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = beliefs / "deep" / "figures"
    assert run("plot", "life_of_fleet", "--out", str(out), folder=beliefs) == 0
    paths = [out / "priors.png", out / "priors.svg"]
    assert capsys.readouterr().out.split() == [str(path) for path in paths]
    assert sorted(out.iterdir()) == paths
