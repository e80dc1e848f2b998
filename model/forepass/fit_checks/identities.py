"""What must hold in every draw of a forecast: sums, products, and numbers that stay in bounds."""

from collections.abc import Iterator, Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from forepass import physics
from forepass.fit_checks.finding import Finding
from forepass.forward.deployed import benchmark_to_deployment, of_chips, on_inference
from forepass.forward.projection import Projection
from forepass.forward.throughput import Parts, served, workloads
from forepass.forward.timing import SECONDS_PER_DAY, SHARES, STEPPED

ROUNDING = 1e-9
"""Relative error that sums of some hundred terms in double precision stay below by far."""
FOLD = 100.0
"""Most by which a draw may change from one year to the next: the fastest on record, compute and
demand, grew some tenfold a year, and a quantity is made of two such at most."""
RARE = 1e-3
"""Share of draws that may change more, as tails do."""
MAY_BE_NONE = ("copies_", "worker_", "run_to_train", "inference_over_training")
"""How the names begin of what is 0 where no batch gives a copy its speed."""
CHECKED_YEAR = -6
"""Place of the year whose world is summed again vintage by vintage, from the last."""

type Floats = NDArray[np.float64]


def identities(projection: Projection, forecast: xr.Dataset, overhang: xr.Dataset) -> Finding:
    """Check sums and products of the forecast, draw by draw, to rounding.

    Parameters
    ----------
    projection : blocks by year.
    forecast, overhang : made from it over its whole span, dims (draw, year, ...).
    """
    sides = {
        **_stock(projection.fleet),
        **_demand(projection.demand),
        **_training(projection.training),
        **_answers(projection, forecast, overhang),
    }
    errors = {name: _error(*both) for name, both in sides.items()}
    worst = max(errors, key=lambda name: errors[name])
    short = [f"{name}: off by {error:.1e}" for name, error in errors.items() if error > ROUNDING]
    return Finding(
        "forecast",
        "identities",
        not short,
        f"{len(errors)} hold in {projection.serving.sizes['draw']:,} draws, "
        f"worst error {errors[worst]:.0e} ({worst})",
        f"relative error below {ROUNDING:g}",
        short,
        errors,
    )


def _error(left: Floats, right: Floats) -> float:
    scale = np.maximum(np.maximum(np.abs(left), np.abs(right)), 1e-300)
    found = np.abs(left - right) / scale
    return float(np.max(np.where(np.isfinite(found), found, np.inf)))


type Sides = dict[str, tuple[Floats, Floats]]
"""What must be equal, by the words for it."""


def _of(block: xr.Dataset, name: str) -> Floats:
    return np.asarray(block[name].transpose("draw", "year", ...).values, dtype=float)


def _stock(fleet: xr.Dataset) -> Sides:
    vintage, stock = _of(fleet, "fleet_chips_by_vintage"), _of(fleet, "fleet_chips")
    both = stock + _of(fleet, "chips_waiting")
    flow = _of(fleet, "chips_shipped") - _of(fleet, "chips_retired")
    found = {
        "stock is the sum of vintages' survivors": (stock, vintage.sum(axis=2)),
        "stock follows from shipments less retirements": (both[:, 1:], both[:, :-1] + flow[:, 1:]),
    }
    for name, each in (
        ("fleet_h100e", "vintage_h100e_per_chip"),
        ("fleet_chip_power", "vintage_tdp_per_chip"),
    ):
        per_chip = fleet[each].transpose("draw", "vintage").values[:, None]
        summed = (vintage * per_chip).sum(axis=2)
        found[f"{name} is the sum over vintages"] = _of(fleet, name), summed
    for words, name in (
        ("overheads of power are one number a draw", "fleet_power"),
        ("servers' overhead is one number a draw", "fleet_server_power"),
    ):
        over = _of(fleet, name) / _of(fleet, "fleet_chip_power")
        found[words] = over, over[:, :1] + 0 * over
    limit = _of(fleet, "supply_limit").sum(axis=2)
    found["one thing sets a year's shipments"] = limit, np.ones_like(limit)
    return found


def _demand(demand: xr.Dataset) -> Sides:
    shares = _of(demand, "workload_share").sum(axis=2)
    whole, out = _of(demand, "demand_tokens_per_s"), _of(demand, "demand_output_tokens_per_s")
    share = (out / whole)[:, :1]
    found = {
        "shares of work sum to one": (shares, np.ones_like(shares)),
        "tokens out are a share of tokens in and out": (out, share * whole),
    }
    if share.max() > 1:
        found["no more tokens out than in and out"] = share, np.ones_like(share)
    return found


def _training(training: xr.Dataset) -> Sides:
    flop, days, utilisation, cluster, tokens, ratio = (
        _of(training, f"training_{name}")
        for name in ("flop", "days", "utilisation", "cluster_flops", "tokens", "tokens_per_param")
    )
    done = cluster * utilisation * days * SECONDS_PER_DAY
    return {
        "a cluster does its run in its days": (done, flop),
        "tokens times parameters make a run's FLOP": (6 * tokens**2 / ratio, flop),
    }


def _answers(projection: Projection, forecast: xr.Dataset, overhang: xr.Dataset) -> Sides:
    """Return both sides of what joins several blocks; rates are of the years' newest parts."""
    at = {str(name): _of(forecast, str(name)) for name in forecast.data_vars}
    span, cost = projection.years, at["cost_usd_per_million_tokens"]
    what, loads = served(projection, span), workloads(projection, span)
    drawn = of_chips(projection, what, loads, Parts(span), software_year=span)
    read = at["cost_usd_per_million_input_tokens"] * drawn.fresh_input / drawn.output
    rate = at["passes_realised_per_chip"] * benchmark_to_deployment(projection)
    hourly = cost * rate * physics.SECONDS_PER_HOUR / physics.TOKENS_PER_PRICE_UNIT
    share, upper = at["share_of_upper_bound"], at["passes_upper_per_chip"]
    active, world = at["frontier_active_params"], at["world_tokens_per_s"]
    flops = upper * physics.weight_flop_per_token(active)
    bandwidth = at["passes_lower_per_chip"] * active * at["weight_bits"] / 8
    asked = _of(projection.demand, "demand_output_tokens_per_s")
    workers_lab, workers_world, copies_lab, copies_world = (
        _of(overhang, f"{what}_{who}")
        for what in ("worker_equivalents", "copies")
        for who in ("lab", "world")
    )
    year = int(span[CHECKED_YEAR])
    return {
        "cost is rent over rate": (hourly, at["chip_hour_cost_usd"]),
        "costs of reading and of decoding make the cost": (
            at["cost_usd_per_million_output_tokens"] + read,
            cost,
        ),
        "realised is a share of the upper bound": (share * upper, at["passes_realised_per_chip"]),
        "the upper bound is rate over FLOP": (flops, at["chip_flops"]),
        "the lower bound is bandwidth over bytes": (bandwidth, at["chip_bandwidth"]),
        "the leading lab has its share": (
            at["lab_tokens_per_s"],
            world * _of(projection.fleet, "lab_share"),
        ),
        "capacity over demand is their ratio": (
            _of(overhang, "capacity_over_demand") * asked,
            world,
        ),
        "workers are copies times one pace and hours": (
            workers_world * copies_lab,
            workers_lab * copies_world,
        ),
        f"capacity of {year} is chips times rate times share and duty, by vintage": (
            world[:, CHECKED_YEAR],
            _world_again(projection, year),
        ),
    }


def _world_again(projection: Projection, year: int) -> Floats:
    """Return output tokens/s of the world in a year, summed vintage by vintage, dims (draw)."""
    fleet, chips = projection.fleet, projection.chips
    total = np.zeros(projection.serving.sizes["draw"])
    here = np.array([year])
    for vintage in fleet["vintage"].values[fleet["vintage"].values <= year].tolist():
        newest = max(vintage, int(chips["year"].values[0]))
        own = fleet.sel(vintage=vintage)

        def beside(mean: str, part: str, unit: float = 1.0, own: xr.Dataset = own) -> Floats:
            newest_part = chips[part].sel(year=newest)  # noqa: B023 - called in this turn
            return np.asarray((own[mean] * unit / newest_part).transpose("draw").values)[:, None]

        h100e = projection.definitions.h100_equivalent_ops_per_s
        parts = Parts(
            np.array([newest]),
            rate=beside("vintage_h100e_per_chip", "chip_flops_8bit", h100e),
            bandwidth=beside("vintage_bandwidth_per_chip", "chip_bandwidth"),
            memory=beside("vintage_memory_per_chip", "chip_memory"),
        )
        what, loads = served(projection, here), workloads(projection, here)
        each = of_chips(projection, what, loads, parts, software_year=here).output[:, 0]
        running = own["fleet_chips_by_vintage"].sel(year=year).transpose("draw").values
        total += running * each
    used = on_inference(projection)[:, CHECKED_YEAR] * benchmark_to_deployment(projection)[:, 0]
    return np.asarray(total * used)


def bounds(answers: Sequence[xr.Dataset], calm: Sequence[xr.Dataset], since: int) -> Finding:
    """Check that every quantity is finite, above 0 and without a leap, in all draws and years.

    Parameters
    ----------
    answers
        Forecast and overhang, dims (draw, year, ...), for what is finite and within its range.
    calm : the same with no break with a trend, which are stated choices and leaps by intent.
    since : the year from which on there must be no leap: nothing before is forecast.
    """
    short, worst, many = [], (1.0, ""), 0
    for name, values, units in _by_year(answers):
        many += 1
        may_be_none = units in STEPPED or name.startswith(MAY_BE_NONE)
        good = np.isfinite(values) & ((values > 0) | (may_be_none & (values == 0)))
        if units in SHARES and name != "share_of_upper_bound":
            good &= values <= 1
        if not good.all():
            short.append(f"{name}: no number in its range in {(~good).mean():.2%} of cells")
    for name, values, units in _by_year([one.sel(year=slice(since, None)) for one in calm]):
        if units in STEPPED:
            continue
        logs = np.log(np.where(values > 0, values, np.nan))
        leaps = np.nan_to_num(np.abs(np.diff(logs, axis=1)))
        far = float((leaps > np.log(FOLD)).any(axis=1).mean())
        worst = max(worst, (float(np.exp(np.quantile(leaps.max(axis=1), 1 - RARE))), name))
        if far > RARE:
            short.append(f"{name}: changes {FOLD:g}-fold within a year in {far:.2%} of draws")
    return Finding(
        "forecast",
        "no singularity",
        not short,
        f"{many} quantities in range in all draws and years; without breaks, in 999 of 1,000 draws "
        f"none changes more than {worst[0]:.3g}-fold in a year from {since} on ({worst[1]})",
        f"finite and in range; {FOLD:g}-fold within a year in at most {RARE:.1%} of draws",
        short,
    )


def _by_year(answers: Sequence[xr.Dataset]) -> Iterator[tuple[str, Floats, str]]:
    for answer in answers:
        for name, array in answer.data_vars.items():
            if set(array.dims) == {"draw", "year"}:
                yield str(name), array.transpose("draw", "year").values, array.attrs["units"]
