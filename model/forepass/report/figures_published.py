"""The figure of what others have published, as ratios to ours at the same date."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Annotation

from forepass.report.drawing import LINE, Rows, told_under
from forepass.tell.figures import HUE, INK, house_style, plain_ticks
from forepass.tell.rounding import interval_text, number_text, scaled, times

Document = Mapping[str, Any]
Record = Mapping[str, Any]

FARTHEST = 40.0
"""Ratio, up or down, at which a published figure's range is cut."""
INDENT, LONGEST = 172, 52
"""Points by which a heading stands left of its panel, and its most characters."""


def held(document: Document) -> list[Record]:
    """Return the published figures that a ratio to our median has a meaning for.

    Not those that may be below nothing, where ours has no median, or of a part of the whole.
    """
    return [
        one
        for one in document["comparisons"]
        if one["ratio"] and one["p10"] >= 0 and not one["part"]
    ]


def published_rows(document: Document) -> Rows:
    """Return the published figures and ours at the same date as a table."""
    headers = ["quantity", "who", "date", "theirs", "ours (80% interval)", "theirs over ours", ""]
    rows = []
    for one in held(document):
        unit, factor = scaled(one["unit"], [one["p50"]])
        theirs = [number_text(times(one[key], factor)) for key in ("low", "point", "high")]
        rows.append(
            [
                f"{one['words']}{f', {unit}' if unit else ''}",
                who(document, one),
                one["date"],
                theirs[1] if one["point"] is not None else f"{theirs[0]} to {theirs[2]}",
                interval_text(*(times(one[key], factor) for key in ("p50", "p10", "p90"))),
                number_text(one["ratio"], 0.01),
                one["verdict"],
            ]
        )
    return headers, rows


def who(document: Document, one: Record) -> str:
    """Return who published a figure, a source's key told as its publisher."""
    publisher = {row["source"]: row["publisher"] for row in document["sources"]}
    named = one["by"] not in publisher and one["by"] != "World"
    name = one["by"] if named else publisher[one["source"]]
    return re.sub(r" \(.*\)| via .*", "", name)


@house_style()
def draw_published(document: Document) -> Figure:
    """Return published figures over our median at the same date, beside our 80% interval."""
    by_words: dict[str, list[Record]] = {}
    for one in held(document):
        by_words.setdefault(one["words"], []).append(one)
    groups = list(by_words.items())
    # Two columns as even as their order allows.
    lines = np.cumsum([len(found) + 1 for _, found in groups])
    cut = int(np.argmin(np.abs(lines - lines[-1] / 2))) + 1 if groups else 0
    columns = [groups[:cut], groups[cut:]]
    n_lines = max(sum(len(found) + 1 for _, found in column) for column in columns)
    figure = Figure(figsize=(10.5, LINE * n_lines + 1.5), layout="constrained")
    for axis, column in zip(figure.subplots(1, 2), columns, strict=True):
        _ratios(axis, document, column, n_lines)
    told_under(
        figure,
        document,
        "Points and lines: what others published and its range, over our median at the same date. "
        "Blue: our 80%\ninterval. Hollow: the fit has seen it. An arrow: beyond the edge. "
        f"{len(document['comparisons']) - len(held(document))} figures are left out: of a part of "
        "the\nwhole, of a rate that may be below zero, or where ours has no median above zero.\n",
    )
    return figure


def _ratios(
    axis: Axes, document: Document, groups: Iterable[tuple[str, list[Record]]], n_lines: int
) -> None:
    labels: list[tuple[int, str]] = []
    row = 0
    for words, found in groups:
        text = words if len(words) <= LONGEST else f"{words[:LONGEST].rsplit(' ', 1)[0]} ..."
        _heading(axis, text, row)
        for at, one in enumerate(found, row + 1):
            labels.append((at, f"{who(document, one)}, {one['date']}"))
            _ratio(axis, at, one)
        row += len(found) + 1
    axis.set_yticks([at for at, _ in labels], [text for _, text in labels], fontsize=11)
    axis.set_ylim(n_lines - 0.4, -0.6)
    axis.set_xscale("log")
    axis.set_xlim(1 / FARTHEST, FARTHEST)
    plain_ticks(axis.xaxis, (1.0,))
    axis.axvline(1.0, color=HUE, linewidth=1.5)
    axis.grid(visible=False, axis="y")
    axis.tick_params(axis="y", length=0)


def _heading(axis: Axes, text: str, row: int) -> None:
    """Write a heading that runs from the labels into the panel."""

    def written(text: str, **about: Any) -> Annotation:  # noqa: ANN401 - of Matplotlib
        return axis.annotate(
            text,
            (0, row),
            xycoords=("axes fraction", "data"),
            xytext=(-INDENT, 0),
            textcoords="offset points",
            va="center",
            fontsize=11,
            **about,
        )

    # The layout sees the room to the left alone, by a letter that nobody does.
    written(text[:1], alpha=0)
    paper = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}
    written(text, fontweight="bold", bbox=paper).set_in_layout(False)


def _ratio(axis: Axes, row: int, one: Record) -> None:
    ours = [max(one[key] / one["p50"], 0.5 / FARTHEST) for key in ("p10", "p90")]
    axis.hlines(row, *ours, color=HUE, alpha=0.35, linewidth=9)
    ends = [one[key] / one["p50"] for key in ("low", "high") if one[key] is not None]
    centre = one["ratio"]
    if ends:
        axis.hlines(row, min(*ends, centre), max(*ends, centre), color=INK, linewidth=1.5)
    for end in (value for value in (*ends, centre) if not 1 / FARTHEST < value < FARTHEST):
        edge = FARTHEST / 1.15 if end > 1 else 1.15 / FARTHEST
        axis.plot(edge, row, ">" if end > 1 else "<", color=INK, markersize=6)
    face = "white" if one["seen"] else INK
    axis.plot(centre, row, "o", color=INK, markerfacecolor=face, markersize=6.5)


def published_alt(document: Document) -> str:
    """Say how many published figures agree with ours."""
    shown = held(document)
    within, above, below = (
        sum(one["verdict"].startswith(side) for one in shown)
        for side in ("agrees", "above", "below")
    )
    return (
        f"Of {len(shown)} published figures, {within} agree with our 80% interval at their date, "
        f"{above} lie above and {below} below it; the others' ranges overlap it."
    )
