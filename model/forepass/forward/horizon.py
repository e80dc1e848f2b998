"""From when on the interval of a quantity is so wide that only scenarios should be trusted."""

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from forepass.documents import Document, build_document, times_of

if TYPE_CHECKING:
    import xarray as xr

    from forepass.inputs.definitions import Definitions

FIELD = "scenarios_only_from"


def first_year(definitions: "Definitions", as_of: date | None) -> int:
    """Return the year that forecasts start in: of the day whose knowledge they have, if any."""
    earliest, latest = definitions.first_year, definitions.last_year
    return earliest if as_of is None else min(max(as_of.year, earliest), latest)


def marked(draws: "xr.Dataset", *, fold: float, **frame: Any) -> Document:  # noqa: ANN401
    """Return the document of the draws, each quantity by year or quarter with its `FIELD`.

    Parameters
    ----------
    draws, frame : as `build_document` takes them.
    fold : ratio of p90 to p10 above which the interval says little.
    """
    document = build_document(draws, **frame)
    _, times = times_of(document)
    found = {}
    for name, entry in document["quantities"].items():
        if isinstance(entry.get("p50"), list) and "dims" not in entry:
            entry[FIELD] = scenarios_only_from(entry["p10"], entry["p90"], times, fold=fold)
            if entry[FIELD] is not None:
                found[name] = f"{name} from {entry[FIELD]}"
    if found:
        words = f"scenarios only, as p90 is above {fold:g} times p10: {', '.join(found.values())}"
        document["notes"].append(words)
    return document


def scenarios_only_from(
    low: Sequence[float | None],
    high: Sequence[float | None],
    times: Sequence[Any],
    *,
    fold: float,
) -> Any:  # noqa: ANN401 - a year, or the label of a quarter
    """Return the time from which the interval stays wider than ``fold`` to the end, or None."""
    since = None
    for bottom, top, time in reversed(list(zip(low, high, times, strict=True))):
        if bottom is None or top is None:
            continue
        if not top > fold * bottom:
            break
        since = time
    return since
