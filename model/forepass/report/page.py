"""The report as one HTML file: everything in it, nothing fetched, nothing run."""

import base64
import html
from collections.abc import Callable, Sequence
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.token import Token

from forepass.report.markdown import slug
from forepass.tell.pages import filled, known_by

PLAIN = ("text", "code_inline", "text_special")

type Picture = Callable[[str], tuple[str, bytes]]
"""Gives the media type and the bytes of a picture by the path under which the text names it."""


def page(
    markdown: str, *, frame: str, style: str, title: str, logo: str = "", picture: Picture
) -> str:
    """Return the page.

    Parameters
    ----------
    markdown : the report; HTML in it is a template's own, as all data is escaped.
    frame : of the page, with TITLE, POLICY, STYLE, LOGO, CONTENTS and BODY as comments in it.
    style : CSS.
    logo : a picture as a data address.
    picture : reads the pictures that the text names.

    Raises
    ------
    InputError
        Where the frame lacks a place.
    """
    parser = MarkdownIt("commonmark", {"html": True}).enable("table")
    tokens = parser.parse(markdown)
    contents = _named_headings(tokens)
    for token in tokens:
        # The page's policy knows its own style alone.
        if token.attrs.pop("style", "") == "text-align:right":
            token.attrSet("class", "number")
        for child in token.children or ():
            if child.type == "image":
                kind, content = picture(str(child.attrs["src"]))
                child.attrSet("src", data_address(kind, content))
    body = parser.renderer.render(tokens, parser.options, {})
    body = body.replace("<table>", '<div class="wide" tabindex="0"><table>')
    body = body.replace("</table>", "</table></div>")
    policy = f"default-src 'none'; style-src {known_by(style)}; img-src data:; base-uri 'none'"
    slots = {
        "TITLE": f"<title>{html.escape(title)}</title>",
        "POLICY": f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        "STYLE": f"<style>{style}</style>",
        "LOGO": f'<img class="logo" src="{logo}" alt="">' if logo else "",
        "CONTENTS": "".join(
            f'<li><a href="#{name}">{html.escape(words)}</a></li>' for name, words in contents
        ),
        "BODY": body,
    }
    return filled(frame, slots)


def data_address(kind: str, content: bytes) -> str:
    """Return content as an address that holds it."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _named_headings(tokens: Sequence[Token]) -> list[tuple[str, str]]:
    """Name every heading after its words, and return those that the contents list."""
    listed, taken = [], set[str]()
    for token, inline in pairwise(tokens):
        if token.type != "heading_open":
            continue
        seen = (child for child in inline.children or () if child.type in PLAIN)
        words = "".join(child.content for child in seen)
        name = slug(words)
        while name in taken:
            name += "-again"
        taken.add(name)
        token.attrSet("id", name)
        if token.tag == "h2":
            listed.append((name, words))
    return listed
