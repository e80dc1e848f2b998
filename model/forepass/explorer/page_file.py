"""The page as one file: its sources joined, its contents escaped, and nothing let in or out."""

import html
import json
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from forepass.errors import InputError
from forepass.tell.pages import filled, known_by

MARK = '<meta name="generator" content="forepass explore">'
"""How a page of ours is known again."""
SOURCES = files("forepass.explorer") / "page"
STYLES = ("uplot/uPlot.min.css", "style.css")
SCRIPTS = (
    "uplot/uPlot.iife.min.js",
    "draws.js",
    "importance.js",
    "quantiles.js",
    "words.js",
    "answers.js",
    "state.js",
    "chart.js",
    "controls.js",
    "views.js",
    "main.js",
)
HEAD_LENGTH = 2000


def page_text(document: Mapping[str, Any], title: str) -> str:
    """Return the whole page, the same for the same document."""
    styles = "\n".join(map(_source, STYLES))
    scripts = [_source(name) for name in SCRIPTS]
    packed = document["packed"]
    told = {key: value for key, value in document.items() if key != "packed"} | {"title": title}
    policy = "; ".join(
        (
            "default-src 'none'",
            f"script-src {' '.join(map(known_by, scripts))}",
            f"style-src {known_by(styles)}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    slots = {
        "MARK": MARK,
        "POLICY": policy,
        "TITLE": html.escape(title),
        "HEADING": html.escape(title),
        "STYLES": f"<style>{styles}</style>",
        # uPlot's, which asks to go wherever it goes.
        "LICENCE": f"<!-- uPlot\n{_source('uplot/LICENSE')}-->",
        "CONTENTS": _data("contents", _as_json(told)) + _data("packed", packed),
        "SCRIPTS": "\n".join(f"<script>{script}</script>" for script in scripts),
    }
    return filled(_source("page.html"), slots)


def check_overwritten(path: Path, *, force: bool) -> None:
    """Refuse to write over a file that is not an explorer of ours.

    Raises
    ------
    InputError
        Where there is such a file and ``force`` does not ask for it.
    """
    if force or not path.exists():
        return
    with path.open("rb") as stream:
        head = stream.read(HEAD_LENGTH)
    if head and MARK.encode() not in head:
        raise InputError(
            f"--out: {path} is not a page that forepass made; give another name, or --force"
        )


def _source(name: str) -> str:
    return SOURCES.joinpath(*name.split("/")).read_text(encoding="utf-8")


def _as_json(value: object) -> str:
    """Return JSON that no text in it can end: a tag or a comment would need a bracket."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _data(name: str, text: str) -> str:
    return f'<script type="application/json" id="{name}">{text}</script>\n'
