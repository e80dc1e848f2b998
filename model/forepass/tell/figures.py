"""Figures in one style, legible at half width and in grey: saved, with their bands and axes."""

import math
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from forepass import atomic
from forepass.errors import InputError
from forepass.tell.answers import made_from, times_of

Document = Mapping[str, Any]

# Nested bands, wide and light to narrow and dark; one hue, so that they survive in grey.
BANDS = (("p05", "p95", 0.16), ("p10", "p90", 0.22), ("p25", "p75", 0.34))
HUE = "#0072B2"  # the blue of Okabe and Ito's palette for colour-blind readers
INK = "#222222"
VERMILION, GREEN = "#D55E00", "#009E73"  # of the same palette
GREY = "#888888"
WARNING = "#B22222"
LEAST_PLAIN = 9e-4
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
STYLE: Any = {
    "axes.axisbelow": True,
    "axes.edgecolor": GREY,
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 13,
    "axes.titleweight": "bold",
    "font.size": 12.5,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "svg.hashsalt": "forepass",  # the same names inside the SVG at every run
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}


house_style = partial(mpl.rc_context, STYLE)
"""What draws in the house style: a context, and a decorator."""


@house_style()
def save_figure(
    figure: Figure, folder: Path, name: str, document: Document | None = None, *, dpi: int = 160
) -> list[Path]:
    """Write a figure to ``folder`` as PNG and SVG and return the two paths.

    Where the document that it shows is given, its hashes are in the files, and a fit that failed
    its checks is told at the top of the figure.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    made = {"Description": made_from(document)} if document else {}
    for mark in (document or {}).get("failed_checks", [])[:1]:
        figure.suptitle(f"{mark} (--unsafe-ignore-checks)", color=WARNING, fontweight="bold")
    # Neither the date nor the library's version goes in: the same answer, the same bytes.
    for suffix, unsaid in ((".png", "Software"), (".svg", "Date")):
        path = folder / f"{name}{suffix}"
        with atomic.replacing(path) as temporary:
            figure.savefig(temporary, dpi=dpi, metadata={unsaid: None, **made})
        figure.set_layout_engine("none")  # laid out once: the slowest part
        written.append(path)
    return written


def panels(
    count: int, abreast: int, width: float, height: float, *, below: float = 0.6
) -> tuple[Figure, list[Axes]]:
    """Return a figure of so many panels, ``abreast`` in a row, and its panels; sizes in inches."""
    rows = -(-count // abreast)
    figure = Figure(figsize=(width, height * rows + below), layout="constrained")
    axes = list(figure.subplots(rows, abreast, squeeze=False).flat)
    for axis in axes[count:]:
        axis.remove()
    return figure, axes[:count]


def check_spans_years(document: Document) -> None:
    """Refuse to draw a single year or quarter."""
    if len(times_of(document)[1]) < 2:
        raise InputError("a figure needs two years or more; widen --from and --to")


def write_below(figure: Figure, text: str, size: float = 11, **place: float) -> None:
    """Write a caption under a figure."""
    figure.supxlabel(text, fontsize=size, x=0.01, ha="left", **place)


def draw_bands(
    axis: Axes,
    across: Sequence[float],
    series: Mapping[str, Sequence[float]],
    *,
    doubtful_from: int | None = None,
    hue: str = HUE,
    ink: str = INK,
    line: str = "-",
) -> None:
    """Draw median and nested intervals, quantiles by name, on a log axis.

    From one place on they may be doubtful: bands at a third of their strength, the median dashed.
    """
    turn = len(across) if doubtful_from is None else doubtful_from
    # The two parts share a point, so that no gap opens between them.
    for part, strength, style in ((slice(turn + 1), 1.0, line), (slice(turn, None), 1 / 3, ":")):
        for low, high, opacity in BANDS:
            ends = (series[low][part], series[high][part])
            axis.fill_between(across[part], *ends, color=hue, alpha=opacity * strength, linewidth=0)
        axis.plot(across[part], series["p50"][part], color=ink, linewidth=2, linestyle=style)
    axis.set_yscale("log")


def label_values(axis: Axes) -> None:
    """Put plain numbers on a vertical log axis, as many as its range needs, and whole years."""
    low, high = axis.get_ylim()
    decades = math.log10(high / low)
    steps = (1.0,) if decades > 3 else (1.0, 3.0) if decades > 1.5 else (1.0, 2.0, 3.0, 5.0, 7.0)
    plain_ticks(axis.yaxis, steps)
    axis.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))


def plain_ticks(axis: Axis, steps: Sequence[float]) -> None:
    """Put plain numbers on a log axis, at these steps of each power of ten."""
    axis.set_major_locator(LogLocator(subs=steps, numticks=9))
    axis.set_major_formatter(FuncFormatter(lambda value, _: _tick(value)))
    axis.set_minor_formatter(NullFormatter())


def _tick(value: float) -> str:
    """Return a value as plain digits, or where they would be many zeros, as a power of ten."""
    power = math.log10(value) if 0 < value < LEAST_PLAIN else 0.0
    if not power or abs(power - round(power)) > 1e-9:
        return f"{value:,.10g}"
    return "10" + f"{power:.0f}".translate(RAISED)
