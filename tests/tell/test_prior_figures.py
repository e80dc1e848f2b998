"""Figures of priors: what is drawn, named and repeated."""

from pathlib import Path

import numpy as np
import pytest

from forepass.inputs.elicitation import parameters_from_quantiles
from forepass.inputs.families import FAMILIES
from forepass.inputs.priors import Prior
from forepass.tell.figures import save_figure
from forepass.tell.prior_figures import draw_figure


def prior_of(distribution: str, unit: str = "USD", **stated: float) -> Prior:
    one, two = {"p50": 0.4}, {"p10": 0.2, "p90": 0.6}
    quantiles = stated or (two if FAMILIES[distribution].quantiles == 2 else one)
    parameters = parameters_from_quantiles(distribution, quantiles)
    return Prior("chips", "x", distribution, parameters, quantiles, unit, "judgement", "", "f")


def test_every_distribution_has_a_panel_with_its_name_unit_and_three_marks() -> None:
    figure = draw_figure([prior_of(name) for name in FAMILIES])
    drawn = [panel for panel in figure.axes if panel.get_title()]
    assert len(drawn) == len(FAMILIES)
    for panel in drawn:
        assert panel.get_xlabel() == "USD"
        assert len(panel.get_xticklabels()) == 3
        curve = np.asarray(panel.lines[0].get_ydata())
        assert np.isfinite(curve).all()
        assert (curve > 0).all()


@pytest.mark.parametrize(
    ("prior", "label"),
    [
        (prior_of("Normal", "1", p10=0.2, p90=0.6), "no unit"),
        (prior_of("Normal", "FLOP/s", p10=2e14, p90=6e14), "$10^{12}$ FLOP/s"),
        (prior_of("LogNormal", "$", p10=0.01, p90=9.0), r"\$ (log axis)"),
    ],
)
def test_large_and_wide_quantities_say_how_they_are_drawn(prior: Prior, label: str) -> None:
    panel = draw_figure([prior]).axes[0]
    assert panel.get_xlabel() == label


def test_one_set_of_priors_gives_the_same_files_twice(tmp_path: Path) -> None:
    priors = [prior_of("Beta")]
    first = [path.read_bytes() for path in save_figure(draw_figure(priors), tmp_path, "priors")]
    assert [
        path.read_bytes() for path in save_figure(draw_figure(priors), tmp_path, "priors")
    ] == first


def test_on_a_log_axis_a_lognormal_peaks_at_its_median() -> None:
    curve = draw_figure([prior_of("LogNormal", p10=0.01, p90=9.0)]).axes[0].lines[0]
    peak = np.argmax(np.asarray(curve.get_ydata()))
    assert np.asarray(curve.get_xdata())[peak] == pytest.approx(0.3, rel=0.05)
