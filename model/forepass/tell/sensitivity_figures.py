"""Figures of sensitivity: a tornado of beliefs, and bars of what the variance is shared among."""

import math
import textwrap
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from forepass.tell.figures import HUE, INK, Document, house_style, plain_ticks, write_below
from forepass.tell.rounding import named, scaled
from forepass.tell.sensitivity_text import belief_text

HIGH = "#E69F00"  # Okabe and Ito's orange: paler than their blue, so that grey tells them apart
BARS = 12
LABEL = 38
ROW_INCHES = 0.5
STEPS = (1.0, 2.0, 3.0, 5.0, 7.0)
FINE_STEPS = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0)


@house_style()
def draw_tornado(document: Document) -> Figure:
    """Return the medians at the 10th and the 90th percentile of each belief, widest at the top."""
    about = document["quantity"]
    acting = [entry for entry in document["beliefs"] if entry["acts_forward"]]
    acting.sort(key=lambda entry: abs(math.log(entry["at_high"] / entry["at_low"])))
    medians = [entry[key] for entry in acting for key in ("at_low", "at_high")]
    unit, factor = scaled(about["unit"], medians or [about["p50"]])
    figure, axis = _bars(len(acting))
    centre = about["p50"] * factor
    for row, entry in enumerate(acting):
        for key, colour, hatch in (("at_low", HUE, ""), ("at_high", HIGH, "///")):
            end = entry[key] * factor
            axis.barh(row, end - centre, left=centre, color=colour, hatch=hatch, edgecolor=INK)
            other = entry["at_high" if key == "at_low" else "at_low"] * factor
            outward = 1 if end >= other else -1
            value = entry["low" if key == "at_low" else "high"]
            axis.annotate(
                belief_text(value),
                (end, row),
                xytext=(4 * outward, 0),
                textcoords="offset points",
                ha="left" if outward > 0 else "right",
                va="center",
                fontsize=11,
            )
    axis.axvline(centre, color=INK, linewidth=1.2)
    axis.set_xscale("log")
    axis.margins(x=0.18)
    low, high = axis.get_xlim()
    plain_ticks(axis.xaxis, STEPS if high / low > 3 else FINE_STEPS)
    _label_rows(axis, [entry["words"] for entry in acting])
    axis.set_title(_title(document, unit))
    _caption(
        figure,
        document,
        "Median where a belief is at its 10th percentile (plain) and its 90th (hatched); beside "
        "the bars, what the belief is there. Vertical line: median of the forecast.",
    )
    return figure


@house_style()
def draw_shares(document: Document) -> Figure:
    """Return the share of variance of each group of beliefs, with its 90% interval."""
    groups = list(reversed(document["groups"][:BARS]))
    figure, axis = _bars(len(groups))
    shares = [entry["share"] * 100 for entry in groups]
    spans = [
        [max(s - max(e["share_p05"], 0) * 100, 0) for s, e in zip(shares, groups, strict=True)],
        [max(e["share_p95"] * 100 - s, 0) for s, e in zip(shares, groups, strict=True)],
    ]
    for row, (share, entry) in enumerate(zip(shares, groups, strict=True)):
        shock = entry["name"].startswith("future shocks")
        colour, hatch = (HIGH, "///") if shock else (HUE, "")
        axis.barh(row, share, color=colour, hatch=hatch, edgecolor=INK)
    axis.errorbar(shares, range(len(shares)), xerr=spans, fmt="none", ecolor=INK, capsize=3)
    _label_rows(axis, [entry["name"] for entry in groups])
    axis.set_xlabel("Share of the variance of the log, % (Shapley effect)")
    axis.set_xlim(left=0)
    axis.set_title(_title(document, ""))
    _caption(
        figure,
        document,
        "Plain: beliefs. Hatched: future shocks, which no belief holds. Lines: 90% intervals.",
    )
    return figure


def _bars(count: int) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(10.5, ROW_INCHES * max(count, 2) + 1.8), layout="constrained")
    axis = figure.subplots()
    axis.grid(visible=False, axis="y")
    return figure, axis


def _label_rows(axis: Axes, names: Sequence[str]) -> None:
    words = [textwrap.fill(name[0].upper() + name[1:], LABEL) for name in names]
    axis.set_yticks(range(len(names)), words)


def _title(document: Document, unit: str) -> str:
    about = document["quantity"]
    return textwrap.fill(named(f"{about['long_name']}, {about['year']}", unit), 60)


def _caption(figure: Figure, document: Document, words: str) -> None:
    made = f"Seed {document['seed']}; forepass {document['forepass']}, as of {document['as_of']}."
    write_below(figure, f"{textwrap.fill(words, 100)}\n{made}")
