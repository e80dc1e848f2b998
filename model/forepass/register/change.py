"""What changed from one entry to another, and how much of it came from which of their makings."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from forepass.documents import QUANTILES
from forepass.register.forecasts import ERROR

EXCHANGED = ("data", "priors", "scenario", "seed")
"""What can be taken from either entry and run with today's code; the rest is called ``code``."""
CODE = "code"

type Document = Mapping[str, Any]
type At = tuple[str, int]
type Medians = Mapping[At, float | None]


def differing(a: Document, b: Document) -> list[str]:
    """Return which of data, priors, scenario, seed and code two entries do not share."""
    return [kind for kind in (*EXCHANGED, CODE) if _making(a, kind) != _making(b, kind)]


def _making(document: Document, kind: str) -> object:
    if kind == "seed":
        return document["seed"]
    made = document["inputs"].get(kind)
    return (document["scenario"], made) if kind == "scenario" else made


def changed_files(a: Document, b: Document, kind: str) -> list[str]:
    """Return the files of a kind, or the packages of the code, that differ."""
    one, other = (document["inputs"].get(kind) or {} for document in (a, b))
    return sorted(key for key in {*one, *other} if one.get(key) != other.get(key))


def medians(document: Document) -> dict[At, float | None]:
    """Return the median of every quantity and year, or the mean where that is what is told."""
    return {
        (name, year): value
        for name, entry in document["quantities"].items()
        for year, value in zip(document["years"], entry.get("p50", []), strict=False)
    }


def changes(a: Document, b: Document) -> list[dict[str, Any]]:
    """Return a record of each quantity and year of both entries.

    ``change`` is b over a where both medians are above 0, else b less a; ``error`` is its Monte
    Carlo standard error, as if the two were drawn apart; ``of_width`` the change of the median over
    half the 80% interval of a.
    """
    records = []
    one, other = medians(a), medians(b)
    for (name, year), before in one.items():
        after = other.get((name, year))
        if before is None or after is None:
            continue
        about = a["quantities"][name]
        if b["quantities"][name]["unit"] != about["unit"]:
            continue
        ratio = before > 0 and after > 0
        ends = [_at(document, name, year) for document in (a, b)]
        sizes = (before, after) if ratio else (1.0, 1.0)
        errors = [end.get(ERROR) for end in ends]
        known = [e / size for e, size in zip(errors, sizes, strict=True) if e is not None]
        error = math.hypot(*known) if len(known) == len(sizes) else None
        if ratio and error is not None:
            error *= after / before
        low, high = ends[0].get("p10"), ends[0].get("p90")
        width = (high - low) / 2 if low is not None and high is not None else 0.0
        records.append(
            {
                **{"quantity": name, "unit": about["unit"], "long_name": about["long_name"]},
                **{"year": year, "a": ends[0], "b": ends[1]},
                "measure": "ratio" if ratio else "difference",
                "change": after / before if ratio else after - before,
                "error": error,
                "of_width": (after - before) / width if width > 0 else None,
            }
        )
    return records


def _at(document: Document, name: str, year: int) -> dict[str, float | None]:
    place = document["years"].index(year)
    entry = document["quantities"][name]
    return {key: entry[key][place] for key in (*QUANTILES, ERROR) if key in entry}


def attributed(
    records: Iterable[dict[str, Any]],
    kinds: Sequence[str],
    run: Callable[[frozenset[str]], Medians] | None = None,
    *,
    rest: str | None = CODE,
) -> list[dict[str, Any]]:
    """Return the records with ``parts``: what of the change came from each kind.

    One kind alone bears the whole change. Several are exchanged in every order with today's code,
    by ``run``, and each bears the mean of what its exchange changed (Shapley 1953); what that
    leaves of the recorded change is the ``rest``'s. Parts of a ratio multiply to it, parts of a
    difference add up.

    Parameters
    ----------
    kinds
        Those that differ, as of `differing`.
    run
        Medians with the named kinds of the second entry and all else of the first.
    rest
        What bears what remains; None where today's code is that of both entries.
    """
    if len(kinds) <= 1:
        return [record | {"parts": dict.fromkeys(kinds, record["change"])} for record in records]
    if run is None:
        raise ValueError("several kinds differ: run is needed")
    import numpy as np

    from forepass.sensitivities.variance_shares import shapley

    exchanged, found = [kind for kind in kinds if kind != CODE], []
    # In the order that Shapley values are taken in: of place s the kinds whose bits are set.
    runs = [
        run(frozenset(kind for bit, kind in enumerate(exchanged) if place >> bit & 1))
        for place in range(2 ** len(exchanged))
    ]
    for record in records:
        values = [medians.get((record["quantity"], record["year"])) for medians in runs]
        ratio = record["measure"] == "ratio"
        known = [value for value in values if value is not None and not (ratio and value <= 0)]
        if len(known) < len(values):
            found.append(record | {"parts": None})
            continue
        scale = math.log if ratio else float
        shares = shapley(np.array([scale(value) for value in known])).tolist()
        parts = dict(zip(exchanged, shares, strict=True))
        if rest is not None:
            parts[rest] = scale(record["change"]) - sum(parts.values())
        if ratio:
            parts = {kind: math.exp(part) for kind, part in parts.items()}
        found.append(record | {"parts": parts})
    return found
