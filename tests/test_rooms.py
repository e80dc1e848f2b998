"""Rooms and settings: found from anywhere, and the user's cache where the user says."""

from pathlib import Path

import pytest

from forepass.rooms import room
from forepass.settings import Settings, cache_folder


def test_rooms_are_found_from_another_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "chip," in room("data").joinpath("chips.csv").read_text(encoding="utf-8")
    assert room("priors").joinpath("definitions.toml").is_file()


def test_rooms_hold_no_code() -> None:
    for name in ("priors", "data"):
        assert not [entry.name for entry in room(name).iterdir() if entry.name.endswith(".py")]


def test_settings_default_to_the_shipped_rooms() -> None:
    settings = Settings()
    assert settings.data == room("data")
    assert settings.priors == room("priors")


def test_settings_take_what_is_given(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, seed=7, cache=tmp_path / "cache")
    assert (settings.data, settings.seed, settings.cache) == (tmp_path, 7, tmp_path / "cache")
    assert settings.priors == room("priors")


@pytest.mark.parametrize(
    ("environment", "folder"),
    [
        ({"FOREPASS_CACHE": "/a/b", "XDG_CACHE_HOME": "/c"}, Path("/a/b")),
        ({"XDG_CACHE_HOME": "/c"}, Path("/c/forepass")),
        ({"FOREPASS_CACHE": "", "XDG_CACHE_HOME": ""}, Path.home() / ".cache" / "forepass"),
        ({}, Path.home() / ".cache" / "forepass"),
    ],
)
def test_cache_lies_where_the_environment_says(environment: dict[str, str], folder: Path) -> None:
    assert cache_folder(environment) == folder
