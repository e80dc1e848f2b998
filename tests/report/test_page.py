"""The page is one file: pictures within, no script, and headings that can be reached."""

import re

import pytest

from forepass.errors import InputError
from forepass.report.markdown import slug
from forepass.report.page import page
from forepass.rooms import room

FRAME = (room("reports/templates") / "page.html").read_text(encoding="utf-8")


def _page(markdown: str, **changed: str) -> str:
    asked = {"frame": FRAME, "style": "p { color: red }", "title": "A title"} | changed
    return page(markdown, picture=lambda source: ("image/svg+xml", source.encode()), **asked)


def test_pictures_are_in_the_page_with_their_words() -> None:
    text = _page("![A fan of *capacity*](figures/world.svg)")
    assert 'src="data:image/svg+xml;base64,ZmlndXJlcy93b3JsZC5zdmc="' in text
    assert 'alt="A fan of capacity"' in text


def test_nothing_is_fetched_or_run() -> None:
    text = _page("## One\n\n[a](https://example.org)\n")
    assert "<script" not in text
    assert not re.search(r'\b(?:src|href)="(?!#|data:|https://example\.org)', text)
    assert "default-src 'none'; style-src 'sha256-" in text


def test_contents_lead_to_the_headings() -> None:
    text = _page("# Top\n\n## One & two\n\n### Below\n\n## One & two\n")
    assert '<h2 id="one-two">' in text
    assert '<h2 id="one-two-again">' in text
    assert text.count("<li><a href=") == 2
    assert "One &amp; two</a>" in text
    assert slug("A: b, c!") == "a-b-c"


def test_a_title_cannot_leave_its_place() -> None:
    text = _page("x", title="</title><script>alert(1)</script><!--BODY-->")
    assert "<title>&lt;/title&gt;&lt;script&gt;" in text
    assert "<p>x</p>" in text.partition("<main")[2]


def test_a_frame_without_a_place_is_refused() -> None:
    with pytest.raises(InputError, match=r"page\.html: <!--BODY--> is missing"):
        _page("x", frame=FRAME.replace("<!--BODY-->", ""))
