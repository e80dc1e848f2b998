"""Draws of the priors as posteriors, and questions about them."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from forepass.posterior import Fit
    from forepass.sensitivities.beliefs import Belief
    from forepass.sensitivities.runs import Question


@pytest.fixture(scope="session")
def posteriors(forward_fits: "Mapping[str, Fit]") -> "dict[str, xr.Dataset]":
    return {block: fit.posterior for block, fit in forward_fits.items()}


@pytest.fixture(scope="session")
def beliefs(posteriors: "Mapping[str, xr.Dataset]") -> "list[Belief]":
    from forepass.inputs.priors import load_all
    from forepass.sensitivities.beliefs import all_beliefs

    return list(all_beliefs(posteriors, load_all()))


@pytest.fixture(scope="session")
def asked(question_tables: "Mapping[str, pd.DataFrame]") -> "Callable[[str], Question]":
    """Return what makes a question about a quantity in 2030."""
    from forepass.inputs.definitions import load_definitions
    from forepass.sensitivities.runs import Question

    def ask(quantity: str) -> "Question":
        return Question(quantity, 2030, question_tables, load_definitions(), seed=1)

    return ask
