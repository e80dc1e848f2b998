"""The figure that compares scenarios: ratios to the first by year, each line named at its end."""

import math
import textwrap
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from forepass.tell.figures import (
    GREEN,
    GREY,
    HUE,
    INK,
    VERMILION,
    Document,
    check_spans_years,
    house_style,
    label_values,
    panels,
    plain_ticks,
    write_below,
)

PANELS = (
    "world_tokens_per_s",
    "cost_usd_per_million_tokens",
    "fleet_h100e",
    "memory_wall_ratio",
    "copies_world",
    "capacity_over_demand",
)
# Okabe and Ito's palette without its yellow, which is lost on white; line styles tell more apart.
HUES = (HUE, VERMILION, GREEN, "#CC79A7", "#56B4E9", "#E69F00", "#000000")
LINES = ("-", "--", "-.", ":")
ARROW = {"arrowstyle": "-", "relpos": (0, 0.5), "shrinkA": 0, "shrinkB": 0}
MOST_WITH_BANDS = 3
NARROW, FINE_STEPS = 6, (1.0, 1.2, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0)
"""Ratio of an axis's ends below which it takes finer ticks, and these."""
BEFORE = 1
"""Years shown before the record's end: what is changed lies after it."""


@house_style()
def draw_compared(document: Document) -> Figure:
    """Return the figure: one panel for each headline quantity that has a ratio."""
    check_spans_years(document)
    pairs = {name: document["quantities"].get(f"{name}_ratio") for name in PANELS}
    shown = {name: entry for name, entry in pairs.items() if entry}
    figure, axes = panels(len(shown), 2, 10.5, 3.5)
    for axis, (name, entry) in zip(axes, shown.items(), strict=True):
        _panel(axis, document, entry, document["quantities"][name]["long_name"])
    first = document["quantities"][next(iter(shown))]["scenario"][0]
    few = len(entry["compared"]) <= MOST_WITH_BANDS
    bands = "Bands: 80% intervals of the paired ratio. " if few else ""
    write_below(
        figure,
        f"Each scenario over {first}, draw by draw: line at the median. {bands}\n"
        f"As of {document['as_of']}, seed {document['seed']}; forepass {document['forepass']}.",
    )
    return figure


def _panel(axis: Axes, document: Document, entry: Document, words: str) -> None:
    """Draw the ratios of one quantity, medians as lines, 80% intervals as bands where few."""
    since = int(document["as_of"][:4] or document["years"][0]) - BEFORE
    years = [year for year in document["years"] if year >= since] or document["years"]
    places = [document["years"].index(year) for year in years]
    labels: list[tuple[float, str, str]] = []
    for at, name in enumerate(entry["compared"]):
        hue, line = HUES[at % len(HUES)], LINES[at % len(LINES)]
        low, centre, high = (
            [_number(entry[key][place][at]) for place in places] for key in ("p10", "p50", "p90")
        )
        if len(entry["compared"]) <= MOST_WITH_BANDS:
            axis.fill_between(years, low, high, color=hue, alpha=0.16, linewidth=0)
        axis.plot(years, centre, color=hue, linewidth=2, linestyle=line)
        known = [value for value in centre if not math.isnan(value)]
        if known:
            labels.append((known[-1], name.replace("-", " "), hue))
    axis.axhline(1, color=GREY, linewidth=1)
    axis.set_yscale("log")
    axis.set_title(textwrap.fill(words, 38))
    axis.set_xlim(years[0], years[-1])
    bottom, top = axis.get_ylim()
    # At least a fifth above and below one in sight, so that hardly any change looks so.
    axis.set_ylim(min(bottom, 1 / 1.25), max(top, 1.25))
    label_values(axis)
    bottom, top = axis.get_ylim()
    if top < NARROW * bottom:
        plain_ticks(axis.yaxis, FINE_STEPS)
    _label_lines(axis, years[-1], labels)


def _number(value: float | None) -> float:
    """Return a ratio that a log axis can show."""
    return math.nan if value is None or value <= 0 else value


def _label_lines(axis: Axes, end: float, labels: Sequence[tuple[float, str, str]]) -> None:
    """Write each name beside the end of its line, moved apart where two would touch."""
    low, high = (math.log(value) for value in axis.get_ylim())
    labels = sorted(labels)
    gap = 0.09 * (high - low)
    heights = spread([math.log(value) for value, *_ in labels], gap=gap, top=high - gap / 2)
    for height, (value, name, hue) in zip(heights, labels, strict=True):
        axis.annotate(
            name,
            (end, value),
            xytext=(1.06, (height - low) / (high - low)),
            textcoords="axes fraction",
            va="center",
            color=INK,  # the paler hues are hard to read as words
            fontsize=11,
            annotation_clip=False,
            arrowprops={**ARROW, "color": hue},
        )


def spread(heights: Sequence[float], *, gap: float, top: float) -> list[float]:
    """Return rising heights moved as far apart as the gap, none above the top."""
    moved: list[float] = []
    for height in heights:
        moved.append(max(height, moved[-1] + gap) if moved else height)
    limit = top
    for place in reversed(range(len(moved))):
        moved[place] = min(moved[place], limit)
        limit = moved[place] - gap
    return moved
