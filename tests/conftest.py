"""What every test shares: figures without a screen, NaN kept in compiled models, and fits."""

import os
import shutil
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from playwright.sync_api import Browser

    from forepass.forward.projection import Projection
    from forepass.posterior import Fit
    from forepass.what_if.changed import Changed

os.environ.setdefault("MPLBACKEND", "Agg")
os.environ.setdefault("PYTENSOR_FLAGS", "numba__fastmath=False")

DRAWS = 300
FORWARD_DRAWS = 100
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def question_tables() -> "dict[str, pd.DataFrame]":
    """Return the tables that a question about chips and a model reads, and the measured rows."""
    from forepass.inputs.tables import load_tables

    return load_tables(("chips", "language_models", "chip_prices", "serving"))


@pytest.fixture(scope="session")
def prior_fits(question_tables: "Mapping[str, pd.DataFrame]") -> "dict[str, Fit]":
    """Return fits that are nothing but draws of the priors, of chips and serving."""
    import numpy as np
    import xarray as xr

    from forepass.inputs.elicitation import sample
    from forepass.inputs.priors import load_priors

    rng = np.random.default_rng(1)
    chips = {
        name: (("draw",), sample(prior, DRAWS, rng)) for name, prior in load_priors("chips").items()
    }
    return {
        "chips": _fit("chips", xr.Dataset(chips)),
        "serving": _fit("serving", _serving_draws(question_tables)),
    }


@pytest.fixture(scope="session")
def forward_fits(prior_fits: "Mapping[str, Fit]") -> "dict[str, Fit]":
    """Return fits of all blocks that are draws of their priors, few enough to run forward often."""
    import pymc as pm
    from pytensor.compile.mode import Mode

    from forepass.posterior import build_model
    from forepass.settings import Settings

    found = {}
    for name in ("chips", "language_models", "fleet", "training", "demand"):
        with build_model(name, Settings()) as model:
            kept = [variable.name for variable in (*model.free_RVs, *model.deterministics)]
            drawn = pm.sample_prior_predictive(
                FORWARD_DRAWS,
                var_names=kept,
                random_seed=3,
                compile_kwargs={"mode": Mode("py", "merge")},
            )
        posterior = drawn["prior"].dataset.isel(chain=0, drop=True)
        found[name] = _fit(name, posterior)
    serving = prior_fits["serving"].posterior.isel(draw=slice(0, FORWARD_DRAWS))
    return found | {"serving": _fit("serving", serving)}


@pytest.fixture(scope="session")
def found(
    forward_fits: "Mapping[str, Fit]", question_tables: "Mapping[str, pd.DataFrame]"
) -> "Changed":
    """Return what a forecast is made from where nothing is changed, of draws of the priors."""
    from forepass.inputs.definitions import load_definitions
    from forepass.inputs.priors import load_all
    from forepass.what_if.changed import Changed
    from forepass.what_if.interventions import NONE

    tables = dict(question_tables)
    return Changed(dict(forward_fits), tables, load_definitions(), NONE, load_all(), [])


@pytest.fixture(scope="session")
def projection(
    forward_fits: "Mapping[str, Fit]", question_tables: "Mapping[str, pd.DataFrame]"
) -> "Projection":
    """Return those fits run forward over every year that can be asked for."""
    import numpy as np

    from forepass.forward.projection import project
    from forepass.inputs.definitions import load_definitions

    years = np.arange(2020, 2036)
    definitions = load_definitions()
    return project(forward_fits, years, seed=1, definitions=definitions, tables=question_tables)


@pytest.fixture(scope="session")
def browser() -> "Iterator[Browser]":
    """Return the system's chromium; without it tests are skipped, but on CI they fail."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        reason = f"no browser: install one of {', '.join(BROWSERS)}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        running = play.chromium.launch(executable_path=path)
        yield running
        running.close()


def _serving_draws(tables: "Mapping[str, pd.DataFrame]") -> "xr.Dataset":
    import numpy as np
    import xarray as xr

    from forepass.blocks.serving.model import CENTRED, group_levels, measured, model_data
    from forepass.blocks.serving.rows import LEVELS, SCENARIOS, make_rows
    from forepass.inputs.elicitation import sample
    from forepass.inputs.priors import load_priors

    rng = np.random.default_rng(2)
    known = make_rows(measured(tables)[0], tables)
    groups = group_levels(known)
    drawn = {n: (("draw",), sample(p, DRAWS, rng)) for n, p in load_priors("serving").items()}
    effects = {}
    named = [(f"{'of' if level in CENTRED else 'z'}_{level}", level) for level in LEVELS]
    for name, level in [*named, ("z_engine_latency", "engine"), ("z_model_prefill", "model")]:
        scale = drawn[f"{level}_spread"][1][:, None] if name.startswith("of_") else 1.0
        effects[name] = (("draw", level), scale * rng.standard_normal((DRAWS, len(groups[level]))))
    rows_of = xr.DataArray(model_data(known, groups)["rows_of"], dims=("scenario", "campaign"))
    return xr.Dataset(
        {**drawn, **effects, "campaign_rows": rows_of.expand_dims(draw=DRAWS)},
        coords={**groups, "scenario": list(SCENARIOS)},
    )


def _fit(block: str, posterior: "xr.Dataset") -> "Fit":
    from forepass.posterior import Diagnostics, Fit

    found = Diagnostics(
        block=block,
        rhat=1.001,
        ess_bulk=1000.0,
        ess_tail=900.0,
        divergences=0,
        seconds=1.0,
        draws=posterior.sizes["draw"],
    )
    return Fit(posterior, found, "made-up", from_cache=False)
