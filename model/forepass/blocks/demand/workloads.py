"""The kinds of work that serving fleets do: their requests, speeds and shares of the compute."""

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from forepass.blocks.growth import damped_log_path, logit, sigmoid

__all__ = ["KINDS", "workloads"]

KINDS = ("chat", "agents", "batch")
FIRST, LAST = 2026, 2030
"""The calendar years of the shares; requests are those of the first."""
ABOUT = {
    "workload_share": ("1", "Share of inference compute by kind of work"),
    "workload_input_tokens": ("tokens", "Input tokens of a request, cached ones included"),
    "workload_output_tokens": ("tokens", "Output tokens of a request"),
    "workload_cached_share": ("1", "Share of input tokens found in a cache"),
    "workload_speed": (
        "tokens/s",
        "Output tokens/s that each user gets; none asked for in batches",
    ),
    "speed_accepted": ("1", "Share of a lone user's speed that will do where less can be had"),
}

type Array = NDArray[np.float64]


def workloads(
    posterior: xr.Dataset, years: NDArray[np.int_], rng: np.random.Generator
) -> xr.Dataset:
    """Return requests, speeds and shares by kind of work.

    Requests of all kinds lengthen together: growth as elicited for `FIRST` and before, which halves
    every so many years and is shocked each year. Agents' share moves in logits between its two
    anchors, at the same pace before the first, and stays after the second; batches keep their share
    of the rest.

    Parameters
    ----------
    posterior : draws of the fitted demand model, dims (draw).
    years : calendar years in order and one apart.
    rng : source of shocks to growth.

    Returns
    -------
    Dims (draw, year, workload), but speeds (draw, workload); NaN where no speed is asked for.
    """
    draw = {str(name): x.to_numpy() for name, x in posterior.data_vars.items() if x.ndim == 1}
    grown = {
        what: _grown(draw, what, years, source)[:, :, None]
        for what, source in zip(("input", "output", "cached"), rng.spawn(3), strict=True)
    }

    def by_kind(what: str) -> Array:
        return np.stack([draw[f"{kind}_{what}"] for kind in KINDS], axis=-1)[:, None]

    speeds = [draw["chat_speed"], draw["agents_speed"], np.full(len(draw["chat_speed"]), np.nan)]
    values = {
        "workload_share": _shares(draw, years),
        "workload_input_tokens": by_kind("input_tokens") * np.exp(grown["input"]),
        "workload_output_tokens": by_kind("output_tokens") * np.exp(grown["output"]),
        "workload_cached_share": sigmoid(logit(by_kind("cached_share")) + grown["cached"]),
        "workload_speed": np.stack(speeds, axis=-1),
        "speed_accepted": draw["speed_accepted"],
    }
    dims = {1: ("draw",), 2: ("draw", "workload"), 3: ("draw", "year", "workload")}
    return xr.Dataset(
        {
            name: (
                dims[value.ndim],
                value,
                dict(zip(("units", "long_name"), ABOUT[name], strict=True)),
            )
            for name, value in values.items()
        },
        coords={"year": years, "workload": list(KINDS)},
    )


def _shares(draw: dict[str, Array], years: NDArray[np.int_]) -> Array:
    start, end = (logit(draw[f"agents_share_{year}"])[:, None] for year in (FIRST, LAST))
    passed = np.minimum(years - FIRST, LAST - FIRST) / (LAST - FIRST)
    agents = sigmoid(start + (end - start) * passed)
    batch = (1 - agents) * draw["batch_share_of_rest"][:, None]
    return np.stack([1 - agents - batch, agents, batch], axis=-1)


def _grown(
    draw: dict[str, Array], what: str, years: NDArray[np.int_], rng: np.random.Generator
) -> Array:
    """Return the log (or logit) by which requests differ from those of `FIRST`, (draw, year)."""
    growth = draw[f"request_{what}_growth"]
    ahead = np.maximum(years - FIRST, 0)
    path = damped_log_path(
        growth_now=growth,
        growth_longrun=np.zeros_like(growth),
        halflife=draw["request_growth_halflife"],
        shock=draw["request_growth_shock"],
        steps=int(ahead.max()),
        step=1.0,
        rng=rng,
    )
    after = np.concatenate([np.zeros((len(path), 1)), path], axis=1)[:, ahead]
    return np.asarray(after + growth[:, None] * np.minimum(years - FIRST, 0))
