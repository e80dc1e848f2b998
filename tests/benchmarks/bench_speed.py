"""What answers cost beside a floor or a peer, and how the cost grows; run by ``make benchmarks``.

pytest collects this file only when it is named. What needs fits takes the user's own cache, and
fits first where it holds none.
"""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import chain  # type: ignore[import-not-found]  # beside this file
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from SALib.analyze import sobol
from SALib.sample import sobol as sobol_sample

import forepass
from forepass.forward import capacity
from forepass.forward.forecast import forecast_of
from forepass.forward.projection import project, whole_span
from forepass.inputs.definitions import Definitions, load_definitions
from forepass.inputs.tables import load_tables
from forepass.posterior import BLOCKS, Fit, fitted
from forepass.sensitivities import variance_shares
from forepass.settings import Settings

type Floats = NDArray[np.float64]

FOREPASS = str(Path(sys.executable).with_name("forepass"))
INPUTS = 6
"""Of the sensitivity: all sets of them take 64 outputs a draw, SALib's design 14."""


@pytest.fixture(scope="session")
def fits() -> dict[str, Fit]:
    return fitted(BLOCKS, Settings())


@pytest.fixture(scope="session")
def tables() -> dict[str, pd.DataFrame]:
    return load_tables(("chips", "language_models", "chip_prices", "serving"))


@pytest.fixture(scope="session")
def definitions() -> Definitions:
    return load_definitions(Settings().priors)


@pytest.mark.parametrize("draws", [10_000, 100_000, 1_000_000])
@pytest.mark.parametrize("way", list(chain.WAYS))
def bench_chain(benchmark: Any, way: str, draws: int) -> None:  # noqa: ANN401 - untyped plugin
    benchmark.extra_info.update(what="chain", way=way, size=draws)
    benchmark.pedantic(chain.WAYS[way], args=(draws,), rounds=3, warmup_rounds=1)


@pytest.mark.parametrize(
    ("way", "size"), [("draws", 600), ("draws", 1200), ("draws", 2400), ("years", 4), ("years", 8)]
)
def bench_forecast(  # of all draws over all 16 years but for what is said
    benchmark: Any,  # noqa: ANN401
    way: str,
    size: int,
    fits: dict[str, Fit],
    tables: dict[str, pd.DataFrame],
    definitions: Definitions,
) -> None:
    span = whole_span(definitions)
    some = fits
    if way == "years":
        span = span[-size:]
    else:
        some = {
            name: replace(fit, posterior=fit.posterior.isel(draw=slice(size)))
            for name, fit in fits.items()
        }

    def run() -> object:
        at = project(some, span, seed=1, definitions=definitions, tables=tables)
        return forecast_of(at, span)

    benchmark.extra_info.update(what="forecast", way=way, size=size)
    benchmark.pedantic(run, rounds=3, warmup_rounds=1)


@pytest.mark.parametrize("scenarios", [1, 2, 4])
def bench_scenarios(benchmark: Any, scenarios: int, fits: dict[str, Fit]) -> None:  # noqa: ANN401
    assert fits
    names = ("baseline", "wall-returns", "power-bound", "fast-agents")[:scenarios]

    def run() -> object:
        return [forepass.scenario(name) for name in names]

    benchmark.extra_info.update(what="scenario", way="scenarios", size=scenarios)
    benchmark.pedantic(run, rounds=3, warmup_rounds=1)


@pytest.mark.parametrize("rows", [10, 100, 400])
def bench_predict(
    benchmark: Any,  # noqa: ANN401
    rows: int,
    fits: dict[str, Fit],
    tables: dict[str, pd.DataFrame],
    definitions: Definitions,
) -> None:
    asked = tables["serving"].iloc[:rows].drop(columns=["concurrency"])
    benchmark.extra_info.update(what="predict", way="rows", size=rows)
    arguments = (asked, fits, tables, definitions)
    benchmark.pedantic(capacity.predict, args=arguments, rounds=3, warmup_rounds=1)


def g_function(u: Floats) -> Floats:
    """Return Sobol's product, dims (draw,), of inputs in [0, 1], dims (input, draw)."""
    a = np.arange(INPUTS)[:, None] * 1.5
    return np.asarray(np.prod((np.abs(4 * u - 2) + a) / (1 + a), axis=0))


def our_shares(draws: int) -> Floats:
    one, two = np.random.default_rng(1).uniform(size=(2, INPUTS, draws))
    second = (np.arange(2**INPUTS)[:, None] >> np.arange(INPUTS)) & 1 == 1
    outputs = np.array([g_function(np.where(of[:, None], two, one)) for of in second])
    closed = variance_shares.closed_of_sums(variance_shares.sums_of_factorial(outputs))[0]
    variance_shares.shapley(closed)
    return np.stack([variance_shares.first_order(closed), variance_shares.totals(closed)])


def salib_shares(draws: int) -> Floats:
    names = [f"x{j}" for j in range(INPUTS)]
    problem = {"num_vars": INPUTS, "names": names, "bounds": [[0.0, 1.0]] * INPUTS}
    design = sobol_sample.sample(problem, draws, calc_second_order=True, seed=1)
    outputs = g_function(design.T)
    # Its intervals by bootstrap take most of its time otherwise, and ours are not asked for here.
    found = sobol.analyze(problem, outputs, calc_second_order=True, num_resamples=2, seed=1)
    return np.stack([found["S1"], found["ST"]])


def true_shares() -> Floats:
    each = 1 / (3 * (1 + np.arange(INPUTS) * 1.5) ** 2)
    whole = np.prod(1 + each) - 1
    return np.stack([each, each * np.prod(1 + each) / (1 + each)]) / whole


@pytest.mark.parametrize(("way", "draws"), [("forepass", 2**12), ("SALib", 2**14)])
def bench_shares(benchmark: Any, way: str, draws: int) -> None:  # noqa: ANN401
    work = our_shares if way == "forepass" else salib_shares
    found = benchmark.pedantic(work, args=(draws,), rounds=3, warmup_rounds=1)
    evaluations = draws * (2**INPUTS if way == "forepass" else 2 * INPUTS + 2)
    error = float(np.abs(found - true_shares()).max())
    benchmark.extra_info.update(what="shares", way=way, size=evaluations, error=error)


@pytest.mark.parametrize(
    ("name", "words"), [("help", ["--help"]), ("cached forecast", ["forecast", "--json"])]
)
def bench_start(benchmark: Any, name: str, words: list[str], fits: dict[str, Fit]) -> None:  # noqa: ANN401
    assert fits
    benchmark.extra_info.update(what="start", way=name, size=1)
    ran = {"args": ([FOREPASS, *words],), "kwargs": {"check": True, "capture_output": True}}
    benchmark.pedantic(subprocess.run, **ran, rounds=5, warmup_rounds=1)
