"""What moves the forecast, in words and tables: beliefs, their shares, scenarios."""

import math
from collections.abc import Mapping
from typing import Any

from forepass.report.drawing import Rows, two_figures
from forepass.report.figures_by_year import asked_year
from forepass.tell.rounding import interval_text, number_text, scaled
from forepass.tell.scenario_figures import PANELS
from forepass.tell.sensitivity_text import belief_text

Document = Mapping[str, Any]


def first_asked(document: Document) -> Document:
    """Return the evidence on the first quantity whose variance was traced."""
    found: Document = next(iter(document["sensitivity"].values()))
    return found


def _moving(document: Document) -> list[Document]:
    acting = [one for one in first_asked(document)["beliefs"] if one["acts_forward"]]
    return sorted(acting, key=lambda one: -abs(math.log(one["at_high"] / one["at_low"])))


def tornado_alt(document: Document) -> str:
    """Say which beliefs move the first quantity asked about most."""
    about, moving = first_asked(document)["quantity"], _moving(document)[:3]
    unit, factor = scaled(about["unit"], [about["p50"]])
    told = [
        f"{one['words'][0].lower()}{one['words'][1:]} (median "
        f"{two_figures(one['at_low'] * factor)} to {two_figures(one['at_high'] * factor)} {unit})"
        for one in moving
    ]
    return f"{about['long_name']} in {about['year']} moves most with: {'; '.join(told)}."


def tornado_rows(document: Document) -> Rows:
    """Return the table behind the tornado, what moves most first."""
    moving, ends = _moving(document), ("at_low", "at_high")
    medians = [one[end] for one in moving for end in ends]
    unit, factor = scaled(first_asked(document)["quantity"]["unit"], medians)
    headers = ["belief", "its p10", "its p90", f"median at p10, {unit}", f"median at p90, {unit}"]
    return headers, [
        [
            one["words"],
            *(belief_text(one[end]) for end in ("low", "high")),
            *(number_text(one[end] * factor) for end in ends),
        ]
        for one in moving
    ]


def shares_alt(document: Document) -> str:
    """Say which groups of beliefs hold most of the variance."""
    about, groups = first_asked(document)["quantity"], first_asked(document)["groups"][:3]
    told = ", ".join(f"{one['name']} {one['share']:.0%}" for one in groups)
    return (
        f"The variance of {about['long_name']} in {about['year']} is shared among groups of "
        f"beliefs; the largest are {told}."
    )


def shares_rows(document: Document) -> Rows:
    """Return the share of the variance of every group of beliefs."""
    rows = [
        [one["name"], *(f"{100 * one[key]:.0f}" for key in ("share", "share_p05", "share_p95"))]
        for one in first_asked(document)["groups"]
    ]
    return ["group of beliefs", "share of variance, %", "p05", "p95"], rows


def _scenario_ratios(document: Document) -> tuple[int, list[tuple[str, str, str, float]]]:
    """Return a year, and by quantity and scenario the ratio to the first: in words, its median."""
    compared = document["compared"]
    year = asked_year(compared)
    at, ratios = compared["years"].index(year), []
    for name in PANELS:
        entry = compared["quantities"].get(f"{name}_ratio")
        for place, other in enumerate(entry["compared"] if entry else ()):
            shown = [entry[key][at][place] for key in ("p50", "p10", "p90")]
            words = compared["quantities"][name]["long_name"]
            ratios.append((words, other, interval_text(*shown), shown[0]))
    return year, ratios


def scenarios_alt(document: Document) -> str:
    """Say how each scenario compares with the first in the first quantity on show."""
    year, ratios = _scenario_ratios(document)
    first, words = document["scenarios"][0]["name"], ratios[0][0]
    told = [f"{other} {number_text(r, 0.01)}" for w, other, _, r in ratios if w == words and r]
    return f"{words} in {year} over that of {first}, median: {', '.join(told)}."


def scenarios_rows(document: Document) -> Rows:
    """Return the ratios of every scenario to the first in one year."""
    year, ratios = _scenario_ratios(document)
    first = document["scenarios"][0]["name"]
    headers = ["quantity", "scenario", f"over {first} in {year}, 80% interval"]
    return headers, [[words, other, text] for words, other, text, _ in ratios]
