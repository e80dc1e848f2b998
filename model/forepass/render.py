"""Answers as text for a terminal, and as CSV."""

import csv
import io
import json
import math
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tabulate import tabulate

from forepass import answers, atomic
from forepass.inputs.claims import Claim
from forepass.rounding import interval_text, number_text, scaled, times

__all__ = [
    "as_json",
    "by_year_text",
    "passes_text",
    "post_text",
    "sweep_text",
    "table",
    "write_csv",
]

Document = Mapping[str, Any]

LOW, CENTRE, HIGH = "p10", "p50", "p90"
INTERVAL = "80% interval"
MILESTONES = (2024, 2026, 2028, 2030, 2035)
LABEL_COLUMNS = 36
POST_COLUMNS = {
    "passes_upper_per_chip": "upper",
    "passes_lower_per_chip": "lower",
    "passes_realised_per_chip": "realised",
    "share_of_upper_bound": "share of upper",
    "times_lower_bound": "times lower",
    "passes_published": "analyst's",
}


def as_json(document: Document) -> str:
    """Return the document as JSON."""
    return json.dumps(document, indent=2, allow_nan=False)


def table(rows: Iterable[Sequence[str]], headers: Sequence[str]) -> str:
    """Return rows of text under headers, ready to paste."""
    return tabulate(list(rows), headers=list(headers), tablefmt="simple", disable_numparse=True)


def by_year_text(document: Document, years: Sequence[int] | None = None) -> str:
    """Return the table of a document by year: quantities down, years across.

    Each cell is the median with its interval below; each row has one scale, so that its years
    compare at a glance.

    Parameters
    ----------
    document
        An answer with ``years``.
    years
        Those to show; a few milestones unless given.
    """
    shown = _shown_years(document["years"], years)
    places = [document["years"].index(year) for year in shown]
    rows: list[list[str]] = []
    for label, entry in _series(document):
        unit, factor = scaled(entry["unit"], [entry[CENTRE][place] for place in places])
        cells = [
            interval_text(*(times(entry[key][place], factor) for key in (CENTRE, LOW, HIGH)))
            for place in places
        ]
        rows.append([_wrapped(label, unit), *(cell.replace(" (", "\n(") for cell in cells)])
    text = tabulate(
        rows,
        headers=["", *map(str, shown)],
        tablefmt="simple",
        disable_numparse=True,
        colalign=["left", *("right" for _ in shown)],
    )
    return "\n".join([_header(document), "", text, *_notes(document)])


def passes_text(document: Document) -> str:
    """Return the answer of ``passes`` as text."""
    rows = []
    for entry in document["quantities"].values():
        exact = "value" in entry
        centre = entry["value"] if exact else entry[CENTRE]
        unit, factor = scaled(entry["unit"], [centre])
        if exact:
            cell = number_text(times(centre, factor))
        else:
            cell = interval_text(*(times(entry[key], factor) for key in (CENTRE, LOW, HIGH)))
        rows.append([entry["long_name"], cell, unit])
    text = tabulate(rows, tablefmt="plain", disable_numparse=True)
    lines = [_header(document), _question(document["request"]), "", text, *_notes(document)]
    return "\n".join(lines)


def sweep_text(document: Document) -> str:
    """Return the answer of ``passes --sweep`` as text: requests in flight down, results across."""
    columns, headers = [], ["requests\nin flight"]
    entries = [e for e in document["quantities"].values() if "concurrency" in e["dims"]]
    for entry in entries:
        unit, factor = scaled(entry["unit"], entry[CENTRE])
        headers.append("\n".join(filter(None, (entry["long_name"], unit))))
        triples = zip(*(entry[key] for key in (CENTRE, LOW, HIGH)), strict=True)
        columns.append([interval_text(*(times(v, factor) for v in three)) for three in triples])
    rungs = [f"{rung:,.0f}" for rung in entries[0]["concurrency"]]
    text = tabulate(
        list(zip(rungs, *columns, strict=True)),
        headers=headers,
        tablefmt="simple",
        disable_numparse=True,
        colalign=["right"] * len(headers),
    )
    lines = [_header(document), _question(document["request"]), "", text, *_notes(document)]
    return "\n".join(lines)


def post_text(document: Document, claims: Mapping[str, Claim]) -> str:
    """Return the answer of ``post`` as text: its table, its claims, and the rows that it misses."""
    quantities = document["quantities"]
    cases = quantities["passes_realised_per_chip"]["case"]
    table_of_cases = [
        [case, *(_at_place(quantities[name], place) for name in POST_COLUMNS)]
        for place, case in enumerate(cases)
    ]
    judged = quantities["probability"]
    table_of_claims = [
        [
            "\n".join(textwrap.wrap(claims[name].statement, 2 * LABEL_COLUMNS)),
            _range(claims[name]),
            _with_unit(quantities[f"claim_{name}"]),
            f"{probability:.0%}",
        ]
        for name, probability in zip(judged["claim"], judged["value"], strict=True)
    ]
    outside = quantities["measured_rows_outside"]
    shares = zip(outside["place"], outside["value"], strict=True)
    missed = [[place, f"{share:.1%}"] for place, share in shares]
    parts = [
        _header(document),
        table(table_of_cases, ["passes/s per chip", *POST_COLUMNS.values()]),
        table(table_of_claims, ["the post's claim", "holds in", INTERVAL, "probability"]),
        table(missed, ["measured rows", "share"]),
    ]
    return "\n".join(["\n\n".join(parts), *_notes(document)])


def _at_place(entry: Mapping[str, Any], place: int) -> str:
    """Return one cell of a quantity that lies along one dim: exact, or with its interval."""
    if "value" in entry:
        return number_text(entry["value"][place])
    return _with_unit({"unit": entry["unit"], **{k: entry[k][place] for k in (CENTRE, LOW, HIGH)}})


def _with_unit(entry: Mapping[str, Any]) -> str:
    factor, sign = (100.0, "%") if entry["unit"] == "share" else (1.0, "")
    return interval_text(*(times(entry[key], factor) for key in (CENTRE, LOW, HIGH))) + sign


def _range(claim: Claim) -> str:
    ends = (claim.low, claim.high)
    low, high = (f"{end:.0%}" if claim.unit == "share" else f"{end:g}" for end in ends)
    if math.isinf(claim.low):
        return f"up to {high}"
    return f"{low} or more" if math.isinf(claim.high) else f"{low} to {high}"


def write_csv(document: Document, path: Path) -> None:
    """Write the document by year as tidy CSV: quantity, unit, year, p05 ... p95; all or nothing."""
    rows = list(answers.tidy_rows(dict(document)))
    columns = list(dict.fromkeys(column for row in rows for column in row))
    extra = [
        name for name in columns if name not in {"quantity", "unit", "year", *answers.QUANTILES}
    ]
    fields = ["quantity", "unit", "year", *extra, *answers.QUANTILES]
    lines = io.StringIO()
    writer = csv.DictWriter(lines, fields, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    atomic.write_text(path, lines.getvalue())


def _series(document: Document) -> Iterable[tuple[str, dict[str, Any]]]:
    """Yield label and entry of each list along the years, a further dim spread into several."""
    for entry in document["quantities"].values():
        extra = [dim for dim in entry.get("dims", []) if dim != "year"]
        if not extra:
            yield entry["long_name"], _by_year(entry, len(document["years"]))
            continue
        for position, labels in _places(entry, extra):
            part = {"unit": entry["unit"]}
            for key in (LOW, CENTRE, HIGH):
                part[key] = [_at(of_year, position) for of_year in entry[key]]
            yield f"{entry['long_name']}, {labels}", part


def _by_year(entry: Mapping[str, Any], n_years: int) -> dict[str, Any]:
    """Return the entry with a list along the years for each of median, low and high."""
    spread: dict[str, Any] = {"unit": entry["unit"]}
    for key in (LOW, CENTRE, HIGH):
        values = entry.get(key, entry.get("value"))
        spread[key] = values if isinstance(values, list) else [values] * n_years
    return spread


def _places(entry: Mapping[str, Any], dims: Sequence[str]) -> Iterable[tuple[tuple[int, ...], str]]:
    if not dims:
        yield (), ""
        return
    first, *rest = dims
    for index, label in enumerate(entry[first]):
        here = _label_text(first, label)
        for position, others in _places(entry, rest):
            yield (index, *position), ", ".join(filter(None, (here, others)))


def _label_text(dim: str, label: object) -> str:
    """Return a coordinate in words: a number needs the name of its dim, a text does not."""
    words = str(label).replace("_", " ")
    return words if isinstance(label, str) else f"{words} {dim.replace('_', ' ')}"


def _at(values: Any, position: tuple[int, ...]) -> float | None:  # noqa: ANN401 - nested lists
    for index in position:
        values = values[index]
    return values


def _shown_years(known: Sequence[int], asked: Sequence[int] | None) -> list[int]:
    if asked:
        return [year for year in asked if year in known]
    return [year for year in MILESTONES if year in known] or [known[0], known[-1]][: len(known)]


def _wrapped(label: str, unit: str) -> str:
    """Return label and unit over as many short lines as they need."""
    return "\n".join(textwrap.wrap(f"{label}, {unit}" if unit else label, LABEL_COLUMNS))


def _header(document: Document) -> str:
    return (
        f"forepass {document['forepass']}, as of {document['as_of']}, seed {document['seed']}: "
        f"median ({INTERVAL})"
    )


def _question(request: Mapping[str, Any]) -> str:
    bits = f" at {request['weight_bits']} bits" if request["weight_bits"] else ""
    count = request["n_chips"]
    chips = f"{count:,} x {request['chip']}" if count else f"the fewest {request['chip']}"
    lengths = f"{request['input_tokens']:,.0f} tokens in, {request['output_tokens']:,.0f} out"
    load = ""
    if request["concurrency"]:
        load = f", {request['concurrency']:,.0f} requests at once"
    if request["speed"]:
        load = f", {request['speed']:,.0f} tokens/s for each user"
    return f"{chips}, {request['model']}{bits}; {lengths}{load}"


def _notes(document: Document) -> list[str]:
    notes = document.get("notes", [])
    return ["", *(f"- {note}" for note in notes)] if notes else []
