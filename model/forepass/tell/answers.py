"""Answers as JSON documents, made of draws once and read back without a numerical library."""

from collections.abc import Callable, Iterator, Mapping
from functools import reduce
from importlib.resources.abc import Traversable
from itertools import product
from operator import getitem
from typing import TYPE_CHECKING, Any

from forepass import __version__, fingerprints, kept
from forepass.documents import QUANTILES, Build, Document, build_document, times_of
from forepass.inputs.rows import read_rows
from forepass.kept_fits import FAILED
from forepass.settings import Settings

if TYPE_CHECKING:
    import xarray as xr

__all__ = [
    "QUANTILES",
    "Document",
    "Draws",
    "answer",
    "as_found",
    "build_document",
    "made_from",
    "newest_source_date",
    "provenance",
    "tidy_rows",
    "times_of",
]

type Draws = xr.Dataset
"""Draws of quantities, as `build_document` takes them."""


def answer(
    command: str,
    arguments: Mapping[str, object],
    settings: Settings,
    *,
    draw: Callable[[], Any],
    build: Build | None = None,
) -> Document:
    """Return the document that answers ``command``, from the cache when its inputs are unchanged.

    Parameters
    ----------
    arguments
        What the answer depends on besides data, priors, code and seed; values must be JSON.
    draw
        Makes the draws, a Dataset unless ``build`` takes something else, when none are kept.
    build
        Makes the document of them; `build_document` unless given.
    """
    inputs = fingerprints.input_hashes(settings.data, settings.priors)
    day = settings.as_of.isoformat() if settings.as_of else None
    question = {"command": command, "arguments": dict(arguments), "seed": settings.seed}
    if day:
        question["as_of"] = day
    key = kept.digest({"forepass": __version__, "inputs": inputs, **question})
    path = settings.cache / "answers" / f"{key}.json"
    document: Document | None = kept.read_kept(path, "answer")
    if document is None:
        draws = draw()
        as_of = day or newest_source_date(settings.data)
        document = (build or build_document)(draws, seed=settings.seed, as_of=as_of, inputs=inputs)
        document["request"] = dict(arguments)
        if marks := [note for note in document.get("notes", []) if note.startswith(FAILED)]:
            document["failed_checks"] = marks
        kept.keep(path, document, "answer")
    return document


def as_found(found: Mapping[str, Any], **frame: object) -> Document:
    """Return the document of what is told as it was found, no quantiles of draws."""
    return {"forepass": __version__, **frame, **found}


def newest_source_date(data: Traversable) -> str:
    """Return the latest publication date (ISO) among the sources of the tables in ``data``."""
    return max(read_rows(data / "sources.csv").column("date"))


def provenance(document: Mapping[str, Any]) -> dict[str, str]:
    """Return what made an answer, for every file that carries it away: version, seed, hashes.

    What was answered from a fit that failed its checks says so here too.
    """
    found = {"forepass": document["forepass"], "seed": str(document["seed"])}
    found |= {f"{name}_sha256": value for name, value in document.get("inputs", {}).items()}
    if marks := document.get("failed_checks"):
        found["failed_checks"] = "; ".join(marks)
    return found


def made_from(document: Mapping[str, Any], digits: int | None = None) -> str:
    """Return `provenance` in one line, the hashes cut to ``digits``."""
    return ", ".join(
        f"{name.removesuffix('_sha256')} {value[:digits] if name.endswith('_sha256') else value}"
        for name, value in provenance(document).items()
    )


def tidy_rows(document: Mapping[str, Any], *also: str) -> Iterator[dict[str, Any]]:
    """Yield one row per quantity, time and label of any further dim, quantiles as columns.

    What is exact stands in the column of the median; ``also`` names further columns.
    """
    time, times = times_of(document)
    for name, entry in document["quantities"].items():
        columns = {key: entry[key] for key in (*QUANTILES, "value", *also) if key in entry}
        by_time = any(isinstance(values, list) for values in columns.values())
        dims = entry.get("dims", [time] if by_time else [])
        labels = [times if dim == time else entry[dim] for dim in dims]
        for at in product(*map(enumerate, labels)):
            row = {"quantity": name, "unit": entry["unit"]}
            row |= {dim: label for dim, (_, label) in zip(dims, at, strict=True)}
            for key, values in columns.items():
                cell = reduce(getitem, (index for index, _ in at), values)
                row["p50" if key == "value" else key] = cell
            yield row
