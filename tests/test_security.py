"""What the package never does, whatever it is given, and who may read and write what it writes."""

import ast
import json
import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

import forepass
from forepass import atomic, kept
from forepass.as_of import seen_as_of
from forepass.errors import InputError
from forepass.explorer.page_file import page_text
from forepass.register import folder as register
from forepass.register.kept_inputs import restore
from forepass.settings import Settings
from forepass.what_if.scenarios import load_scenario, scenario_names

PACKAGE = Path(forepass.__file__).parent
MODULES = {"pickle", "cPickle", "cloudpickle", "dill", "marshal", "shelve", "joblib", "jsonpickle"}
MODULES |= {"yaml", "subprocess", "pty", "telnetlib", "xml", "ctypes"}
CALLS = {"eval", "exec", "compile", "__import__", "system", "popen", "spawnl", "execv", "to_pickle"}
CALLS |= {"read_pickle", "unsafe_load", "load_module"}
HOSTILE = "</script><script>alert(1)</script><!--\"'&{{7*7}}{% raw %}\u2028"


def faults(tree: ast.AST) -> Iterator[str]:
    """Yield what a module must not do."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            names = []
        yield from (f"imports {name}" for name in names if name.split(".")[0] in MODULES)
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            last = called.rpartition(".")[2]
            if called in CALLS or (last in CALLS - {"compile", "eval"}):
                yield f"calls {called}"
            for word in node.keywords:
                if word.arg in ("shell", "allow_pickle") and ast.unparse(word.value) != "False":
                    yield f"calls {called} with {word.arg}"


def test_no_module_loads_code_from_data_or_starts_a_shell() -> None:
    found = {
        str(path.relative_to(PACKAGE)): list(faults(ast.parse(path.read_text(encoding="utf-8"))))
        for path in PACKAGE.rglob("*.py")
    }
    assert len(found) > 100
    # A browser is started to print, by a list of words and without a shell.
    started = {"report/pdf.py": ["imports subprocess"]}
    assert {path: what for path, what in found.items() if what} == started


@pytest.mark.parametrize(
    "line",
    [
        "import pickle",
        "from yaml import load",
        "eval(text)",
        "np.load(path, allow_pickle=True)",
        "run(words, shell=True)",
        "frame.to_pickle(path)",
        "os.system(words)",
    ],
)
def test_what_is_looked_for_is_found(line: str) -> None:
    assert list(faults(ast.parse(line)))


def test_a_scenario_reaches_no_file_but_those_beside_it(tmp_path: Path) -> None:
    (tmp_path / "other.toml").write_text('[scenario]\ntitle = "a"\nstory = "a"\nsource = "a"\n')
    for wanted in ("../other.toml", str(tmp_path / "other.toml"), "../other", "..", "/etc/passwd"):
        text = f'[scenario]\ntitle = "a"\nstory = "a"\nsource = "a"\ninherits = "{wanted}"\n'
        (tmp_path / "mine.toml").write_text(text)
        with pytest.raises(InputError):
            load_scenario(str(tmp_path / "mine.toml"), Settings().priors)
        if not wanted.endswith(".toml"):
            with pytest.raises(InputError, match="no scenario"):
                load_scenario(wanted, Settings().priors)
    assert all("/" not in name and "." not in name for name in scenario_names(Settings().priors))


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "..", "a/../b.csv", ".a.csv"])
def test_a_register_reaches_no_file_outside_of_it(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is no name of a file"):
        restore(tmp_path, {"data": {name: "0" * 64}}, "data", tmp_path / "out")
    with pytest.raises(InputError, match="is no name of a file"):
        restore(tmp_path, {"data": {"chips.csv": name}}, "data", tmp_path / "out")
    (tmp_path / register.INDEX).write_text(f"{'0' * 64} {name}\n")
    found = register.read_register(tmp_path)
    assert found.entries == []
    assert "is no hash with the name of its entry" in found.faults[0]


def test_names_of_what_is_kept_are_hashes_whatever_was_asked(tmp_path: Path) -> None:
    settings = Settings(cache=tmp_path / "cache")
    seen = seen_as_of(settings, date(2025, 1, 1))
    assert Path(str(seen.data)).parent == tmp_path / "cache" / "as_of"
    assert set(Path(str(seen.data)).name) <= set("0123456789abcdef")


def test_hostile_words_of_priors_data_and_scenarios_stay_words_in_the_page() -> None:
    document = {
        "packed": "AAAA",
        "notes": [HOSTILE],
        "quantities": {HOSTILE: {"unit": HOSTILE, "long_name": HOSTILE}},
        "priors": [{"name": HOSTILE, "rationale": HOSTILE, "source": HOSTILE}],
        "request": {"scenario": {"name": HOSTILE, "title": HOSTILE}},
    }
    page = page_text(document, HOSTILE)
    assert "alert(1)</script>" not in page
    assert "<script>alert" not in page
    told = page.partition('id="contents">')[2].partition("</script>")[0]
    assert json.loads(told)["notes"] == [HOSTILE]


@pytest.mark.parametrize(("mask", "file", "folder"), [(0, 0o644, 0o755), (0o077, 0o600, 0o700)])
def test_what_is_written_is_ordinary_and_nothing_the_world_can_write(
    mask: int, file: int, folder: int, tmp_path: Path
) -> None:
    before = os.umask(mask)
    try:
        kept.keep(tmp_path / "a" / "b" / "kept.json", {}, "answer")
        atomic.write_text(tmp_path / "page.html", "")
    finally:
        os.umask(before)
    modes = {
        path.relative_to(tmp_path): path.stat().st_mode & 0o777 for path in tmp_path.rglob("*")
    }
    assert modes == {
        Path("a"): folder,
        Path("a/b"): folder,
        Path("a/b/kept.json"): file,
        Path("page.html"): file,
    }
