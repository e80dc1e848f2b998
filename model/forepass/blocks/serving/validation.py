"""How the serving block predicts rows that it has not seen, held out by group and by date."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from forepass import physics
from forepass.blocks.serving.model import build_on, group_levels, measured, model_data
from forepass.blocks.serving.prediction import log_rate_draws
from forepass.blocks.serving.rows import Rows, make_rows
from forepass.inputs.priors import Prior

__all__ = ["Split", "naive_rates", "score", "scored", "splits", "validate"]

CHAINS, DRAWS, TUNE = 2, 250, 350
FEWEST_ROWS = 10
LATEST = "2026-01"
"""Rows from this month on are the ones held out by date."""
NVIDIA_GENERATIONS = ("ampere", "ada", "hopper", "blackwell")

type Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Split:
    """Rows to predict from all others.

    Attributes
    ----------
    kind : what is new: chip, generation, vendor, model, campaign, date.
    name : which one.
    held : boolean mask over rows.
    """

    kind: str
    name: str
    held: NDArray[np.bool_]


def splits(table: pd.DataFrame, rows: Rows) -> Iterator[Split]:
    """Yield every split that holds out enough rows to be scored and leaves enough to fit."""
    groups_by_kind = {
        "chip": np.array([stack.split("/")[0] for stack in rows.levels["stack"].tolist()]),
        **{kind: rows.levels[kind] for kind in ("generation", "model", "campaign")},
    }
    for kind, groups in groups_by_kind.items():
        for name in sorted(set(groups.tolist())):
            yield Split(kind, name, groups == name)
    nvidia = np.isin(rows.levels["generation"], NVIDIA_GENERATIONS)
    yield Split("vendor", "not NVIDIA", ~nvidia)
    yield Split("date", f"{LATEST} and later", np.asarray(table["date"].astype(str) >= LATEST))


def validate(
    tables: Mapping[str, pd.DataFrame],
    priors: Mapping[str, Prior],
    *,
    seed: int,
    only: Callable[[Split], bool] = lambda _: True,
    progress: Callable[[str], None] = lambda _: None,
) -> pd.DataFrame:
    """Return the scores of `scored` as a table, indexed by kind and name of the split."""
    found = scored(tables, priors, seed=seed, only=only, progress=progress)
    return pd.DataFrame(list(found)).set_index(["kind", "name"])


def scored(
    tables: Mapping[str, pd.DataFrame],
    priors: Mapping[str, Prior],
    *,
    seed: int,
    only: Callable[[Split], bool] = lambda _: True,
    progress: Callable[[str], None] = lambda _: None,
) -> Iterator[dict[str, Any]]:
    """Yield the scores of each split, the block's and the naive peers', as soon as it is done.

    Parameters
    ----------
    tables, priors
        As for the block's own fit.
    seed
        Root of the seeds of all refits.
    only
        Which splits to run.
    progress
        Told of each split before it is fitted.
    """
    import nutpie
    from pytensor.configdefaults import config

    table, observed = measured(tables)
    rows = make_rows(table, tables)
    levels = group_levels(rows)
    with config.change_flags(numba__fastmath=False):
        compiled = nutpie.compile_pymc_model(build_on(rows, observed, levels, priors))
        for number, split in enumerate(splits(table, rows)):
            if split.held.sum() < FEWEST_ROWS or not only(split):
                continue
            progress(f"{split.kind} {split.name}")
            seen = np.flatnonzero(~split.held)
            data = model_data(rows.take(seen), levels)
            tree = nutpie.sample(
                compiled.with_data(**data, log_rate=observed[seen]),
                chains=CHAINS,
                draws=DRAWS,
                tune=TUNE,
                cores=CHAINS,
                seed=seed + number,
                progress_bar=False,
                save_warmup=False,
            )
            posterior = tree.posterior.dataset.stack(sample=("chain", "draw"), create_index=False)
            posterior = posterior.drop_vars(["chain", "draw"], errors="ignore")
            # A stranger's rows do not say whose measurements they are.
            held = make_rows(table[split.held].assign(campaign=""), tables)
            drawn = _draws(posterior.rename(sample="draw"), held, seed + number)
            truth = observed[split.held]
            found = score(drawn, truth) | {"kind": split.kind, "name": split.name}
            peers = naive_rates(held)
            found |= {f"crps {peer}": float(np.abs(v - truth).mean()) for peer, v in peers.items()}
            found |= {f"fold {peer}": _fold(v - truth, 0.5) for peer, v in peers.items()}
            yield found


def _draws(posterior: xr.Dataset, held: Rows, seed: int) -> Floats:
    return log_rate_draws(posterior, held, seed, noise=np.random.default_rng(seed))


def score(drawn: Floats, truth: Floats) -> dict[str, Any]:
    """Return how well draws (draw, obs) of a log predict its true values (obs).

    Returns
    -------
    dict
        rows, fold50 and fold90 (median and 90th percentile of exp|error| of the median), bias
        (median of predicted over observed), cover50 and cover80, width80 (median factor between the
        ends of the 80% interval), crps (of the log).
    """
    import scoringrules

    middle = np.median(drawn, axis=0)
    low80, low50, high50, high80 = np.quantile(drawn, [0.1, 0.25, 0.75, 0.9], axis=0)
    error = middle - truth
    crps = scoringrules.crps_ensemble(truth, drawn.T, backend="numpy")
    return {
        "rows": len(truth),
        "fold50": _fold(error, 0.5),
        "fold90": _fold(error, 0.9),
        "bias": float(np.exp(np.median(error))),
        "cover50": float(np.mean((truth >= low50) & (truth <= high50))),
        "cover80": float(np.mean((truth >= low80) & (truth <= high80))),
        "width80": float(np.exp(np.median(high80 - low80))),
        "crps": float(np.mean(crps)),
    }


def _fold(error: Floats, share: float) -> float:
    return float(np.exp(np.quantile(np.abs(error), share)))


def naive_rates(rows: Rows) -> dict[str, Floats]:
    """Return the log tokens/s per chip that simple rules give, by name of the rule.

    The post's bounds, their geometric mean and 10% of the upper one count a pass for each output
    token; the rooflines know batch, experts touched and KV cache, and attain 100% or 40%.
    """
    f = rows.fields
    flop = physics.weight_flop_per_token(f["active_params"])
    upper = np.log(physics.upper_bound(f["flops"], flop))
    weights = physics.weight_bytes(f["active_params"], f["weight_bits"])
    lower = np.log(physics.lower_bound(f["bandwidth"], weights))
    return {
        "upper bound": upper,
        "lower bound": lower,
        "geometric mean": (upper + lower) / 2,
        "10% of upper": upper + np.log(0.1),
        "roofline": _roofline(rows, 1.0),
        "roofline at 40%": _roofline(rows, 0.4),
    }


def _roofline(rows: Rows, share: float) -> Floats:
    """Return the log rate of prefill and decode, each bound by its slower resource."""
    f = rows.fields
    inputs = np.maximum(f["input_tokens"], 1.0)
    outputs = np.maximum(f["output_tokens"], 1.0)
    routed = np.maximum(f["share_routed"], 0.0)
    kv = physics.kv_bytes(f["kv_bytes_per_token_16bit"], 1.0, 16)
    held = physics.weight_bytes(f["total_params"], f["weight_bits"])
    room = np.maximum(f["n_chips"] * f["memory"] - held, 0.05 * f["n_chips"] * f["memory"])
    fits = room / np.maximum(kv * (inputs + outputs), 1.0)
    batch = np.maximum(np.where(f["concurrency"] > 0, np.minimum(f["concurrency"], fits), fits), 1)
    touched = physics.weight_bytes_touched(
        f["active_params"], f["total_params"], routed, batch, f["weight_bits"]
    )
    read = touched + batch * kv * (inputs + outputs / 2)
    flop = physics.weight_flop_per_token(f["active_params"])
    step = np.maximum(
        batch * flop / (f["n_chips"] * f["flops"]), read / (f["n_chips"] * f["bandwidth"])
    )
    prefill = inputs * flop / (f["n_chips"] * f["flops"])
    whole = physics.closed_loop_rate(batch, outputs, step, prefill, batch)
    pool = np.where(f["decode_only"] > 0, batch / step, inputs / prefill)
    rate = np.where(f["decode_only"] + f["prefill_only"] > 0, pool, whole)
    return np.asarray(np.log(share * rate / f["n_chips"]), dtype=float)
