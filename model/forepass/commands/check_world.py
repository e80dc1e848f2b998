"""``forepass check --world``: our medians beside what others published, and why they differ."""

import argparse
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

from forepass.commands import fitting
from forepass.commands.output import tell_answer
from forepass.inputs.comparisons import Published, load_comparisons
from forepass.inputs.definitions import load_definitions
from forepass.settings import Settings
from forepass.tell import answers, render
from forepass.tell.answers import Draws
from forepass.tell.render import wrapped
from forepass.tell.rounding import named, number_text, scaled

BY_COLUMNS, READING_COLUMNS = 22, 60
COLUMNS = (
    *("name", "quantity", "words", "unit", "speed", "date", "by", "source", "says"),
    *("low", "point", "high", "p10", "p50", "p90", "ratio", "verdict", "seen", "reading"),
)
NOTES = (
    "published and ours at the same date: fleets at its end, rates at its middle, each draw "
    "interpolated between years",
    "agrees: the published figure lies in our 80% interval; otherwise by how many times it is "
    "above p90 or below p10",
    "in the fit: a block is fitted to the figure, so that it is no test",
)


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Print our quantities beside published ones, each with a verdict and a reading."""
    published = load_comparisons(
        settings.priors, settings.data, seen_only=settings.as_of is not None
    )
    document = answers.answer(
        "check world",
        {},
        settings,
        draw=partial(_draw, args, settings, published),
        build=lambda draws, **frame: answers.as_found(_compared(draws, published), **frame),
    )
    tell_answer(args, document, _text, _write_csv)
    return 0


def _draw(args: argparse.Namespace, settings: Settings, published: Sequence[Published]) -> Draws:
    from forepass import catalogue, posterior
    from forepass.forward import comparisons
    from forepass.forward.projection import project, whole_span
    from forepass.kept_fits import flagged

    comparisons.check_quantities(published)
    fits = fitting.fits_of(posterior.BLOCKS, args, settings)
    definitions = load_definitions(settings.priors)
    projection = project(
        fits,
        whole_span(definitions),
        seed=settings.seed,
        definitions=definitions,
        tables=catalogue.load(settings),
    )
    speeds = [one.speed for one in published if one.speed is not None]
    draws = comparisons.comparable(projection, speeds)
    return flagged(draws, fits)


def _compared(draws: Draws, published: Sequence[Published]) -> dict[str, object]:
    from forepass.forward.comparisons import judged

    notes = [*draws.attrs["notes"], *NOTES]
    return {"notes": notes, "comparisons": judged(draws, published)}


def _write_csv(document: Mapping[str, Any], path: Path) -> None:
    render.write_rows(document["comparisons"], COLUMNS, path)


def _text(document: Mapping[str, Any]) -> str:
    """Return a table for each quantity, what it is compared with down."""
    parts = []
    for (words, unit), group in groupby(
        document["comparisons"], key=lambda record: (record["words"], record["unit"])
    ):
        records = list(group)
        shown, rows = _rows(records, unit)
        headers = ["published by", "date", "published", "forepass", "verdict", "reading"]
        parts += ["", named(words, shown), render.table(rows, headers)]
    return render.framed(document, *parts)


def _rows(records: Sequence[Mapping[str, Any]], unit: str) -> tuple[str, list[list[str]]]:
    shown, factor = scaled(unit, [record["p50"] for record in records])
    rows, said = [], ""
    for record in records:
        reading = record["reading"]
        # What is said of several figures together is said once.
        words = '"' if reading == said else wrapped(reading, READING_COLUMNS)
        said = reading
        rows.append(
            [
                wrapped(record["by"], BY_COLUMNS),
                record["date"],
                _figure(record, factor).replace(" (", "\n("),
                render.cell(record, factor),
                wrapped(record["verdict"], 18) + "\n(in the fit)" * record["seen"],
                words,
            ]
        )
    return shown, rows


def _figure(record: Mapping[str, Any], factor: float) -> str:
    low, point, high = (
        None if record[key] is None else number_text(record[key] * factor)
        for key in ("low", "point", "high")
    )
    ends = f"{low} to {high}" if low and high else f"{low} or more" if low else ""
    if point and ends:
        return f"{point} ({ends})"
    return point or ends
