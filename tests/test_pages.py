"""Pages that are made from the code are those of the code as it is; ``make pages`` mends them."""

import runpy
from pathlib import Path
from typing import Any

import pytest

import forepass
from forepass.rooms import CHECKOUT

MODEL = CHECKOUT / "model"


def made_by(script: str) -> dict[str, Any]:
    return runpy.run_path(str(MODEL / script))


def test_the_reference_is_that_of_the_docstrings() -> None:
    text = Path(MODEL / "API.md").read_text(encoding="utf-8")
    assert text == made_by("reference.py")["page"](), "run `make pages`"
    assert all(f"### {name}\n" in text for name in forepass.__all__)


def test_the_diagram_is_that_of_the_imports() -> None:
    text = Path(MODEL / "ARCHITECTURE.md").read_text(encoding="utf-8")
    assert text == made_by("architecture.py")["page"](text), "run `make pages`"
    assert "blocks_ --> inputs_" in text
    folders = {path.parent.name for path in (MODEL / "forepass").glob("*/__init__.py")}
    drawn = {folder for layer in made_by("architecture.py")["LAYERS"].values() for folder in layer}
    assert folders <= drawn, "a folder has no place in LAYERS of model/architecture.py"


@pytest.mark.parametrize(
    ("pairs", "left"),
    [
        ("ab bc ac", "ab bc"),
        ("ab bc cd ad bd", "ab bc cd"),
        ("ab ba ac", "ab ba ac"),
    ],
)
def test_arrows_that_a_longer_way_implies_are_left_out(pairs: str, left: str) -> None:
    reduced = made_by("architecture.py")["reduced"]
    assert reduced({(p[0], p[1]) for p in pairs.split()}) == {(p[0], p[1]) for p in left.split()}
