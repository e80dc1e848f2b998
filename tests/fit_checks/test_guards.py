"""Guards that critics of earlier models taught, on draws of the priors."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from forepass.blocks.serving.model import measured
from forepass.blocks.serving.prediction import log_rate_draws
from forepass.blocks.serving.rows import make_rows
from forepass.fit_checks import guards
from forepass.forward.forecast import forecast_of
from forepass.forward.projection import Projection, project
from forepass.forward.timing import part_of_year, quarterly
from forepass.inputs.definitions import load_definitions
from forepass.inputs.priors import load_all
from forepass.inputs.tables import load_tables
from forepass.posterior import BLOCKS, Fit
from forepass.settings import Settings

LAST_YEAR_APART = ("fleet", "training")
"""A fleet's last half-year has no newer part ahead to blend with, and no run outgrows its fleet."""

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
        copies=12,
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


def test_one_draw_does_not_change_what_is_said_of_another(forward_fits: Fits) -> None:
    posterior = forward_fits["serving"].posterior.isel(draw=slice(0, 100))
    tables = load_tables(("serving", "chips", "language_models"))
    rows = make_rows(measured(tables)[0].assign(campaign=""), tables)
    tail = posterior["campaign_tail"].copy(data=posterior["campaign_tail"].values.copy())
    tail[:50] = 0.01
    was, now = (
        log_rate_draws(of, rows, 1) for of in (posterior, posterior.assign(campaign_tail=tail))
    )
    assert not np.array_equal(was[:50], now[:50])
    np.testing.assert_array_equal(was[50:], now[50:])


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
        for name, array in getattr(near, block).data_vars.items():
            far = getattr(projection, block)[name]
            if "vintage" not in array.dims and "year" in array.dims:
                known = years[:-1] if block in LAST_YEAR_APART else years
                # To rounding: sums over vintages are taken in other groups of terms.
                xr.testing.assert_allclose(array.sel(year=known), far.sel(year=known), rtol=1e-12)
    xr.testing.assert_allclose(
        near.fleet["fleet_h100e"].sel(year=2030),
        projection.fleet["fleet_h100e"].sel(year=2030),
        rtol=0.05,
    )


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
