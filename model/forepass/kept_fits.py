"""Fits as they are kept: draws, how well their chains agree, and what vouches for both."""

import hashlib
import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from forepass import atomic

if TYPE_CHECKING:
    import xarray as xr

__all__ = [
    "ESS_LIMIT",
    "FAILED",
    "RHAT_LIMIT",
    "Diagnostics",
    "Fit",
    "failed_notes",
    "flagged",
    "keep_fit",
    "read_fit",
]

RHAT_LIMIT, ESS_LIMIT = 1.01, 400
FAILED = "FAILED CHECKS"
"""How the note begins of a fit that fell short and was used all the same."""


@dataclass(frozen=True, slots=True)
class Diagnostics:
    """How well the chains of one block agree.

    Attributes
    ----------
    rhat, ess_bulk, ess_tail
        The worst over all free variables.
    divergences
        Transitions after tuning whose energy ran away.
    seconds
        Wall time of building, compiling and sampling.
    """

    block: str
    rhat: float
    ess_bulk: float
    ess_tail: float
    divergences: int
    seconds: float
    draws: int

    @property
    def passed(self) -> bool:
        """Whether every limit holds: R-hat, effective draws, no divergence."""
        return (
            self.rhat <= RHAT_LIMIT
            and self.ess_bulk >= ESS_LIMIT
            and self.ess_tail >= ESS_LIMIT
            and self.divergences == 0
        )


@dataclass(frozen=True, slots=True)
class Fit:
    """The posterior of one block, dims (draw, ...), and where it came from."""

    posterior: "xr.Dataset"
    diagnostics: Diagnostics
    key: str
    from_cache: bool


def flagged(draws: "xr.Dataset", fits: Mapping[str, Fit]) -> "xr.Dataset":
    """Return ``draws`` with a note for each fit that they come from although it failed."""
    return draws.assign_attrs(notes=[*draws.attrs.get("notes", []), *failed_notes(fits)])


def failed_notes(fits: Mapping[str, Fit]) -> list[str]:
    """Return a note for each fit that fell short of its checks."""
    failed = [name for name, fit in fits.items() if not fit.diagnostics.passed]
    return [f"{FAILED}: the fit of block {name} did not converge" for name in failed]


def _paths(name: str, key: str, cache: Path) -> tuple[Path, Path]:
    stem = cache / "fits" / f"{name}-{key[:20]}"
    return stem.with_suffix(".nc"), stem.with_suffix(".json")


def read_fit(name: str, key: str, cache: Path) -> Fit | None:
    """Return the kept fit, or None where there is none or it is not what was written."""
    import xarray as xr

    draws, sidecar = _paths(name, key, cache)
    try:
        record = json.loads(sidecar.read_text(encoding="utf-8"))
        if record["sha256"] != hashlib.sha256(draws.read_bytes()).hexdigest():
            raise ValueError("checksum differs")
        posterior = xr.load_dataset(draws, engine="h5netcdf")
        return Fit(posterior, Diagnostics(**record["diagnostics"]), key, from_cache=True)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return None
    except (OSError, ValueError, KeyError, TypeError):
        print(f"forepass: cached fit {draws} is damaged, fitting again", file=sys.stderr)
        return None


def keep_fit(name: str, fit: Fit, cache: Path) -> None:
    """Write draws, then the record that vouches for them; a full disk loses only the cache."""
    draws, sidecar = _paths(name, fit.key, cache)
    try:
        draws.parent.mkdir(parents=True, exist_ok=True)
        with atomic.replacing(draws) as temporary:
            fit.posterior.to_netcdf(temporary, engine="h5netcdf")
        record = {
            "diagnostics": asdict(fit.diagnostics),
            "sha256": hashlib.sha256(draws.read_bytes()).hexdigest(),
        }
        atomic.write_text(sidecar, json.dumps(record, indent=1) + "\n")
    except OSError as error:
        print(f"forepass: fit of {name} not cached: {error}", file=sys.stderr)
