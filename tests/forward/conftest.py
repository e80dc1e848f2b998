"""Draws of the priors run forward again, with something changed."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import pandas as pd

    from forepass.forward.projection import Projection
    from forepass.posterior import Fit

Rerun = Callable[..., "Projection"]


@pytest.fixture(scope="session")
def rerun(
    forward_fits: "Mapping[str, Fit]", question_tables: "Mapping[str, pd.DataFrame]"
) -> Rerun:
    """Return what runs forward with variables of a block's posterior assigned anew."""
    from forepass.forward.projection import project, whole_span
    from forepass.inputs.definitions import load_definitions

    def run(
        block: str = "fleet",
        *,
        seed: int = 1,
        tables: "Mapping[str, pd.DataFrame]" = question_tables,
        defined: Mapping[str, Any] | None = None,
        **assigned: Any,  # noqa: ANN401 - as `xr.Dataset.assign` takes them
    ) -> "Projection":
        definitions = replace(load_definitions(), **(defined or {}))
        posterior = forward_fits[block].posterior.assign(assigned)
        fits = {**forward_fits, block: replace(forward_fits[block], posterior=posterior)}
        span = whole_span(definitions)
        return project(fits, span, seed=seed, definitions=definitions, tables=tables)

    return run
