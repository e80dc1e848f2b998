"""Draws and answers as Datasets whose labels, units and attributes say what they are."""

import numpy as np
import xarray as xr

from forepass import __version__, fingerprints
from forepass.documents import Document, quantiled
from forepass.settings import Settings

EVIDENCE = {
    "share": "Share of variance of the log",
    "share_p05": "Share of variance of the log, p05",
    "share_p95": "Share of variance of the log, p95",
    "first": "What knowing it alone explains",
    "total": "What it explains with all that it acts with",
    "low": "Belief at its p10",
    "high": "Belief at its p90",
    "at_low": "Median where the belief is low",
    "at_high": "Median where the belief is high",
    "learned": "Share of the prior's variance that data took away",
    "prior_sensitivity": "Shift for each doubling of the prior's power",
}


def quantiles(draws: xr.Dataset) -> xr.Dataset:
    """Return the quantiles p05 to p95 of draws, dims (quantile, ...), by the rule of the commands.

    Draws without a number are left out, and where half have none there is no quantile; of what is
    told by its mean, such as a probability, the mean is returned; what is exact stays as it is.
    """
    return draws.map(quantiled, keep_attrs=True)


def traced(draws: xr.Dataset, settings: Settings) -> xr.Dataset:
    """Return draws that say what they were made from."""
    made = fingerprints.input_hashes(settings.data, settings.priors)
    # One text, not a list: netCDF holds no other.
    notes = "\n".join(draws.attrs.get("notes", []))
    about = {"notes": notes, "forepass": __version__, "seed": settings.seed}
    return draws.assign_attrs(about | {f"{name}_sha256": value for name, value in made.items()})


def of_beliefs(document: Document) -> xr.Dataset:
    """Return the beliefs of an answer as a Dataset, what does not apply to one missing."""
    entries, quantity = document["beliefs"], document["quantity"]
    units = dict.fromkeys(("at_low", "at_high"), quantity["unit"])
    units |= dict.fromkeys(("low", "high"), "unit of the belief") | {"prior_sensitivity": "1"}
    return xr.Dataset(
        {
            key: (
                ("belief",),
                np.array([entry.get(key) for entry in entries], dtype=float),
                {"units": units.get(key, "share"), "long_name": words},
            )
            for key, words in EVIDENCE.items()
        },
        coords={"belief": [entry["name"] for entry in entries]}
        | {
            key: ("belief", [entry.get(key, "") for entry in entries])
            for key in ("words", "block", "kind", "unit")
        },
        attrs={key: quantity[key] for key in ("long_name", "year")} | {"notes": document["notes"]},
    )
