"""Stated quantiles and modes against the distributions found for them."""

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import stats

from forepass.inputs.elicitation import (
    LEVELS,
    ElicitationError,
    log_density,
    parameters_from_mode,
    parameters_from_quantiles,
    quantile,
    sample,
)
from forepass.inputs.families import FAMILIES, Parameters
from forepass.inputs.priors import Prior

ONE_PARAMETER = [name for name, family in FAMILIES.items() if family.quantiles == 1]
PEAKED = [name for name, family in FAMILIES.items() if family.at_mode]

LABEL_PAIRS = st.sampled_from(list(combinations(LEVELS, 2)))

EXAMPLES: dict[str, Parameters] = {
    "Normal": {"mu": -0.4, "sigma": 2.0},
    "LogNormal": {"mu": 1.2, "sigma": 0.7},
    "LogitNormal": {"mu": -0.8, "sigma": 0.9},
    "Beta": {"alpha": 2.5, "beta": 6.0},
    "Gamma": {"alpha": 3.2, "beta": 0.4},
    "HalfNormal": {"sigma": 1.7},
    "Exponential": {"lam": 0.3},
}


def prior_of(distribution: str, parameters: Parameters) -> Prior:
    return Prior("chips", "x", distribution, parameters, {}, "1", "judgement", "", "chips.toml")


@given(
    distribution=st.sampled_from(["Normal", "LogNormal", "LogitNormal"]),
    labels=LABEL_PAIRS,
    low=st.floats(0.01, 0.9),
    gap=st.floats(0.01, 0.9),
    size=st.sampled_from([1e-9, 1.0, 1e15]),
)
def test_two_quantiles_come_back_from_the_parameters_they_gave(
    distribution: str, labels: tuple[str, str], low: float, gap: float, size: float
) -> None:
    assume(low + gap < 0.99)
    unit = 1.0 if distribution == "LogitNormal" else size
    stated = dict(zip(labels, (low * unit, (low + gap) * unit), strict=True))
    prior = prior_of(distribution, parameters_from_quantiles(distribution, stated))
    found = [quantile(prior, LEVELS[label]) for label in labels]
    assert_allclose(found, list(stated.values()), rtol=1e-6)


@given(
    distribution=st.sampled_from(["Beta", "Gamma"]),
    labels=LABEL_PAIRS,
    alpha=st.floats(0.3, 3000),
    beta=st.floats(0.3, 3000),
)
@settings(deadline=None)
def test_quantiles_without_a_formula_come_back_from_the_parameters_they_gave(
    distribution: str, labels: tuple[str, str], alpha: float, beta: float
) -> None:
    member = prior_of(distribution, {"alpha": alpha, "beta": beta})
    stated = {label: float(quantile(member, LEVELS[label])) for label in labels}
    assume(0 < min(stated.values()) < max(stated.values()) < FAMILIES[distribution].upper)
    prior = prior_of(distribution, parameters_from_quantiles(distribution, stated))
    found = [quantile(prior, LEVELS[label]) for label in labels]
    assert_allclose(found, list(stated.values()), rtol=1e-6)


@pytest.mark.parametrize("distribution", EXAMPLES)
def test_parameters_come_back_from_the_quantiles_they_have(distribution: str) -> None:
    labels = ["p25"] if distribution in ONE_PARAMETER else ["p05", "p75"]
    prior = prior_of(distribution, EXAMPLES[distribution])
    stated = {label: float(quantile(prior, LEVELS[label])) for label in labels}
    found = parameters_from_quantiles(distribution, stated)
    assert found == pytest.approx(EXAMPLES[distribution], rel=1e-6)


@pytest.mark.parametrize("distribution", PEAKED)
@pytest.mark.parametrize("mass", [0.6, 0.9])
def test_a_mode_is_the_peak_and_its_interval_holds_the_mass(distribution: str, mass: float) -> None:
    found = parameters_from_mode(distribution, mode=0.3, interval=(0.1, 0.55), mass=mass)
    prior = prior_of(distribution, found)
    draws = sample(prior, 40_000, np.random.default_rng(5))
    assert ((draws > 0.1) & (draws < 0.55)).mean() == pytest.approx(mass, abs=0.01)
    grid = np.linspace(0.005, 0.995, 1981)
    assert grid[np.argmax(log_density(prior, grid))] == pytest.approx(0.3, abs=1e-3)


@pytest.mark.parametrize("distribution", EXAMPLES)
def test_the_log_density_is_that_of_scipy(distribution: str) -> None:
    p = EXAMPLES[distribution]
    x = np.array([0.05, 0.3, 0.8])
    logit = np.log(x / (1 - x))
    oracle = {
        "Normal": lambda: stats.norm.logpdf(x, p["mu"], p["sigma"]),
        "LogNormal": lambda: stats.lognorm.logpdf(x, p["sigma"], scale=math.exp(p["mu"])),
        "LogitNormal": lambda: stats.norm.logpdf(logit, p["mu"], p["sigma"]) - np.log(x * (1 - x)),
        "Beta": lambda: stats.beta.logpdf(x, p["alpha"], p["beta"]),
        "Gamma": lambda: stats.gamma.logpdf(x, p["alpha"], scale=1 / p["beta"]),
        "HalfNormal": lambda: stats.halfnorm.logpdf(x, scale=p["sigma"]),
        "Exponential": lambda: stats.expon.logpdf(x, scale=1 / p["lam"]),
    }[distribution]()
    assert_allclose(log_density(prior_of(distribution, p), x), oracle, rtol=1e-12)


@pytest.mark.parametrize("distribution", [name for name in EXAMPLES if name != "Normal"])
def test_the_log_density_is_minus_infinity_outside_the_range(distribution: str) -> None:
    prior = prior_of(distribution, EXAMPLES[distribution])
    assert log_density(prior, -0.5) == -math.inf


@pytest.mark.parametrize("distribution", EXAMPLES)
def test_draws_lie_below_a_quantile_as_often_as_it_says(distribution: str) -> None:
    prior = prior_of(distribution, EXAMPLES[distribution])
    draws = sample(prior, (200, 100), np.random.default_rng(3))
    assert draws.shape == (200, 100)
    for p in (0.1, 0.5, 0.9):
        error = math.sqrt(p * (1 - p) / draws.size)
        assert (draws < quantile(prior, p)).mean() == pytest.approx(p, abs=4 * error)


@pytest.mark.parametrize(
    ("distribution", "parameters", "error"),
    [
        ("Beta", {"alpha": 2.5, "beta": 6.0}, 1e-11),
        ("Beta", {"alpha": 0.05, "beta": 0.05}, 1e-5),
        ("Gamma", {"alpha": 3.2, "beta": 0.4}, 1e-11),
        ("Gamma", {"alpha": 0.05, "beta": 7.0}, 1e-5),
    ],
)
def test_many_draws_are_those_of_the_quantile_function(
    distribution: str, parameters: Parameters, error: float
) -> None:
    prior = prior_of(distribution, parameters)
    many = sample(prior, (400, 100), np.random.default_rng(4))
    at = np.random.default_rng(4).uniform(np.finfo(float).tiny, 1.0, (400, 100))
    assert_allclose(many, quantile(prior, at), rtol=error)


def test_one_seed_gives_draws_that_rise_with_a_shifted_prior() -> None:
    low = sample(prior_of("Normal", {"mu": 0.0, "sigma": 1.0}), 50, np.random.default_rng(1))
    high = sample(prior_of("Normal", {"mu": 2.0, "sigma": 1.0}), 50, np.random.default_rng(1))
    assert_allclose(high - low, 2.0)


def test_a_third_quantile_that_agrees_is_accepted() -> None:
    two = parameters_from_quantiles("LogNormal", {"p10": 1.0, "p90": 4.0})
    three = parameters_from_quantiles("LogNormal", {"p10": 1.0, "p50": 2.1, "p90": 4.0})
    assert three == two


@pytest.mark.parametrize(
    ("distribution", "quantiles", "message"),
    [
        ("Normal", {"p10": 1.0}, "Normal needs two or three quantiles, got p10"),
        ("Normal", {}, "Normal needs two or three quantiles, got none"),
        ("HalfNormal", {"p50": 1.0, "p90": 2.0}, "HalfNormal needs one quantile, got p50, p90"),
        ("Normal", {"p10": 3.0, "p90": 2.0}, "p10 = 3 must be below p90 = 2"),
        ("Normal", {"p10": 2.0, "p90": 2.0}, "p10 = 2 must be below p90 = 2"),
        (
            "LogNormal",
            {"p10": -1.0, "p90": 2.0},
            "LogNormal takes values above 0; choose among Nor",
        ),
        ("Beta", {"p10": 0.2, "p90": 40.0}, "p90 = 40 is impossible: Beta takes values between 0"),
        (
            "LogNormal",
            {"p10": 1.0, "p50": 3.5, "p90": 4.0},
            "the LogNormal through p10 = 1 and p90",
        ),
        ("LogNormal", {"p10": 1.0, "p50": 1.1, "p90": 100.0}, "has p50 = 10; change it"),
        ("Gamma", {"p90": 1e-6, "p95": 1.0}, "no Gamma has p90 = 1e-06 and p95 = 1"),
    ],
)
def test_quantiles_that_no_member_has_are_refused(
    distribution: str, quantiles: dict[str, float], message: str
) -> None:
    with pytest.raises(ElicitationError) as refusal:
        parameters_from_quantiles(distribution, quantiles)
    assert message in str(refusal.value)


@pytest.mark.parametrize(
    ("distribution", "mode", "interval", "mass", "message"),
    [
        ("HalfNormal", 0.3, (0.1, 0.6), 0.8, "HalfNormal always peaks at 0; state one quantile"),
        ("Normal", 0.3, (0.1, 0.6), 80.0, "mass must be between 0 and 1, got 80"),
        ("Normal", 0.7, (0.1, 0.6), 0.8, "mode = 0.7 must lie inside interval = [0.1, 0.6]"),
        ("Beta", 0.7, (0.1, 6.0), 0.8, "Beta takes values between 0 and 1; move the interval"),
        ("Beta", 0.5, (0.1, 0.9), 0.3, "no Beta with mode = 0.5 has 0.3 of its mass"),
    ],
)
def test_modes_that_no_member_has_are_refused(
    distribution: str, mode: float, interval: tuple[float, float], mass: float, message: str
) -> None:
    with pytest.raises(ElicitationError) as refusal:
        parameters_from_mode(distribution, mode=mode, interval=interval, mass=mass)
    assert message in str(refusal.value)
