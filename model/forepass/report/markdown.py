"""Text of a report as Markdown: what is data is escaped, whoever wrote it."""

import html
import re
from collections.abc import Iterable, Sequence

from forepass.tell.render import plain

MARKS = re.compile(r"[\\`*_\[\]|~$]|^[#+-]|^\d+(?=[.)](?:\s|$))")
WEB = re.compile(r"https?://[^\s<>\"'()\\`|]+")


class Markdown(str):
    """Text that is Markdown already: made by a template, or escaped."""

    __slots__ = ()


def escaped(value: object) -> Markdown:
    """Return a value as Markdown that shows it as it is, in one line.

    HTML becomes entities, Markdown's own marks get a backslash, control characters are shown as
    escapes.
    """
    if isinstance(value, Markdown):
        return value
    if value is None:
        return Markdown("")
    words = plain(" ".join(str(value).split()))
    return Markdown(html.escape(MARKS.sub(_marked, words), quote=True))


def _marked(found: re.Match[str]) -> str:
    """Return a mark with what makes it plain: of a number that would begin a list, its dot's."""
    return f"{found[0]}\\" if found[0].isdecimal() else f"\\{found[0]}"


def anchor(key: str) -> str:
    """Return the name of the place in the page where a number is told."""
    return f"n-{slug(key)}"


def slug(words: str) -> str:
    """Return words as the name of a place in the page."""
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")


def link(words: object, target: str) -> Markdown:
    """Return a link to a place in the page, or to a page of the web; words alone to anything else.

    Only addresses of http and https are linked, so that no source can bring a script.
    """
    text = escaped(words)
    if target.startswith("#") or WEB.fullmatch(target):
        return Markdown(f"[{text}]({target})")
    return text


def joined(parts: Iterable[object], between: str = ", ") -> Markdown:
    """Return values as Markdown, joined."""
    return Markdown(between.join(escaped(part) for part in parts))


def table(headers: Sequence[object], rows: Iterable[Sequence[object]]) -> Markdown:
    """Return a table whose first column is words and whose others are numbers."""
    marks = ["---", *("---:" for _ in headers[1:])]
    text = [_row(headers), f"| {' | '.join(marks)} |"]
    return Markdown("\n".join([*text, *map(_row, rows)]) + "\n")


def _row(cells: Sequence[object]) -> str:
    return "| " + " | ".join(escaped(cell) for cell in cells) + " |"
