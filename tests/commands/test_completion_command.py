"""``forepass completion``: what a bash offers once it has read the script."""

import shutil
import subprocess
from pathlib import Path

import pytest

from forepass.cli import main

ASK = """
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(( $# - 1 ))
_forepass
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs a bash")
@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        (["sc"], {"scenario"}),
        (["scenario", "s"], {"show"}),
        (["scenario", "compare", "wall"], {"wall-returns", "wall-broken"}),
        (["scenario", "run", "baseline", "--se"], {"--set", "--seed"}),
        (["overhang", "--scenario", "power"], {"power-bound"}),
        (["forecast", "--set", "inference_share_203"], {"inference_share_2030="}),
        (["fit", "--block", "fl"], {"fleet"}),
        (["passes", "--zzz"], {""}),
    ],
)
def test_a_bash_offers_commands_options_and_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], typed: list[str], offered: set[str]
) -> None:
    assert main(["completion", "bash"]) == 0
    script = tmp_path / "script"
    script.write_text(capsys.readouterr().out, encoding="utf-8")
    done = subprocess.run(
        ["bash", "-c", ASK, "bash", str(script), "forepass", *typed],
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(done.stdout.splitlines()) == offered
    assert done.stderr == ""
