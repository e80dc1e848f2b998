"""Quantities by year, how each compares with the year of the record, and what each rests on."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import xarray as xr

from forepass.forward import comparisons
from forepass.sensitivities.runs import KNOWN, thinned
from forepass.what_if.changed import Changed, projected

FEW_DRAWS = 40
"""Enough to see whether any draw of a quantity changes when a block's draws change places."""


def compared_with(drawn: xr.Dataset, base: int) -> xr.Dataset:
    """Return how each quantity compares with its value in a base year, draw by draw.

    Parameters
    ----------
    drawn : as `forepass.forward.comparisons.with_beside` returns them.

    Returns
    -------
    xr.Dataset
        ``NAME.since``, the ratio to the base year, dims (draw, year), missing where the base is 0;
        ``NAME.rises``, whose mean is the probability that the year's is above the base year's.
    """
    out = xr.Dataset(coords={"year": drawn["year"]})
    for name in (*KNOWN, *comparisons.BESIDE):
        if set(drawn[name].dims) != {"draw", "year"}:
            continue
        array = drawn[name].transpose("draw", "year")
        before, words = array.sel(year=base, drop=True), array.attrs["long_name"]
        ratio = (array / before.where(before > 0)).where(array > 0)
        out[f"{name}.since"] = ratio.assign_attrs(
            units="ratio", long_name=f"{words}, over that of {base}"
        )
        out[f"{name}.rises"] = (array > before).astype(float)
        out[f"{name}.rises"].attrs = {
            "units": "probability",
            "long_name": f"Probability of more than in {base}: {words}",
            "summary": "mean",
        }
    return out


def rests_on(found: Changed, seed: int) -> dict[str, list[str]]:
    """Return the blocks that each quantity by year depends on, found by trying.

    The draws of one block at a time change places; a quantity of which any draw changes with them
    depends on the block.
    """
    few = thinned({name: fit.posterior for name, fit in found.fits.items()}, FEW_DRAWS)

    def run(posteriors: Mapping[str, xr.Dataset]) -> xr.Dataset:
        fits = {name: replace(found.fits[name], posterior=one) for name, one in posteriors.items()}
        return comparisons.with_beside(projected(replace(found, fits=fits), seed))

    as_drawn = run(few)
    moved = {
        block: run({**few, block: posterior.roll(draw=1, roll_coords=False)})
        for block, posterior in few.items()
    }
    return {
        str(name): [
            block
            for block, other in moved.items()
            if not np.array_equal(array.values, other[name].values, equal_nan=True)
        ]
        for name, array in as_drawn.data_vars.items()
    }
