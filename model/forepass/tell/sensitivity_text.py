"""The answers of ``forepass sensitivity`` as text for a terminal, and as rows of a CSV."""

from pathlib import Path

from forepass.sensitivities import GOOD_K
from forepass.tell import answers
from forepass.tell.render import Document, cell, framed, table, wrapped, write_rows
from forepass.tell.rounding import MISSING, number_text, scaled, times

KIND_WORDS = {
    "judgement": "judgement: priors that cite no source and that data hardly narrowed",
    "published": "published: priors with sources that data hardly narrowed",
    "data": "data: what the record left open",
    "structure": "structure: which form of a model holds",
    "not traced": "not traced to one of these: many small beliefs, and how they act together",
    "future shocks": "future shocks and what is new: in no belief, so that none could narrow them",
}
READINGS = {
    (True, False): "data decide",
    (False, True): "priors decide",
    (True, True): "priors and data pull apart",
    (False, False): "neither, beyond chance",
}
SHOWN_GROUPS, KNOWN_GROUPS = 16, 6


def sensitivity_text(document: Document, *, by: str) -> str:
    """Return the answer as text: what the variance rests on, then beliefs or groups of them."""
    kinds = [
        [KIND_WORDS[entry["name"]], _share(entry), _ends(entry)] for entry in document["kinds"]
    ]
    parts = [_asked(document), "", table(kinds, ["variance that rests on", "share", "90%"], RIGHT)]
    parts += ["", _groups(document) if by == "group" else _beliefs(document)]
    if "likelihoods" in document:
        parts += ["", _likelihoods(document)]
    if "measurements" in document:
        parts += ["", _measurements(document)]
    return framed(document, *parts, what=f"{document['quantity']['year']}, median (80% interval)")


RIGHT = ("left", "right", "right")


def break_even_text(document: Document) -> str:
    """Return what a belief must be for the median to cross the threshold, as text."""
    entry, about = document["break_even"], document["quantity"]
    unit, factor = scaled(about["unit"], [about["p50"], entry["threshold"]])
    sign = "above" if entry["relation"] == ">" else "below"
    limit = f"{number_text(entry['threshold'] * factor)} {unit}".strip()
    middle, *around = (belief_text(entry[f"belief_{key}"]) for key in ("p50", "p10", "p90"))
    believed = f"{middle} ({' to '.join(around)})"
    ends = [number_text(entry[key] * factor) for key in ("least", "most")]
    span = f"{belief_text(entry['low'])} to {belief_text(entry['high'])}"
    if entry["value"] is None:
        found = f"at no value from {span}"
    else:
        found = belief_text(entry["value"])
        found += f", and {entry['crossings'] - 1} more" if entry["crossings"] > 1 else ""
    facts = [
        ["belief", wrapped(f"{entry['words']}, {entry['belief_unit']}".rstrip(", "), 60)],
        ["believed", believed],
        [f"the median crosses {limit} at", found],
        [f"probability of a value that puts it {sign}", f"{entry['probability']:.0%}"],
        [f"median of the quantity over {span}", f"{ends[0]} to {ends[1]} {unit}".strip()],
    ]
    what = f"{about['year']}, median (80% interval)"
    return framed(document, _asked(document), "", table(facts, ["", ""]), what=what)


def belief_text(value: float) -> str:
    """Return a belief's value to three figures, in its own unit, whose size no scale suits."""
    return f"{value:.2e}" if abs(value) >= 1e6 else number_text(value)


def write_csv(document: Document, path: Path) -> None:
    """Write a row for each kind, block, group, belief and measurement, numbers as they are."""
    made = answers.made_from(document)
    rows = [
        {"level": level, **entry, "made_from": made}
        for level in ("kind", "block", "group", "belief", "likelihood", "measurement")
        for entry in document.get(f"{level}s", [])
    ]
    write_rows(rows, list(dict.fromkeys(key for row in rows for key in row)), path)


def _asked(document: Document) -> str:
    about = document["quantity"]
    unit, factor = scaled(about["unit"], [about["p50"], about["p10"], about["p90"]])
    return f"{about['long_name']}: {cell(about, factor)} {unit}".strip()


def _groups(document: Document) -> str:
    lines = [
        [
            wrapped(entry["name"]),
            _share(entry),
            _ends(entry),
            f"{entry['first']:.0%}",
            f"{entry['total']:.0%}",
            _prior(entry),
        ]
        for entry in document["groups"][:SHOWN_GROUPS]
    ]
    left = len(document["groups"]) - len(lines)
    rest = f"\n({left} smaller groups: --json)" if left > 0 else ""
    headers = ["group of beliefs", "share", "90%", "alone", "total", "prior"]
    return table(lines, headers, ["left", *["right"] * 5]) + rest


def _beliefs(document: Document) -> str:
    about = document["quantity"]
    acting = [entry for entry in document["beliefs"] if entry["acts_forward"]]
    medians = [entry[key] for entry in acting for key in ("at_low", "at_high")]
    unit, factor = scaled(about["unit"], medians or [about["p50"]])
    lines = []
    for entry in document["beliefs"]:
        ends = [entry["at_low"], entry["at_high"]] if entry["acts_forward"] else [None, None]
        span = [entry.get(end) for end in ("low", "high")]
        lines.append(
            [
                wrapped(entry["words"]),
                entry["kind"],
                _share(entry),
                _ends(entry),
                f"{entry['first']:.1%}",
                MISSING if None in span else " to ".join(map(belief_text, span)),
                *(number_text(times(end, factor)) for end in ends),
                _prior(entry),
                MISSING if entry.get("learned") is None else f"{entry['learned']:.0%}",
            ]
        )
    first = f"belief\n(medians: {unit})" if unit else "belief"
    headers = [first, "rests on", "share", "90%", "alone", "p10 to p90\nof the belief"]
    headers += ["median\nat low", "median\nat high", "prior", "learned"]
    return table(lines, headers, ["left", "left", *["right"] * 8])


def _likelihoods(document: Document) -> str:
    """Return by block how far the answer moves with the power of its data and of its priors.

    Where the priors move it and the data do not, the data say little; where both do, they disagree.
    """
    lines = []
    for entry in document["likelihoods"]:
        data, priors = (entry[f"{of}_sensitivity"] for of in ("likelihood", "prior"))
        told = entry["likelihood_pareto_k"] <= GOOD_K and _told(entry)
        moves = entry["likelihood_moves"], entry["prior_moves"]
        reading = READINGS[moves] if told else "only a new fit could tell"
        lines.append(
            [
                entry["name"].replace("_", " "),
                f"{data:.2f} (chance {entry['likelihood_noise']:.2f})",
                f"{priors:.2f} (chance {entry['prior_noise']:.2f})",
                f"{entry['likelihood_power']:g}, {entry['prior_power']:g}",
                reading,
            ]
        )
    headers = ["for each doubling of the power of", "its data", "its priors", "powers", ""]
    return table(lines, headers, ["left", "right", "right", "right", "left"])


def _measurements(document: Document) -> str:
    lines = []
    for entry in document["measurements"]:
        low, high = (max(entry[f"variance_explained_{end}"], 0.0) for end in ("p05", "p95"))
        lines.append(
            [
                wrapped(entry["words"], 50),
                f"{entry['error']:g}",
                f"{entry['interval_shrinks_by']:.1%}",
                f"{entry['variance_explained']:.1%}",
                f"{low:.1%} to {high:.1%}",
            ]
        )
    for entry in document["exactly_known"][:KNOWN_GROUPS]:
        words = wrapped(f"all beliefs about {entry['name']} known", 50)
        cells = (f"{entry[key]:.1%}" for key in ("interval_shrinks_by", "variance_explained"))
        lines.append([words, "exact", *cells, MISSING])
    year = document["measurements"][0]["year"]
    headers = [f"measured in {year}", "error", "interval\nshrinks by", "variance gone", "90%"]
    return table(lines, headers, ["left", *["right"] * 4])


def _share(entry: Document) -> str:
    return f"{entry['share']:.1%}"


def _ends(entry: Document) -> str:
    low, high = (max(entry[key], 0.0) * 100 for key in ("share_p05", "share_p95"))
    if low == high:
        return MISSING
    return f"{low:.1f} to {high:.1f}%"


def _prior(entry: Document) -> str:
    """Return how far the answer moves with the prior's power, marked where it counts as moved."""
    moved = entry.get("prior_sensitivity")
    if moved is None or entry["pareto_k"] is None:
        return MISSING
    if not _told(entry):
        return f"? (k {entry['pareto_k']:.1f})"
    new = " refitted" if entry.get("refitted") else ""
    return f"{moved:.2f}{' !' if entry['prior_moves'] else ''}{new}"


def _told(entry: Document) -> bool:
    """Return whether draws, or a new fit, could tell how far the answer moves with priors."""
    return bool(entry["pareto_k"] <= GOOD_K or entry.get("refitted"))
