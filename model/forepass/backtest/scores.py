"""Scores of forecasts of natural logs against what came."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

COVERED = {"cover50": 0.5, "cover80": 0.8, "cover90": 0.9}
TAIL, T_AT_80 = 5, 1.4758840488  # degrees of freedom, and where its p90 lies
ALPHA = 0.2  # of the interval whose score is split: what 80% leave out
NAMES = ("crps", "log_score", *COVERED, "interval", "width", "above", "below", "pit", "error")
"""What `scored` gives, `above` and `below` what the interval score adds where the forecast lies
above or below what came."""

type Floats = NDArray[np.float64]


def scored(drawn: Floats, truth: Floats) -> pd.DataFrame:
    """Return the scores of draws, dims (draw, row), against what came, dims (row).

    Small is good in all scores. The log score is of a Student t of five degrees of freedom through
    median and 80% interval of the draws: what lies beyond all draws has a score too. The interval
    score of the 80% interval is its width and, for what lies outside, `above` or `below`:
    2 / 0.2 times the distance [1]_.

    References
    ----------
    .. [1] T. Gneiting and A. Raftery, "Strictly Proper Scoring Rules, Prediction, and
       Estimation", Journal of the American Statistical Association 102, 2007.
    """
    import scoringrules as sr

    found: dict[str, Floats] = {
        "crps": sr.crps_ensemble(truth, drawn.T, backend="numpy"),
        "pit": (drawn < truth).mean(axis=0),
        "error": np.median(drawn, axis=0) - truth,
    }
    for name, share in COVERED.items():
        found[name] = covered(drawn, truth, share).astype(float)
    low, middle, high = np.quantile(drawn, [ALPHA / 2, 0.5, 1 - ALPHA / 2], axis=0)
    scale = (high - low) / 2 / T_AT_80
    found["log_score"] = sr.logs_t(truth, TAIL, middle, scale, backend="numpy")
    found["interval"] = sr.interval_score(truth, low, high, ALPHA, backend="numpy")
    found["width"] = high - low
    found["above"] = 2 / ALPHA * np.maximum(low - truth, 0.0)
    found["below"] = 2 / ALPHA * np.maximum(truth - high, 0.0)
    return pd.DataFrame(found)[list(NAMES)]


def covered(drawn: Floats, truth: Floats, share: float) -> NDArray[np.bool_]:
    """Return where what came, dims (row), lies in an interval of draws, dims (draw, row)."""
    low, high = np.quantile(drawn, [(1 - share) / 2, (1 + share) / 2], axis=0)
    return np.asarray((low <= truth) & (truth <= high))


def horizon(ahead: pd.Series) -> "pd.Series[int]":
    """Return the whole years within which rows came: 1 for the first year, and so on."""
    return np.maximum(np.ceil(ahead), 1).astype(int)
