"""What a measurement is worth, where it follows from variances."""

from collections.abc import Callable, Mapping

import numpy as np
import pytest
import xarray as xr

from forepass.inputs.priors import load_all
from forepass.sensitivities.beliefs import Belief
from forepass.sensitivities.measurements import MEASUREMENTS, Measurement, shrinkage, worth
from forepass.sensitivities.runs import KNOWN, Question

Ask = Callable[[str], Question]


def test_a_measurement_takes_the_variance_that_its_error_leaves(asked: Ask) -> None:
    rng = np.random.default_rng(1)
    one, other = rng.standard_normal((2, 4000))
    beliefs = [
        Belief("fleet", name, "", None, draws, None)
        for name, draws in (("one", one), ("other", other))
    ]
    wanted = [Measurement("fleet.other", "", 0.0), Measurement("fleet.one", "", 1.0)]
    found = worth(
        asked("fleet_power"), {}, 2 * one + other, beliefs, measured_in=2026, measurements=wanted
    )
    # Of a variance of 4 + 1, a reading as noisy as its object tells half of its part.
    assert [one.measurement.of for one in found] == ["fleet.one", "fleet.other"]
    assert [one.explained for one in found] == pytest.approx([0.4, 0.2], abs=0.03)
    for one_worth, known in zip(found, (0.4, 0.2), strict=True):
        assert one_worth.low < known < one_worth.high


@pytest.mark.parametrize(
    ("explained", "narrower"), [(0.0, 0.0), (0.75, 0.5), (1.0, 1.0), (-0.1, 0)]
)
def test_an_interval_shrinks_as_the_root_of_what_is_left(explained: float, narrower: float) -> None:
    assert shrinkage(explained) == pytest.approx(narrower)


def test_a_quantity_is_measured_in_its_own_year(
    posteriors: Mapping[str, xr.Dataset], asked: Ask
) -> None:
    from forepass.sensitivities import runs

    question = asked("fleet_power")
    logs = runs.values(question, posteriors)
    wanted = [Measurement("fleet_power", "", 0.01), Measurement("fleet_server_power", "", 0.01)]
    in_2030 = worth(question, posteriors, logs, [], measured_in=2030, measurements=wanted)
    # The answer itself is no measurement; what is all but the answer tells all but everything.
    assert [one.measurement.of for one in in_2030] == ["fleet_server_power"]
    assert in_2030[0].explained > 0.85
    before = worth(question, posteriors, logs, [], measured_in=2026, measurements=wanted)
    assert {one.measurement.of for one in before} == {"fleet_power", "fleet_server_power"}
    assert all(one.explained < in_2030[0].explained for one in before)


def test_all_that_could_be_measured_is_known_by_name() -> None:
    elicited = {f"{block}.{name}" for block, priors in load_all().items() for name in priors}
    for measurement in MEASUREMENTS:
        assert measurement.of in elicited | set(KNOWN)
        assert measurement.error > 0
