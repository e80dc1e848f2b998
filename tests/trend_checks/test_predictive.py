"""What priors would have found surprising."""

import numpy as np

from forepass.trend_checks.predictive import place_text


def test_only_what_few_prior_draws_reach_is_a_surprise() -> None:
    drawn = np.random.default_rng(1).normal(0, 1, 4000)
    assert place_text("it", drawn, 0.5, "log").endswith("no surprise")
    assert place_text("it", drawn, 4.0, "log").endswith(": a surprise")
