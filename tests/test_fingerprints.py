"""Content hashes: they change with what they are made of, and with nothing else."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forepass import fingerprints
from forepass.fingerprints import code_files, fingerprint, input_hashes


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Return a folder of tables and one of priors."""
    data, priors = tmp_path / "data", tmp_path / "priors"
    data.mkdir()
    priors.mkdir()
    (data / "chips.csv").write_text("chip,power_w\na,400\n", encoding="utf-8")
    (data / "README.md").write_text("The tables.\n", encoding="utf-8")
    (priors / "chips.toml").write_text("[growth]\np10 = 1\n", encoding="utf-8")
    return data, priors


def _files(folder: Path, contents: dict[str, str]) -> Iterator[Path]:
    for name, content in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
        yield path


def test_a_hash_is_64_hexadecimal_digits(tmp_path: Path) -> None:
    assert set(fingerprint([])) <= set("0123456789abcdef")
    assert len(fingerprint(_files(tmp_path, {"a": "1"}))) == 64


def test_the_order_of_files_does_not_matter(tmp_path: Path) -> None:
    paths = list(_files(tmp_path, {"a": "1", "b": "2", "c": "3"}))
    assert fingerprint(paths) == fingerprint(paths[::-1])


def test_the_order_of_files_of_one_name_does_not_matter(tmp_path: Path) -> None:
    paths = list(_files(tmp_path, {"inputs/rows.py": "1", "serving/rows.py": "2"}))
    assert fingerprint(paths) == fingerprint(paths[::-1])


def test_where_files_lie_does_not_matter(tmp_path: Path) -> None:
    here, there = (list(_files(tmp_path / name, {"a": "1", "b": "2"})) for name in ("x", "y"))
    assert fingerprint(here) == fingerprint(there)


@pytest.mark.parametrize(
    "changed",
    [{"a": "1", "b": "3"}, {"a": "1"}, {"a": "1", "c": "2"}, {"a": "2", "b": "1"}, {"a": "12"}],
    ids=["a content", "a file gone", "a name", "contents swapped", "contents joined"],
)
def test_a_change_of_name_or_content_changes_the_hash(
    changed: dict[str, str], tmp_path: Path
) -> None:
    before = fingerprint(_files(tmp_path / "before", {"a": "1", "b": "2"}))
    assert fingerprint(_files(tmp_path / "after", changed)) != before


@settings(deadline=None, max_examples=50)
@given(st.text(), st.text())
def test_salts_differ_when_their_hashes_do(first: str, second: str) -> None:
    assert (fingerprint([], salt=first) == fingerprint([], salt=second)) == (first == second)


def test_a_table_changes_the_hash_of_the_data_alone(folders: tuple[Path, Path]) -> None:
    data, priors = folders
    before = input_hashes(data, priors)
    (data / "chips.csv").write_text("chip,power_w\na,401\n", encoding="utf-8")
    after = input_hashes(data, priors)
    assert {name for name in before if before[name] != after[name]} == {"data"}


def test_a_prior_changes_the_hash_of_the_priors_alone(folders: tuple[Path, Path]) -> None:
    data, priors = folders
    before = input_hashes(data, priors)
    (priors / "chips.toml").write_text("[growth]\np10 = 2\n", encoding="utf-8")
    after = input_hashes(data, priors)
    assert {name for name in before if before[name] != after[name]} == {"priors"}


def test_words_about_the_tables_change_nothing(folders: tuple[Path, Path]) -> None:
    data, priors = folders
    before = input_hashes(data, priors)
    (data / "README.md").write_text("Other words.\n", encoding="utf-8")
    assert input_hashes(data, priors) == before


def test_code_changes_the_hash_of_the_code_alone(
    folders: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "forepass"
    shutil.copytree(Path(fingerprints.__file__).parent, package)
    monkeypatch.setattr(fingerprints, "files", lambda _name: package)
    before = input_hashes(*folders)
    with (package / "physics.py").open("a", encoding="utf-8") as source:
        source.write("\n# another thought\n")
    after = input_hashes(*folders)
    assert {name for name in before if before[name] != after[name]} == {"code"}


def test_another_version_of_a_numerical_package_changes_the_hash_of_the_code(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = input_hashes(*folders)["code"]
    monkeypatch.setattr("importlib.metadata.version", lambda _name: "0.0")
    assert input_hashes(*folders)["code"] != before


def test_code_is_found_by_file_and_by_folder() -> None:
    names = {path.name for path in code_files("physics.py", "blocks/serving")}
    assert {"physics.py", "rate.py", "rows.py"} <= names
    assert "fleet.py" not in names


def test_a_place_that_is_not_there_holds_no_code() -> None:
    assert list(code_files("blocks/nonesuch", "nonesuch.py")) == []


def test_all_code_is_python_of_every_folder() -> None:
    names = {path.name for path in code_files()}
    assert {"cli.py", "physics.py", "tables.py", "rate.py"} <= names
    assert all(name.endswith(".py") for name in names)
