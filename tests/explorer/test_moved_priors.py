"""Scores of draws under a prior, and the density ratios that follow from them."""

import numpy as np
import pytest
from scipy import special, stats

from forepass.explorer.moved_priors import SCORES, priors_of
from forepass.inputs.elicitation import log_density, quantile, sample
from forepass.inputs.priors import Prior
from forepass.sensitivities.beliefs import Belief, prior_scores

FAMILIES = {
    "Normal": {"mu": 2.0, "sigma": 3.0},
    "LogNormal": {"mu": -1.0, "sigma": 0.7},
    "LogitNormal": {"mu": 0.4, "sigma": 1.1},
    "Beta": {"alpha": 2.0, "beta": 5.0},
    "Gamma": {"alpha": 3.0, "beta": 0.5},
    "HalfNormal": {"sigma": 2.0},
}


def prior_of(family: str, **parameters: float) -> Prior:
    return Prior("chips", "a", family, parameters or FAMILIES[family], {}, *("x", "x", "x", "x"))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_score_is_the_normal_quantile_of_a_draws_rank_in_the_prior(family: str) -> None:
    prior = prior_of(family)
    z = np.linspace(-5, 5, 41)
    np.testing.assert_allclose(prior_scores(prior, quantile(prior, special.ndtr(z))), z, atol=1e-6)


@pytest.mark.parametrize("family", ["Normal", "LogNormal", "LogitNormal"])
def test_moving_by_scores_is_moving_the_familys_own_parameters(family: str) -> None:
    shift, width = 0.8, 1.3
    old = prior_of(family)
    mu, sigma = FAMILIES[family]["mu"], FAMILIES[family]["sigma"]
    new = prior_of(family, mu=mu + shift * sigma, sigma=width * sigma)
    draws = sample(old, 200, np.random.default_rng(0))
    z = prior_scores(old, draws)
    by_scores = stats.norm.logpdf(z, shift, width) - stats.norm.logpdf(z)
    np.testing.assert_allclose(by_scores, log_density(new, draws) - log_density(old, draws))


def test_a_prior_of_several_numbers_has_a_column_for_each() -> None:
    prior = prior_of("LogNormal")
    draws = np.array([0.1, 0.5, 2.0])
    beliefs = [Belief("chips", "a", label, at, draws, prior) for at, label in enumerate("xy")]
    fitted = Belief("chips", "b", "", None, draws, None)
    (record,), columns = priors_of([*beliefs, fitted])
    assert [label for _, _, label in record["columns"]] == ["x", "y"]
    assert columns.shape == (2, 3)
    middle = record["at_scores"][len(SCORES) // 2]
    assert middle == pytest.approx(float(np.exp(-1.0)), rel=1e-5)
