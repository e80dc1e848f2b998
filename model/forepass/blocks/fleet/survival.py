"""How many chips of a vintage still run, and how many have not yet been switched on."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

type Array = NDArray[np.float64]


def surviving_share(age: Array, *, life: Array, shape: Array, failure_rate: Array) -> Array:
    """Return the share of chips of an age that neither failed nor were retired.

    Failures come at a constant rate; retirement of working chips is Weibull about its median.

    Parameters
    ----------
    age : years since shipment; before it, all are there.
    life : median years to retirement.
    shape : Weibull shape; 1 is a constant rate, larger is nearer to all at once.
    failure_rate : share lost per year, log.

    Returns
    -------
    Share in [0, 1], in the shape that the arguments broadcast to.

    References
    ----------
    .. [1] W. Weibull, "A statistical distribution function of wide applicability", 1951.
    """
    age = np.maximum(age, 0.0)
    with np.errstate(under="ignore", over="ignore"):
        worn = np.log(2.0) * (age / life) ** shape
        return np.asarray(np.exp(-failure_rate * age - worn))


def waiting_weight(back: Any, lag: Any) -> Any:  # noqa: ANN401
    """Return the share of a quarter's sales that does not run yet, some quarters later.

    Delays are exponential about their mean, and sales even within the quarter. Works on NumPy
    arrays and PyTensor variables alike.

    Parameters
    ----------
    back : whole quarters from the end of the quarter of sale.
    lag : mean quarters from sale to deployment.
    """
    return lag * (math.e ** (-back / lag) - math.e ** (-(back + 1) / lag))


def waiting_share(shipped: Array, lag: Array) -> Array:
    """Return the share of a year's shipments that is sold but does not run at the year's end.

    Parameters
    ----------
    shipped : compute sold in each quarter of a year, dims (draw, year, quarter of four).
    lag : mean quarters from sale to deployment, dims (draw).

    Returns
    -------
    Share in [0, 1], dims (draw, year). Each later quarter leaves exp(-1 / lag) of it.
    """
    back = np.arange(shipped.shape[-1])[::-1]
    waits = waiting_weight(back, lag[:, None])[:, None, :]
    return np.asarray((shipped * waits).sum(axis=-1) / shipped.sum(axis=-1))
