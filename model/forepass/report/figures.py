"""Every figure of a report: what draws it, its words, and the numbers behind it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from matplotlib.figure import Figure

from forepass.inputs.priors import BLOCKS
from forepass.report import (
    figures_by_year,
    figures_of_beliefs,
    figures_of_moves,
    figures_of_record,
    figures_published,
)
from forepass.report.drawing import Rows
from forepass.report.figures_by_year import BOUNDS, COSTS
from forepass.tell.by_year_figures import PANELS, draw_by_year, fans
from forepass.tell.figures import house_style
from forepass.tell.rounding import interval_text, scaled, times
from forepass.tell.scenario_figures import draw_compared
from forepass.tell.sensitivity_figures import draw_shares, draw_tornado

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ReportFigure:
    """One figure of a report.

    Attributes
    ----------
    title, caption : in words; a caption says what to look for.
    draw : makes the figure of the evidence, as `forepass.evidence.gather.gathered` returns it.
    alt : says in a few sentences, from the numbers, what the figure shows.
    shown : quantities by year that the figure shows.
    rows : the table behind a figure that is not by year; None where the text tells it.
    dpi : of the picture in pixels: less for one of many small panels.
    """

    title: str
    caption: str
    draw: Callable[[Document], Figure]
    alt: Callable[[Document], str]
    shown: tuple[str, ...] = ()
    rows: Callable[[Document], Rows] | None = None
    dpi: int = 160


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
        base, later = document["base"], figures_by_year.asked_year(document)
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
    def draw(document: Document) -> Figure:
        return fans(document, names, words=figures_by_year.learned_from(document, names))[0]

    return ReportFigure(title, caption, draw, _by_year(*names), shown=names)


def _beliefs(block: str) -> ReportFigure:
    return ReportFigure(
        f"Beliefs on {block.replace('_', ' ')}, before and after the data",
        "Dashed, what was believed; filled, what the data left of it.",
        partial(figures_of_beliefs.draw_beliefs, block=block),
        partial(figures_of_beliefs.belief_alt, block=block),
        dpi=100,
    )


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
    "bounds": ReportFigure(
        "Two bounds and what is realised",
        "The upper bound is peak arithmetic over the arithmetic of a pass; the lower one moves all "
        "weights for every pass. What is realised lies between.",
        figures_by_year.draw_bounds,
        _by_year(*BOUNDS, "share_of_upper_bound"),
        shown=(*BOUNDS, "share_of_upper_bound"),
    ),
    "fleet": ReportFigure(
        "Chips deployed, their power, and what sets shipments",
        "Beneath, which limit the year's shipments run into, if any.",
        figures_by_year.draw_fleet,
        _by_year("fleet_chips", "fleet_power"),
        shown=("fleet_chips", "fleet_power", "contracted_power", "supply_limit"),
    ),
    "balance": ReportFigure(
        "Capacity against demand",
        "Where capacity over demand falls below one, more is asked for than fits.",
        figures_by_year.draw_balance,
        _by_year("capacity_over_demand", "demand_tokens_per_s"),
        shown=("capacity_over_demand", "demand_tokens_per_s", "shortage", *COSTS),
    ),
    "overhang": ReportFigure(
        "The compute overhang in its senses",
        "Copies run at once at the stated speed; the last panel takes apart how capacity for a "
        "model frozen at release multiplies.",
        lambda document: draw_by_year(document, "overhang"),
        _by_year("copies_training_cluster", "copies_world", "run_to_train_ratio"),
        shown=PANELS["overhang"],
    ),
    "scenarios": ReportFigure(
        "Scenarios against the forecast",
        "Each scenario over the first, draw by draw.",
        lambda document: draw_compared(document["compared"]),
        figures_of_moves.scenarios_alt,
        rows=figures_of_moves.scenarios_rows,
    ),
    "tornado": ReportFigure(
        "What moves the forecast",
        "The median where one belief is at its 10th or its 90th percentile.",
        lambda document: draw_tornado(figures_of_moves.first_asked(document)),
        figures_of_moves.tornado_alt,
        rows=figures_of_moves.tornado_rows,
    ),
    "shares": ReportFigure(
        "What the uncertainty is made of",
        "Shares of the variance; future shocks are what no belief could tell.",
        lambda document: draw_shares(figures_of_moves.first_asked(document)),
        figures_of_moves.shares_alt,
        rows=figures_of_moves.shares_rows,
    ),
    "published": ReportFigure(
        "What others have published, beside ours",
        "Where a point lies outside the blue, ours and theirs disagree.",
        figures_published.draw_published,
        figures_published.published_alt,
        rows=figures_published.published_rows,
    ),
    "throughput": ReportFigure(
        "Throughput of measurements left out of the fit",
        "Simple rules are the bounds and the roofline as they stand.",
        figures_of_record.draw_throughput,
        figures_of_record.throughput_alt,
        rows=figures_of_record.throughput_rows,
    ),
    "backtest": ReportFigure(
        "Forecasts made at earlier dates against what came",
        "Below one, the error is less than that of the best simple forecast.",
        figures_of_record.draw_backtest,
        figures_of_record.backtest_alt,
        rows=figures_of_record.backtest_rows,
    ),
    "calibration": ReportFigure(
        "Whether fits find truths that are known",
        "Each block is refitted to data made from draws of its own priors.",
        figures_of_record.draw_calibration,
        figures_of_record.calibration_alt,
        rows=figures_of_record.calibration_rows,
    ),
    **{f"beliefs_{block}": _beliefs(block) for block in BLOCKS},
}
"""By the name of its files."""
