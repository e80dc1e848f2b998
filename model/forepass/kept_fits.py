"""Fits as they are kept: draws, how well their chains agree, and what vouches for both."""

import hashlib
import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forepass import atomic, limits

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
HELD = 12
"""Sets of draws held in memory once read: of every block, and of some that a scenario changes."""
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
    draws, sidecar = _paths(name, key, cache)
    try:
        record = json.loads(limits.read_whole(sidecar, limits.ANSWER_BYTES))
        found, content = _diagnostics(record), _hash(draws)
        if found.block != name or record["sha256"] != content:
            raise ValueError("checksum differs")
        posterior = _draws(draws, found.draws, content).copy(deep=False)
        return Fit(posterior, found, key, from_cache=True)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return None
    except Exception:  # whatever a library says of a file that it did not write
        print(f"forepass: cached fit {draws} is damaged, fitting again", file=sys.stderr)
        return None


def _diagnostics(record: dict[str, Any]) -> Diagnostics:
    """Return what a record says of the chains, where it says so in numbers and as written."""
    stated = record["diagnostics"]
    sound = all(isinstance(stated[f.name], (f.type, int)) for f in fields(Diagnostics))  # type: ignore[arg-type]
    if not sound or record["checksum"] != _signature(record):
        raise ValueError("record differs")
    return Diagnostics(**stated)


@lru_cache(maxsize=HELD)
def _draws(path: Path, n_draws: int, content: str) -> "xr.Dataset":  # noqa: ARG001 - the key
    """Return the draws in a file, where they are numbers by draw with names for their labels.

    A run that compares scenarios reads the same fits for each: those of the same content once.
    """
    import xarray as xr

    with xr.open_dataset(path, engine="h5netcdf") as lazy:
        kinds = {str(name): array.dtype.kind for name, array in lazy.variables.items()}
        if any(
            kind not in ("fiub" if name in lazy.data_vars else "fiubUTO")
            for name, kind in kinds.items()
        ):
            raise ValueError("no numbers")
        if lazy.sizes["draw"] != n_draws or lazy.nbytes > limits.DRAWS_BYTES:
            raise ValueError("another number of draws")
        return lazy.load()


def _signature(record: Mapping[str, Any]) -> str:
    """Return the hash of what a record says, figures that are no numbers among it."""
    said = json.dumps({key: value for key, value in record.items() if key != "checksum"})
    return hashlib.sha256(said.encode()).hexdigest()


def _hash(path: Path) -> str:
    return hashlib.sha256(limits.read_whole(path, limits.DRAWS_BYTES)).hexdigest()


def keep_fit(name: str, fit: Fit, cache: Path) -> None:
    """Write draws, then the record that vouches for them; a full disk loses only the cache."""
    draws, sidecar = _paths(name, fit.key, cache)
    try:
        atomic.make_folder(draws.parent)
        # Two writers of one fit may cross: without the time of day both write the same bytes.
        fit.posterior.attrs.pop("created_at", None)
        with atomic.replacing(draws) as temporary:
            fit.posterior.to_netcdf(temporary, engine="h5netcdf")
            record = {"diagnostics": asdict(fit.diagnostics), "sha256": _hash(temporary)}
        record["checksum"] = _signature(record)
        atomic.write_text(sidecar, json.dumps(record, indent=1) + "\n")
    except OSError as error:
        print(f"forepass: fit of {name} not cached: {error}", file=sys.stderr)
