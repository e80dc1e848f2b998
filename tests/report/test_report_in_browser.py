"""The report's page in a real browser: quiet, whole, and no wider than a phone."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

from forepass.report.known import known_numbers
from forepass.report.page import page
from forepass.report.telling import Telling
from forepass.report.writing import written
from forepass.rooms import room

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SHIPPED = room("reports/templates")
PICTURE = b'<svg xmlns="http://www.w3.org/2000/svg" width="1050" height="700"></svg>'
DEAD = "a => !document.getElementById(a.getAttribute('href').slice(1))"
WIDTH = "document.documentElement.scrollWidth"


@pytest.fixture(scope="module")
def file(evidence: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    telling = Telling(evidence, known_numbers(evidence))
    text = written(telling, (SHIPPED,), "full", {"title": "A title"})
    made = page(
        text,
        frame=(SHIPPED / "page.html").read_text(encoding="utf-8"),
        style=(SHIPPED / "page.css").read_text(encoding="utf-8"),
        title="A title",
        picture=lambda _: ("image/svg+xml", PICTURE),
    )
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(made, encoding="utf-8")
    return path


@pytest.mark.parametrize(("width", "scheme"), [(1100, "light"), (390, "dark")])
def test_it_opens_without_a_complaint_or_a_request_and_fits(
    browser: "Browser", file: Path, width: int, scheme: Literal["light", "dark"]
) -> None:
    opened = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    said: list[str] = []
    opened.on("console", lambda message: said.append(message.text))
    opened.on("request", lambda asked: said.append(asked.url[:60]))
    opened.goto(file.as_uri())
    assert [one for one in said if not one.startswith(("file:", "data:"))] == []
    assert opened.title() == "A title"
    links = "[...document.querySelectorAll('a[href^=\"#\"]')]"
    assert opened.evaluate(f"{links}.length") > 100
    assert opened.evaluate(f"{links}.filter({DEAD}).map(a => a.href)") == []
    assert opened.evaluate(WIDTH) <= width
    assert opened.evaluate("[...document.images].filter(i => !i.alt && i.width).length") == 0
    assert opened.evaluate("[...document.images].every(i => i.naturalWidth > 0)")
    opened.close()
