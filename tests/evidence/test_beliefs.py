"""Every prior has its record, and curves that are densities on one scale."""

from collections.abc import Mapping

import numpy as np

from forepass.evidence.beliefs import POINTS, beliefs
from forepass.inputs.priors import load_all
from forepass.posterior import Fit


def test_every_prior_is_told_and_the_fitted_ones_have_curves(
    forward_fits: Mapping[str, Fit],
) -> None:
    priors = load_all()
    posteriors = {name: fit.posterior for name, fit in forward_fits.items()}
    found = beliefs(posteriors, priors)
    assert [(one["block"], one["name"]) for one in found] == [
        (block, name) for block, own in priors.items() for name in own
    ]
    fitted = [one for one in found if "curves" in one]
    assert len(fitted) > 200
    for one in fitted:
        x, before, after = (np.array(one["curves"][key]) for key in ("x", "prior", "posterior"))
        assert len(x) == len(before) == len(after) == POINTS
        assert (np.diff(x) >= 0).all()
        assert before.max() == after.max() == 1.0
        assert one["prior"]["p10"] < one["prior"]["p50"] < one["prior"]["p90"]


def test_draws_of_a_prior_have_its_own_curve(forward_fits: Mapping[str, Fit]) -> None:
    posteriors = {name: fit.posterior for name, fit in forward_fits.items()}
    found = {one["name"]: one for one in beliefs(posteriors, load_all())}
    one = found["duty_cycle"]
    apart = np.abs(np.array(one["curves"]["prior"]) - np.array(one["curves"]["posterior"]))
    assert apart.max() < 0.5
    assert abs(one["learned"]) < 0.4
