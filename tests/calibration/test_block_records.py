"""Simulators of blocks: data in the shape of the record, and sizes as their density has them."""

from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import pytest
from numpy.typing import NDArray
from pytensor.compile.mode import Mode
from scipy import stats

from forepass.blocks.language_models.sizes import _log_closed, _log_seen
from forepass.calibration import block_records
from forepass.posterior import BLOCKS
from forepass.settings import Settings

type Floats = NDArray[np.float64]

# Nothing here is worth compiling.
PLAIN = Mode("py", "merge")
LOW, HIGH = np.array([0.5, -0.2, 0.0]), np.array([0.5, 0.9, 60.0])


def found(value: Floats) -> tuple[Floats, Floats]:
    """Return the bounds that each of some draws of the three sizes is found between."""
    lower, upper = (end.eval(mode=PLAIN) for end in block_records.cells(value, LOW, HIGH))
    return lower, upper


def tensors(*values: float | Floats) -> list[Any]:
    """Return values as tensors."""
    return [pt.as_tensor(value) for value in values]


def test_a_known_size_is_its_own_bounds_and_a_bounded_one_lies_in_its_cell() -> None:
    value = np.random.default_rng(1).normal(0.3, 1.0, size=(500, 3))
    lower, upper = found(value)
    assert np.array_equal(lower[:, 0], value[:, 0])
    assert np.array_equal(upper[:, 0], value[:, 0])
    assert ((lower <= value) & (value <= upper)).all()
    cuts = {-60.0, -0.2, 0.9, 60.0}
    assert set(lower[:, 1]) | set(upper[:, 1]) == cuts


def test_cells_come_as_often_as_their_density_says() -> None:
    centre, spread, draws = 0.3, 0.8, 20_000
    value = np.random.default_rng(2).normal(centre, spread, size=(draws, 3))
    lower, upper = found(value)
    for cell in ((-60.0, -0.2), (-0.2, 0.9), (0.9, 60.0)):
        share = ((lower[:, 1] == cell[0]) & (upper[:, 1] == cell[1])).mean()
        density = np.exp(_log_seen(*tensors(0.0, centre, spread, *cell)).eval(mode=PLAIN))
        assert share == pytest.approx(float(density), abs=4 * np.sqrt(0.25 / draws))


def test_the_density_of_a_total_is_that_of_a_mixture_or_a_dense_model() -> None:
    at = np.linspace(-10, 14, 4001)
    args = (4.0, 0.7, 1.0, 0.5, 0.8)
    density = np.exp(_log_closed(*tensors(at, *args, at, at)).eval(mode=PLAIN))
    share = stats.logistic.cdf(0.8)
    mixed = share * stats.norm.pdf(at, 4.0, 0.7) + (1 - share) * stats.norm.pdf(at, 1.0, 0.5)
    assert density == pytest.approx(mixed, abs=1e-9)


@pytest.mark.parametrize("block", BLOCKS)
def test_all_that_was_observed_can_be_exchanged_for_what_is_drawn(block: str) -> None:
    opened = block_records.opened(block, Settings())
    assert set(opened.data) >= {
        opened.model.rvs_to_values[v].name for v in opened.model.observed_RVs
    }
    for name, made in opened.data.items():
        held = opened.model[name].get_value()
        assert made.ndim == held.ndim
        assert np.isfinite(held).all()


def test_a_drawn_fleet_walks_from_the_same_start_by_its_own_steps() -> None:
    settings = Settings()
    opened = block_records.opened("fleet", settings)
    drawn = {
        name: opened.data[name] for name in ("tdp_per_chip_rises_observed", "tdp_per_chip_seen")
    }
    rises, path = pm.draw(list(drawn.values()), random_seed=1, mode=PLAIN)
    observed = opened.model["tdp_per_chip_seen"].get_value()
    known = observed != 0
    assert ((path != 0) == known).all()
    start = (np.arange(len(known)), known.argmax(axis=1))
    assert path[start] == pytest.approx(observed[start])
    steps = np.diff(path, axis=1)[known[:, :-1] & known[:, 1:]]
    assert steps == pytest.approx(rises)


def test_the_likelihood_of_the_fleet_reads_the_record_that_was_exchanged() -> None:
    opened = block_records.opened("fleet", Settings())
    log_likelihood = opened.model.compile_logp(opened.model.observed_RVs, mode=PLAIN)
    point = opened.model.initial_point(0)
    before = log_likelihood(point)
    seen = opened.model["shipment_seen"]
    seen.set_value(seen.get_value() + np.log(2))
    assert log_likelihood(point) != pytest.approx(before)


def test_an_unread_record_is_told() -> None:
    with pm.Model() as model:
        pm.Normal("x")
    with pytest.raises(LookupError, match="reads the record"):
        block_records._exchanged(model, "y", np.ones(3))
