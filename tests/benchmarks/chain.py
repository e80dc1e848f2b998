"""One chain of twelve uncertain inputs over sixteen years, three ways: what it costs to run.

World output capacity, chip-hours and cost from a fleet that grows, parts that improve, models that
grow, and the share that is realised. forepass draws its shipped priors and runs its physics, in
runs of draws that stay in the cache; NumPy draws the same distributions and does the same
arithmetic at once, which is the floor; squigglepy samples the same distributions in its own way,
and its samples go through that same arithmetic.

Run as ``python chain.py WAY DRAWS``: prints seconds, the peak of memory in MB, and the medians.
"""

import json
import resource
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forepass import physics
from forepass.inputs.elicitation import sample
from forepass.inputs.priors import Prior, load_priors

type Floats = NDArray[np.float64]

YEARS = np.arange(16.0)
INPUTS = {
    "chips": ("level_flops_8bit", "memory_wall", "growth_bandwidth", "level_power", "growth_power"),
    "language_models": ("active_2025", "active_growth"),
    "fleet": ("shipment_growth", "source_error", "duty_cycle"),
    "serving": ("compute_gain_8bit",),
    "demand": ("chat_output_share",),
}
FIRST_CHIPS = 1.5e7
REALISED = 0.12
PRICE_PER_KWH = 0.08
AT_ONCE = 8192
"""Draws of one run: sixteen years of a few quantities then fit in a core's cache."""


def beliefs() -> dict[str, Prior]:
    """Return the twelve inputs, by name."""
    shipped = {block: load_priors(block) for block in INPUTS}
    return {name: shipped[block][name] for block, names in INPUTS.items() for name in names}


def chain(x: Mapping[str, Floats]) -> dict[str, Floats]:
    """Return capacity in tokens/s and cost in USD per million tokens, dims (draw, year)."""
    each = {name: values[:, None] for name, values in x.items()}
    growth = each["memory_wall"] + each["growth_bandwidth"]
    flops = each["level_flops_8bit"] * np.exp(growth * YEARS)
    power = each["level_power"] * np.exp(each["growth_power"] * YEARS)
    active = each["active_2025"] * np.exp(each["active_growth"] * YEARS)
    shipped = each["shipment_growth"] - each["growth_power"]
    chips = FIRST_CHIPS * np.exp(each["source_error"] + shipped * YEARS)
    used = REALISED * each["compute_gain_8bit"] * each["duty_cycle"]
    per_chip = used * physics.upper_bound(flops, physics.weight_flop_per_token(active))
    price = power / 1000 * PRICE_PER_KWH
    return {
        "capacity": per_chip * chips * each["chat_output_share"],
        "cost": physics.cost_per_million_tokens(price, per_chip),
    }


def by_forepass(draws: int, seed: int = 1) -> dict[str, Floats]:
    """Return the chain on forepass's priors, `AT_ONCE` draws at a time."""
    rng = np.random.default_rng(seed)
    x = {name: sample(prior, draws, rng) for name, prior in beliefs().items()}
    out = {name: np.empty((draws, len(YEARS))) for name in ("capacity", "cost")}
    for start in range(0, draws, AT_ONCE):
        now = slice(start, start + AT_ONCE)
        for name, values in chain({name: values[now] for name, values in x.items()}).items():
            out[name][now] = values
    return out


def by_numpy(draws: int, seed: int = 1) -> dict[str, Floats]:
    """Return the chain on NumPy's own generators."""
    rng = np.random.default_rng(seed)
    drawn = {
        "Normal": lambda p: rng.normal(p["mu"], p["sigma"], draws),
        "LogNormal": lambda p: rng.lognormal(p["mu"], p["sigma"], draws),
        "Beta": lambda p: rng.beta(p["alpha"], p["beta"], draws),
        "LogitNormal": lambda p: 1 / (1 + np.exp(-rng.normal(p["mu"], p["sigma"], draws))),
    }
    return chain({name: drawn[p.distribution](p.parameters) for name, p in beliefs().items()})


def by_squigglepy(draws: int, seed: int = 1) -> dict[str, Floats]:
    """Return the chain on squigglepy's samples."""
    import squigglepy as sq

    sq.set_seed(seed)
    stated: dict[str, Callable[[Mapping[str, float]], Any]] = {
        "Normal": lambda p: sq.norm(mean=p["mu"], sd=p["sigma"]),
        "LogNormal": lambda p: sq.lognorm(norm_mean=p["mu"], norm_sd=p["sigma"]),
        "Beta": lambda p: sq.beta(p["alpha"], p["beta"]),
    }
    x = {}
    for name, prior in beliefs().items():
        # It knows no logit-normal, so that is a normal carried over by hand.
        logit = prior.distribution == "LogitNormal"
        made = stated["Normal" if logit else prior.distribution](prior.parameters)
        values = np.asarray(sq.sample(made, n=draws), dtype=float)
        x[name] = 1 / (1 + np.exp(-values)) if logit else values
    return chain(x)


WAYS = {"forepass": by_forepass, "numpy": by_numpy, "squigglepy": by_squigglepy}


def main(way: str, draws: int, repeats: int = 3) -> None:
    """Print the least seconds of a few runs, the peak of memory and the medians, as JSON."""
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        out = WAYS[way](draws)
        seconds.append(time.perf_counter() - start)
    medians = {name: float(np.median(values[:, -1])) for name, values in out.items()}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": min(seconds), "peak_mb": peak, **medians}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
