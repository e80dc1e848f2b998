"""Rows left out by reweighing, densities by another way, and the figure of the serving block."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from forepass.blocks import training
from forepass.fit_checks.replicas import Quantity, leave_out, quantities
from forepass.inputs.tables import load_tables
from forepass.likelihoods import plain_model, pointwise
from forepass.posterior import Fit
from forepass.sensitivities import GOOD_K
from forepass.settings import Settings
from forepass.tell import check_figures, figures

type Fits = Mapping[str, Fit]


@pytest.fixture(scope="module")
def found(forward_fits: Fits) -> dict[str, Quantity]:
    tables = load_tables(training.TABLES)
    posterior = forward_fits["training"].posterior
    return {one.name: one for one in quantities("training", posterior, tables, Settings())}


def test_every_row_of_every_observed_variable_has_a_pit_value(found: dict[str, Quantity]) -> None:
    runs = load_tables(training.TABLES)["training"]
    assert set(found) == {"records_seen", "overtraining_seen", "days_seen", "utilisation_seen"}
    assert len(found["records_seen"].pit) == len(training.record_runs(runs))
    for one in found.values():
        assert len(one.pit) == len(one.residual) == len(one.about)
        assert one.pit.min() >= 0
        assert one.pit.max() <= 1
        assert {"when", "predicted"} <= set(one.about.columns)


def test_the_log_density_is_that_which_the_noise_is_drawn_from(forward_fits: Fits) -> None:
    posterior = forward_fits["training"].posterior.isel(draw=slice(0, 5))
    got = pointwise(plain_model("training", Settings()), posterior)["overtraining_seen"]
    large = training.large_runs(load_tables(training.TABLES)["training"])
    ratio, when = training.overtraining(large)
    p = {name: posterior[name].to_numpy()[:, None] for name in training.PRIORS}
    mean = np.log(p["overtraining_2025"]) + p["overtraining_growth"] * (when - training.ORIGIN)
    noise = stats.t(p["overtraining_tail"], mean, p["overtraining_spread"])
    np.testing.assert_allclose(got, noise.logpdf(ratio))


def test_leaving_one_out_of_a_normal_sample_agrees_with_the_closed_form() -> None:
    rng = np.random.default_rng(4)
    y = rng.normal(size=40)
    mean = rng.normal(y.mean(), 1 / np.sqrt(len(y)), size=(4000, 1))
    left = leave_out(stats.norm(mean, 1).logpdf(y))
    others = (y.sum() - y) / (len(y) - 1)
    exact = stats.norm(others, np.sqrt(1 + 1 / (len(y) - 1))).logpdf(y).sum()
    assert left.elpd.sum() == pytest.approx(exact, abs=0.1)
    assert left.effective == pytest.approx(1, abs=0.5)
    assert left.pareto_k.max() <= GOOD_K
    np.testing.assert_allclose(np.exp(left.log_weights).sum(axis=0), 1)


def test_rows_that_no_draw_expects_are_counted_as_not_to_be_trusted() -> None:
    rng = np.random.default_rng(5)
    mean = rng.normal(0, 2, size=(4000, 1))
    y = np.array([0.0, 0.1, 12.0])
    assert leave_out(stats.norm(mean, 0.3).logpdf(y)).pareto_k[2] > GOOD_K


def test_the_figure_has_a_histogram_and_a_panel_for_each_covariate(
    make: Callable[..., Quantity], tmp_path: Path
) -> None:
    one, rng = make(), np.random.default_rng(1)
    numbers = {name: rng.uniform(1, 9, len(one.pit)) for name in check_figures.ON_LOGS}
    groups = {"weight_bits": np.full(len(one.pit), 8.0), "engine": ["vllm"] * len(one.pit)}
    about = pd.DataFrame({**numbers, **groups})
    figure = check_figures.draw_check(Quantity("y", one.left_out, one.pit, one.residual, about))
    labels = [axis.get_xlabel() for axis in figure.axes]
    assert len(labels) == 1 + len(about.columns)
    assert labels[0].endswith("(PIT)")
    written = figures.save_figure(figure, tmp_path, "serving_check")
    assert sorted(path.name for path in written) == ["serving_check.png", "serving_check.svg"]
