"""What an entry says: quantiles of every quantity by year, few figures, with their own error."""

import math
from typing import TYPE_CHECKING, Any

from forepass.documents import QUANTILES, Document, build_document
from forepass.tell import answers

if TYPE_CHECKING:
    import numpy as np
    import xarray as xr
    from numpy.typing import NDArray

    from forepass.forward.projection import Projection

BATCHES, FIGURES = 20, 6
ERROR = "p50_error"
"""The Monte Carlo standard error of the median, which another seed would move it by."""


def question(projection: "Projection", years: "NDArray[np.int_]") -> "xr.Dataset":
    """Return forecast, overhang and what published figures are of, dims (draw, year, ...)."""
    from forepass.forward.comparisons import with_beside

    return with_beside(projection).sel(year=years)


def build(draws: "xr.Dataset", **frame: Any) -> Document:  # noqa: ANN401 - as build_document
    """Return the document of the draws, a quantity for each label of a further dim."""
    document = build_document(draws, **frame)
    for name, error in _errors(draws).items():
        document["quantities"][name][ERROR] = error
    flat: dict[str, Any] = {}
    columns = (*QUANTILES, ERROR)
    for row in answers.tidy_rows(document, ERROR):
        labels = {dim: row[dim] for dim in row if dim not in ("quantity", "unit", "year", *columns)}
        name = " ".join([row["quantity"], *(f"{dim}={label}" for dim, label in labels.items())])
        words = [document["quantities"][row["quantity"]]["long_name"], *map(str, labels.values())]
        about = {"unit": row["unit"], "long_name": ", ".join(words)}
        entry = flat.setdefault(name, about | {key: [] for key in columns if key in row})
        for key in columns:
            if key in row:
                entry[key].append(rounded(row[key]))
    return document | {"quantities": flat}


def rounded(value: float | None) -> float | None:
    """Return a number with as many figures as an entry keeps."""
    if value is None or not math.isfinite(value):
        return None
    return float(f"{value:.{FIGURES}g}")


def _errors(draws: "xr.Dataset") -> dict[str, Any]:
    """Return the error of each median, from medians of batches of neighbouring draws.

    Batches keep what draws of a chain share (batch means: Flegal and Jones 2010, Ann. Statist. 38).
    """
    import numpy as np

    found = {}
    for name, array in draws.data_vars.items():
        if "draw" in array.dims and array.attrs.get("summary") != "mean":
            values = array.transpose("draw", "year", ...).values
            batches = np.array_split(values, min(BATCHES, len(values)))
            medians = np.stack([np.median(batch, axis=0) for batch in batches])
            error = medians.std(axis=0, ddof=1) / np.sqrt(len(batches))
            found[str(name)] = error.tolist()
    return found
