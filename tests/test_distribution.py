"""The wheel and the source archive: all that is needed is in them, and runs without the repository.

The wheel is built from the source archive, as an installer would. What it depends on is taken from
the environment of the tests; that an index has it is for an installation to show.
"""

import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

from forepass.rooms import CHECKOUT

SHIPPED = {
    "model/forepass": "forepass",
    "priors": "forepass/priors",
    "data": "forepass/data",
    "reports/templates": "forepass/reports/templates",
}
LOOK = """
import forepass, pathlib
from forepass.explorer.page_file import page_text
from forepass.rooms import room
assert "site-packages" in forepass.__file__, forepass.__file__
for name in ("priors", "data", "reports"):
    assert pathlib.Path(str(room(name))).is_relative_to(pathlib.Path(forepass.__file__).parent)
assert (room("reports/validation") / "serving.csv").is_file()
print(len(page_text({"packed": ""}, "title")))
"""


def _run(*words: object, cwd: Path) -> str:
    done = subprocess.run(
        list(map(str, words)), cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return the source archive, and the wheel that is built from it."""
    uv = shutil.which("uv") or CHECKOUT / ".tools" / "bin" / "uv"
    if not Path(uv).exists():
        pytest.skip("uv is not installed")
    home = tmp_path_factory.mktemp("dist")
    _run(uv, "build", "-q", "--python", sys.executable, "--out-dir", home, CHECKOUT, cwd=home)
    [source], [wheel] = home.glob("*.tar.gz"), home.glob("*.whl")
    return source, wheel


def test_everything_that_is_read_at_run_time_is_in_both_archives(
    archives: tuple[Path, Path],
) -> None:
    source, wheel = archives
    with tarfile.open(source) as packed:
        in_source = {name.partition("/")[2] for name in packed.getnames()}
    with zipfile.ZipFile(wheel) as packed_too:
        in_wheel = set(packed_too.namelist())
    tracked = _run("git", "ls-files", *SHIPPED, cwd=CHECKOUT).splitlines()
    assert len(tracked) > 200
    for name in tracked:
        room = next(room for room in SHIPPED if name.startswith(f"{room}/"))
        assert name in in_source
        assert SHIPPED[room] + name.removeprefix(room) in in_wheel
    assert not any(name.startswith(("tests", "model")) for name in in_wheel)


def test_the_wheel_runs_without_the_repository_and_without_a_warning(
    archives: tuple[Path, Path], tmp_path: Path
) -> None:
    _run(sys.executable, "-m", "venv", "--without-pip", "venv", cwd=tmp_path)
    [packages] = (tmp_path / "venv").glob("lib/python3*/site-packages")
    with zipfile.ZipFile(archives[1]) as wheel:
        wheel.extractall(packages)
    # The dependencies alone: lines of a path file read there lead to no path file of theirs.
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    python = tmp_path / "venv" / "bin" / "python"
    strict = (python, "-I", "-W", "error", "-m", "forepass")
    assert "passes" in _run(*strict, "--help", cwd=tmp_path)
    assert "--sweep" in _run(*strict, "passes", "--help", cwd=tmp_path)
    assert "duty_cycle" in _run(*strict, "priors", "list", cwd=tmp_path)
    assert "wall-returns" in _run(*strict, "scenario", "list", cwd=tmp_path)
    assert int(_run(python, "-I", "-c", LOOK, cwd=tmp_path)) > 50_000
