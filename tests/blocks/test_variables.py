"""Priors as PyMC variables: the distribution is the one stated, in the model's dims."""

import pymc as pm
import pytest
from numpy.testing import assert_allclose

from forepass.blocks.variables import prior_variable
from forepass.inputs.elicitation import log_density, parameters_from_quantiles
from forepass.inputs.families import FAMILIES
from forepass.inputs.priors import Prior


def prior_of(distribution: str) -> Prior:
    stated = {"p10": 0.2, "p90": 0.6} if FAMILIES[distribution].quantiles == 2 else {"p50": 0.4}
    parameters = parameters_from_quantiles(distribution, stated)
    return Prior("chips", "x", distribution, parameters, stated, "1", "judgement", "", "chips.toml")


@pytest.mark.parametrize("distribution", FAMILIES)
def test_pymc_gives_a_variable_the_density_of_its_prior(distribution: str) -> None:
    prior = prior_of(distribution)
    with pm.Model() as model:
        variable = prior_variable(prior)
    assert variable.name == "x"
    assert model.free_RVs == [variable]
    points = [0.1, 0.4, 0.7]
    found = [float(pm.logp(variable, point).eval()) for point in points]
    assert_allclose(found, log_density(prior, points), rtol=1e-6)


def test_a_variable_takes_dims_and_a_name_of_its_own() -> None:
    with pm.Model(coords={"vendor": ["amd", "nvidia"]}) as model:
        variable = prior_variable(prior_of("Normal"), dims="vendor", name="effect")
    assert model.named_vars_to_dims == {"effect": ("vendor",)}
    assert variable.type.ndim == 1
