"""Guards that critics of earlier models taught, on draws of the priors."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from forepass.fit_checks import guards
from forepass.forecast import forecast_of
from forepass.inputs.definitions import load_definitions
from forepass.inputs.priors import load_all
from forepass.posterior import BLOCKS, Fit
from forepass.projection import Projection, project
from forepass.settings import Settings
from forepass.timing import part_of_year, quarterly

type Fits = Mapping[str, Fit]
type Tables = Mapping[str, pd.DataFrame]

UNUSED = "language_models.context_"
"""How long contexts may be is fitted to releases and moves no answer: loads are beliefs of their
own. The check of real fits says so each time, until the trend is used or taken out."""


@pytest.fixture(scope="module")
def moved(forward_fits: Fits, question_tables: Tables) -> dict[tuple[str, str], str]:
    return guards.listened(
        forward_fits,
        priors=load_all(),
        seed=1,
        definitions=load_definitions(),
        tables=question_tables,
        copies=3,
    )


@pytest.fixture(scope="module")
def graph() -> dict[str, guards.Roles]:
    return {block: guards.roles(block, Settings()) for block in BLOCKS}


def test_moving_any_belief_moves_an_answer_or_its_role_is_stated(
    moved: dict[tuple[str, str], str], graph: dict[str, guards.Roles]
) -> None:
    found = guards.heard(moved, graph)
    unused = {name for name, role in found.values.items() if role == "unused"}
    assert {name for name in unused if not name.startswith(UNUSED)} == set()
    assert sum(role == "forecast" for role in found.values.values()) > 200


def test_a_variable_that_nothing_reads_is_named(
    moved: dict[tuple[str, str], str], graph: dict[str, guards.Roles]
) -> None:
    role = graph["fleet"]
    extra = {
        **graph,
        "fleet": guards.Roles(role.free | {"idle_curve"}, role.informed, role.derived),
    }
    assert "fleet.idle_curve: moves no answer; nothing reads it" in guards.heard(moved, extra).short


def test_results_do_not_depend_on_how_far_ahead_is_asked(
    forward_fits: Fits, projection: Projection, question_tables: Tables
) -> None:
    years = np.arange(2020, 2031)
    near = project(
        forward_fits, years, seed=1, definitions=load_definitions(), tables=question_tables
    )
    for block in ("chips", "language_models", "fleet", "training", "demand"):
        far = getattr(projection, block).sel(year=years)
        for name, array in getattr(near, block).data_vars.items():
            if "vintage" not in array.dims:
                xr.testing.assert_equal(array, far[name])


def test_a_quarterly_forecast_agrees_with_the_yearly_one_where_their_dates_meet(
    projection: Projection,
) -> None:
    yearly = forecast_of(projection, projection.years)
    by_quarter = quarterly(yearly, list(range(2024, 2031)))
    for name, array in yearly.data_vars.items():
        for year in (2025, 2029):
            quarter = f"{year}Q{4 if part_of_year(str(name)) == 1 else 2}"
            np.testing.assert_array_equal(
                by_quarter[name].sel(quarter=quarter).values, array.sel(year=year).values
            )
