"""The figure of a sweep: throughput and cost of one deployment against the speed of each user."""

from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from forepass.tell.answers import QUANTILES
from forepass.tell.figures import (
    Document,
    draw_bands,
    house_style,
    label_values,
    plain_ticks,
    write_below,
)
from forepass.tell.rounding import scaled

PANELS = ("passes_at_speed", "cost_at_speed")


@house_style()
def draw_sweep(document: Document) -> Figure:
    """Return the figure: a panel for throughput and, where a price is known, one for cost."""
    quantities = document["quantities"]
    names = [name for name in PANELS if any(quantities[name]["p50"])]
    figure = Figure(figsize=(5.25 * len(names), 4.4), layout="constrained")
    panels = figure.subplots(1, len(names), squeeze=False).flat
    for axis, name in zip(panels, names, strict=True):
        _curve(axis, quantities[name])
    write_below(
        figure,
        f"{document['notes'][0]}.\n"
        "Line: median. Bands, dark to light: 50, 80 and 90% intervals. "
        f"As of {document['as_of']}. Seed {document['seed']}; forepass {document['forepass']}.",
        10,
    )
    return figure


def _curve(axis: Axes, entry: Mapping[str, Any]) -> None:
    """Draw one quantity against speed, both in logs."""
    unit, factor = scaled(entry["unit"], [value for value in entry["p50"] if value])
    shown = [value * factor for key in ("p10", "p50", "p90") for value in entry[key] if value]
    # What cannot be reached or paid for lies outside the axes, and its band runs out of them.
    outside = dict.fromkeys(("p05", "p10", "p25"), 0.01 * min(shown))
    series = {
        key: [
            value * factor if value else outside.get(key, 100 * max(shown)) for value in entry[key]
        ]
        for key in QUANTILES
    }
    draw_bands(axis, entry["speed"], series)
    axis.set_xscale("log")
    axis.set_title(f"{entry['long_name']},\n{unit}")
    axis.set_xlabel("speed of each user, tokens/s")
    axis.set_ylim(0.7 * min(shown), 1.4 * max(shown))
    axis.set_xlim(entry["speed"][0], entry["speed"][-1])
    label_values(axis)
    plain_ticks(axis.xaxis, (1.0, 2.0, 5.0))
