"""Whatever the data hold, the page shows it as it is and obeys none of it."""

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from forepass.report.markdown import anchor, escaped, joined, link, table

PARSER = MarkdownIt("commonmark", {"html": True}).enable("table")
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "[here](javascript:alert(1))",
    "![x](https://example.org/x.png)",
    "a | b | c",
    "**bold** _under_ `code` ~~gone~~",
    "# heading",
    "1. list",
    "- list",
    "> quote",
    "line\nbreak\r\n\ttab",
    "<!-- comment -->",
    "&lt;already&gt;",
    "{{ 7 * 7 }} {% raw %}",
    "$x^2$ \\",
    "\x1b[31mred\x00",
    "<https://example.org>",
)


def _shown(markdown: str) -> tuple[str, str]:
    """Return the page's HTML, and the text that a reader sees."""
    page = PARSER.render(markdown)
    return page, html.unescape(re.sub(r"<[^>]+>", "", page)).strip()


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_and_not_obeyed(text: str) -> None:
    page, seen = _shown(f"before {escaped(text)}")
    assert set(re.findall(r"<[^>]+>", page)) == {"<p>", "</p>"}
    plain = " ".join(text.split()).replace("\x1b", "\\x1b").replace("\x00", "\\x00")
    assert seen == f"before {plain}"


@given(st.text(max_size=60))
def test_any_text_at_the_start_of_a_line_stays_a_paragraph(text: str) -> None:
    page, _ = _shown(str(escaped(text)))
    assert set(re.findall(r"</?[a-zA-Z][^>]*>", page)) <= {"<p>", "</p>"}


@given(st.lists(st.text(max_size=20), min_size=2, max_size=4))
def test_a_row_has_a_cell_for_each_value(cells: list[str]) -> None:
    page = PARSER.render(str(table(["h"] * len(cells), [cells])))
    assert page.count("<td") == len(cells)


def test_only_addresses_of_the_web_become_links() -> None:
    assert link("a", "https://example.org/x?y=1") == "[a](https://example.org/x?y=1)"
    for address in ("javascript:alert(1)", "data:text/html,x", "https://a b", "file:///etc/passwd"):
        assert link("a<b", address) == "a&lt;b"
    assert link("a", "https://example.org/(x)") == "a"


def test_what_is_markdown_already_is_left_alone() -> None:
    once = escaped("a*b")
    assert escaped(once) == once == r"a\*b"
    assert joined([once, "c*d"]) == r"a\*b, c\*d"


def test_anchors_hold_nothing_that_ends_an_attribute() -> None:
    assert anchor('share.x@2030."><b>') == "n-share-x-2030-b"
