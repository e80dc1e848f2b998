"""Answers as text for a terminal, and as CSV."""

import csv
import io
import json
import math
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from forepass import atomic
from forepass.inputs.claims import Claim
from forepass.tell import answers
from forepass.tell.rounding import interval_text, month, named, scaled, times

Document = Mapping[str, Any]

LOW, CENTRE, HIGH = "p10", "p50", "p90"
INTERVAL = "80% interval"
PROBABILITY = "probability"
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


def table(
    rows: Iterable[Sequence[str]], headers: Sequence[str], align: Sequence[str] | None = None
) -> str:
    """Return rows of text under headers, ready to paste; without headers, without lines."""
    from tabulate import tabulate  # not before there is a table to print

    form = "simple" if headers else "plain"
    return tabulate(
        list(rows), headers=list(headers), tablefmt=form, disable_numparse=True, colalign=align
    )


def plain(text: str) -> str:
    """Return a user's text as one line, what a terminal would obey or hide as escapes."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def wrapped(words: str, width: int = LABEL_COLUMNS) -> str:
    """Return words in lines, as the first column of a table has them."""
    return textwrap.fill(words, width)


def by_year_text(document: Document, years: Sequence[int] | None = None) -> str:
    """Return the table of a document by year or quarter: quantities down, times across.

    Each cell is the median with its interval below; each row has one scale, so that its years
    compare at a glance. A few milestones are shown unless ``years`` are given.
    """
    shown = shown_years(document, years)
    rows = [
        [wrapped(words), *(text.replace(" (", "\n(") for text in cells)]
        for words, *cells in rows_by_time(document, shown)
    ]
    align = ["left", *("right" for _ in shown)]
    return framed(document, "", table(rows, ["", *map(str, shown)], align))


def rows_by_time(document: Document, shown: Sequence[Any]) -> Iterator[list[str]]:
    """Yield the words of each quantity and label, then a cell for each time, all on one scale."""
    for (words, unit), by_time in _series(document).items():
        entries = [by_time.get(time, by_time.get(None, {})) for time in shown]
        scale, factor = scaled(unit, [entry[CENTRE] for entry in entries])
        named_so = named(words, "" if unit == PROBABILITY else scale)
        yield [named_so, *(cell(entry, factor) for entry in entries)]


def when_text(document: Document, years: Sequence[int] | None = None) -> str:
    """Return the dates at which thresholds are passed, and the probabilities by year, as text."""
    shown = shown_years(document, years)
    places = [document["years"].index(year) for year in shown]
    dates, shares = [], []
    for question, entry in document["quantities"].items():
        if "threshold" in entry:
            unit, factor = scaled(entry["threshold_unit"], [entry["threshold"]])
            sign = "above" if entry["relation"] == ">" else "below"
            limit = f"{entry['threshold'] * factor:,.6g} {unit}".strip()
            about = entry["long_name"].removesuffix(": date of passing")
            words = wrapped(f"{about}, {sign} {limit}")
            never = f"{entry['share_never']:.0%}"
            levels = [date_text(entry, level).replace(" ", "\n") for level in answers.QUANTILES]
            dates.append([words, *levels, never])
            shares.append([f"{question}: at the {entry['holds_at']}", *[""] * len(shown)])
        else:
            cells = [f"{entry['value'][place]:.0%}" for place in places]
            shares.append([f"  {entry['long_name'].lower()}", *cells])
    align = ["left", *("right" for _ in answers.QUANTILES), "right"]
    return framed(
        document,
        "",
        table(dates, ["first passed in", *answers.QUANTILES, "never"], align),
        "",
        table(shares, ["", *map(str, shown)], ["left", *("right" for _ in shown)]),
        what="quantiles of the date over draws",
    )


def passes_text(document: Document) -> str:
    """Return the answer of ``passes`` as text."""
    rows = []
    for entry in document["quantities"].values():
        unit, factor = scaled(entry["unit"], [entry.get(CENTRE, entry.get("value"))])
        rows.append([entry["long_name"], cell(entry, factor), unit])
    return framed(document, _question(document["request"]), "", table(rows, []))


def sweep_text(document: Document) -> str:
    """Return the answer of ``passes --sweep`` as text: requests in flight down, results across."""
    entries = [e for e in document["quantities"].values() if "concurrency" in e["dims"]]
    rungs = entries[0]["concurrency"]
    columns, headers = [[f"{rung:,.0f}" for rung in rungs]], ["requests\nin flight"]
    for entry in entries:
        unit, factor = scaled(entry["unit"], entry[CENTRE])
        headers.append("\n".join(filter(None, (entry["long_name"], unit))))
        columns.append([cell(_at(entry, place), factor) for place in range(len(rungs))])
    text = table(zip(*columns, strict=True), headers, ["right"] * len(headers))
    return framed(document, _question(document["request"]), "", text)


def post_text(document: Document, claims: Mapping[str, Claim]) -> str:
    """Return the answer of ``post`` as text: its table, its claims, and the rows that it misses."""
    quantities = document["quantities"]
    cases = quantities["passes_realised_per_chip"]["case"]
    table_of_cases = [
        [case, *(_with_sign(_at(quantities[name], place)) for name in POST_COLUMNS)]
        for place, case in enumerate(cases)
    ]
    judged = quantities["probability"]
    table_of_claims = [
        [
            wrapped(claims[name].statement, 2 * LABEL_COLUMNS),
            _range(claims[name]),
            _with_sign(quantities[f"claim_{name}"]),
            f"{probability:.0%}",
        ]
        for name, probability in zip(judged["claim"], judged["value"], strict=True)
    ]
    outside = quantities["measured_rows_outside"]
    shares = zip(outside["place"], outside["value"], strict=True)
    missed = [[place, f"{share:.1%}"] for place, share in shares]
    return framed(
        document,
        "",
        table(table_of_cases, ["passes/s per chip", *POST_COLUMNS.values()]),
        "",
        table(table_of_claims, ["the post's claim", "holds in", INTERVAL, "probability"]),
        "",
        table(missed, ["measured rows", "share"]),
    )


def _at(entry: Document, place: int) -> dict[str, Any]:
    """Return one place of a quantity that lies along one dim."""
    numbers = {key: entry[key][place] for key in (LOW, CENTRE, HIGH, "value") if key in entry}
    return {"unit": entry["unit"], **numbers}


def cell(entry: Document, factor: float = 1.0) -> str:
    """Return a median with its interval, or what is exact, times a factor."""
    exact = entry.get("value", entry.get(CENTRE))
    if entry.get("unit") == PROBABILITY and exact is not None:
        return f"{exact:.0%}"
    return interval_text(*(times(entry.get(key, exact), factor) for key in (CENTRE, LOW, HIGH)))


def _with_sign(entry: Document) -> str:
    return f"{cell(entry, 100.0)}%" if entry["unit"] == "share" else cell(entry)


def _range(claim: Claim) -> str:
    ends = (claim.low, claim.high)
    low, high = (f"{end:.0%}" if claim.unit == "share" else f"{end:g}" for end in ends)
    if math.isinf(claim.low):
        return f"up to {high}"
    return f"{low} or more" if math.isinf(claim.high) else f"{low} to {high}"


def write_csv(document: Document, path: Path) -> None:
    """Write the document by time as tidy CSV: quantity, unit, year, p05 ... p95; all or nothing.

    The last column says what each row was made from, so that no row is parted from it.
    """
    made = answers.made_from(document)
    rows = [row | {"made_from": made} for row in answers.tidy_rows(document)]
    first = ["quantity", "unit", answers.times_of(document)[0]]
    last = [*answers.QUANTILES, "made_from"]
    columns = dict.fromkeys(column for row in rows for column in row)
    fields = [*first, *(name for name in columns if name not in first + last), *last]
    write_rows(rows, fields, path)


def write_rows(rows: Iterable[Mapping[str, Any]], fields: Sequence[str], path: Path) -> None:
    """Write the fields of each row as CSV, in their order; all or nothing."""
    lines = io.StringIO()
    writer = csv.DictWriter(lines, fields, restval="", extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    atomic.write_text(path, lines.getvalue())


def _series(document: Document) -> dict[tuple[str, str], dict[Any, dict[str, Any]]]:
    """Return the numbers of each quantity by time, and of each label of a further dim, by words."""
    series: dict[tuple[str, str], dict[Any, dict[str, Any]]] = {}
    time, _ = answers.times_of(document)
    for row in answers.tidy_rows(document):
        entry = document["quantities"][row["quantity"]]
        labels = [_label_text(dim, row[dim]) for dim in entry.get("dims", []) if dim != time]
        words = ", ".join([entry["long_name"], *labels])
        series.setdefault((words, entry["unit"]), {})[row.get(time)] = row
    return series


def _label_text(dim: str, label: object) -> str:
    """Return a coordinate in words: a number needs the name of its dim, a text does not."""
    words, of = str(label).replace("_", " "), dim.replace("_", " ")
    if label == 1 and of.startswith("years "):
        of = of.replace("years", "year", 1)
    return words if isinstance(label, str) else f"{words} {of}"


def shown_years(document: Document, asked: Sequence[int] | None) -> list[Any]:
    """Return the years asked for, or their quarters; else milestones, or a year of quarters."""
    time, known = answers.times_of(document)
    if time == "quarter":
        if asked:
            return [quarter for quarter in known if int(quarter[:4]) in asked]
        now = document["as_of"]
        since = f"{now[:4]}Q{(int(now[5:7] or 1) + 2) // 3}"
        return [quarter for quarter in known if quarter >= since][:4] or known[:4]
    if asked:
        return [year for year in asked if year in known]
    return [year for year in MILESTONES if year in known] or [known[0], known[-1]][: len(known)]


def framed(document: Document, *parts: str, what: str = f"median ({INTERVAL})") -> str:
    """Return the parts under what they are of, and over the notes."""
    about = f"forepass {document['forepass']}, as of {document['as_of']}, seed {document['seed']}"
    made = f"made from {answers.made_from(document, 12)}"
    notes = [f"- {note}" for note in (made, *document.get("notes", []))]
    return "\n".join([f"{about}: {what}", *parts, "", *notes])


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


def date_text(entry: Mapping[str, Any], level: str) -> str:
    """Return a quantile of a date as its month, or on which side of the years asked it lies."""
    if entry[level] is not None:
        return month(entry[level])
    if answers.QUANTILES[level] <= entry["share_before"]:
        return f"before {month(entry['first_date'])}"
    return f"after {month(entry['last_date'])}"
