"""Predictive checks: uniform where the model is true, and sharp where it is not."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from forepass import check_figures, figures
from forepass.blocks.serving.model import measured
from forepass.blocks.serving.prediction import log_rate_draws
from forepass.blocks.serving.rows import make_rows
from forepass.checks import Predictive, leave_one_out, pointwise_log_likelihood, predictive
from forepass.posterior import Fit

type Tables = Mapping[str, pd.DataFrame]
type Fits = Mapping[str, Fit]


@pytest.fixture(scope="module")
def found(prior_fits: Fits, question_tables: Tables) -> Predictive:
    return predictive(prior_fits["serving"].posterior, question_tables, seed=3)


def test_every_measured_row_gets_a_pit_value_a_residual_and_its_covariates(
    found: Predictive, question_tables: Tables
) -> None:
    n_rows = len(measured(question_tables)[0])
    assert len(found.pit) == len(found.residual) == len(found.covariates) == n_rows
    assert found.pit.min() >= 0
    assert found.pit.max() <= 1
    assert found.scores["rows"] == n_rows
    # A row measured above its median prediction has most draws below it.
    tied = found.pit == 0.5  # the median lies between two draws, and the row between them too
    assert np.all(((found.pit > 0.5) == (found.residual > 0)) | tied)


def test_the_log_likelihood_is_the_log_of_the_density_that_the_noise_is_drawn_from(
    prior_fits: Fits, question_tables: Tables
) -> None:
    posterior = prior_fits["serving"].posterior.isel(draw=slice(0, 5))
    table, observed = measured(question_tables)
    rows = make_rows(table, question_tables).take(slice(0, 4))
    got = pointwise_log_likelihood(posterior, rows, observed[:4], seed=1)
    mean = log_rate_draws(posterior, rows, 1)
    for draw in range(5):
        scale = float(posterior["noise_scale"][draw])
        tail = 2 + float(posterior["noise_tail"][draw])
        expected = stats.t(tail, loc=mean[draw], scale=scale).logpdf(observed[:4])
        np.testing.assert_allclose(got[draw], expected)


def test_leaving_one_out_of_a_normal_sample_agrees_with_the_closed_form() -> None:
    rng = np.random.default_rng(4)
    y = rng.normal(size=40)
    mean = rng.normal(y.mean(), 1 / np.sqrt(len(y)), size=(4000, 1))
    loo = leave_one_out(stats.norm(mean, 1).logpdf(y))
    others = (y.sum() - y) / (len(y) - 1)
    exact = stats.norm(others, np.sqrt(1 + 1 / (len(y) - 1))).logpdf(y).sum()
    assert loo["elpd"] == pytest.approx(exact, abs=0.1)
    assert loo["p"] == pytest.approx(1, abs=0.5)
    assert loo["bad_share"] == 0


def test_rows_that_no_draw_expects_are_counted_as_not_to_be_trusted() -> None:
    rng = np.random.default_rng(5)
    mean = rng.normal(0, 2, size=(4000, 1))
    y = np.array([0.0, 0.1, 12.0])
    assert leave_one_out(stats.norm(mean, 0.3).logpdf(y))["bad_share"] > 0


def test_the_figure_has_a_histogram_and_a_panel_for_each_covariate(
    found: Predictive, tmp_path: Path
) -> None:
    figure = check_figures.draw_check(found)
    labels = [axis.get_xlabel() for axis in figure.axes]
    assert len(labels) == 1 + len(found.covariates.columns)
    assert labels[0].endswith("(PIT)")
    written = figures.save_figure(figure, tmp_path, "serving_check")
    assert sorted(path.name for path in written) == ["serving_check.png", "serving_check.svg"]
