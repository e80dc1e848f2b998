"""What is changed by hand in the forward run: beliefs pinned, quantities set or shifted by year.

An intervention acts on the run itself (Pearl's `do`): what lies upstream keeps its draws, what lies
downstream follows, and all else keeps its random numbers. The draws with and without it are pairs.

References
----------
.. [1] J. Pearl, "Causality", 2nd edition, section 3.4, Cambridge University Press, 2009.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from forepass.errors import InputError
from forepass.forward.timing import SHARES, back, straight
from forepass.inputs.families import FAMILIES, family_quantile
from forepass.posterior import Fit
from forepass.streams import block_rng
from forepass.what_if.consequences import FOLLOWED, Before

if TYPE_CHECKING:
    from forepass.blocks.fleet.vintages import Shipped

SHIPPED = {"chips_shipped": "chips", "power_shipped": "W"}
"""Changed within the fleet's own run, and the unit of each: chips, and their own power."""
HOW = {
    "value": "is {} from {} on",
    "times": "times {} from {} on",
    "growth": "grows by {} a year more from {} on, in logs (shares: logits)",
    "growth_times": "grows {} times as fast from {} on, in logs (shares: logits)",
}
"""How a quantity by year can be changed, and what that is in words."""

type Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Amount:
    """A number, or what is drawn from a family, in the unit of what it is for.

    Attributes
    ----------
    low, high : ends of an 80% interval; the same where it is one number.
    distribution, parameters : of the family through the interval, under PyMC's names.
    """

    low: float
    high: float
    distribution: str = ""
    parameters: Mapping[str, float] = field(default_factory=dict)

    def __str__(self) -> str:
        """Return the number or the interval as a user writes it."""
        return f"{self.low:g}" if self.low == self.high else f"{self.low:g} to {self.high:g}"

    def drawn(self, size: int, *, seed: int, name: str) -> Floats:
        """Return ``size`` draws, which hang on the seed and the name alone."""
        if self.low == self.high:
            return np.full(size, self.low)
        lots = block_rng(seed, f"intervention {name}").uniform(np.finfo(float).tiny, 1.0, size)
        return family_quantile(FAMILIES[self.distribution], self.parameters, lots)


@dataclass(frozen=True, slots=True)
class Pin:
    """A belief replaced: a variable of a block's posterior that has one value for each draw."""

    block: str
    name: str
    amount: Amount

    def __str__(self) -> str:
        """Say what is pinned at what."""
        return f"{self.block}.{self.name} is {self.amount}"


@dataclass(frozen=True, slots=True)
class Change:
    """A quantity by year of a block changed from a year on.

    Attributes
    ----------
    how : of `HOW`.
    since : the first year that changes.
    kind : of work, where the quantity has several and one is meant.
    called : the name that the user gave; quantities of one name share their draws.
    """

    block: str
    name: str
    how: str
    amount: Amount
    since: int
    kind: str = ""
    called: str = ""

    def __str__(self) -> str:
        """Say what is changed and how."""
        return f"{self.called or self.name} {HOW[self.how].format(self.amount, self.since)}"


@dataclass(frozen=True, slots=True)
class Interventions:
    """All that one run changes; by default nothing."""

    pins: tuple[Pin, ...] = ()
    changes: tuple[Change, ...] = ()

    def of(self, block: str) -> list[Change]:
        """Return the changes of a block's quantities by year but its shipments."""
        return [one for one in self.changes if one.block == block and one.name not in SHIPPED]


NONE = Interventions()


def pinned(fits: "Mapping[str, Fit]", pins: Iterable[Pin], *, seed: int) -> "dict[str, Fit]":
    """Return the fits with each pinned variable replaced in every draw.

    Parameters
    ----------
    fits : by block; the posterior of each has dims (draw, ...).
    pins : a variable with dims besides gets one value along them.
    seed : of what is drawn from intervals, by name.
    """
    found = dict(fits)
    for pin in pins:
        fit = found[pin.block]
        old = fit.posterior[pin.name]
        drawn = xr.DataArray(
            pin.amount.drawn(old.sizes["draw"], seed=seed, name=f"{pin.block}.{pin.name}"),
            dims="draw",
        )
        new = xr.zeros_like(old, dtype=float) + drawn
        found[pin.block] = replace(fit, posterior=fit.posterior.assign({pin.name: new}))
    return found


def changed(
    block: str, forward: xr.Dataset, posterior: xr.Dataset, changes: Iterable[Change], *, seed: int
) -> xr.Dataset:
    """Return a block's quantities by year as changed, and what in the block follows from them.

    Parameters
    ----------
    forward : as the block's ``project`` returns it, dims (draw, year, ...).
    posterior : draws that it came from, dims (draw, ...).

    Raises
    ------
    InputError
        Where a share passes 1, or a number is too large to be one.
    """
    new = forward
    touched: set[str] = set()
    for change in changes:
        old = new[change.name]
        values = old.transpose("draw", "year", ...)
        here = values.sel(workload=change.kind) if change.kind else values
        moved = here.copy(
            data=_moved(here.values, values["year"].values, change, old.attrs["units"], seed)
        )
        if change.kind:
            moved = values.where(values["workload"] != change.kind, moved)
            if change.name == "workload_share":
                moved = _rest_scaled(moved, values, change.kind)
        new = new.assign({change.name: moved.transpose(*old.dims).assign_attrs(old.attrs)})
        touched.add(change.name)
    return FOLLOWED[block](Before(forward, posterior, touched), new) if touched else forward


def shipped(found: "Shipped", record_end: int, *, by: Interventions, seed: int) -> "Shipped":
    """Return shipments as changed; the mean chip of a vintage stays what it would have been.

    Raises
    ------
    InputError
        Where a year on record, up to ``record_end``, would change.
    """
    for change in by.changes:
        if change.name in SHIPPED:
            if change.since <= record_end:
                raise InputError(f"{change}: shipments are on record to {record_end}; start later")
            each = found.per_chip["tdp"] if SHIPPED[change.name] == "W" else 1.0
            moved = _moved(found.chips * each, found.vintages, change, SHIPPED[change.name], seed)
            found = replace(found, chips=moved / each)
    return found


def _moved(
    values: Floats, years: NDArray[np.int_], change: Change, units: str, seed: int
) -> Floats:
    """Return values, dims (draw, year, ...), as changed."""
    across = (-1,) + (1,) * (values.ndim - 1)
    name = f"{change.called or change.name}{change.kind}"
    by = change.amount.drawn(len(values), seed=seed, name=name).reshape(across)
    late = years >= change.since
    if not late.any():
        return values
    new = np.array(values, dtype=float)
    before = max(int(np.argmax(late)) - 1, 0)
    if change.how == "value":
        new[:, late] = by
    elif change.how == "times":
        new[:, late] *= by
    else:
        logs = straight(values, units)
        base = logs[:, before : before + 1]
        since = (years - years[before])[late].reshape((1, -1) + (1,) * (values.ndim - 2))
        ahead = logs[:, late]
        ahead = ahead + by * since if change.how == "growth" else base + by * (ahead - base)
        new[:, late] = back(ahead, units)
    if not np.isfinite(new).all():
        raise InputError(f"{change}: gives no finite number; ask for less")
    if units in SHARES and new.max() > 1:
        raise InputError(f"{change}: a share would pass 1; change it by growth, or by less")
    return new


def _rest_scaled(moved: xr.DataArray, old: xr.DataArray, kind: str) -> xr.DataArray:
    """Return shares of which the one of a kind is new and the others keep their proportions."""
    others = moved["workload"] != kind
    left = (1 - moved.sel(workload=kind, drop=True)) / (1 - old.sel(workload=kind, drop=True))
    return moved.where(~others, old * left)
