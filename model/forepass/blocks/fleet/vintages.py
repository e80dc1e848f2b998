"""Shipments by vintage: the record's, those before it, and those to come."""

from dataclasses import dataclass, replace

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from forepass.blocks.fleet.shipments import PER_CHIP, QUARTERS_PER_YEAR
from forepass.blocks.fleet.supply import COST_YEAR, Wanted, most, within_limits
from forepass.blocks.fleet.survival import waiting_share
from forepass.blocks.growth import damped_log_path, logit, sigmoid

# Two years before the record get a vintage of their own; the third holds all that came before.
YEARS_BEFORE_RECORD = 3
# The calendar year that `missing_share` is elicited for.
MISSING_YEAR = 2025
SPEC_OF_NEWEST = {
    "h100e": "chip_flops_8bit",
    "tdp": "chip_power",
    "bandwidth": "chip_bandwidth",
    "memory": "chip_memory",
}
"""What the newest part's forecast calls each spec of the mean chip."""

type Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Shipped:
    """What was and will be shipped, by vintage.

    Attributes
    ----------
    vintages : calendar years; the first stands for itself and all before.
    chips : chips, dims (draw, vintage).
    per_chip : by name of `PER_CHIP`, of the mean chip of a vintage, dims (draw, vintage).
    waiting : share not yet running at the end of its own year, dims (draw, vintage).
    base_age : years by which the chips of the first vintage are older than it says, dims (draw).
    binding : index of the limit that set the year's shipments, -1 for none, dims (draw, vintage).
    """

    vintages: NDArray[np.int_]
    chips: Array
    per_chip: dict[str, Array]
    waiting: Array
    base_age: Array
    binding: NDArray[np.int_]


def ship(
    posterior: xr.Dataset, newest: xr.Dataset, last_year: int, rng: np.random.Generator
) -> Shipped:
    """Return shipments by vintage: the record's, those before it, and those to come.

    Parameters
    ----------
    posterior : draws of the fitted fleet model.
    newest : forecast of the newest part by year, dims (draw, year), as `SPEC_OF_NEWEST` names it,
        up to the last year; draws join the posterior's one by one.
    last_year : last vintage wanted; the record's own years are always there.
    rng : source of shocks to growth.
    """
    quarters = posterior["quarter"].to_numpy()
    first_year, record_end = int(str(quarters[0])[:4]), int(str(quarters[-1])[:4])
    n_years = max(last_year, record_end) - first_year + 1
    flows = _quarterly(posterior, newest, n_years * QUARTERS_PER_YEAR, rng)
    made = np.arange(first_year, first_year + n_years)
    flows = flows.reshape(*flows.shape[:2], n_years, QUARTERS_PER_YEAR)
    flows = flows / (1 - _missing(posterior, made))
    lag = posterior["deployment_lag"].to_numpy()
    waiting = waiting_share(flows[1], lag)
    yearly = flows.sum(axis=-1)
    by_name = dict(zip(("chips", *PER_CHIP), yearly, strict=True))
    then = int(np.flatnonzero(made == COST_YEAR)[0])
    wanted = Wanted(
        chips=by_name["chips"],
        watts=by_name["tdp"],
        memory=by_name["memory"],
        watts_then=by_name["tdp"][:, then] / by_name["chips"][:, then],
    )
    allowed, binding = within_limits(posterior, wanted, made, ahead=made > record_end)
    before = _before_record(posterior, yearly[:, :, 0])
    chips, *totals = np.concatenate([before, yearly * allowed], axis=-1)
    old_years = np.arange(-YEARS_BEFORE_RECORD, 0) + first_year
    uniform = waiting_share(np.ones((lag.size, old_years.size, QUARTERS_PER_YEAR)), lag)
    return Shipped(
        vintages=np.concatenate([old_years, made]),
        chips=chips,
        per_chip={name: total / chips for name, total in zip(PER_CHIP, totals, strict=True)},
        waiting=np.concatenate([uniform, waiting], axis=1),
        base_age=1 / np.expm1(posterior["base_shipment_growth"].to_numpy()),
        binding=np.concatenate([np.full(uniform.shape, -1), binding], axis=1),
    )


def bounded(posterior: xr.Dataset, revised: Shipped, foreseen: Shipped) -> Shipped:
    """Return revised shipments, what is more than was foreseen kept within the limits of supply.

    Limits bound hard here: who asks for more is told that more cannot be made.
    """
    tdp = revised.per_chip["tdp"]
    then = int(np.flatnonzero(revised.vintages == COST_YEAR)[0])
    wanted = Wanted(
        chips=revised.chips,
        watts=revised.chips * tdp,
        memory=revised.chips * revised.per_chip["memory"],
        watts_then=tdp[:, then],
    )
    share, nearest = most(posterior, wanted, revised.vintages)
    more = revised.chips > foreseen.chips
    # What was foreseen can be made, whatever a hard limit says beside a soft one.
    chips = np.where(more, np.maximum(revised.chips * share, foreseen.chips), revised.chips)
    binding = np.where(more, np.where(share < 1, nearest, -1), revised.binding)
    return replace(revised, chips=chips, binding=binding)


def _quarterly(
    posterior: xr.Dataset, newest: xr.Dataset, n_quarters: int, rng: np.random.Generator
) -> Array:
    """Return what the makers on record ship in each quarter, dims (flow, draw, quarter).

    The flows, here and below, are chips, then the totals over them of `PER_CHIP`.
    """
    log_chips, *log_per_chip = (
        posterior[f"log_{name}"].transpose("draw", "quarter", "designer").to_numpy()
        for name in ("shipments", *(f"{spec}_per_chip" for spec in PER_CHIP))
    )
    logs = (log_chips, *(log_chips + log for log in log_per_chip))
    seen = np.stack([np.exp(log).sum(axis=-1) for log in logs])
    ahead = _log_paths(posterior, newest, n_quarters - seen.shape[-1], rng)
    return np.concatenate([seen, seen[..., -1:] * np.exp(ahead)], axis=-1)


def _log_paths(
    posterior: xr.Dataset, newest: xr.Dataset, steps: int, rng: np.random.Generator
) -> Array:
    """Return the logs of flows in coming quarters over the record's last.

    The power of what is shipped has a growth of its own, which damps. The mean chip follows the
    newest part by a lag of years, all its specs together in each draw, and is larger or smaller
    beside it as the mix of makers and products drifts; the power over its own is the number.
    """
    power_rng, mix_rng = rng.spawn(2)
    watts = damped_log_path(
        growth_now=posterior["shipment_growth"].to_numpy(),
        growth_longrun=posterior["shipment_growth_longrun"].to_numpy(),
        halflife=posterior["growth_halflife"].to_numpy(),
        shock=posterior["shipment_growth_shock"].to_numpy(),
        steps=steps,
        step=1 / QUARTERS_PER_YEAR,
        rng=power_rng,
    )
    shocks = mix_rng.standard_normal((steps, len(watts))).T / np.sqrt(QUARTERS_PER_YEAR)
    mix = posterior["mix_drift"].to_numpy()[:, None] * np.cumsum(shocks, axis=1)
    last = str(posterior["quarter"].to_numpy()[-1])
    end = int(last[:4]) + (int(last[-1]) - 0.5) / QUARTERS_PER_YEAR
    when = end + np.arange(steps + 1) / QUARTERS_PER_YEAR
    lag = posterior["mix_lag"].to_numpy()[:, None]
    specs = {name: _at(newest, SPEC_OF_NEWEST[name], when - lag) for name in PER_CHIP}
    rises = {name: mix + spec[:, 1:] - spec[:, :1] for name, spec in specs.items()}
    chips = watts - rises["tdp"]
    return np.stack([chips, *(chips + rise for rise in rises.values())])


def _at(newest: xr.Dataset, name: str, when: Array) -> Array:
    """Return the log of a spec of the newest part at decimal years, dims (draw, time).

    Years stand for their middle; the first and last legs run on beyond the ends.
    """
    logs = np.log(newest[name].transpose("draw", "year").to_numpy())
    place = when - (int(newest["year"][0]) + 0.5)
    left = np.clip(np.floor(place).astype(int), 0, logs.shape[1] - 2)
    low, high = (np.take_along_axis(logs, left + step, axis=1) for step in (0, 1))
    return np.asarray(low + (place - left) * (high - low))


def _missing(posterior: xr.Dataset, years: NDArray[np.int_]) -> Array:
    """Return the share of makers that the record leaves out, dims (draw, year, quarter)."""
    parts = np.arange(1, QUARTERS_PER_YEAR + 1) / QUARTERS_PER_YEAR
    since = (years - MISSING_YEAR - 1)[:, None] + parts
    level = logit(posterior["missing_share"].to_numpy())[:, None, None]
    return np.asarray(
        sigmoid(level + posterior["missing_share_growth"].to_numpy()[:, None, None] * since)
    )


def _before_record(posterior: xr.Dataset, first: Array) -> Array:
    """Return the flows before the record, by vintage, from its first year's, dims (flow, draw).

    Shipments are taken to have grown at a constant rate, so that all of the first vintage and
    before is a geometric sum.
    """
    growth = posterior["base_shipment_growth"].to_numpy()
    per_chip = [posterior[f"base_{name}_per_chip_growth"].to_numpy() for name in PER_CHIP]
    rates = np.stack([growth, *(growth + rate for rate in per_chip)])
    back = np.arange(YEARS_BEFORE_RECORD, 0, -1)
    before = first[..., None] * np.exp(-rates[..., None] * back)
    before[..., 0] /= -np.expm1(-rates)
    return before
