"""Files that are written whole or not at all."""

from pathlib import Path

import pytest

from forepass import atomic


def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    def write_half() -> None:
        with atomic.replacing(path) as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    path = tmp_path / "answer.json"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt):
        write_half()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_write_that_succeeds_replaces_the_file_and_leaves_no_other(tmp_path: Path) -> None:
    path = tmp_path / "answer.json"
    path.write_text("old")
    atomic.write_text(path, "new\nµ\n")
    assert path.read_bytes() == "new\nµ\n".encode()
    assert list(tmp_path.iterdir()) == [path]


def test_the_file_can_be_read_by_whom_any_new_file_can(tmp_path: Path) -> None:
    atomic.write_text(tmp_path / "written", "")
    (tmp_path / "plain").touch()
    modes = {(tmp_path / name).stat().st_mode for name in ("written", "plain")}
    assert len(modes) == 1
