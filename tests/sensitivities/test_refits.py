"""Priors at twice their power: exact within their families, and read back through a scenario."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from forepass.inputs.families import FAMILIES, family_log_density
from forepass.inputs.priors import load_all
from forepass.sensitivities.refits import POWER, NotRefittedError, raised, raised_parameters
from forepass.settings import Settings
from forepass.what_if.replaced_priors import overlaid
from forepass.what_if.scenarios import plain, with_layer

MEMBERS = {
    "Normal": {"mu": 3.0, "sigma": 2.0},
    "HalfNormal": {"sigma": 2.0},
    "LogNormal": {"mu": -1.0, "sigma": 0.7},
    "Exponential": {"lam": 0.3},
    "Gamma": {"alpha": 2.5, "beta": 0.4},
    "Beta": {"alpha": 2.0, "beta": 7.0},
}


@pytest.mark.parametrize("name", MEMBERS)
@pytest.mark.parametrize("power", [0.5, 2.0])
def test_the_density_is_the_power_of_the_old_one_but_for_a_factor(name: str, power: float) -> None:
    new = raised_parameters(name, MEMBERS[name], power)
    assert new is not None
    at = np.linspace(0.05, 0.95, 7)
    old, raised_to = (family_log_density(FAMILIES[name], of, at) for of in (MEMBERS[name], new))
    assert np.ptp(raised_to - power * old) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("LogitNormal", {"mu": 0.0, "sigma": 1.0}),
        ("Beta", {"alpha": 0.4, "beta": 3.0}),
        ("Gamma", {"alpha": 0.5, "beta": 1.0}),
    ],
)
def test_a_density_without_such_a_power_has_none(name: str, parameters: dict[str, float]) -> None:
    assert raised_parameters(name, parameters, POWER) is None


def test_a_fit_reads_the_raised_priors_and_the_others_as_they_were(tmp_path: Path) -> None:
    old = load_all()
    of_block = old["fleet"].values()
    by_family = {prior.distribution: prior for prior in of_block}
    chosen = [prior for family, prior in by_family.items() if family != "LogitNormal"]
    asked = with_layer(plain(), raised(chosen))
    new = load_all(overlaid(asked, Settings(cache=tmp_path)).priors)
    assert len(chosen) > 2
    names = {prior.name for prior in chosen}
    for name, prior in old["fleet"].items():
        expected = prior.parameters
        if name in names:
            expected = raised_parameters(prior.distribution, prior.parameters, POWER) or {}
        assert new["fleet"][name].parameters == pytest.approx(expected, rel=1e-5)
        assert new["fleet"][name].support == prior.support


def test_a_prior_that_cannot_be_raised_is_named() -> None:
    prior = next(iter(load_all()["fleet"].values()))
    odd = replace(prior, distribution="LogitNormal", parameters={"mu": 0.0, "sigma": 1.0})
    with pytest.raises(NotRefittedError, match=f"of {prior.name}, LogitNormal, has no such power"):
        raised([odd])
