"""Priors beside posteriors, a small panel for each belief of a block."""

import math
import textwrap
from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from forepass.report.drawing import told_under
from forepass.tell.figures import HUE, INK, RAISED, house_style

Document = Mapping[str, Any]
Record = Mapping[str, Any]

ACROSS = 5
PANEL, TOP, FOOT = (2.1, 1.32), 0.32, 0.75
"""Inches: of a panel, above the first row and below the last."""
WIDE = 30.0
"""Ratio of its ends from which an axis is logarithmic."""
SMALL = 8.5
LARGE, HUGE = 1e4, 1e15
"""From where a tick is told in thousands (k), millions (M) and so on, and as a power of ten."""
FLAT = 0.002
"""Density, over its greatest, that is drawn as none."""
WIDTH, LINES = 30, 2
"""Characters of a title's line, and lines."""


def of_block(document: Document, block: str) -> list[Record]:
    """Return the beliefs of a block, those that data taught most first and the unfitted last."""
    found = [one for one in document["beliefs"] if one["block"] == block]
    return sorted(found, key=lambda one: (-one.get("learned", -9.0), one["name"]))


def belief_alt(document: Document, block: str) -> str:
    """Say of how many beliefs of a block the data taught half or more, and of which most."""
    found = of_block(document, block)
    learned = [one for one in found if one.get("learned", 0) >= 0.5]
    most = ", ".join(f"{one['words']} ({one['learned']:.0%})" for one in learned[:3])
    return (
        f"Data took away half or more of the prior's variance of {len(learned)} of {len(found)} "
        f"beliefs{f', most of: {most}' if most else ''}."
    )


@house_style()
def draw_beliefs(document: Document, block: str) -> Figure:
    """Return a panel for each belief of a block: prior dashed, posterior filled."""
    beliefs = of_block(document, block)
    down = max(-(-len(beliefs) // ACROSS), 1)
    high = PANEL[1] * down + FOOT + TOP
    figure = Figure(figsize=(PANEL[0] * ACROSS, high))
    # Placed by hand: to lay out so many panels by what they hold would take half a minute.
    figure.subplots_adjust(0.012, FOOT / high, 0.988, 1 - TOP / high, wspace=0.1, hspace=0.72)
    axes = list(figure.subplots(down, ACROSS, squeeze=False).flat)
    for axis, one in zip(axes, beliefs, strict=False):
        _panel(axis, one)
    for axis in axes[len(beliefs) :]:
        axis.remove()
    told_under(
        figure,
        document,
        "Dashed: what was believed before the data. Filled: after. The percentage: how much of the "
        "prior's variance\nthe data took away; most first. ",
        y=0.08 / high,
    )
    return figure


def _panel(axis: Axes, one: Record) -> None:
    learned = f"  {max(one['learned'], 0):.0%}" if "learned" in one else "  no data"
    lines = textwrap.wrap(
        one["words"] + learned, WIDTH, max_lines=LINES, placeholder=f" ...{learned}"
    )
    axis.set_title("\n".join(lines), fontsize=SMALL, fontweight="normal", pad=3)
    if "curves" in one:
        ends = _curves(axis, one["curves"])
    else:
        prior = one["prior"]
        ends = prior["p10"], prior["p90"]
        axis.hlines(0.5, *ends, color=INK, linestyle=(0, (4, 2)))
        axis.plot(prior["p50"], 0.5, "|", color=INK, markersize=9)
    if ends[0] > 0 and ends[1] > WIDE * ends[0]:
        axis.set_xscale("log")
    _few_ticks(axis)
    axis.set_yticks([])
    axis.set_ylim(0, 1.12)
    axis.spines["left"].set_visible(False)
    axis.grid(visible=False)
    axis.tick_params(axis="x", labelsize=SMALL, length=2, pad=1)


def _curves(axis: Axes, curves: Mapping[str, list[float]]) -> tuple[float, float]:
    """Draw both densities where there is any, and return the ends of what is drawn."""
    x, before, after = curves["x"], curves["prior"], curves["posterior"]
    seen = [at for at in range(len(x)) if max(before[at], after[at]) > FLAT]
    part = slice(seen[0], seen[-1] + 1)
    axis.fill_between(x[part], after[part], color=HUE, alpha=0.45, linewidth=0)
    axis.plot(x[part], after[part], color=HUE, linewidth=1.2)
    axis.plot(x[part], before[part], color=INK, linewidth=1.2, linestyle=(0, (4, 2)))
    axis.set_xlim(x[part][0], x[part][-1])
    return x[part][0], x[part][-1]


def _few_ticks(axis: Axes) -> None:
    """Put two or three short numbers under a small panel."""
    from matplotlib.ticker import EngFormatter, FuncFormatter, LogLocator, MaxNLocator, NullLocator

    if axis.get_xscale() == "log":
        low, high = axis.get_xlim()
        subs = (1.0, 3.0) if high < 300 * low else (1.0,)
        axis.xaxis.set_major_locator(LogLocator(subs=subs, numticks=4))
    else:
        axis.xaxis.set_major_locator(MaxNLocator(nbins=3))
    axis.xaxis.set_minor_locator(NullLocator())
    large = EngFormatter(sep="")
    axis.xaxis.set_major_formatter(
        FuncFormatter(lambda x, at: _short(x) or (large(x, at) if x >= LARGE else f"{x:.4g}"))
    )


def _short(value: float) -> str:
    """Return a number beyond the prefixes that people know as a power of ten, else nothing."""
    if value < HUGE:
        return ""
    power = math.floor(math.log10(value) + 1e-9)
    mantissa = f"{value / 10.0**power:.2g}"
    return f"{'' if mantissa == '1' else f'{mantissa}·'}10{str(power).translate(RAISED)}"
