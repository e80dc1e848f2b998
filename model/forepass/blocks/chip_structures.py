"""Two structures of growth of chips, and each draw's choice between their futures.

*Drifting*: slopes of traits bend at every turn of the year, and go on bending. *Limit-bound*: part
of each trait's growth is a package that takes more power and more memory stacks, which comes to an
end, while what a watt or a stack does grows on at a steady rate:

    x(t) = level + (growth - pace) t + room (1 - exp(-pace t / room)),

with `room` the log of how far the package can still grow. Both are fitted to the same record, each
with its own vendor effects, residuals and leads, along the dim `structure`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from forepass.blocks.chip_records import ANCHOR_YEAR, TRAITS
from forepass.blocks.trends import (
    future_slopes,
    mid_year,
    path_in_record,
    slope_at_end,
    standard_shocks,
)
from forepass.inputs.dates import EPOCH_YEAR

if TYPE_CHECKING:
    from numpy.typing import NDArray

    type Floats = NDArray[np.float64]

STRUCTURES = ("drifting", "limited")
LIMITS = ("power_room", "stacks_room", "stacks_pace")
# What limits a trait: a package's power what it computes and sends, its stacks what it holds.
BY_POWER = np.array([t in ("flops_8bit", "power", "scale_up_bandwidth") for t in TRAITS], float)
BY_STACKS = np.array([t in ("bandwidth", "capacity") for t in TRAITS], dtype=float)
POWER = TRAITS.index("power")


def lost_to_limits(
    growth: Any,  # noqa: ANN401 - NumPy arrays and tensors alike
    *,
    when: Any,  # noqa: ANN401
    stacks_pace: Any,  # noqa: ANN401
    power_room: Any,  # noqa: ANN401
    stacks_room: Any,  # noqa: ANN401
) -> Any:  # noqa: ANN401
    """Return how far the limit-bound trend lies from the straight one, zero or less.

    Parameters
    ----------
    growth
        Growth per year at the anchor, last axis traits. That of power is all of the package.
    when
        Years since the anchor, last axis of length one.
    stacks_pace
        Growth per year that bandwidth and capacity owe to more stacks.
    power_room, stacks_room
        How many times those at the anchor power or stacks can still gain.

    Returns
    -------
    Any
        Broadcast of all.
    """
    lost = 0.0
    for concerned, pace, room in (
        (BY_POWER, growth[..., POWER : POWER + 1], np.log1p(power_room)),
        (BY_STACKS, stacks_pace, np.log1p(stacks_room)),
    ):
        lost = lost + concerned * (room * (1 - np.exp(-pace * when / room)) - pace * when)
    return lost


def choose_structure(posterior: xr.Dataset, rng: np.random.Generator) -> xr.Dataset:
    """Return draws without the dim `structure`: limit-bound by their weight, the rest drifting.

    The variable `limit_bound`, dims (draw), tells which are which. Draws without that dim are of
    the drifting structure.
    """
    lots = xr.DataArray(rng.uniform(size=posterior.sizes["draw"]), dims="draw")
    if "structure" not in posterior.dims:
        return posterior.assign(limit_bound=xr.zeros_like(lots, dtype=bool))
    weight = posterior["limit_bound_weight"].isel(structure=0, drop=True)
    bound = (lots < weight).drop_vars("draw", errors="ignore")
    chosen = posterior.isel(structure=bound.astype(int)).drop_vars("structure", errors="ignore")
    return chosen.assign(limit_bound=bound).transpose("draw", ...)


def recorded_path(chosen: xr.Dataset, when: Floats) -> Floats:
    """Return the fitted trend at years since the anchor, shape (draw, time, trait)."""
    drifting = path_in_record(
        chosen["level"].values,
        _slope_at_origin(chosen),
        chosen["bend"].values,
        when=when,
        knots=chosen["knot"].values,
        origin=_origin(chosen),
    )
    return np.where(_is_bound(chosen), _limited(chosen, when), drifting)


def coming_slopes(chosen: xr.Dataset, years: NDArray[np.int_], rng: np.random.Generator) -> Floats:
    """Return yearly slopes of the years after the record, shape (draw, step, trait)."""
    turns = mid_year(np.append(years[:1] - 1, years)) - (ANCHOR_YEAR - EPOCH_YEAR)
    limited = np.diff(_limited(chosen, turns), axis=1)
    drifting = _drifting_slopes(chosen, len(years), rng)
    return np.where(_is_bound(chosen), limited, drifting)


def fade(posterior: xr.Dataset, steps: int) -> Floats:
    """Return what is left of growth after each further year of slowdown, shape (draw, step)."""
    slowdown = posterior["slowdown"].values[:, None]
    return np.asarray((1 - slowdown) ** np.arange(1, steps + 1))


def correlated(posterior: xr.Dataset, z: Floats) -> Floats:
    """Return standard normals, shape (draw, step, trait), with the correlations of residuals."""
    return np.einsum("dst,dyt->dys", posterior["correlation"].values, z)


def _is_bound(chosen: xr.Dataset) -> NDArray[np.bool_]:
    return np.asarray(chosen["limit_bound"].values)[:, None, None]


def _slope_at_origin(chosen: xr.Dataset) -> Floats:
    """Return the slope where no bend has yet turned it, shape (draw, trait).

    Bends leave the mean slope of the record to be its growth.
    """
    leant = (chosen["bend_lean"] * chosen["bend"]).sum("knot").transpose("draw", "trait")
    return np.asarray(chosen["growth"].values - leant.values)


def _origin(chosen: xr.Dataset) -> float:
    return float(chosen["bend_origin"].values[0])


def _limited(chosen: xr.Dataset, when: Floats) -> Floats:
    level, growth = (chosen[name].values[:, None, :] for name in ("level", "growth"))
    rest = {name: chosen[name].values[:, None, None] for name in LIMITS}
    years = when[None, :, None]
    return np.asarray(level + growth * years + lost_to_limits(growth, when=years, **rest))


def _drifting_slopes(chosen: xr.Dataset, steps: int, rng: np.random.Generator) -> Floats:
    """Return slopes that drift on, lean back to the growth of the record, and slow down."""
    n_draws = chosen.sizes["draw"]
    scale, reversion = (chosen[name].values for name in ("bend_scale", "bend_reversion"))
    bends = correlated(chosen, standard_shocks(rng, steps, (n_draws, len(TRAITS))))
    slopes = future_slopes(
        slope_at_end(
            _slope_at_origin(chosen),
            chosen["bend"].values,
            chosen["knot"].values,
            origin=_origin(chosen),
        ),
        scale[:, None, None] * bends,
        pull=reversion[:, None],
        anchor=chosen["growth"].values,
    )
    return slopes * fade(chosen, steps)[:, :, None]
