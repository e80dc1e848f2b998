"""Two structures of growth of chips, and one posterior of both.

*Drifting*: slopes of traits bend at every turn of the year and go on bending, lean back to the
growth of the whole record, and slow down together. *Limit-bound*: slopes bend too, but part of each
trait's growth is a package that takes more power and more memory stacks, which comes to an end,
while what a watt or a stack does grows on:

    x(t) = drifting(t) - pace t + room (1 - exp(-pace t / room)),

with `room` the log of how far the package can still grow. Both are fitted to the same record, each
with its own vendor effects, residuals and leads, as variants of one graph.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from forepass.blocks.chips.records import ANCHOR_YEAR, TRAITS
from forepass.blocks.trends import (
    future_slopes,
    mid_year,
    path_in_record,
    slope_at_end,
    standard_shocks,
)
from forepass.inputs.dates import EPOCH_YEAR

if TYPE_CHECKING:
    from collections.abc import Sequence

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


def mixed(fits: Sequence[xr.Dataset], seed: int) -> xr.Dataset:
    """Return draws of the two structures' fits, the limit-bound one's by its stated weight.

    Parameters
    ----------
    fits
        Posteriors in the order of `STRUCTURES`, dims (draw, ...). Their variable `limit_bound`
        tells of each draw in the result which structure it is of.
    seed
        Of the lots.
    """
    drifting, limited = fits
    lots = np.random.default_rng(seed).uniform(size=drifting.sizes["draw"])
    bound = xr.DataArray(lots, dims="draw") < drifting["limit_bound_weight"]
    return limited.where(bound, drifting).transpose("draw", ...)


def recorded_path(posterior: xr.Dataset, when: Floats) -> Floats:
    """Return the fitted trend at years since the anchor, shape (draw, time, trait)."""
    drifting = path_in_record(
        posterior["level"].values,
        _slope_at_origin(posterior),
        posterior["bend"].values,
        when=when,
        knots=posterior["knot"].values,
        origin=_origin(posterior),
    )
    return drifting + np.where(_is_bound(posterior), _lost(posterior, when), 0.0)


def coming_slopes(
    posterior: xr.Dataset, years: NDArray[np.int_], rng: np.random.Generator
) -> Floats:
    """Return yearly slopes of the years after the record, shape (draw, step, trait)."""
    turns = mid_year(np.append(years[:1] - 1, years)) - (ANCHOR_YEAR - EPOCH_YEAR)
    slopes = _drifting_slopes(posterior, len(years), rng)
    slowed = slopes * fade(posterior, len(years))[:, :, None]
    limited = slopes + np.diff(_lost(posterior, turns), axis=1)
    return np.where(_is_bound(posterior), limited, slowed)


def fade(posterior: xr.Dataset, steps: int) -> Floats:
    """Return what is left of growth after each further year of slowdown, shape (draw, step)."""
    slowdown = posterior["slowdown"].values[:, None]
    return np.asarray((1 - slowdown) ** np.arange(1, steps + 1))


def correlated(posterior: xr.Dataset, z: Floats) -> Floats:
    """Return standard normals, shape (draw, step, trait), with the correlations of residuals."""
    return np.einsum("dst,dyt->dys", posterior["correlation"].values, z)


def _is_bound(posterior: xr.Dataset) -> NDArray[np.bool_]:
    return np.asarray(posterior["limit_bound"].values > 0)[:, None, None]


def _slope_at_origin(posterior: xr.Dataset) -> Floats:
    """Return the slope where no bend has yet turned it, shape (draw, trait).

    Bends leave the mean slope of the record to be its growth.
    """
    leant = (posterior["bend_lean"] * posterior["bend"]).sum("knot").transpose("draw", "trait")
    return np.asarray(posterior["growth"].values - leant.values)


def _origin(posterior: xr.Dataset) -> float:
    return float(posterior["bend_origin"].values[0])


def _lost(posterior: xr.Dataset, when: Floats) -> Floats:
    limits = {name: posterior[name].values[:, None, None] for name in LIMITS}
    growth = posterior["growth"].values[:, None, :]
    return np.asarray(lost_to_limits(growth, when=when[None, :, None], **limits))


def _drifting_slopes(posterior: xr.Dataset, steps: int, rng: np.random.Generator) -> Floats:
    """Return slopes that drift on and lean back to the growth of the record."""
    n_draws = posterior.sizes["draw"]
    scale, reversion = (posterior[name].values for name in ("bend_scale", "bend_reversion"))
    bends = correlated(posterior, standard_shocks(rng, steps, (n_draws, len(TRAITS))))
    return future_slopes(
        slope_at_end(
            _slope_at_origin(posterior),
            posterior["bend"].values,
            posterior["knot"].values,
            origin=_origin(posterior),
        ),
        scale[:, None, None] * bends,
        pull=reversion[:, None],
        anchor=posterior["growth"].values,
    )
