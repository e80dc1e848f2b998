"""More draws than a posterior holds: its draws joined anew, with other shocks each time."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from forepass.streams import block_rng

if TYPE_CHECKING:
    from forepass.posterior import Fit


def repeated(
    fits: "Mapping[str, Fit]", draws: int | None, *, seed: int
) -> "Iterator[tuple[dict[str, Fit], int]]":
    """Yield the fits of each run forward, and its seed, until there are as many draws as asked.

    The first run is that of a plain forecast. Blocks share no free parameter, so that any draw of
    one may stand beside any draw of another: each later run shuffles every block by itself, and its
    shocks are its own. A parameter still takes the values that its posterior holds and no others,
    so that more draws make the tails of shocks and of joint luck finer, not those of one belief.

    Parameters
    ----------
    draws : in all; None for as many as the posteriors hold.
    """
    if draws is None:
        yield dict(fits), seed
        return
    held = next(iter(fits.values())).posterior.sizes["draw"]
    for run, start in enumerate(range(0, draws, held)):
        size = min(held, draws - start)
        own = seed if run == 0 else int(block_rng(seed, f"run {run}").integers(2**31))
        picked = {}
        for name, fit in fits.items():
            order = (
                np.arange(held) if run == 0 else block_rng(own, f"{name} order").permutation(held)
            )
            picked[name] = replace(fit, posterior=fit.posterior.isel(draw=order[:size]))
        yield picked, own
