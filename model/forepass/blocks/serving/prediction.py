"""Posterior draws of the throughput of configurations, measured or not yet built."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from zlib import crc32

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy import special

from forepass import physics
from forepass.blocks.serving import rate
from forepass.blocks.serving.model import LEAST_TAIL, PARAMETERS, split_cells
from forepass.blocks.serving.rows import EFFECTS, LEVELS, SCENARIOS, Rows
from forepass.blocks.serving.speeds import CLOSE_TO_SPEED, batch_at, token_of

__all__ = ["Drawn", "at_speed", "draw_effects", "draw_parameters", "log_rate_draws", "time_shares"]

type Draws = NDArray[np.float64]
type Parameters = Mapping[str, Draws]


@dataclass(frozen=True, slots=True)
class Drawn:
    """What one configuration does in each draw, dims (draw, obs).

    Attributes
    ----------
    rate : output tokens per second per chip; NaN where the speed asked for cannot be had.
    batch : sequences decoded together by the replica.
    speed : output tokens per second that each user sees, prompts of the others included.
    prefill : share of a request's time that goes into prompts.
    binding : gives the shares of `time_shares`.
    """

    rate: Draws
    batch: Draws
    speed: Draws
    prefill: Draws
    binding: Callable[[], dict[str, Draws]]

    @property
    def shares(self) -> dict[str, Draws]:
        """Return the share of a request's time by what binds it, prefill besides."""
        return self.binding()


def log_rate_draws(
    posterior: xr.Dataset,
    rows: Rows,
    seed: int,
    *,
    noise: np.random.Generator | None = None,
    groups: tuple[str, ...] = LEVELS,
) -> Draws:
    """Return draws of log tokens/s per chip, dims (draw, obs).

    Parameters
    ----------
    posterior
        Of the serving block, dims (draw, ...).
    rows
        Configurations. A group that the fit knew keeps its effect; a new one is drawn from the
        population, once for all rows of it in a draw.
    seed
        Of the effects of new groups, which follow from it and their names alone.
    noise
        Source of what differs between two measurements of one configuration; None adds nothing.
        A draw has one such error for all rows: right for every row by itself, not for their sum.
    groups
        Kinds of group whose effect counts; leave out ``campaign`` and ``cell`` for a long average.
    """
    p = draw_parameters(posterior, rows, seed)
    fields = {name: values[None, :] for name, values in rows.fields.items()}
    total = np.log(rate.tokens_per_s_per_chip(fields, p, np))
    total = total + draw_effects(posterior, rows, seed, groups=groups)
    if noise is not None:
        tail = LEAST_TAIL + _column(posterior, "noise_tail")
        total = total + noise.standard_t(tail) * _column(posterior, "noise_scale")
    return np.minimum(total, np.log(_most(fields)))


def draw_parameters(posterior: xr.Dataset, rows: Rows, seed: int) -> Parameters:
    """Return the parameters of the rate by name, dims (draw, 1) or (draw, obs)."""
    p = {name: _column(posterior, name) for name in PARAMETERS}
    slow = _effect(posterior, rows, "engine", "z_engine_latency", seed)
    heavy = _effect(posterior, rows, "model", "z_model_prefill", seed)
    p["latency_factor"] = np.exp(_column(posterior, "engine_latency_spread") * slow)
    p["prefill_compute_share"] = p["prefill_compute_share"] * np.exp(
        _column(posterior, "model_prefill_spread") * heavy
    )
    return p


def draw_effects(
    posterior: xr.Dataset,
    rows: Rows,
    seed: int,
    *,
    groups: tuple[str, ...] = LEVELS,
) -> Draws:
    """Return what scenario, dates and groups add to the log rate, dims (draw, obs)."""
    total = np.zeros((posterior.sizes["draw"], len(rows)), order="F")
    for name in EFFECTS:
        if np.any(rows.effects[name]):
            total = total + _column(posterior, f"effect_{name}") * rows.effects[name]
    if np.any(rows.effects["production"]):
        total = total + _column(posterior, "published_fleet_lead") * rows.effects["production"]
    for level in groups:
        scale = _column(posterior, f"{level}_spread")
        if level == "campaign":
            tail = LEAST_TAIL + np.asarray(posterior["campaign_tail"].values)
            heavier = scale * np.sqrt(tail / _chi_square(tail, seed))[:, None]
            total = total + _campaign_effect(posterior, rows, seed, heavier)
        elif level == "cell":
            factor = np.asarray(posterior["split_cell_factor"].values)[:, None]
            split = np.array(split_cells(rows.levels[level].tolist()))
            total = total + _effect(posterior, rows, level, "of_cell", seed, new=scale) * np.where(
                _is_new(posterior, rows, level), 1 + split * (factor - 1), 1.0
            )
        else:
            total = total + scale * _effect(posterior, rows, level, f"z_{level}", seed)
    return total


def at_speed(
    fields: Mapping[str, Draws],
    p: Parameters,
    effects: Draws,
    speed: Draws | float | None,
    *,
    accepted: Draws | None = None,
) -> Drawn:
    """Return what configurations do, at the largest batch that gives each user ``speed``.

    Parameters
    ----------
    fields
        By name of `forepass.blocks.serving.rows.FIELDS`, broadcasting to (draw, obs).
    p, effects
        Of `draw_parameters` and `draw_effects`.
    speed
        Output tokens per second for each user, one for all or broadcasting to (draw, obs); None for
        the batch that the rows themselves ask.
    accepted
        Share of a lone user's speed that is enough where even a lone user would get less than was
        asked for; None where nothing less will do.
    """
    shape = rate.shape(fields, p, np)
    token = token_of(fields, p, shape)
    asked = {**fields, "concurrency": np.maximum(fields["concurrency"], 0.0)}
    batch = np.broadcast_to(rate.batch_in_flight(asked, p, shape, np), effects.shape)
    scale = np.exp(effects)
    if speed is None:
        got = scale / token.seconds(batch)
    else:
        full = rate.batch_in_flight({**fields, "concurrency": np.zeros(1)}, p, shape, np)
        lone = np.broadcast_to(np.minimum(full, 1.0), effects.shape)
        of_lone = token.seconds(lone)
        if accepted is not None:
            speed = np.minimum(speed, accepted * (scale / of_lone))
        batch, took = batch_at(token, speed / scale, (lone, of_lone), full)
        got = scale / took
    each = got * batch / fields["n_chips"]
    if speed is not None:
        # Even alone a user may not get the speed asked for: no batch allows it.
        enough = got >= speed * (1 - 2 * CLOSE_TO_SPEED)
        each = np.where(enough, each, np.nan)
        # Where memory and not the speed sets the batch, users get more than they asked for.
        got = np.where(np.isclose(got, speed, rtol=2 * CLOSE_TO_SPEED), speed, got)
    each = np.minimum(each, _most(fields))
    return Drawn(
        each, batch, got, token.prefill(batch), partial(time_shares, fields, p, shape, batch)
    )


def time_shares(
    fields: Mapping[str, Draws], p: Parameters, shape: Mapping[str, Draws], batch: Draws
) -> dict[str, Draws]:
    """Return the share of a request's time by what binds it, and the share that is prefill.

    Where compute and memory overlap, the time is split as their power-mean terms.
    """
    parts = rate.step_parts(fields, p, shape, batch, np)
    sharpness = p["overlap_sharpness"]
    memory = parts["weights"] + parts["kv_cache"]
    both = physics.overlapped(parts["compute"], memory, sharpness)
    on_compute = parts["compute"] ** sharpness / (parts["compute"] ** sharpness + memory**sharpness)
    decode = {
        "compute": both * on_compute,
        "weights": both * (1 - on_compute) * parts["weights"] / memory,
        "kv_cache": both * (1 - on_compute) * parts["kv_cache"] / memory,
        "latency": parts["latency"],
    }
    decode = {name: time * shape["outputs"] for name, time in decode.items()}
    prefill = rate.sharing(shape, batch, np) * rate.prefill_time(fields, p, shape, np)
    whole = sum(decode.values()) + prefill
    shares = {name: np.asarray(time / whole) for name, time in decode.items()}
    shares["prefill"] = np.asarray(prefill / whole)
    shares["compute"] = shares["compute"] + shares["prefill"]
    return shares


def _most(fields: Mapping[str, Draws]) -> Draws:
    """Return the rate that no effect can lift a row above: every FLOP of the sheet used."""
    flop = physics.weight_flop_per_token(fields["active_params"])
    return np.asarray(physics.upper_bound(fields["flops"], flop))


def _column(posterior: xr.Dataset, name: str) -> Draws:
    return np.asarray(posterior[name].values)[:, None]


def _effect(
    posterior: xr.Dataset,
    rows: Rows,
    level: str,
    name: str,
    seed: int,
    *,
    new: Draws | float = 1.0,
) -> Draws:
    """Return the effect of each row's group, dims (draw, obs); of a new one, drawn.

    What is drawn for a new group hangs on the seed and its name, not on the rows around it: two
    questions about one unknown chip agree in every draw.
    """
    known: dict[Any, int] = {g: i for i, g in enumerate(posterior[level].values.tolist())}
    fitted = np.asarray(posterior[name].transpose("draw", level).values)
    wanted, place = np.unique(rows.levels[level], return_inverse=True)
    spread = np.ravel(np.broadcast_to(new, (len(fitted), 1)))
    columns = [
        fitted[:, known[group]]
        if group and group in known
        else spread * _standard(f"{name} {group}", seed, len(fitted))
        for group in wanted.tolist()
    ]
    return np.array(columns)[place].T


def _campaign_effect(posterior: xr.Dataset, rows: Rows, seed: int, spread: Draws) -> Draws:
    """Return the effect of each row's campaign, dims (draw, obs).

    Where the campaign is unstated it is, in each draw, one of those on record for the row's
    scenario, each by its rows, or a new one: the same for all such rows. The fewer there are on
    record, the likelier is a new one.
    """
    stated = _effect(posterior, rows, "campaign", "of_campaign", seed, new=spread)
    unstated = rows.levels["campaign"] == ""
    fitted = np.asarray(posterior["of_campaign"].transpose("draw", "campaign").values)
    counts = posterior["campaign_rows"].isel(draw=0).transpose("scenario", "campaign").values
    of_scenario = dict(zip(SCENARIOS, counts, strict=True))
    which, whether = np.random.default_rng([seed, crc32(b"campaign")]).random((2, len(fitted)))
    weight = np.asarray(posterior["new_campaign_weight"].values)
    for scenario in np.unique(rows.levels["scenario"][unstated]):
        # Of a scenario that no table holds, no campaign is on record.
        rows_of = of_scenario.get(str(scenario), np.zeros(1))
        if rows_of.sum() == 0:
            continue
        place = np.searchsorted(np.cumsum(rows_of) / rows_of.sum(), which, side="right")
        old = np.take_along_axis(fitted, place[:, None], axis=1)
        here = unstated & (rows.levels["scenario"] == scenario)
        on_record = whether >= weight / (weight + np.count_nonzero(rows_of))
        stated[:, here] = np.where(on_record[:, None], old, stated[:, here])
    return stated


def _is_new(posterior: xr.Dataset, rows: Rows, level: str) -> NDArray[np.bool_]:
    return ~np.isin(rows.levels[level], posterior[level].values.astype(str))


def _chi_square(freedom: Draws, seed: int) -> Draws:
    """Return what divides a normal to make it Student t, one for each draw."""
    # By quantiles, as rejection would take more lots for some draws, and so change those after.
    lots = np.random.default_rng([seed, crc32(b"campaign tail")]).uniform(size=len(freedom))
    return np.asarray(2 * special.gammaincinv(freedom / 2, lots))


def _standard(key: str, seed: int, size: int) -> Draws:
    return np.random.default_rng([seed, crc32(key.encode())]).standard_normal(size)
