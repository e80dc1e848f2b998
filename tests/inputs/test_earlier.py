"""Fallbacks of beliefs: stated for every one of them, and wider."""

from datetime import date
from pathlib import Path

import pytest

from forepass.errors import InputError
from forepass.inputs.earlier import FILE, believed_by, load_earlier
from forepass.inputs.priors import check_earlier, load_all
from forepass.rooms import room

NOW = {"source": "paper", "unit": "1", "support": [0, 1], "distribution": "Beta", "p10": 0.4}
THEN = {"distribution": "Beta", "p10": 0.1, "source": "judgement", "rationale": "Wider."}
FALLBACKS = (date(2026, 11, 30), {"fleet": {"share": THEN}})


@pytest.fixture
def priors(tmp_path: Path) -> Path:
    for path in room("priors").iterdir():
        if path.name.endswith(".toml"):
            (tmp_path / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    return tmp_path


def edit(folder: Path, old: str, new: str) -> None:
    text = (folder / FILE).read_text(encoding="utf-8")
    assert text.count(old) == 1
    (folder / FILE).write_text(text.replace(old, new), encoding="utf-8")


def test_every_belief_has_a_wider_version() -> None:
    priors = load_all()
    check_earlier(priors)
    assert {(b, n) for b, stated in load_earlier()[1].items() for n in stated} == {
        (block, name) for block, stated in priors.items() for name in stated
    }


@pytest.mark.parametrize(
    ("source", "day", "kept"),
    [
        ("paper", date(2024, 6, 30), True),
        ("paper", date(2024, 6, 29), False),
        ("paper;judgement", date(2025, 1, 1), False),
        ("judgement", date(2026, 11, 30), True),
        ("paper; undated", date(2030, 1, 1), False),
    ],
)
def test_a_belief_stays_once_all_its_sources_are_out(source: str, day: date, *, kept: bool) -> None:
    now = {"fleet": {"share": {**NOW, "source": source}}}
    dates = {"paper": "2024-06", "undated": ""}
    [then] = believed_by(day, now, FALLBACKS, dates)["fleet"].values()
    assert then == (now["fleet"]["share"] if kept else THEN | {"unit": "1", "support": [0, 1]})


def test_a_belief_without_a_fallback_is_named() -> None:
    with pytest.raises(InputError, match="fleet: other is missing"):
        believed_by(date(2020, 1, 1), {"fleet": {"share": NOW, "other": NOW}}, FALLBACKS, {})


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('date = "2026-11"', 'date = "lately"', "judgement: date must be"),
        ("[kinds.share]\nwider = 2", "[kinds.share]\nwider = 1", "share: wider must be above 1"),
        ("[kinds.share]\n", "[kinds]\nodd = 1\n[kinds.share]\n", "odd: must be a table with wider"),
        ("record_limit = {", "record_limits = {", "record_limits: training.toml has no such"),
        ('utilisation = { kind = "share"', 'utilisation = { kind = "odd"', "no kind 'odd'"),
        ("p10 = 0.95, p90 = 1.95", "p10 = 1.3, p90 = 1.6", "record_growth: must be wider"),
        ("p10 = 0.95, p90 = 1.95", "p10 = 2.95, p90 = 4.95", "about the same median"),
    ],
)
def test_a_wrong_fallback_is_refused(priors: Path, old: str, new: str, message: str) -> None:
    edit(priors, old, new)
    with pytest.raises(InputError, match=message):
        check_earlier(load_all(priors), priors)
