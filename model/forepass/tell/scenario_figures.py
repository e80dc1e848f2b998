"""The figure that compares scenarios: ratios to the first by year, each line named at its end."""

import math
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forepass.errors import InputError
from forepass.tell.figures import INK, house_style, label_values, plain_ticks, save_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Document = Mapping[str, Any]

PANELS = (
    "world_tokens_per_s",
    "cost_usd_per_million_tokens",
    "fleet_h100e",
    "memory_wall_ratio",
    "copies_world",
    "capacity_over_demand",
)
# Okabe and Ito's palette without its yellow, which is lost on white; line styles tell more apart.
HUES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
LINES = ("-", "--", "-.", ":")
MOST_WITH_BANDS = 3
NARROW, FINE_STEPS = 6, (1.0, 1.2, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0)
"""Ratio of an axis's ends below which it takes finer ticks, and these."""
BEFORE = 1
"""Years shown before the record's end: what is changed lies after it."""


def save_compared(document: Document, folder: Path) -> list[Path]:
    """Write the figure of ratios by year, and return the paths of its files.

    Raises
    ------
    InputError
        Where there is one year only.
    """
    if len(document["years"]) < 2:
        raise InputError("a figure needs two years or more; widen --from and --to")
    return save_figure(draw_compared(document), folder, "scenarios", document)


@house_style()
def draw_compared(document: Document) -> "Figure":
    """Return the figure: one panel for each headline quantity that has a ratio."""
    from matplotlib.figure import Figure

    pairs = {name: document["quantities"].get(f"{name}_ratio") for name in PANELS}
    shown = {name: entry for name, entry in pairs.items() if entry}
    n_rows = (len(shown) + 1) // 2
    figure = Figure(figsize=(10.5, 3.5 * n_rows + 0.6), layout="constrained")
    axes = list(figure.subplots(n_rows, 2, squeeze=False).flat)
    for axis, (name, entry) in zip(axes, shown.items(), strict=False):
        _panel(axis, document, entry, document["quantities"][name]["long_name"])
    for axis in axes[len(shown) :]:
        axis.remove()
    first = document["quantities"][next(iter(shown))]["scenario"][0]
    figure.supxlabel(
        _caption(document, first, len(entry["compared"])), fontsize=11, x=0.01, ha="left"
    )
    return figure


def _panel(axis: "Axes", document: Document, entry: Document, words: str) -> None:
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
    axis.axhline(1, color="#888888", linewidth=1)
    axis.set_yscale("log")
    axis.set_title("\n".join(textwrap.wrap(words, 38)))
    axis.set_xlim(years[0], years[-1])
    _widened(axis)
    label_values(axis)
    bottom, top = axis.get_ylim()
    if top < NARROW * bottom:
        plain_ticks(axis.yaxis, FINE_STEPS)
    _label_lines(axis, years[-1], labels)


def _number(value: float | None) -> float:
    """Return a ratio that a log axis can show."""
    return math.nan if value is None or value <= 0 else value


def _widened(axis: "Axes") -> None:
    """Keep at least a fifth above and below one in sight, so that hardly any change looks so."""
    low, high = axis.get_ylim()
    axis.set_ylim(min(low, 1 / 1.25), max(high, 1.25))


def _label_lines(axis: "Axes", end: float, labels: Sequence[tuple[float, str, str]]) -> None:
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
            arrowprops={
                "arrowstyle": "-",
                "color": hue,
                "relpos": (0, 0.5),
                "shrinkA": 0,
                "shrinkB": 0,
            },
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


def _caption(document: Document, first: str, others: int) -> str:
    bands = "Bands: 80% intervals of the paired ratio. " if others <= MOST_WITH_BANDS else ""
    return (
        f"Each scenario over {first}, draw by draw: line at the median. {bands}\n"
        f"As of {document['as_of']}, seed {document['seed']}; forepass {document['forepass']}."
    )
