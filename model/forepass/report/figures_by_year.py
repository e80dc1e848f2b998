"""Figures of a report by year: the two bounds, the fleet and its limits, capacity and demand."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from forepass.report.drawing import INKS, beside, two_figures
from forepass.tell.answers import times_of
from forepass.tell.by_year_figures import (
    bands_of,
    caption,
    fan,
    fans,
    scale_of,
    titled,
    years_below,
)
from forepass.tell.figures import GREEN, HUE, INK, VERMILION, house_style, label_values
from forepass.tell.scenario_figures import spread

Document = Mapping[str, Any]

BOUNDS = {
    "passes_upper_per_chip": ("upper bound:\narithmetic", HUE, "--"),
    "passes_realised_per_chip": ("realised", VERMILION, "-"),
    "passes_lower_per_chip": ("lower bound:\nmemory", GREEN, "-."),
}
COSTS = {
    "cost_usd_per_million_output_tokens": ("writing", HUE, "-"),
    "cost_usd_per_million_input_tokens": ("reading", VERMILION, "--"),
}
LIMITS = {
    "none": ("no limit: what\nthe trend asks", "#ffffff", ""),
    "power": ("power", "#E69F00", "///"),
    "packaging": ("packaging", "#56B4E9", "..."),
    "memory": ("memory", GREEN, "xx"),
    "spending": ("spending", "#CCCCCC", "\\\\"),
}
"""What is written, the colour and the hatch of each; grey tells the hatches apart."""
ASKED = 2030
NARROWEST = 0.06
"""Share of a stack's end that its label needs."""


@house_style()
def draw_bounds(document: Document) -> Figure:
    """Return both bounds and what is realised per chip on one axis; beneath, its share."""
    figure = Figure(figsize=(10.5, 9.0), layout="constrained")
    above, beneath = figure.subplots(2, 1, height_ratios=(1.75, 1.0))
    _named_fans(above, document, BOUNDS, gap=0.06)
    above.set_title(
        "Forward passes per second and chip, frontier model and newest part of each year"
    )
    share = document["quantities"]["share_of_upper_bound"]
    fan(beneath, document, share)
    beneath.set_title("Realised, as a share of the upper bound, %")
    numbers = "medians, and p10 and p90 of the share,"
    _captioned(figure, document, (*BOUNDS, "share_of_upper_bound"), numbers=numbers)
    return figure


@house_style()
def draw_fleet(document: Document) -> Figure:
    """Return chips deployed, their power beside what is contracted, and what sets shipments."""
    quantities = document["quantities"]
    figure = Figure(figsize=(10.5, 8.2), layout="constrained")
    grid = figure.add_gridspec(2, 2)
    chips, power = (figure.add_subplot(grid[0, column]) for column in (0, 1))
    fan(chips, document, quantities["fleet_chips"])
    entry, contracted = quantities["fleet_power"], quantities["contracted_power"]
    fan(power, document, entry)
    _, factor = scale_of(document, entry)
    years = times_of(document)[1]
    known = [math.nan if value is None else value * factor for value in contracted["p50"]]
    power.plot(years, known, color=INKS[VERMILION], linewidth=2, linestyle="--")
    label_values(power)
    at = len(years) // 3
    words, place = "contracted,\nbuilt or not\n(median)", (years[at], known[at])
    beside(power, words, place, (-6, 8), ha="right", color=INKS[VERMILION])
    _stack(figure.add_subplot(grid[1, :]), document, quantities["supply_limit"])
    _captioned(figure, document, ("fleet_chips", "fleet_power", "contracted_power"))
    return figure


@house_style()
def draw_balance(document: Document) -> Figure:
    """Return capacity over demand, demand, the chance of a shortage, and what tokens cost."""
    quantities = document["quantities"]
    names = ("capacity_over_demand", "demand_tokens_per_s")
    figure, axes = fans(document, names, spare=2)
    axes[0].axhline(1.0, color=INKS[VERMILION], linewidth=2, linestyle="--")
    shortage, years = quantities["shortage"], times_of(document)[1]
    beside(axes[0], "just enough", (years[0], 1.0), (6, -5), va="top", color=INKS[VERMILION])
    chances = [100 * value for value in shortage["value"]]
    axes[2].bar(years, chances, color=HUE, alpha=0.6)
    axes[2].set_title(titled(shortage["long_name"], "%"))
    axes[2].set_ylim(0, max(10.0, 115 * max(shortage["value"])))
    years_below(axes[2], document)
    axes[2].set_xlim(years[0] - 0.6, years[-1] + 0.6)
    last, end = f"{chances[-1]:.0f}", (years[-1], chances[-1])
    beside(axes[2], last, end, (0, 4), ha="center", fontweight="bold")
    _named_fans(axes[3], document, COSTS, gap=0.09)
    axes[3].set_title("Cost of a million tokens written,\nand of a million read uncached, USD")
    _captioned(figure, document, (*names, *COSTS), numbers="median, or median, p10 and p90")
    return figure


def _named_fans(
    axis: Axes, document: Document, named: Mapping[str, tuple[str, str, str]], *, gap: float
) -> None:
    """Draw several quantities of one unit on one axis, each named at its end with its last median.

    ``gap`` is the least distance between names, as a share of the axis.
    """
    quantities, ends = document["quantities"], []
    for name, (words, hue, line) in named.items():
        last = bands_of(axis, document, quantities[name], hue=hue, ink=INKS[hue], line=line)
        ends.append((last["p50"], words, hue))
    years_below(axis, document)
    label_values(axis)
    low, high = (math.log(value) for value in axis.get_ylim())
    ends.sort()
    lines = [words.count("\n") + 2 for _, words, _ in ends]
    heights = spread(
        [math.log(value) for value, *_ in ends], gap=gap * max(lines) * (high - low), top=high
    )
    for height, (value, words, hue) in zip(heights, ends, strict=True):
        style = {"va": "center", "color": INKS[hue], "fontweight": "bold", "annotation_clip": False}
        place = (times_of(document)[1][-1], math.exp(height))
        beside(axis, f"{words}\n{two_figures(value)}", place, (6, 0), **style)


def _stack(axis: Axes, document: Document, entry: Mapping[str, Any]) -> None:
    """Draw the probability of each limit by year, one upon another, from the record's end on."""
    every = times_of(document)[1]
    places = [at for at, year in enumerate(every) if year >= document["base"]]
    years = [every[place] for place in places]
    layers = {
        label: [100 * entry["value"][place][at] for place in places]
        for at, label in enumerate(entry["limit"])
    }
    drawn = axis.stackplot(years, *layers.values(), edgecolor=INK, linewidth=0.8)
    bottom = 0.0
    for layer, (label, values) in zip(drawn, layers.items(), strict=True):
        words, colour, hatch = LIMITS.get(label, (label, "#dddddd", "+"))
        layer.set(facecolor=colour, hatch=hatch)
        if values[-1] >= 100 * NARROWEST:
            place = (years[-1], bottom + values[-1] / 2)
            text = f"{words}, {values[-1]:.0f}"
            beside(axis, text, place, (6, 0), va="center", annotation_clip=False)
        bottom += values[-1]
    axis.set_xlim(years[0], years[-1])
    axis.set_ylim(0, 100)
    axis.set_xticks(years)
    axis.set_title(f"{entry['long_name']}, probability in %")


def _captioned(figure: Figure, document: Document, names: Sequence[str], **numbers: str) -> None:
    entries = [document["quantities"][name] for name in names]
    caption(figure, document, entries, words=learned_from(document, names), **numbers)


def learned_from(document: Document, names: Sequence[str]) -> str:
    """Return which blocks quantities rest on, and how many rows of data those are fitted to."""
    found = {block for name in names for block in document["rests_on"][name]}
    blocks = [fit["block"] for fit in document["fits"] if fit["block"] in found]
    rows = sum(table["rows"] for table in document["tables"] if found & {*table["blocks"]})
    words = ", ".join(block.replace("_", " ") for block in blocks)
    return f"Learned from {rows:,} rows of data on {words}; sources are listed in the report."


def asked_year(document: Document) -> int:
    """Return the year that texts tell of: 2030, or the last where it is not on show."""
    years = document["years"]
    return ASKED if ASKED in years else int(years[-1])
