"""Figures from answer documents: one style, legible at half width and in grey."""

import math
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forepass import atomic
from forepass.errors import InputError
from forepass.tell.answers import QUANTILES, made_from, times_of
from forepass.tell.rounding import number_text, scaled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

Document = Mapping[str, Any]

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
# Nested bands, wide and light to narrow and dark; one hue, so that they survive in grey.
BANDS = (("p05", "p95", 0.16), ("p10", "p90", 0.22), ("p25", "p75", 0.34))
HUE = "#0072B2"  # the blue of Okabe and Ito's palette for colour-blind readers
INK = "#222222"
WARNING = "#B22222"
STYLE: Any = {
    "axes.axisbelow": True,
    "axes.edgecolor": "#888888",
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


@contextmanager
def house_style() -> Iterator[None]:
    """Draw in the house style; also a decorator."""
    import matplotlib as mpl

    with mpl.rc_context(STYLE):
        yield


def save_by_year(document: Document, folder: Path, command: str) -> list[Path]:
    """Write the figure of a forecast or an overhang, and return the paths of its files.

    Raises
    ------
    InputError
        If the document holds fewer than two years.
    """
    if len(times_of(document)[1]) < 2:
        raise InputError("a figure needs two years or more; widen --from and --to")
    return save_figure(draw_by_year(document, command), folder, command, document)


@house_style()
def save_figure(
    figure: "Figure", folder: Path, name: str, document: Document | None = None
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
    for suffix, metadata in (
        (".png", {"Software": None, **made}),
        (".svg", {"Date": None, **made}),
    ):
        path = folder / f"{name}{suffix}"
        with atomic.replacing(path) as temporary:
            figure.savefig(temporary, dpi=160, metadata=metadata)
        written.append(path)
    return written


@house_style()
def draw_by_year(document: Document, command: str) -> "Figure":
    """Return the figure: a fan chart for each headline of the command that has numbers."""
    from matplotlib.figure import Figure

    quantities = document["quantities"]
    names = [n for n in PANELS[command] if n in quantities and any(quantities[n]["p50"])]
    released = _release_shown(document)
    n_rows = (len(names) + (released is not None) + 1) // 2
    figure = Figure(figsize=(10.5, 3.5 * n_rows + 0.6), layout="constrained")
    axes = list(figure.subplots(n_rows, 2, squeeze=False).flat)
    for axis, name in zip(axes, names, strict=False):
        _fan(axis, document, quantities[name])
    spare = axes[len(names) :]
    if released is not None:
        _release_bars(spare.pop(0), quantities[RELEASE], *released)
    for axis in spare:
        axis.remove()
    shown = [quantities[name] for name in names]
    figure.supxlabel(_caption(document, shown), fontsize=11, x=0.01, ha="left")
    return figure


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


def _release_bars(axis: "Axes", entry: Mapping[str, Any], place: int, year: str) -> None:
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
    axis.axvline(1.0, color="#888888", linewidth=1)
    axis.set_yticks(across, parts)
    axis.set_ylim(len(parts) - 0.4, -0.7)
    axis.set_xscale("log")
    decades = math.log10(max(high) / min(low))
    plain_ticks(axis.xaxis, (1.0,) if decades > 2 else (1.0, 2.0, 5.0))
    axis.set_title(f"Capacity for a model frozen in {year},\nfactor after {since} years")


def _fan(axis: "Axes", document: Document, entry: Mapping[str, Any]) -> None:
    """Draw one quantity over time on a log axis, its ends labelled."""
    unit, factor = scaled(entry["unit"], [*entry["p50"], *entry["p10"], *entry["p90"]])
    series = {
        key: [float("nan") if value is None else value * factor for value in entry[key]]
        for key in QUANTILES
    }
    across, doubtful = _across(document), entry.get("scenarios_only_from")
    since = None if doubtful is None else times_of(document)[1].index(doubtful)
    draw_bands(axis, across, series, doubtful_from=since)
    axis.set_title(
        "\n".join(textwrap.wrap(", ".join(filter(None, (entry["long_name"], unit))), 38))
    )
    axis.set_xlim(across[0], across[-1])
    label_values(axis)
    _label_ends(axis, across[-1], {key: values[-1] for key, values in series.items()})
    _mark_as_of(axis, document)


def _across(document: Document) -> list[float]:
    """Return where each year stands on the axis, or the end of each quarter (2026.25)."""
    time, labels = times_of(document)
    if time == "year":
        return labels
    return [int(label[:4]) + int(label[-1]) / 4 for label in labels]


def draw_bands(
    axis: "Axes",
    across: Sequence[float],
    series: Mapping[str, Sequence[float]],
    *,
    doubtful_from: int | None = None,
) -> None:
    """Draw median and nested intervals, quantiles by name, on a log axis.

    From one place on they may be doubtful: bands at a third of their strength, the median dashed.
    """
    turn = len(across) if doubtful_from is None else doubtful_from
    # The two parts share a point, so that no gap opens between them.
    for part, strength, line in ((slice(turn + 1), 1.0, "-"), (slice(turn, None), 1 / 3, ":")):
        for low, high, opacity in BANDS:
            ends = (series[low][part], series[high][part])
            axis.fill_between(across[part], *ends, color=HUE, alpha=opacity * strength, linewidth=0)
        axis.plot(across[part], series["p50"][part], color=INK, linewidth=2, linestyle=line)
    axis.set_yscale("log")


def label_values(axis: "Axes") -> None:
    """Put plain numbers on a vertical log axis, as many as its range needs, and whole years."""
    from matplotlib.ticker import MaxNLocator

    low, high = axis.get_ylim()
    decades = math.log10(high / low)
    steps = (1.0,) if decades > 3 else (1.0, 3.0) if decades > 1.5 else (1.0, 2.0, 3.0, 5.0, 7.0)
    plain_ticks(axis.yaxis, steps)
    axis.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))


def plain_ticks(axis: "Axis", steps: Sequence[float]) -> None:
    """Put plain numbers on a log axis, at these steps of each power of ten."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axis.set_major_locator(LogLocator(subs=steps, numticks=9))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axis.set_minor_formatter(NullFormatter())


def _label_ends(axis: "Axes", end: float, last: Mapping[str, float]) -> None:
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


def _mark_as_of(axis: "Axes", document: Document) -> None:
    """Draw where the record ends and the forecast begins."""
    as_of, across = document["as_of"], _across(document)
    if not as_of:
        return
    year, month = int(as_of[:4]), int(as_of[5:7] or 7)
    # A year's value stands for the middle of the year, so that its tick is at month 7.
    at = year + (month - (7 if times_of(document)[0] == "year" else 0)) / 12
    if across[0] < at < across[-1]:
        axis.axvline(at, color="#888888", linewidth=1, linestyle=(0, (3, 3)))


def _caption(document: Document, shown: Sequence[Mapping[str, Any]]) -> str:
    doubtful = any(entry.get("scenarios_only_from") is not None for entry in shown)
    return (
        "Line: median. Bands, dark to light: 50, 80 and 90% intervals. Numbers at the right: "
        f"median, p10 and p90 of {times_of(document)[1][-1]}.\nDashed: as of {document['as_of']}, "
        f"where the record ends. Seed {document['seed']}; forepass {document['forepass']}."
        + ("\nDotted and pale: so wide that only scenarios should be trusted." if doubtful else "")
    )
