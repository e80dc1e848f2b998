"""Data, sources and the published track record, as a report tells of them."""

from collections.abc import Mapping
from importlib.resources.abc import Traversable
from typing import Any

from forepass.inputs.rows import read_rows
from forepass.inputs.tables import TABLES
from forepass.posterior import BLOCKS, block_module
from forepass.rooms import room


def tables(data: Traversable) -> list[dict[str, Any]]:
    """Return a record of each table: its rows, the sources that they cite, who is fitted to it."""
    found = []
    for name in TABLES:
        rows = read_rows(data / f"{name}.csv")
        cited = set(rows.column("source")) if "source" in rows.header else set()
        blocks = [block for block in BLOCKS if name in block_module(block).TABLES]
        found.append(
            {"table": name, "rows": len(rows.records()), "sources": len(cited), "blocks": blocks}
        )
    return found


def sources(data: Traversable) -> list[dict[str, str]]:
    """Return every source, as data/sources.csv describes it."""
    return sorted(read_rows(data / "sources.csv").records(), key=lambda row: row["source"])


def diagnostics(fits: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return how well the chains of each block agree."""
    told = ("rhat", "ess_bulk", "ess_tail", "divergences", "draws", "passed")
    return [
        {"block": block, **{key: getattr(fit.diagnostics, key) for key in told}}
        for block, fit in fits.items()
    ]


def track_record() -> dict[str, list[dict[str, Any]]]:
    """Return the published scores by what they are of, numbers as numbers.

    They are of the inputs as published: a report on other inputs says whose they are.
    """
    folder = room("reports/validation")
    return {
        name: [
            {column: _number(text) for column, text in row.items()}
            for row in read_rows(folder / f"{name}.csv").records()
        ]
        for name in ("serving", "backtest", "calibration")
    }


def _number(text: str) -> float | str | None:
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        return text
