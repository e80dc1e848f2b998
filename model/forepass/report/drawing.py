"""What the figures of a report share: words beside a place and below a figure, inks, tables."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Annotation

from forepass.tell.figures import GREEN, HUE, VERMILION, write_below
from forepass.tell.rounding import number_text

type Rows = tuple[list[str], list[list[str]]]
"""Headers, and the cells of each row."""

# Lines and words are darker than the bands of their hue, so that they are seen on them in grey.
INKS = {HUE: "#00466F", VERMILION: "#8F3B00", GREEN: "#00422F"}
LINE = 0.265
"""Inches of a row of a figure that lists things."""


def beside(
    axis: Axes,
    words: str,
    at: tuple[float, float],
    offset: tuple[float, float],
    **style: Any,  # noqa: ANN401 - of Matplotlib
) -> Annotation:
    """Write words so many points from a place of the data."""
    return axis.annotate(words, at, xytext=offset, textcoords="offset points", **style)


def told_under(figure: Figure, document: Mapping[str, Any], words: str, **place: float) -> None:
    """Write words under a figure that is not by year, and what it was made from."""
    made = f"Seed {document['seed']}; forepass {document['forepass']}, as of {document['as_of']}."
    write_below(figure, words + made, **place)


def two_figures(value: float) -> str:
    """Return a number above 0 to two figures."""
    return number_text(value, 10.0 ** (math.floor(math.log10(value)) - 1))


def tabled(records: Iterable[Mapping[str, Any]], columns: Mapping[str, str]) -> Rows:
    """Return records as a table; ``columns`` are formats such as ``"{rows:.0f}"``, by header."""
    return [*columns], [[form.format_map(one) for form in columns.values()] for one in records]
