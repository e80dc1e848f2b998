"""Every figure of a report: what draws it, its words, and the numbers behind it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from forepass.report import figures_by_year
from forepass.tell.by_year_figures import draw_by_year, fans
from forepass.tell.figures import house_style
from forepass.tell.rounding import interval_text, scaled, times

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["FIGURES", "ReportFigure", "said"]

Document = Mapping[str, Any]
type Rows = tuple[list[str], list[list[str]]]
"""Headers, and the cells of each row."""

ASKED = 2030
"""The year that alternative texts tell of beside the record's last, or the last on show."""


@dataclass(frozen=True, slots=True)
class ReportFigure:
    """One figure of a report.

    Attributes
    ----------
    title, caption
        In words; a caption says what to look for.
    draw
        Makes the figure of the evidence, as `forepass.evidence.gather.gathered` returns it.
    alt
        Says in a few sentences, from the numbers, what the figure shows.
    shown
        Quantities by year that the figure shows.
    rows
        The table behind a figure that is not by year.
    """

    title: str
    caption: str
    draw: "Callable[[Document], Figure]"
    alt: Callable[[Document], str]
    shown: tuple[str, ...] = ()
    rows: Callable[[Document], Rows] | None = None


def said(document: Document, name: str, year: int) -> str:
    """Return a quantity's median with its 80% interval and unit in a year."""
    entry, at = document["quantities"][name], document["years"].index(year)
    if entry["p50"][at] is None:
        return "not known"
    unit, factor = scaled(entry["unit"], [entry["p50"][at]])
    text = interval_text(*(times(entry[key][at], factor) for key in ("p50", "p10", "p90")))
    return f"{text}{unit if unit == '%' else f' {unit}' if unit else ''}"


def _by_year(*names: str) -> Callable[[Document], str]:
    """Return what says each quantity in the record's last year and in the year asked for."""

    def alt(document: Document) -> str:
        years = document["years"]
        base = min(max(document["base"], years[0]), years[-1])
        later = ASKED if ASKED in years else years[-1]
        sentences = [
            f"{document['quantities'][name]['long_name']}: {said(document, name, base)} in {base}, "
            f"{said(document, name, later)} in {later}"
            for name in names
        ]
        return f"{'; '.join(sentences)}. Medians with 80% intervals."

    return alt


def _fans(title: str, caption: str, *names: str) -> ReportFigure:
    """Return a figure of one fan for each quantity, its panels and its words in their order."""

    @house_style()
    def draw(document: Document) -> "Figure":
        return fans(document, names, words=figures_by_year.learned_from(document, names))[0]

    return ReportFigure(title, caption, draw, _by_year(*names), shown=names)


def _drawn_by_year(
    title: str,
    caption: str,
    draw: "Callable[[Document], Figure]",
    *shown: str,
    told: Sequence[str],
) -> ReportFigure:
    return ReportFigure(title, caption, draw, _by_year(*told), shown=shown)


FIGURES: Mapping[str, ReportFigure] = {
    "world": _fans(
        "What the world's accelerators can do, and what it costs",
        "Capacity serves that year's frontier model; the reference model stays the same.",
        "world_tokens_per_s",
        "world_tokens_per_s_reference",
        "fleet_h100e",
        "cost_usd_per_million_tokens",
    ),
    "chips": _fans(
        "The newest chips and the memory wall",
        "The memory wall: how many operations of 8 bits a chip does for each byte that its memory "
        "moves.",
        "chip_flops",
        "chip_bandwidth",
        "chip_memory",
        "memory_wall_ratio",
    ),
    "models": _fans(
        "Frontier models as served",
        "Active parameters set the arithmetic of a forward pass.",
        "frontier_active_params",
        "moe_activation_fraction",
    ),
    "bounds": _drawn_by_year(
        "Two bounds and what is realised",
        "The upper bound is peak arithmetic over the arithmetic of a pass; the lower one moves all "
        "weights for every pass. What is realised lies between.",
        figures_by_year.draw_bounds,
        *figures_by_year.BOUNDS,
        "share_of_upper_bound",
        told=(*figures_by_year.BOUNDS, "share_of_upper_bound"),
    ),
    "fleet": _drawn_by_year(
        "Chips deployed, their power, and what sets shipments",
        "Beneath, which limit the year's shipments run into, if any.",
        figures_by_year.draw_fleet,
        "fleet_chips",
        "fleet_power",
        "contracted_power",
        "supply_limit",
        told=("fleet_chips", "fleet_power"),
    ),
    "balance": _drawn_by_year(
        "Capacity against demand",
        "Where capacity over demand falls below one, more is asked for than fits.",
        figures_by_year.draw_balance,
        "capacity_over_demand",
        "demand_tokens_per_s",
        "shortage",
        *figures_by_year.COSTS,
        told=("capacity_over_demand", "demand_tokens_per_s"),
    ),
    "overhang": _drawn_by_year(
        "The compute overhang in its senses",
        "Copies run at once at the stated speed; the last panel takes apart how capacity for a "
        "model frozen at release multiplies.",
        lambda document: draw_by_year(document, "overhang"),
        "copies_training_cluster",
        "copies_lab",
        "copies_world",
        "run_to_train_ratio",
        "capacity_over_demand",
        told=("copies_training_cluster", "copies_world", "run_to_train_ratio"),
    ),
}
"""By the name of its files."""
