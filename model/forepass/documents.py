"""Draws summed up as documents of quantiles, as JSON holds them."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from forepass import __version__

if TYPE_CHECKING:
    import xarray as xr

Document = dict[str, Any]
type Build = Callable[..., Document]
"""Makes a document of draws, with seed, as_of and inputs, as `build_document` does."""

QUANTILES = {f"p{percent:02}": percent / 100 for percent in (5, 10, 25, 50, 75, 90, 95)}
TIMES = ("year", "quarter")


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
    found = quantiled(array).transpose("quantile", *TIMES, ..., missing_dims="ignore")
    entry: dict[str, Any] = {
        "unit": array.attrs["units"],
        "long_name": array.attrs.get("long_name", str(array.name)),
    }
    labelled = [str(dim) for dim in found.dims if dim != "quantile"]
    if labelled not in ([], *([time] for time in TIMES)):
        entry["dims"] = labelled
        entry |= {dim: found[dim].values.tolist() for dim in labelled if dim not in TIMES}
    if "quantile" not in found.dims:
        return entry | {"value": _plain(found.values)}
    return entry | {name: _plain(row) for name, row in zip(QUANTILES, found.values, strict=True)}


def quantiled(array: "xr.DataArray") -> "xr.DataArray":
    """Return the quantiles of draws, dims (quantile, ...), or their mean where that is what counts.

    Of the draws that have a number: a speed that no batch allows leaves a draw without one. Where
    half the draws have none, there is no quantile to speak of. What is exact stays as it is.
    """
    import numpy as np
    import xarray as xr

    if "draw" not in array.dims:
        return array
    if array.attrs.get("summary") == "mean":
        return array.mean("draw", keep_attrs=True)
    found, levels = array.transpose("draw", ...), list(QUANTILES.values())
    numbers = np.where(np.isfinite(found.values), found.values, np.nan)
    missing = np.isnan(numbers).mean(axis=0)
    if np.any(missing):
        known = np.where(missing < 0.5, numbers, 0.0)
        values = np.where(missing < 0.5, np.nanquantile(known, levels, axis=0), np.nan)
    else:
        values = np.quantile(numbers, levels, axis=0)
    coords = {name: at for name, at in found.coords.items() if "draw" not in at.dims}
    dims = ("quantile", *found.dims[1:])
    return xr.DataArray(values, coords | {"quantile": list(QUANTILES)}, dims, attrs=array.attrs)


def _plain(values: Any) -> Any:  # noqa: ANN401 - nested lists of numbers, as deep as the dims
    """Return numbers as JSON has them: what is not finite becomes null."""
    import numpy as np

    numbers = np.asarray(values, dtype=float)
    plain = numbers.astype(object)
    plain[~np.isfinite(numbers)] = None
    return plain.tolist()


def times_of(document: Mapping[str, Any]) -> tuple[str, list[Any]]:
    """Return whether a document runs by year or by quarter, and its years or quarters."""
    time = next((time for time in TIMES if f"{time}s" in document), TIMES[0])
    return time, document.get(f"{time}s", [])
