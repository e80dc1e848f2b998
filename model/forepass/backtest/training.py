"""The largest training runs, and how large runs spend their compute."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forepass import physics
from forepass.backtest.targets import Draws, Target, row_frame
from forepass.blocks import training
from forepass.blocks.trends import between_years, calendar_years, times
from forepass.inputs.dates import EPOCH_YEAR
from forepass.inputs.tables import load_table
from forepass.settings import Settings

NEEDS = ("training",)
TARGETS = {
    "training_flop": Target(
        "compute of a record run",
        "FLOP",
        (
            "training_compute_growth_frontier",
            "training_compute_growth_notable_models",
            "notable_model_training_compute_growth_2010",
        ),
        fan="all",
        scale=1e-24,
        shown_in="1e24 FLOP",
    ),
    "training_tokens": Target("tokens of a record run", "tokens"),
    "tokens_per_param": Target("tokens per parameter", "1"),
    "training_days": Target("days of a large run", "days"),
}

type Floats = NDArray[np.float64]


def records(settings: Settings) -> dict[str, pd.DataFrame]:
    """Return runs by target, with the log of what each had of it."""
    table = load_table("training", settings.data)
    runs, large = training.record_runs(table), training.large_runs(table)
    spent = runs[runs["training_tokens"].notna()]
    told, timed = large[large["training_tokens"].notna()], large[large["duration_days"].notna()]
    ratio = physics.training_tokens_per_parameter(told["training_flop"], told["training_tokens"])
    values = {
        "training_flop": (runs, runs["training_flop"]),
        "training_tokens": (spent, spent["training_tokens"]),
        "tokens_per_param": (told, ratio),
        "training_days": (timed, timed["duration_days"]),
    }
    return {
        name: row_frame(
            times(rows["release_date"]),
            np.log(value.to_numpy(float)),
            "all",
            rows["developer"].to_numpy(),
            error=rows["relative_error"].fillna(0.0).to_numpy(float),
        )
        for name, (rows, value) in values.items()
    }


def predicted(
    draws: Draws, rows: pd.DataFrame, target: str, settings: Settings, rng: np.random.Generator
) -> Floats:
    """Return draws of the log of a quantity of runs, dims (draw, run)."""
    posterior, when = draws["training"], rows["when"].to_numpy() - EPOCH_YEAR
    draw = {name: posterior[name].to_numpy()[:, None] for name in training.PRIORS}
    last = int(calendar_years(posterior["record"].to_numpy().max()))
    first = min(int(when.min(initial=0)) + EPOCH_YEAR - 1, last)
    years = np.arange(first, max(int(when.max(initial=0)) + EPOCH_YEAR, last) + 2)
    path_rng, noise_rng, break_rng, drift_rng, lot_rng = rng.spawn(5)
    bound = lot_rng.uniform(size=draw["record_limit_bound"].shape) < draw["record_limit_bound"]
    noise = noise_rng.standard_normal((2, len(draw["record_scatter"]), len(rows)))
    error = rows["error"].to_numpy() if "error" in rows else 0.0
    if target == "training_days":
        typical = training.typical_log_days(draw, years, last, rng=drift_rng)
        return between_years(typical, years, when) + draw["duration_spread"] * noise[1]
    course = training.course_of(draw, years, last, bound=bound, rng=path_rng)
    flop = between_years(course, years, when)
    flop = flop + np.sqrt(draw["record_scatter"] ** 2 + error**2) * noise[0]
    if target == "training_flop":
        return flop
    typical = training.typical_overtraining(draw, years, last, rng=break_rng)
    tail = noise_rng.standard_t(draw["overtraining_tail"], size=noise.shape[1:])
    ratio = between_years(typical, years, when) + draw["overtraining_spread"] * tail
    if target == "tokens_per_param":
        return ratio
    return np.asarray(np.log(physics.training_tokens(1.0, 1.0)) + (flop + ratio) / 2)
