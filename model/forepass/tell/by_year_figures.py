"""Figures of quantities by year: fan charts, and how capacity for a frozen model multiplies."""

import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from forepass.tell.answers import QUANTILES, times_of
from forepass.tell.figures import (
    GREY,
    HUE,
    INK,
    Document,
    check_spans_years,
    draw_bands,
    house_style,
    label_values,
    panels,
    plain_ticks,
    write_below,
)
from forepass.tell.rounding import named, number_text, scaled

PANELS = {
    "forecast": (
        "world_tokens_per_s",
        "cost_usd_per_million_tokens",
        "fleet_h100e",
        "share_of_upper_bound",
        "memory_wall_ratio",
        "frontier_active_params",
    ),
    "overhang": (
        "copies_training_cluster",
        "copies_lab",
        "copies_world",
        "run_to_train_ratio",
        "capacity_over_demand",
    ),
}
"""Quantities with a fan of their own, by command; the overhang's last panel is of releases."""
RELEASE = "release_overhang"


@house_style()
def draw_by_year(document: Document, command: str) -> Figure:
    """Return the figure: a fan chart for each headline of the command that has numbers."""
    check_spans_years(document)
    quantities = document["quantities"]
    names = [n for n in PANELS[command] if n in quantities and any(quantities[n]["p50"])]
    released = _release_shown(document)
    figure, axes = fans(document, names, spare=int(released is not None))
    if released is not None:
        _release_bars(axes[len(names)], quantities[RELEASE], *released)
    return figure


def fans(
    document: Document, names: Sequence[str], *, spare: int = 0, words: str = ""
) -> tuple[Figure, list[Axes]]:
    """Return a figure with a fan chart for each quantity, two abreast, and its panels.

    Panels to be filled otherwise, as many as ``spare``, follow those of the quantities; further
    ``words`` stand under them all.
    """
    figure, axes = panels(len(names) + spare, 2, 10.5, 3.5)
    for axis, name in zip(axes, names, strict=False):
        fan(axis, document, document["quantities"][name])
    caption(figure, document, [document["quantities"][name] for name in names], words=words)
    return figure, axes


def _release_shown(document: Document) -> tuple[int, str] | None:
    """Return the place and label of the release to show: the last year on record, if it is there.

    Releases are told by year only, with a number only where the years since lie in the horizon.
    """
    time, years = times_of(document)
    entry, as_of = document["quantities"].get(RELEASE), document["as_of"]
    if entry is None or time != "year" or not as_of or int(as_of[:4]) not in years:
        return None
    place = years.index(int(as_of[:4]))
    return None if entry["p50"][place][-1][-1] is None else (place, as_of[:4])


def _release_bars(axis: Axes, entry: Mapping[str, Any], place: int, year: str) -> None:
    """Draw how capacity for a frozen model multiplies, part by part, as medians with intervals."""
    parts, since = entry["part"], entry["years_since_release"][-1]
    low, middle, high = (entry[key][place][-1] for key in ("p10", "p50", "p90"))
    across = range(len(parts))
    axis.hlines(across, low, high, color=HUE, alpha=0.5, linewidth=5)
    axis.plot(middle, across, "o", color=INK)
    for height, value in zip(across, middle, strict=True):
        axis.annotate(
            number_text(value, 10.0 ** (math.floor(math.log10(value)) - 1)),
            (value, height),
            xytext=(0, 7),
            textcoords="offset points",
            ha="center",
            fontsize=11,
        )
    axis.axvline(1.0, color=GREY, linewidth=1)
    axis.set_yticks(across, parts)
    axis.set_ylim(len(parts) - 0.4, -0.7)
    axis.set_xscale("log")
    decades = math.log10(max(high) / min(low))
    plain_ticks(axis.xaxis, (1.0,) if decades > 2 else (1.0, 2.0, 5.0))
    axis.set_title(f"Capacity for a model frozen in {year},\nfactor after {since} years")


def fan(axis: Axes, document: Document, entry: Mapping[str, Any]) -> None:
    """Draw one quantity over time on a log axis, its ends labelled."""
    unit, factor = scale_of(document, entry)
    last = bands_of(axis, document, entry, factor=factor)
    axis.set_title(titled(entry["long_name"], unit))
    years_below(axis, document)
    label_values(axis)
    _label_ends(axis, across_of(document)[-1], last)


def scale_of(document: Document, entry: Mapping[str, Any]) -> tuple[str, float]:
    """Return the unit to show and its factor, as suits what is forecast, if anything is."""
    labels, as_of = times_of(document)[1], document["as_of"][:4]
    ahead = [at for at, label in enumerate(labels) if str(label)[:4] >= as_of]
    places = ahead or range(len(labels))
    return scaled(
        entry["unit"], [entry[key][place] for key in ("p10", "p50", "p90") for place in places]
    )


def titled(words: str, unit: str, width: int = 38) -> str:
    """Return a panel's title: what it shows and its unit, in lines."""
    return textwrap.fill(named(words, unit), width)


def bands_of(
    axis: Axes,
    document: Document,
    entry: Mapping[str, Any],
    *,
    factor: float = 1.0,
    hue: str = HUE,
    ink: str = INK,
    line: str = "-",
) -> dict[str, float]:
    """Draw the bands of a quantity times a factor, and return its last values by quantile."""
    series = {
        key: [math.nan if value is None else value * factor for value in entry[key]]
        for key in QUANTILES
    }
    last = {key: values[-1] for key, values in series.items()}
    # Bands may reach down to nothing; a line that fell there would stand upright.
    series["p50"] = [value if value > 0 else math.nan for value in series["p50"]]
    doubtful = entry.get("scenarios_only_from")
    since = None if doubtful is None else times_of(document)[1].index(doubtful)
    draw_bands(axis, across_of(document), series, doubtful_from=since, hue=hue, ink=ink, line=line)
    return last


def years_below(axis: Axes, document: Document) -> None:
    """Let an axis run over the years of a document, and mark where its record ends."""
    across = across_of(document)
    axis.set_xlim(across[0], across[-1])
    axis.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    _mark_as_of(axis, document)


def across_of(document: Document) -> list[float]:
    """Return where each year stands on the axis, or the end of each quarter (2026.25)."""
    time, labels = times_of(document)
    if time == "year":
        return labels
    return [int(label[:4]) + int(label[-1]) / 4 for label in labels]


def _label_ends(axis: Axes, end: float, last: Mapping[str, float]) -> None:
    """Write median, p10 and p90 of the last year beside their lines, where there is room."""
    low, high = axis.get_ylim()
    gap = 0.07 * math.log(high / low)  # two lines of text closer than this would touch
    taken: list[float] = []
    for key in ("p50", "p90", "p10"):
        if not last[key] > 0:
            continue
        height = math.log(last[key])
        if any(abs(height - other) < gap for other in taken):
            continue
        taken.append(height)
        axis.annotate(
            number_text(last[key], 10.0 ** (math.floor(math.log10(last[key])) - 1)),
            (end, last[key]),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            fontweight="bold" if key == "p50" else "normal",
            annotation_clip=False,
        )


def _mark_as_of(axis: Axes, document: Document) -> None:
    """Draw where the record ends and the forecast begins."""
    as_of, across = document["as_of"], across_of(document)
    if not as_of:
        return
    year, month = int(as_of[:4]), int(as_of[5:7] or 7)
    # A year's value stands for the middle of the year, so that its tick is at month 7.
    at = year + (month - (7 if times_of(document)[0] == "year" else 0)) / 12
    if across[0] < at < across[-1]:
        axis.axvline(at, color=GREY, linewidth=1, linestyle=(0, (3, 3)))


def caption(
    figure: Figure,
    document: Document,
    shown: Sequence[Mapping[str, Any]],
    *,
    numbers: str = "median, p10 and p90",
    words: str = "",
) -> None:
    """Write under a figure how its fans are read, further words, and what they were made from."""
    lines = [
        f"Line: median. Bands, dark to light: 50, 80 and 90% intervals. Numbers at the right: "
        f"{numbers} of {times_of(document)[1][-1]}.",
        f"Upright dashes: as of {document['as_of']}, where the record ends. "
        f"Seed {document['seed']}; forepass {document['forepass']}.",
        words,
    ]
    if any(entry.get("scenarios_only_from") is not None for entry in shown):
        lines.append("Dotted and pale: so wide that only scenarios should be trusted.")
    write_below(figure, "\n".join(filter(None, lines)))
