"""How the measured rows lie in the predictive of the serving fit that they went into."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from forepass.blocks.serving.model import LEAST_TAIL, measured
from forepass.blocks.serving.prediction import log_rate_draws
from forepass.blocks.serving.rows import Rows, make_rows
from forepass.blocks.serving.validation import score
from forepass.posterior import CHAINS

type Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Predictive:
    """Measured rows against their posterior predictive.

    Attributes
    ----------
    pit : share of predictive draws below each measurement, dims (obs); uniform if all is well.
    residual : log of measured over predicted median, dims (obs).
    covariates : what a residual should not depend on, one row for each; NaN where unstated.
    scores : as `forepass.blocks.serving.validation.score`, of rows that the fit has seen.
    loo : as `leave_one_out`.
    """

    pit: Floats
    residual: Floats
    covariates: pd.DataFrame
    scores: dict[str, float]
    loo: dict[str, float]


def predictive(
    posterior: xr.Dataset, tables: Mapping[str, pd.DataFrame], *, seed: int
) -> Predictive:
    """Return the posterior predictive check of the serving block.

    ``posterior`` has its chains one after the other along draw; ``tables`` are serving, chips and
    language_models; ``seed`` is of the predictive's noise.
    """
    table, observed = measured(tables)
    rows = make_rows(table, tables)
    drawn = log_rate_draws(posterior, rows, seed, noise=np.random.default_rng(seed))
    return Predictive(
        pit=np.asarray((drawn < observed).mean(axis=0)),
        residual=observed - np.median(drawn, axis=0),
        covariates=_covariates(table, rows),
        scores=score(drawn, observed),
        loo=leave_one_out(pointwise_log_likelihood(posterior, rows, observed, seed=seed)),
    )


def pointwise_log_likelihood(
    posterior: xr.Dataset, rows: Rows, observed: Floats, *, seed: int
) -> Floats:
    """Return the log density of each measured log rate in each draw, dims (draw, obs).

    The density is Student t around the mean of the draw, as in the fit.
    """
    from scipy import stats

    mean = log_rate_draws(posterior, rows, seed)
    tail = LEAST_TAIL + posterior["noise_tail"].values[:, None]
    scale = posterior["noise_scale"].values[:, None]
    return np.asarray(stats.t.logpdf((observed - mean) / scale, tail) - np.log(scale))


def leave_one_out(log_likelihood: Floats) -> dict[str, float]:
    """Return the expected log density of each row left out in turn, by importance sampling.

    Parameters
    ----------
    log_likelihood
        Dims (draw, obs), chains one after the other.

    Returns
    -------
    dict
        elpd with its standard error se, effective parameters p, the largest Pareto k, and
        bad_share: the share of rows whose k is too high for their weights to be trusted.

    References
    ----------
    .. [1] A. Vehtari, A. Gelman, J. Gabry, "Practical Bayesian model evaluation using
       leave-one-out cross-validation and WAIC", Statistics and Computing 27, 2017.
    """
    import arviz as az

    by_chain = log_likelihood.reshape(CHAINS, -1, log_likelihood.shape[1])
    tree = az.from_dict(
        {"posterior": {"mean": by_chain.mean(axis=2)}, "log_likelihood": {"y": by_chain}}
    )
    with warnings.catch_warnings():
        # High Pareto k is reported here as a number.
        warnings.simplefilter("ignore")
        found: Any = az.loo(tree, pointwise=True)
    k = np.asarray(found.pareto_k)
    return {
        "elpd": float(found.elpd),
        "se": float(found.se),
        "p": float(found.p),
        "k_max": float(k.max()),
        "bad_share": float(np.mean(k > found.good_k)),
    }


def _covariates(table: pd.DataFrame, rows: Rows) -> pd.DataFrame:
    asked, chips = table["concurrency"].to_numpy(dtype=float), table["n_chips"].to_numpy(float)
    engine = np.where(rows.levels["engine"] == "", "unstated", rows.levels["engine"])
    return pd.DataFrame(
        {
            "concurrency_per_chip": asked / chips,
            "input_tokens": table["input_tokens"].to_numpy(dtype=float),
            "output_tokens": table["output_tokens"].to_numpy(dtype=float),
            "weight_bits": rows.fields["weight_bits"],
            "engine": engine,
        }
    )
