"""When a quantity passes a threshold: the distribution of the date, and probabilities by year."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from forepass.documents import QUANTILES, Document, build_document
from forepass.errors import InputError
from forepass.inputs.text_files import suggest

if TYPE_CHECKING:
    import numpy as np
    import xarray as xr
    from numpy.typing import NDArray

RELATIONS = {">": True, "above": True, "<": False, "below": False}


@dataclass(frozen=True, slots=True)
class Threshold:
    """A quantity and the value, in its unit, that it is asked to rise above or fall below."""

    quantity: str
    above: bool
    value: float

    def __str__(self) -> str:
        """Return it as a question asks it, and a document names it."""
        short = f"{self.value:g}"
        value = short if float(short) == self.value else repr(self.value)
        return f"{self.quantity} {'>' if self.above else '<'} {value}"


def read_threshold(words: Sequence[str], option: str = "--when") -> Threshold:
    """Return the threshold typed as three words after ``option``: quantity, relation, value."""
    name, relation, text = words
    if relation not in RELATIONS:
        raise InputError(
            f"{option}: between quantity and value must stand '>' or '<', quoted for the shell, or "
            f"above or below, got {relation!r}"
        )
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise InputError(f"{option}: the value of {name} must be a number above 0, got {text!r}")
    return Threshold(name, RELATIONS[relation], value)


def check_names(asked: Iterable[Threshold], known: Iterable[str]) -> None:
    """Refuse a quantity that is not among the ``known``, with the closest names."""
    known = sorted(known)
    for threshold in asked:
        if threshold.quantity not in known:
            raise InputError(
                f"--when: no quantity {threshold.quantity!r} by year; "
                f"{suggest(threshold.quantity, known)}"
            )


def crossings(
    draws: "xr.Dataset",
    *,
    asked: Sequence[Threshold],
    **frame: Any,  # noqa: ANN401 - as build_document takes them
) -> Document:
    """Return the document that says when each quantity passes its threshold.

    Three quantities for each: the date (decimal year), whose quantiles are missing where that share
    of draws is beyond at the first date (``share_before``) or not by the last (``share_never``);
    the probability that it has passed by each year; and that it is beyond in that year.
    """
    import xarray as xr

    from forepass.forward import timing

    out = xr.Dataset(coords={"year": draws["year"]})
    dated: dict[str, dict[str, Any]] = {}
    for threshold in asked:
        array, name = draws[threshold.quantity], str(threshold)
        _check_share(threshold, array.attrs["units"])
        dates = timing.first_beyond(array, threshold.value, above=threshold.above)
        dated[name] = _date(threshold, array, dates)
        values = array.transpose("draw", "year").values
        beyond = values > threshold.value if threshold.above else values < threshold.value
        passed = dates[:, None] <= timing.dates_of(array)
        for what, where in (("passed by", passed), ("beyond in", beyond)):
            attrs = {"units": "share", "long_name": f"Probability {what}"}
            out[f"{name}, {what}"] = ("year", where.mean(axis=0), attrs)
    out.attrs["notes"] = [*draws.attrs.get("notes", []), f"dates: {timing.NOTE}"]
    document = build_document(out, **frame)
    shares, document["quantities"] = document["quantities"], {}
    for name, date in dated.items():
        document["quantities"][name] = date
        document["quantities"] |= {k: v for k, v in shares.items() if k.startswith(f"{name}, ")}
    return document


def _date(
    threshold: Threshold, array: "xr.DataArray", dates: "NDArray[np.float64]"
) -> dict[str, Any]:
    """Return the distribution of the date of passing, as an entry of a document."""
    import numpy as np

    from forepass.forward import timing

    known = timing.dates_of(array)
    # Of draws in order, so that what is infinite stays apart from what is not.
    quantiles = np.quantile(dates, list(QUANTILES.values()), method="inverted_cdf")
    return {
        "unit": "year",
        "long_name": f"{array.attrs['long_name']}: date of passing",
        "quantity": threshold.quantity,
        "relation": ">" if threshold.above else "<",
        "threshold": threshold.value,
        "threshold_unit": array.attrs["units"],
        "holds_at": f"{timing.WORDS[timing.part_of_year(threshold.quantity)]} of the year",
        "first_date": float(known[0]),
        "last_date": float(known[-1]),
        "share_before": float(np.mean(dates == -np.inf)),
        "share_never": float(np.mean(dates == np.inf)),
        **{
            key: float(date) if np.isfinite(date) else None
            for key, date in zip(QUANTILES, quantiles, strict=True)
        },
    }


def _check_share(threshold: Threshold, unit: str) -> None:
    from forepass.forward.timing import SHARES

    if unit in SHARES and not threshold.value < 1:
        raise InputError(
            f"--when: {threshold.quantity} is a share, so its value must lie between 0 and 1 "
            f"(5% is 0.05), got {threshold.value:g}"
        )
