"""The report's folder: whole or as it was, and nobody else's files are lost."""

import json
import os
import time
from pathlib import Path

import pytest

from forepass import atomic
from forepass.errors import InputError
from forepass.report import folder as folders


def _report(folder: Path, text: str) -> None:
    with folders.replacing_folder(folder) as new:
        (new / "figures").mkdir()
        (new / "figures" / "a.svg").write_text(text, encoding="utf-8")
        (new / "report.md").write_text(text, encoding="utf-8")
        folders.write_manifest(new, {"seed": 1})


def test_a_report_replaces_the_one_before_it(tmp_path: Path) -> None:
    out = tmp_path / "report"
    _report(out, "old")
    (out / "figures" / "a.svg").write_text("changed by hand", encoding="utf-8")
    folders.check_free(out, force=False)
    _report(out, "new")
    assert (out / "report.md").read_text(encoding="utf-8") == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


def test_the_manifest_lists_every_file_with_its_hash(tmp_path: Path) -> None:
    _report(tmp_path / "report", "text")
    found = json.loads((tmp_path / "report" / "manifest.json").read_text(encoding="utf-8"))
    assert set(found["files"]) == {"report.md", "figures/a.svg"}
    assert len(found["files"]["report.md"]) == 64


def test_a_folder_with_other_files_is_refused_and_kept(tmp_path: Path) -> None:
    out = tmp_path / "report"
    out.mkdir()
    (out / "thesis.tex").write_text("years of work", encoding="utf-8")
    with pytest.raises(InputError, match=r"holds thesis\.tex, which no report put there"):
        folders.check_free(out, force=False)
    folders.check_free(out, force=True)
    _report(out, "new")
    assert (out / "thesis.tex").read_text(encoding="utf-8") == "years of work"
    assert (out / "report.md").read_text(encoding="utf-8") == "new"


def test_a_file_added_to_a_report_is_not_lost(tmp_path: Path) -> None:
    out = tmp_path / "report"
    _report(out, "old")
    (out / "figures" / "notes").mkdir()
    (out / "figures" / "notes" / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match=r"figures/notes/mine\.txt"):
        folders.check_free(out, force=False)
    _report(out, "new")
    assert (out / "figures" / "notes" / "mine.txt").read_text(encoding="utf-8") == "mine"


def test_a_failure_leaves_the_old_report_whole(tmp_path: Path) -> None:
    out = tmp_path / "report"
    _report(out, "old")
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}

    def fill_the_disk() -> None:
        with folders.replacing_folder(out) as new:
            (new / "report.md").write_text("half", encoding="utf-8")
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        fill_the_disk()
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


def test_a_run_stopped_between_two_renames_is_put_right(tmp_path: Path) -> None:
    out = tmp_path / "report"
    _report(out, "old")
    out.rename(tmp_path / ".report-old")
    left = tmp_path / ".report-new-abc"
    left.mkdir()
    long_ago = time.time() - 2 * atomic.ABANDONED_S
    os.utime(left, (long_ago, long_ago))
    folders.check_free(out, force=False)
    assert (out / "report.md").read_text(encoding="utf-8") == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "report").write_text("a file", encoding="utf-8")
    with pytest.raises(InputError, match="is not a folder"):
        folders.check_free(tmp_path / "report", force=True)
