"""The register as text: entries, faults, changes with their causes, and scores."""

from collections.abc import Mapping, Sequence
from typing import Any

from forepass.register.folder import Entry
from forepass.tell import render
from forepass.tell.rounding import named, number_text, scaled

REASON_COLUMNS = 60
NOTABLE = 3.0
"""Standard errors beyond which a change of a median is more than another seed would make."""


def list_text(entries: Sequence[Entry]) -> str:
    """Return a line for each entry."""
    rows = []
    for entry in entries:
        reason = render.plain(entry.document["reason"])
        short = reason if len(reason) <= REASON_COLUMNS else reason[: REASON_COLUMNS - 3] + "..."
        about = entry.document
        scenario = render.plain(str(about["scenario"].get("name", "")))
        stem = entry.name.removesuffix(".json")
        rows.append([stem, about["forepass"], str(about["seed"]), scenario, short])
    if not rows:
        return "no entry yet; forepass register record --reason TEXT"
    return render.table(rows, ["entry", "forepass", "seed", "scenario", "reason"])


def entry_text(entry: Entry, years: Sequence[int] | None) -> str:
    """Return an entry: what it was made from, why, and its quantities by year."""
    document = entry.document
    made = document["inputs"]
    files = ", ".join(f"{len(made.get(kind, {}))} of {kind}" for kind in ("data", "priors"))
    code = ", ".join(f"{key} {str(value)[:12]}" for key, value in made.get("code", {}).items())
    lines = [
        f"entry {entry.hash}",
        f"recorded {document['created']} after {document.get('parent') or 'none: the first'}",
        f"reason: {render.plain(document['reason'])}",
        f"scenario: {render.plain(str(document['scenario'].get('name', '')))}",
        f"made from files: {files}; code: {code}",
        "",
    ]
    return "\n".join(lines) + render.by_year_text({**document, "inputs": {}}, years)


def change_text(found: Mapping[str, Any], years: Sequence[int] | None) -> str:
    """Return the changes of medians and intervals, and of each what caused it."""
    kinds = list(dict.fromkeys(kind for one in found["changes"] for kind in one["parts"] or ()))
    known = sorted({one["year"] for one in found["changes"]})
    chosen = render.shown_years({"years": known}, years) if known else []
    rows, same = [], 0
    for one in found["changes"]:
        if one["a"] == one["b"]:
            same += one["year"] in chosen
        elif one["year"] in chosen:
            unit, factor = scaled(one["unit"], [one["a"]["p50"], one["b"]["p50"]])
            cells = [render.cell(one[side], factor) for side in ("a", "b")]
            words = named(one["long_name"], unit)
            parts = one["parts"] or {}
            each = [_part(parts.get(kind), one["measure"], factor) for kind in kinds]
            rows.append([words, str(one["year"]), *cells, _change(one, factor), *each])
    title = f"{found['a']} (a) and {found['b']} (b): median (80% interval)"
    table = render.table(rows, ["", "year", "a", "b", "change", *kinds])
    if not found["changes"]:
        table = "no quantity in common"
    notes = [*found["notes"], *[f"rows left out, the same in both: {same}"] * bool(same)]
    return "\n".join([title, "", table, "", *(f"- {note}" for note in notes)])


def _change(one: Mapping[str, Any], factor: float) -> str:
    """Return the change with its Monte Carlo error, marked where that can explain it."""
    ratio = one["measure"] == "ratio"
    error, neutral = one["error"], 1.0 if ratio else 0.0
    text = _part(one["change"], one["measure"], factor)
    if error is None or one["change"] == neutral:
        return text
    scale = 1.0 if ratio else factor
    chance = abs(one["change"] - neutral) <= NOTABLE * error
    return f"{text} ± {number_text(error * scale)}{' ~' if chance else ''}"


def _part(value: float | None, measure: str, factor: float) -> str:
    if value is None:
        return "-"
    return f"x {value:.3g}" if measure == "ratio" else f"{value * factor:+.2g}"


def scores_text(found: Sequence[Mapping[str, Any]], on: str) -> str:
    """Return the scores of each entry, and each outcome that came due."""
    rows, summary = [], []
    for entry in found:
        about = entry["summary"]
        if not about["due"]:
            summary.append([entry["entry"], "0", *["-"] * 6])
            continue
        shares = [f"{share:.0%}" for share in about["coverage"].values()]
        counts = [str(about["over"]), str(about["under"])]
        summary.append(
            [entry["entry"], str(about["due"]), f"{about['crps']:.3f}", *shares, *counts]
        )
        for one in entry["outcomes"]:
            unit, factor = scaled(one["unit"], [one["p50"], one["observed"]])
            words = [one["quantity"], one["date"], unit, number_text(one["observed"] * factor)]
            inside = "yes" if one["inside"]["80"] else f"no, {one['forecast_was']}"
            rows.append(
                [entry["entry"], *words, render.cell(one, factor), inside, f"{one['crps']:.3f}"]
            )
    headers = ["entry", "due", "CRPS of logs", "in 50%", "in 80%", "in 90%", "over", "under"]
    text = f"due by {on} and not known when recorded:\n\n" + render.table(summary, headers)
    if not rows:
        return f"{text}\n\nnothing has come due yet" if found else f"no entry to score on {on}"
    detail = ["entry", "quantity", "date", "unit", "observed", "forecast (80%)", "inside", "CRPS"]
    return f"{text}\n\n{render.table(rows, detail)}"
