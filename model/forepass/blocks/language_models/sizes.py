"""How frontier releases tell active and total parameters, shares of experts, and contexts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from numpy.typing import NDArray
    from pytensor.tensor.variable import TensorVariable

    from forepass.blocks.language_models.records import ReleaseRecords, Sized

    type Floats = NDArray[np.float64]
    type Tensor = TensorVariable[Any, Any]
    type Beliefs = Mapping[str, Tensor]
    type Trend = Callable[[str, Floats], Tensor]

__all__ = ["join_sizes"]


def join_sizes(beliefs: Beliefs, records: ReleaseRecords, trend: Trend) -> None:
    """Join the releases to the trends of every structure; call it inside a model.

    Parameters
    ----------
    beliefs
        Priors as variables, dims (structure) where each structure has its own.
    records
        The releases.
    trend
        A trait's path at times since 2022, dims (structure, time).
    """
    import pymc as pm

    effects = {
        trait: beliefs[f"{trait}_developer_scale"][:, None]
        * pm.Normal(f"{trait}_developer_z", dims=("structure", "developer"))
        for trait in ("active", "fraction")
    }
    _active(beliefs, records.active, trend, effects["active"])
    _fraction(beliefs, records, trend, effects["fraction"])
    _closed(beliefs, records, trend, effects)
    context = records.context
    pm.Normal(
        "context_seen",
        trend("context", context.when),
        beliefs["context_scatter"][:, None],
        observed=_twice(context.value),
    )


def _active(beliefs: Beliefs, active: Sized, trend: Trend, effect: Tensor) -> None:
    import pymc as pm

    pm.CustomDist(
        "active_seen",
        trend("active", active.when)
        + effect[:, active.developer]
        + beliefs["active_dense_lead"][:, None] * active.dense,
        _spread(beliefs["active_scatter"], active.error),
        _twice(active.low),
        _twice(active.high),
        logp=_log_seen,
        observed=_twice(active.value),
    )


def _fraction(beliefs: Beliefs, records: ReleaseRecords, trend: Trend, effect: Tensor) -> None:
    """Mixtures of all sizes tell the trend of shares; the small ones lie a constant off it."""
    import pymc as pm

    fraction = records.fraction
    if not fraction.value.size:  # before there were mixtures
        return
    off = beliefs["fraction_off_frontier"][:, None] * records.off_frontier
    pm.Normal(
        "fraction_seen",
        trend("fraction", fraction.when) + off + effect[:, fraction.developer],
        _spread(beliefs["fraction_scatter"], fraction.error),
        observed=_twice(fraction.value),
    )


def _closed(
    beliefs: Beliefs, records: ReleaseRecords, trend: Trend, effects: Mapping[str, Tensor]
) -> None:
    """Join which releases are mixtures, and totals where no active size is known by itself."""
    import pymc as pm
    import pytensor.tensor as pt

    def log_odds(when: Floats) -> Tensor:
        odds: Tensor = beliefs["moe_pace"][:, None] * (when - beliefs["moe_middle"][:, None])
        return odds

    pm.Bernoulli(
        "moe_seen", logit_p=log_odds(records.mixture_when), observed=_twice(records.mixture)
    )
    total = records.total
    if not total.value.size:
        return
    active = trend("active", total.when) + effects["active"][:, total.developer]
    active = active + beliefs["probe_bias"][:, None] * total.probed
    share = trend("fraction", total.when) + effects["fraction"][:, total.developer]
    # The scatter of the share, taken to first order around its trend: for a share of a few
    # percent the log of the share moves as its logit does.
    off = beliefs["fraction_scatter"][:, None] * pm.math.sigmoid(-share)
    spread = _spread(beliefs["active_scatter"], total.error)
    pm.CustomDist(
        "total_seen",
        active + pt.softplus(-share),
        pt.sqrt(spread**2 + off**2),
        active + beliefs["active_dense_lead"][:, None],
        spread,
        log_odds(total.when),
        _twice(total.low),
        _twice(total.high),
        logp=_log_closed,
        observed=_twice(total.value),
    )


def _log_closed(
    value: Tensor,
    mixture: Tensor,
    mixture_spread: Tensor,
    dense: Tensor,
    dense_spread: Tensor,
    log_odds: Tensor,
    low: Tensor,
    high: Tensor,
) -> Tensor:
    """Return the log density of a total that may be a mixture's or a dense model's."""
    import pymc as pm
    import pytensor.tensor as pt

    return pm.math.logaddexp(
        _log_seen(value, mixture, mixture_spread, low, high) - pt.softplus(-log_odds),
        _log_seen(value, dense, dense_spread, low, high) - pt.softplus(log_odds),
    )


def _log_seen(value: Tensor, centre: Tensor, spread: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """Return the log density of a value, or the log probability of its bounds if they differ."""
    import pytensor.tensor as pt

    # The lower tail alone keeps its digits, so an interval above the centre is turned over.
    above = (low + high) / 2 > centre
    first = pt.switch(above, centre - high, low - centre) / (np.sqrt(2) * spread)
    last = pt.switch(above, centre - low, high - centre) / (np.sqrt(2) * spread)
    # Where the value itself is known the bounds coincide; a width then keeps the gradient finite.
    bounded = high > low
    between = pt.erfc(pt.switch(bounded, -last, -first - 1.0)) - pt.erfc(-first)
    at_value = -0.5 * ((value - centre) / spread) ** 2 - pt.log(np.sqrt(2 * np.pi) * spread)
    return pt.switch(bounded, pt.log(between / 2), at_value)


def _spread(scatter: Tensor, error: Floats) -> Tensor:
    import pytensor.tensor as pt

    spread: Tensor = pt.sqrt(scatter[:, None] ** 2 + error**2)
    return spread


def _twice(values: Floats | NDArray[np.bool_]) -> NDArray[Any]:
    """Return the values once for each structure, all of which see the same releases."""
    return np.stack([values, values])
