"""Configurations, and a posterior that is nothing but draws of the priors."""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from forepass.blocks.serving.model import (
    CENTRED,
    PRIORS,
    TABLES,
    group_levels,
    measured,
    model_data,
)
from forepass.blocks.serving.rows import LEVELS, SCENARIOS, Rows, make_rows
from forepass.inputs.elicitation import sample
from forepass.inputs.priors import Prior, load_priors
from forepass.inputs.tables import load_tables

DRAWS = 300


@pytest.fixture(scope="session")
def tables() -> dict[str, pd.DataFrame]:
    return load_tables(TABLES)


@pytest.fixture(scope="session")
def beliefs() -> dict[str, Prior]:
    return load_priors("serving")


@pytest.fixture(scope="session")
def known(tables: Mapping[str, pd.DataFrame]) -> Rows:
    """Return the measured configurations, whose groups the posterior knows."""
    return make_rows(measured(tables)[0], tables)


@pytest.fixture(scope="session")
def posterior(beliefs: Mapping[str, Prior], known: Rows) -> xr.Dataset:
    rng = np.random.default_rng(1)
    drawn = {name: (("draw",), sample(beliefs[name], DRAWS, rng)) for name in PRIORS}
    groups = group_levels(known)
    effects = {}
    for level in LEVELS:
        standard = rng.standard_normal((DRAWS, len(groups[level])))
        if level in CENTRED:
            scale = drawn[f"{level}_spread"][1][:, None]
            effects[f"of_{level}"] = (("draw", level), scale * standard)
        else:
            effects[f"z_{level}"] = (("draw", level), standard)
    for name, level in (("z_engine_latency", "engine"), ("z_model_prefill", "model")):
        effects[name] = (("draw", level), rng.standard_normal((DRAWS, len(groups[level]))))
    counts = model_data(known, groups)["rows_of"]
    rows_of = xr.DataArray(counts, dims=("scenario", "campaign")).expand_dims(draw=DRAWS)
    coords = {**groups, "scenario": list(SCENARIOS)}
    return xr.Dataset({**drawn, **effects, "campaign_rows": rows_of}, coords=coords)


@pytest.fixture(scope="session")
def configure() -> Callable[..., pd.DataFrame]:
    """Return a maker of one-row tables: Llama 70B in 16 bits on four A100 unless told otherwise."""

    def configured(**cells: object) -> pd.DataFrame:
        usual = {
            "chip": "a100-sxm-80gb",
            "n_chips": 4,
            "model": "llama-3.1-70b",
            "weight_bits": 16,
            "input_tokens": 1000,
            "output_tokens": 500,
            "concurrency": 64,
        }
        return pd.DataFrame([{**usual, **cells}])

    return configured
