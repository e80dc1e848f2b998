"""The trade-off of speed against throughput and cost: one deployment, from one request to many."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from forepass import physics
from forepass.blocks.serving import prediction, rate
from forepass.blocks.serving.rows import Rows, compute_bits, dense_flops, make_rows
from forepass.forward import capacity
from forepass.forward.capacity import Configuration, PassesRequest
from forepass.inputs.definitions import Definitions

if TYPE_CHECKING:
    from forepass.posterior import Fit

STEPS = 12
SPEEDS = 40
"""Points of the curve against speed, which a figure joins."""

type Draws = NDArray[np.float64]
type Tables = Mapping[str, pd.DataFrame]


def sweep(
    request: PassesRequest,
    fits: "Mapping[str, Fit]",
    tables: Tables,
    definitions: Definitions,
) -> xr.Dataset:
    """Return speed, throughput and cost along a ladder of requests in flight.

    Parameters
    ----------
    request : its ``concurrency`` and ``speed`` do not count: the ladder goes from one request to as
        many as the chips hold in the median draw, in equal ratios.
    fits, tables, definitions : as for `forepass.forward.capacity.passes`.

    Returns
    -------
    xr.Dataset
        By (draw, concurrency): ``speed_per_user``, ``passes_realised_per_chip``,
        ``share_of_upper_bound``, ``cost_usd_per_million_tokens``. By (draw, speed), for
        the same deployment held to a speed: ``passes_at_speed``, 0 where a draw cannot reach it,
        and ``cost_at_speed``.

    Raises
    ------
    InputError
        As for `forepass.forward.capacity.passes`.
    """
    setup = capacity.configuration(request, tables)
    drawn, ladder = _climb(request, setup, fits, tables, definitions)
    price, price_note = capacity.chip_hour_price(request, setup.chip, tables, fits)
    speeds = _speeds(drawn.speed)
    at_speed = _at_speeds(speeds, drawn)
    flops = dense_flops(setup.chip, compute_bits(setup.chip, setup.bits))
    upper = physics.upper_bound(flops, physics.weight_flop_per_token(setup.model.active_params))
    unit, money, cost = "passes/s", "USD per million tokens", "Cost per million output tokens"
    share = drawn.rate / upper
    told = {
        "speed_per_user": (drawn.speed, "tokens/s", "Speed that each user sees", "concurrency"),
        "passes_realised_per_chip": (drawn.rate, unit, "Realised per chip", "concurrency"),
        "share_of_upper_bound": (share, "share", "Share of the upper bound", "concurrency"),
        "cost_usd_per_million_tokens": (_cost(price, drawn.rate), money, cost, "concurrency"),
        "passes_at_speed": (at_speed, unit, "Realised per chip", "speed"),
        "cost_at_speed": (_cost(price, at_speed), money, cost, "speed"),
    }
    out = xr.Dataset(
        {name: capacity.described(*one, "draw", dim) for name, (*one, dim) in told.items()},
        coords={"concurrency": ladder, "speed": speeds},
    )
    notes = [
        f"{setup.n_chips} x {setup.chip.name} serve one copy of {setup.model.name}, weights at "
        f"{setup.bits:g} bits; {request.input_tokens:g} tokens in and {request.output_tokens:g} "
        "out per request",
        "with fewer requests than chips a replica falls below the lower bound, which is that of "
        "one unbatched chip",
    ]
    return out.assign_attrs(notes=[*notes, price_note])


def _climb(
    request: PassesRequest,
    setup: Configuration,
    fits: "Mapping[str, Fit]",
    tables: Tables,
    definitions: Definitions,
) -> tuple[prediction.Drawn, Draws]:
    """Return what the deployment does at each rung, dims (draw, concurrency), and the rungs."""
    table = capacity.request_table(request, setup, definitions).assign(concurrency=1.0)
    fit = fits["serving"].posterior
    one = make_rows(table, tables)
    most = max(_most_in_flight(fit, one), 1.0)
    ladder = np.unique(np.round(np.geomspace(1.0, most, STEPS)))
    rungs = table.loc[table.index.repeat(len(ladder))].reset_index(drop=True)
    rows = make_rows(rungs.assign(concurrency=ladder), tables)
    return capacity.deployed(fit, rows), ladder


def _most_in_flight(fit: xr.Dataset, one: Rows) -> float:
    """Return the requests that fill the memory, or the scheduler, in the median draw."""
    p = prediction.draw_parameters(fit, one, capacity.SEED)
    fields = {name: values[None, :] for name, values in one.fields.items()}
    fields["concurrency"] = np.zeros((1, 1))
    shape = rate.shape(fields, p, np)
    return float(np.median(rate.batch_in_flight(fields, p, shape, np)))


def _speeds(speed: Draws) -> Draws:
    """Return speeds from the slowest rung's median to what most draws reach alone."""
    slowest, alone = np.median(speed[:, -1]), np.quantile(speed[:, 0], 0.4)
    return np.geomspace(min(slowest, alone / 2), alone, SPEEDS)


def _at_speeds(speeds: Draws, drawn: prediction.Drawn) -> Draws:
    """Return the throughput that each draw keeps at each speed, dims (draw, speed).

    Along a draw's ladder the speed falls as the throughput rises; between rungs both move in logs.
    """
    wanted = np.log(speeds)
    curves = zip(np.log(drawn.speed[:, ::-1]), np.log(drawn.rate[:, ::-1]), strict=True)
    return np.stack([np.exp(np.interp(wanted, x, y, right=-np.inf)) for x, y in curves])


def _cost(price: Draws, rate_per_chip: Draws) -> Draws:
    with np.errstate(divide="ignore"):
        return np.asarray(physics.cost_per_million_tokens(price[:, None], rate_per_chip))
