"""Several scenarios side by side, draw by draw: levels, and how each compares with the first."""

from collections.abc import Mapping

import numpy as np
import xarray as xr

from forepass.forward.timing import SHARES

SUBTRACTED = (*SHARES, "probability")
PAIRED = (
    "over is a ratio, left out where the first has nothing; less is a difference; "
    "a block fitted on other priors is paired in no draw"
)


def joined(draws: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Return each quantity in each scenario, and each scenario's beside the first's.

    The scenarios share their random numbers, so that a draw of one and the same draw of another
    differ by what the scenarios change: the interval of their ratio is far narrower than theirs.

    Parameters
    ----------
    draws : by scenario, dims (draw, year, ...); what has further dims is left out.

    Returns
    -------
    Levels, dims (draw, year, scenario); ``NAME_ratio``, of shares and probabilities
    ``NAME_difference``, dims (draw, year, compared). A ratio to nothing is missing. ``notes`` among
    the attributes holds those of all scenarios.
    """
    first, *others = draws
    notes = dict.fromkeys(note for one in draws.values() for note in one.attrs.get("notes", []))
    paired = f"of each draw its pair in {first}, with the same random numbers: {PAIRED}"
    years = {"year": draws[first]["year"]}
    out = xr.Dataset(coords=years, attrs={"notes": [*notes, paired]})
    for name, base in draws[first].data_vars.items():
        if set(base.dims) != {"draw", "year"}:
            continue
        arrays = {one: found[name].transpose("draw", "year") for one, found in draws.items()}
        levels = xr.concat(arrays.values(), dim="scenario", coords="minimal", compat="override")
        levels = levels.assign_coords(scenario=list(draws)).transpose("draw", "year", "scenario")
        out[name] = levels.assign_attrs(base.attrs)
        if not others:
            continue
        subtracted = base.attrs["units"] in SUBTRACTED
        against, what = arrays[first], "difference" if subtracted else "ratio"
        with np.errstate(divide="ignore", invalid="ignore"):
            beside = [
                arrays[one] - against if subtracted else arrays[one] / against for one in others
            ]
        pairs = xr.concat(beside, dim="compared", coords="minimal", compat="override")
        units = base.attrs["units"] if subtracted else "ratio"
        words = f"{base.attrs['long_name']}: {what} to {first}"
        out[f"{name}_{what}"] = (
            pairs.assign_coords(compared=others)
            .transpose("draw", "year", "compared")
            .assign_attrs(base.attrs | {"units": units, "long_name": words})
        )
    return out
