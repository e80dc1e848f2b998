"""What the templates ask is read with care."""

from pathlib import Path

import pytest

from forepass.errors import InputError
from forepass.evidence.questions import FILE, read_questions
from forepass.rooms import room

SHIPPED = room("reports/templates")
TEXT = (SHIPPED / FILE).read_text(encoding="utf-8")


def test_the_shipped_questions_are_sound() -> None:
    questions = read_questions([SHIPPED])
    assert questions.measure in questions.sensitivity
    assert questions.thresholds["hundred_billion"].value == 1e11
    assert questions.scenarios[0] == "baseline"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[report]\n", "[reports]\n", "must hold \\[report\\] alone, got reports"),
        ('measure = "world_tokens_per_s@2030"', 'measure = "fleet_power@2030"', "measure one of"),
        ('"world_tokens_per_s@2030", "cost', '"world_tokens_per_s", "cost', "with its year"),
        ("years = ", "yaers = ", "unknown field 'yaers'; did you mean years"),
        ("above 1e11", "over 1e11", "between quantity and value must stand"),
        ("[2024, 2026", '["soon", 2026', "report: "),
    ],
)
def test_bad_questions_are_refused(old: str, new: str, said: str, tmp_path: Path) -> None:
    assert old in TEXT
    (tmp_path / FILE).write_text(TEXT.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InputError, match=said):
        read_questions([tmp_path, SHIPPED])
