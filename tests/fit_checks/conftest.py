"""Made-up rows of a quantity that its predictive gets right, or not."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from forepass.fit_checks.replicas import LeftOut, Quantity

Make = Callable[..., Quantity]
ROWS = 400


@pytest.fixture
def make() -> Make:
    """Return what makes a quantity whose rows have standard scores ``shift + width * z``."""

    def of(*, width: float = 1.0, slope: float = 0.0, k: float = 0.1) -> Quantity:
        from scipy import stats

        rng = np.random.default_rng(6)
        when = np.linspace(-1, 1, ROWS)
        score = width * rng.standard_normal(ROWS) + slope * when
        left = LeftOut(np.zeros((1, ROWS)), np.full(ROWS, -1.4), 3.0, np.full(ROWS, k))
        about = pd.DataFrame({"when": when, "maker": np.where(when > 0, "new", "old")})
        return Quantity("size", left, stats.norm.cdf(score), score, about)

    return of
