"""The chain that benchmarks time: two ways of drawing it agree."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

spec = importlib.util.spec_from_file_location("chain", Path(__file__).with_name("chain.py"))
assert spec is not None
assert spec.loader is not None
chain = importlib.util.module_from_spec(spec)
spec.loader.exec_module(chain)

DRAWS = 20_000


@pytest.mark.parametrize("name", ["capacity", "cost"])
def test_forepass_and_numpy_draw_the_same_chain(name: str) -> None:
    ours, floor = (np.log(way(DRAWS)[name]) for way in (chain.by_forepass, chain.by_numpy))
    error = floor.std(axis=0) / np.sqrt(DRAWS / 2)
    assert (np.abs(ours.mean(axis=0) - floor.mean(axis=0)) < 5 * error).all()
    np.testing.assert_allclose(ours.std(axis=0), floor.std(axis=0), rtol=0.05)


def test_it_has_twelve_inputs_and_sixteen_years() -> None:
    assert len(chain.beliefs()) == 12
    assert len(chain.YEARS) == 16
