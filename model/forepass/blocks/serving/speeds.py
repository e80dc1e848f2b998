"""The batch that gives each user a speed, found on what a token's time hangs on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forepass import physics
from forepass.blocks.serving import rate

__all__ = ["CLOSE_TO_SPEED", "Token", "batch_at", "token_of"]

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
class Token:
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

    def where(self, chosen: NDArray[np.bool_]) -> "Token":
        """Return the tokens of some cells alone, dims (cell)."""
        return Token(*_chosen([getattr(self, name) for name in Token.__slots__], chosen))


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


def token_of(fields: Mapping[str, Draws], p: Parameters, shape: Mapping[str, Draws]) -> Token:
    """Return the seconds of a token of configurations whose `rate.shape` is given."""
    one = {**shape, "engines": np.ones(1)}
    none, many = (rate.step_parts(fields, p, one, np.full((1, 1), n), np) for n in (0.0, MANY))
    read = many["weights"] - none["weights"]
    touched = physics.share_of_experts_touched(MANY * fields["beams"], shape["routed"])
    return Token(
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


def batch_at(
    token: Token, wanted: Draws, lone: tuple[Draws, Draws], full: Draws
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
