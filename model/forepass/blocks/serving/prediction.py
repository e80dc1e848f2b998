"""Posterior draws of the throughput of configurations, measured or not yet built."""

from collections.abc import Callable, Iterable, Mapping
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

__all__ = ["Drawn", "at_speed", "draw_effects", "draw_parameters", "log_rate_draws", "time_shares"]

STEPS_TO_SPEED, STEPS_IN_LOGS, CLOSE_TO_SPEED = 30, 2, 1e-6
"""Most steps of the search for the batch that gives a speed, those of them that halve its interval
in logs, and the share by which the speed may be off."""
MANY = 2.0**10
"""Requests between which and none the straight parts of a step are measured."""
TO_THE_LAST_DIGIT = 40.0
"""Its negative exponential is nothing beside one."""

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
    token = _token(fields, p, shape)
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
        batch, took = _batch_at(token, speed / scale, (lone, of_lone), full)
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


@dataclass(frozen=True, slots=True)
class _Token:
    """Seconds from one token to the next of a request, as they depend on the batch.

    All but the experts touched is straight in the batch, so that a search over batches need not go
    back to the rows: `forepass.blocks.serving.rate` is asked once, at both ends.

    Attributes
    ----------
    compute, kv_cache, latency, prompts : seconds for each request on an engine; of ``latency``
        and of the prompts of all, spread over a request's tokens.
    weights, experts : seconds of reading what all tokens read, and every expert.
    fixed : seconds of latency for no request.
    enough : sequences of which every expert is touched, to the last digit; powers of more underflow
        and are slow.
    routed, beams, engines, sharpness : as the rows and parameters have them.
    """

    compute: Draws
    kv_cache: Draws
    latency: Draws
    prompts: Draws
    weights: Draws
    experts: Draws
    fixed: Draws
    enough: Draws
    routed: Draws
    beams: Draws
    engines: Draws
    sharpness: Draws

    def seconds(self, batch: Draws) -> Draws:
        """Return the seconds of a token, prompts of the others included."""
        of_engine = rate.sharing({"engines": self.engines}, batch, np) if self._split else batch
        sequences = np.minimum(of_engine * self.beams, self.enough)
        touched = physics.share_of_experts_touched(sequences, self.routed)
        memory = self.weights + self.experts * touched + self.kv_cache * of_engine
        both = physics.overlapped(self.compute * of_engine, memory, self.sharpness)
        return np.asarray(both + self.fixed + (self.latency + self.prompts) * of_engine)

    def prefill(self, batch: Draws) -> Draws:
        """Return the share of a request's time that goes into prompts."""
        of_engine = rate.sharing({"engines": self.engines}, batch, np)
        return np.asarray(self.prompts * of_engine / self.seconds(batch))

    @property
    def _split(self) -> bool:
        return bool(np.any(self.engines > 1))

    def where(self, chosen: NDArray[np.bool_]) -> "_Token":
        """Return the tokens of some cells alone, dims (cell)."""
        return _Token(*_chosen([getattr(self, name) for name in _Token.__slots__], chosen))


def _chosen(arrays: Iterable[Draws], chosen: NDArray[np.bool_]) -> list[Draws]:
    """Return of each array what is chosen, cell after cell where that has dims (draw, cell)."""
    if chosen.ndim == 1:
        place = np.flatnonzero(chosen)
        return [values.take(place) for values in arrays]
    cell, draw = chosen.T.nonzero()
    found = []
    for values in arrays:
        rows, columns = values.shape if values.ndim > 1 else (1, len(values))
        at = (draw if rows > 1 else 0, cell if columns > 1 else 0)
        found.append(np.broadcast_to(values.reshape(rows, columns)[at], draw.shape))
    return found


def _token(fields: Mapping[str, Draws], p: Parameters, shape: Mapping[str, Draws]) -> _Token:
    one = {**shape, "engines": np.ones(1)}
    none, many = (rate.step_parts(fields, p, one, np.full((1, 1), n), np) for n in (0.0, MANY))
    read = many["weights"] - none["weights"]
    touched = physics.share_of_experts_touched(MANY * fields["beams"], shape["routed"])
    return _Token(
        compute=many["compute"] / MANY,
        kv_cache=many["kv_cache"] / MANY,
        latency=(many["latency"] - none["latency"]) / MANY,
        prompts=rate.prefill_time(fields, p, shape, np) / shape["outputs"],
        weights=none["weights"],
        experts=np.divide(
            read, touched, out=np.zeros_like(read + touched), where=np.asarray(touched > 0)
        ),
        fixed=none["latency"],
        enough=TO_THE_LAST_DIGIT / np.where(shape["routed"] > 0, shape["routed"], 1.0),
        routed=shape["routed"],
        beams=fields["beams"],
        engines=shape["engines"],
        sharpness=p["overlap_sharpness"],
    )


def _batch_at(
    token: _Token, wanted: Draws, lone: tuple[Draws, Draws], full: Draws
) -> tuple[Draws, Draws]:
    """Return the largest batch, from one request to a full memory, that gives each user a speed.

    Users' speed falls as the batch grows, and the time of a token rises nearly straight with it: so
    its root is found by false position, with the weight of an end that stays halved [1]_. Where no
    batch is small enough it is one, and where even a full memory is fast enough it is full.

    Parameters
    ----------
    wanted
        One over the seconds that a token may take, dims (draw, obs).
    lone
        The least batch, which is less than one where not even one request's cache fits, and the
        seconds of its tokens.
    full
        The batch that fills the memory.

    Returns
    -------
    tuple
        The batch, and the seconds of a token at it.

    References
    ----------
    .. [1] M. Dowell and P. Jarratt, "A modified regula falsi method for computing the root of an
       equation", BIT 11, 1971 (there called the Illinois method).
    """
    low, of_low = lone
    high = np.broadcast_to(full, low.shape)
    of_high = token.seconds(high)
    under, over = wanted * of_low - 1, wanted * of_high - 1
    found = np.where(over <= 0, high, low)
    took = np.where(over <= 0, of_high, of_low)
    search = (under < 0) & (over > 0)
    # What is found is left out, so that no cell hangs on how long others take.
    token, place = token.where(search), np.arange(np.count_nonzero(search))
    wanted, low, high, under, over = _chosen((wanted, low, high, under, over), search)
    middle, seconds, last = low, low, np.zeros(low.shape)
    batch, time = np.empty(low.shape), np.empty(low.shape)
    for step in range(STEPS_TO_SPEED):
        if not len(place):
            break
        if step < STEPS_IN_LOGS:  # experts that fill up bend the line at small batches
            middle = np.sqrt(low * high)
        else:
            middle = (low * over - high * under) / (over - under)
        seconds = token.seconds(middle)
        got = wanted * seconds - 1
        near = np.abs(got) < CLOSE_TO_SPEED
        batch[place], time[place] = middle, seconds
        fast = got <= 0
        # An end kept twice in a row counts for half, or the other would creep.
        over = np.where(fast, np.where(last > 0, over / 2, over), got)
        under = np.where(fast, got, np.where(last < 0, under / 2, under))
        low, high = np.where(fast, middle, low), np.where(fast, high, middle)
        last = np.where(fast, 1.0, -1.0)
        if near.any():
            token, place = token.where(~near), place[~near]
            wanted, last, low, high, under, over = _chosen(
                (wanted, last, low, high, under, over), ~near
            )
    found.T[search.T], took.T[search.T] = batch, time
    return found, took


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
