"""Answers as JSON documents, built from draws once and read back without a numerical library."""

from collections.abc import Callable, Iterator, Mapping
from functools import reduce
from importlib.resources.abc import Traversable
from itertools import product
from operator import getitem
from typing import TYPE_CHECKING, Any

from forepass import __version__, fingerprints, kept
from forepass.inputs.rows import read_rows
from forepass.kept_fits import FAILED
from forepass.settings import Settings

if TYPE_CHECKING:
    import xarray as xr

Document = dict[str, Any]
type Build = Callable[..., Document]
"""Makes a document of draws, with seed, as_of and inputs, as `build_document` does."""

QUANTILES = {f"p{percent:02}": percent / 100 for percent in (5, 10, 25, 50, 75, 90, 95)}
TIMES = ("year", "quarter")


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


def build_document(
    draws: "xr.Dataset", *, seed: int, as_of: str, inputs: Mapping[str, str]
) -> Document:
    """Summarise draws as a document of quantiles.

    Variables have dims (draw, year, ...), (draw,), (year,) or none, or quarter (2026Q1) in place of
    year, ``units`` and ``long_name`` in their attributes, and ``summary`` = "mean" where the mean
    over draws is what counts; remarks for the reader are in ``attrs["notes"]``. ``as_of`` is the
    day asked for, else the date of the newest source.
    """
    document: Document = {
        "forepass": __version__,
        "seed": seed,
        "as_of": as_of,
        "inputs": dict(inputs),
    }
    for time in TIMES:
        if time in draws.coords:
            document[f"{time}s"] = draws[time].values.tolist()
    document["quantities"] = {str(name): _quantity(draws[name]) for name in draws.data_vars}
    document["notes"] = [str(note) for note in draws.attrs.get("notes", [])]
    return document


def _quantity(array: "xr.DataArray") -> dict[str, Any]:
    array = array.transpose("draw", *TIMES, ..., missing_dims="ignore")
    entry: dict[str, Any] = {
        "unit": array.attrs["units"],
        "long_name": array.attrs.get("long_name", str(array.name)),
    }
    labelled = [str(dim) for dim in array.dims if dim != "draw"]
    if labelled not in ([], *([time] for time in TIMES)):
        entry["dims"] = labelled
        entry |= {dim: array[dim].values.tolist() for dim in labelled if dim not in TIMES}
    if array.attrs.get("summary") == "mean":
        array = array.mean("draw")
    if "draw" not in array.dims:
        entry["value"] = _plain(array.values)
        return entry
    quantiles = _quantiles(array.values)
    return entry | {name: _plain(row) for name, row in zip(QUANTILES, quantiles, strict=True)}


def _quantiles(values: Any) -> Any:  # noqa: ANN401 - NumPy is not imported when answers are kept
    """Return quantiles over the first axis, of the draws that have a number.

    A speed that no batch allows leaves a draw without one. Where half the draws have none, there
    is no quantile to speak of.
    """
    import numpy as np

    levels = list(QUANTILES.values())
    numbers = np.where(np.isfinite(values), values, np.nan)
    missing = np.isnan(numbers).mean(axis=0)
    if not np.any(missing):
        return np.quantile(numbers, levels, axis=0)
    known = np.where(missing < 0.5, numbers, 0.0)
    return np.where(missing < 0.5, np.nanquantile(known, levels, axis=0), np.nan)


def _plain(values: Any) -> Any:  # noqa: ANN401 - nested lists of numbers, as deep as the dims
    """Return numbers as JSON has them: what is not finite becomes null."""
    import numpy as np

    values = np.asarray(values, dtype=float)
    if values.ndim:
        return [_plain(value) for value in values]
    return float(values) if np.isfinite(values) else None


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


def times_of(document: Mapping[str, Any]) -> tuple[str, list[Any]]:
    """Return whether a document runs by year or by quarter, and its years or quarters."""
    time = next((time for time in TIMES if f"{time}s" in document), TIMES[0])
    return time, document.get(f"{time}s", [])


def tidy_rows(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield one row per quantity, time and label of any further dim, quantiles as columns.

    What is exact stands in the column of the median.
    """
    time, times = times_of(document)
    for name, entry in document["quantities"].items():
        columns = {key: entry[key] for key in (*QUANTILES, "value") if key in entry}
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
