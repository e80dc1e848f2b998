"""The serving model: which rows it is fitted to, its names and dims, and a finite density."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from forepass.blocks import serving
from forepass.blocks.serving.model import build_on, group_levels, measured, model_data
from forepass.blocks.serving.rows import LEVELS, Rows
from forepass.inputs.priors import Prior, expect

if TYPE_CHECKING:
    import pymc as pm

type Tables = Mapping[str, pd.DataFrame]
type Measure = Callable[..., Tables]

RATE, TOTAL = 800.0, 2400.0


@pytest.fixture(scope="module")
def some(known: Rows) -> Rows:
    return known.take(np.linspace(0, len(known) - 1, 30).astype(int))


@pytest.fixture(scope="module")
def model(some: Rows, beliefs: Mapping[str, Prior]) -> "pm.Model":
    observed = np.log(np.linspace(10, 3000, len(some)))
    levels = {level: [*names, "unheard-of"] for level, names in group_levels(some).items()}
    return build_on(some, observed, levels, beliefs)


@pytest.fixture(scope="module")
def in_python() -> Any:  # noqa: ANN401 - a compilation mode, untyped
    """Return the mode that runs a graph as it stands: nothing is compiled."""
    from pytensor.compile.mode import Mode

    return Mode(linker="py", optimizer="None")


@pytest.fixture(scope="module")
def measure(tables: Tables, configure: Callable[..., pd.DataFrame]) -> Measure:
    """Return a maker of tables with one measurement of a configuration."""

    def made(**cells: object) -> Tables:
        usual = {
            "scenario": "closed_loop",
            "output_tokens_per_s_per_chip": RATE,
            "total_tokens_per_s_per_chip": TOTAL,
        }
        return {**tables, "serving": configure(**{**usual, **cells})}

    return made


def test_a_measurement_is_fitted_to_the_log_of_its_output_rate(measure: Measure) -> None:
    table, observed = measured(measure())
    assert len(table) == 1
    assert np.exp(observed) == pytest.approx([RATE])


def test_a_prefill_pool_is_fitted_to_the_tokens_it_takes_in(measure: Measure) -> None:
    _, observed = measured(measure(scenario="prefill_only"))
    assert np.exp(observed) == pytest.approx([TOTAL])


@pytest.mark.parametrize(
    "cells",
    [
        {"scenario": "estimate"},
        {"n_chips": 1},
        {"output_tokens_per_s_per_chip": np.nan},
        {"scenario": "decode_only", "input_tokens": np.nan},
    ],
    ids=["an estimate", "weights that do not fit", "no rate", "a pool of unknown lengths"],
)
def test_what_says_nothing_of_realised_rates_is_left_out(
    cells: dict[str, Any], measure: Measure
) -> None:
    table, observed = measured(measure(**cells))
    assert len(table) == len(observed) == 0


def test_most_of_the_real_table_is_fitted(tables: Tables) -> None:
    table, observed = measured(tables)
    shipped = tables["serving"]
    assert len(table) > 0.9 * (shipped["scenario"] != "estimate").sum()
    assert "estimate" not in set(table["scenario"])
    assert np.all(np.isfinite(observed))


def test_the_shipped_priors_are_those_of_the_model(beliefs: Mapping[str, Prior]) -> None:
    expect(beliefs, serving.PRIORS, "serving")


def test_every_prior_is_a_variable_of_the_model(model: "pm.Model") -> None:
    assert set(serving.PRIORS) <= {variable.name for variable in model.free_RVs}


def test_every_effect_of_a_group_has_the_groups_dim(model: "pm.Model") -> None:
    dims = model.named_vars_to_dims
    for variable in model.free_RVs:
        if variable.name not in serving.PRIORS:
            [dim] = dims[variable.name]
            assert dim in LEVELS
    assert {dim for named in dims.values() for dim in named} == {*LEVELS, "scenario"}


def test_the_model_reads_rows_as_data_that_can_be_exchanged(model: "pm.Model", some: Rows) -> None:
    levels = {level: list(model.coords[level]) for level in LEVELS}
    for name, values in model_data(some, levels).items():
        np.testing.assert_array_equal(model[name].get_value(), values)


def test_groups_are_named_once_and_in_order(known: Rows) -> None:
    for level, names in group_levels(known).items():
        assert names == sorted(set(known.levels[level].tolist()))


def test_the_density_is_finite_at_the_initial_point(
    model: "pm.Model",
    in_python: Any,  # noqa: ANN401
) -> None:
    log_densities = model.compile_fn(model.logp(sum=False), mode=in_python)
    terms = log_densities(model.initial_point())
    assert len(terms) == len(model.basic_RVs)
    assert all(np.all(np.isfinite(term)) for term in terms)


def test_the_prior_predicts_finite_rates_of_a_sane_size(
    model: "pm.Model",
    in_python: Any,  # noqa: ANN401
) -> None:
    import pymc as pm

    tree = pm.sample_prior_predictive(
        draws=50, model=model, random_seed=1, compile_kwargs={"mode": in_python}
    )
    log_rates = np.asarray(tree.prior_predictive["y"])
    assert np.all(np.isfinite(log_rates))
    assert 1 < np.exp(np.median(log_rates)) < 1e5


@pytest.mark.parametrize("level", ["generation", "stack", "model", "engine"])
def test_however_it_is_sampled_an_effect_is_normal_with_its_spread(
    model: "pm.Model",
    in_python: Any,  # noqa: ANN401 - a compilation mode, untyped
    level: str,
) -> None:
    from pytensor.compile.maker import function as compiled

    from forepass.blocks.serving.model import CELLS_TO_TELL

    rng = np.random.default_rng(3)
    scaled, spread = model[f"scaled_z_{level}"], model[f"{level}_spread"]
    standard = compiled([scaled, spread], model[f"z_{level}"], mode=in_python)
    deviation = compiled([spread], scaled.owner.inputs[-1], mode=in_python)
    for of_spread in (0.1, 2.0):
        drawn = rng.standard_normal(len(model.coords[level])) * deviation(of_spread)
        assert standard(drawn, of_spread) == pytest.approx(drawn / deviation(of_spread))
    assert CELLS_TO_TELL[f"z_{level}"] > 0
    # A group that no row tells of is sampled relative to its spread, which it could not follow.
    assert deviation(0.1)[list(model.coords[level]).index("unheard-of")] == pytest.approx(1.0)
