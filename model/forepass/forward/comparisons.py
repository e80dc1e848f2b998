"""Our quantities beside what others have published of the same thing and date."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import xarray as xr

from forepass.errors import InputError
from forepass.forward import forecast, overhang, timing
from forepass.forward.projection import Projection
from forepass.inputs.comparisons import FILE, Published, centre_of
from forepass.inputs.text_files import suggest

BESIDE = {
    "fleet_inference_power": ("W", "Facility power that serves models"),
    "fleet_h100e_growth": ("x per year", "Growth of deployed H100 equivalents"),
    "lab_share": ("1", "Leading lab's share of deployed compute"),
    "lab_h100e": ("H100e", "Leading lab's H100 equivalents"),
    "training_flop": ("FLOP", "Largest training run of the year"),
    "training_cluster_flops": ("FLOP/s", "Largest training cluster, 16-bit peak"),
    "training_cluster_h100e": ("H100e", "Largest training cluster"),
    "worker_equivalents_per_h100e": ("workers", "Human worker equivalents per H100e"),
    "cost_change_per_year": ("fraction per year", "Change of the cost of serving, frontier model"),
    "cost_fall_per_year": ("x per year", "Fall of the cost of serving, frontier model"),
}
"""What published figures are of and neither the forecast nor the overhang shows."""
KNOWN = (*forecast.ORDER, *overhang.ORDER, *BESIDE)


def check_quantities(published: Iterable[Published]) -> None:
    """Refuse a quantity that is none of ours, naming the entry and the closest names."""
    for one in published:
        if one.quantity not in KNOWN:
            raise InputError(
                f"{FILE}: {one.name}: no quantity {one.quantity!r}; {suggest(one.quantity, KNOWN)}"
            )


def comparable(projection: Projection, speeds: Iterable[float] = ()) -> xr.Dataset:
    """Return every quantity that published figures can be held against, dims (draw, year).

    Those of the forecast and the overhang under their names, others besides; those of the overhang
    again for each of ``speeds`` (tokens/s of a copy), as `drawn_name` calls them.
    """
    out = with_beside(projection)
    for speed in sorted(set(speeds)):
        chosen = replace(projection.definitions, copy_speed_tokens_per_s=speed)
        drawn = overhang.copies_and_workers(replace(projection, definitions=chosen))
        # What has nothing to do with copies is the same at any speed.
        drawn = forecast.checked(out[list(overhang.ORDER)].assign(drawn.data_vars))
        for name in overhang.ORDER:
            out[drawn_name(name, speed)] = drawn[name]
    return out


def with_beside(projection: Projection) -> xr.Dataset:
    """Return the forecast, the overhang and `BESIDE`, dims (draw, year, ...)."""
    fleet, training, span = projection.fleet, projection.training, projection.years
    shown, spare = forecast.forecast_of(projection, span), overhang.overhang_of(projection, span)
    out = shown.assign(spare.data_vars).assign_attrs(notes=[])
    cost, h100e = shown["cost_usd_per_million_tokens"], fleet["fleet_h100e"]
    values = {
        "fleet_inference_power": fleet["fleet_power"] * fleet["inference_share"],
        "fleet_h100e_growth": h100e / h100e.shift(year=1),
        "lab_share": fleet["lab_share"],
        "lab_h100e": fleet["lab_share"] * h100e,
        "training_flop": training["training_flop"],
        "training_cluster_flops": training["training_cluster_flops"],
        "training_cluster_h100e": training["training_cluster_h100e"],
        "worker_equivalents_per_h100e": spare["worker_equivalents_world"] / h100e,
        "cost_change_per_year": cost / cost.shift(year=1) - 1,
        "cost_fall_per_year": cost.shift(year=1) / cost,
    }
    for name, (units, words) in BESIDE.items():
        out[name] = values[name].assign_attrs(units=units, long_name=words)
    return out


def drawn_name(quantity: str, speed: float | None) -> str:
    """Return the name of a quantity at a speed of its own, or as it is."""
    return quantity if speed is None else f"{quantity} at {speed:g} tokens/s"


def judged(draws: xr.Dataset, published: Sequence[Published]) -> list[dict[str, Any]]:
    """Return a record of each published figure, our p10, p50 and p90 at its date, and the verdict.

    ``ratio`` is the published figure, or the geometric middle of its range, over our median.
    """
    records = []
    for one in published:
        array = draws[drawn_name(one.quantity, one.speed)]
        values = timing.at_dates(array, [timing.decimal_date(one.date, one.quantity)])[:, 0]
        if not np.isfinite(values).any():
            raise InputError(f"{FILE}: {one.name}: nothing is forecast for {one.date}")
        low, median, high = (float(q) for q in np.nanquantile(values, [0.1, 0.5, 0.9]))
        ratio = centre_of(one) / median if median else None
        record = {**asdict(one), "unit": array.attrs["units"], "words": array.attrs["long_name"]}
        record |= {"p10": low, "p50": median, "p90": high, "ratio": ratio}
        records.append(record | {"verdict": verdict(one, low, median, high)})
    return records


def verdict(one: Published, low: float, median: float, high: float) -> str:
    """Return how a published figure lies to our 80% interval, and by how many times it is out."""
    centre = centre_of(one)
    if one.part and centre <= high:
        return f"a part: {centre / median:.2g} of the whole" if median else "a part"
    # What must lie within ours for the two to agree: the point, or without one the whole range.
    point = one.point is not None
    bottom = centre if point or one.low is None else one.low
    top = centre if point else np.inf if one.high is None else one.high
    lone_bound = not point and one.high is None
    if (low <= bottom and top <= high) or (lone_bound and bottom <= high):
        return "agrees"
    if not (one.low is None or one.high is None) and one.low <= high and one.high >= low:
        return "intervals overlap"
    side, nearest, end = ("above", bottom, high) if bottom > high else ("below", top, low)
    if nearest > 0 and end > 0:
        return f"{side}, {max(nearest / end, end / nearest):.3g} times"
    return f"{side}, ours is nothing" if end == 0 else f"{side}, by {abs(nearest - end):.2g}"
