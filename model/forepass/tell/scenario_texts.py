"""Scenarios as text: what each asks, and the table that compares them."""

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from forepass.tell.render import Document, cell, framed, shown_years, table, wrapped
from forepass.tell.rounding import named, scaled
from forepass.what_if.scenarios import Asked, Scenario

HEADLINES = (
    "world_tokens_per_s",
    "cost_usd_per_million_tokens",
    "passes_realised_per_chip",
    "share_of_upper_bound",
    "memory_wall_ratio",
    "fleet_h100e",
    "fleet_power",
    "copies_world",
    "worker_equivalents_lab",
    "run_to_train_ratio",
    "capacity_over_demand",
)
"""Shown as text; JSON and CSV hold all."""
BESIDE = {"ratio": "over", "difference": "less"}
"""What the name of a comparison ends in, and the word between the two that it compares."""
WIDTH, COLUMNS = 100, 50


def listed(scenarios: Iterable[Scenario]) -> str:
    """Return the table of scenarios."""
    rows = [[one.name, one.title, ", ".join(one.chain[1:]) or "-"] for one in scenarios]
    return table(rows, ["scenario", "title", "inherits"])


def record(scenario: Scenario) -> dict[str, Any]:
    """Return a scenario as JSON has it."""
    words = ("name", "title", "story", "source")
    about = {field: getattr(scenario, field) for field in words}
    return {**about, "inherits": list(scenario.chain[1:]), **scenario.content()}


def described(scenario: Scenario, sources: Mapping[str, str]) -> str:
    """Return a scenario with its story, its sources and all that it asks, as written."""
    lines = [scenario.name, *textwrap.wrap(scenario.story, WIDTH - 2)]
    titles = {"judgement": "our own judgement", **sources}
    keys = [key.strip() for key in scenario.source.split(";")]
    lines += [f"{key}: {titles.get(key, '?')}" for key in keys]
    if len(scenario.chain) > 1:
        lines.append(f"inherits {' <- '.join(scenario.chain[1:])}")
    for layer in scenario.layers:
        lines += [f"{name} {_asked(asked)}" for name, asked in layer.changes.items()]
        lines += [
            f"prior of {block}.{name} replaced: the block is fitted again"
            for block, tables in layer.priors.items()
            for name in tables
        ]
        lines += [f"{name} is defined as {value}" for name, value in layer.definitions.items()]
    return "\n  ".join([f"{lines[0]}: {scenario.title}", *lines[1:]])


def _asked(asked: Asked) -> str:
    ends = f"{asked.low:g}" if asked.low == asked.high else f"{asked.low:g} to {asked.high:g}"
    how = "=" if asked.how == "value" else asked.how.replace("_", " ")
    return f"{how} {ends}" + (f" from {asked.since} on" if asked.since else "")


def compared_text(document: Document, years: Sequence[int] | None = None) -> str:
    """Return levels by scenario and, under them, how each compares with the first, by year."""
    shown = shown_years(document, years)
    places = [document["years"].index(year) for year in shown]
    quantities, rows = document["quantities"], []
    for name in (name for name in HEADLINES if name in quantities):
        levels = quantities[name]
        unit, factor = scaled(levels["unit"], [x for row in levels["p50"] for x in row])
        rows.append([wrapped(named(levels["long_name"], unit), COLUMNS), *[""] * len(shown)])
        rows += _rows(levels, "scenario", "- {}", places, factor)
        for suffix, word in BESIDE.items():
            if pairs := quantities.get(f"{name}_{suffix}"):
                words = f"- {{}} {word} {levels['scenario'][0]}"
                rows += _rows(pairs, "compared", words, places, factor if word == "less" else 1.0)
    align = ["left", *("right" for _ in shown)]
    return framed(document, "", table(rows, ["", *map(str, shown)], align))


def _rows(
    entry: Document, dim: str, words: str, places: Sequence[int], factor: float
) -> list[list[str]]:
    rows = []
    for at, label in enumerate(entry[dim]):
        ends = [{key: entry[key][place][at] for key in ("p10", "p50", "p90")} for place in places]
        rows.append([words.format(label), *(cell(one, factor) for one in ends)])
    return rows
