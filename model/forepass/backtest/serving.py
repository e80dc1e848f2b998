"""Measured throughput of chips, and of models, that nobody had measured yet.

The simple forecasts are given a roofline: they forecast by how much a row misses it, so that they
need not guess how fast the chip is, how large the model, or how many requests it serves.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forepass.backtest.targets import Draws, Target, row_frame
from forepass.blocks import serving
from forepass.blocks.serving.model import measured
from forepass.blocks.serving.prediction import log_rate_draws
from forepass.blocks.serving.rows import make_rows
from forepass.blocks.serving.validation import naive_rates
from forepass.blocks.trends import times
from forepass.inputs.tables import load_tables
from forepass.settings import Settings

NEEDS = ("serving",)
TARGETS = {
    "throughput_new_chip": Target("throughput of a new chip", "tokens/s per chip", new="chip"),
    "throughput_new_model": Target("throughput of a new model", "tokens/s per chip", new="model"),
}

type Floats = NDArray[np.float64]


def records(settings: Settings) -> dict[str, pd.DataFrame]:
    """Return the measured configurations, for each target the same."""
    tables = load_tables(serving.TABLES, settings.data)
    table, observed = measured(tables)
    rows = row_frame(
        times(table["date"]),
        observed,
        "all",
        table["campaign"].fillna(table["source"]).to_numpy(),
        given=naive_rates(make_rows(table, tables))["roofline"],
        chip=table["chip"].to_numpy(),
        model=table["model"].to_numpy(),
        place=np.arange(len(table)),
    )
    return dict.fromkeys(TARGETS, rows)


def predicted(
    draws: Draws, rows: pd.DataFrame, target: str, settings: Settings, rng: np.random.Generator
) -> Floats:
    """Return draws of log tokens/s per chip, dims (draw, row); whose campaign it is, is unsaid."""
    tables = load_tables(serving.TABLES, settings.data)
    table = measured(tables)[0].iloc[rows["place"]].assign(campaign="").reset_index(drop=True)
    seed = int(rng.integers(2**31))
    return log_rate_draws(draws["serving"], make_rows(table, tables), seed, noise=rng)
