"""Replicas of a block, each made, refitted, ranked and kept by itself.

A replica's numbers hang on its own seed alone, so they are the same however many processes share
the work, and whether or not a run was killed and taken up again.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forepass import fingerprints, kept, tasks
from forepass.calibration import block_records
from forepass.calibration.replicas import Replicator, replicator
from forepass.posterior import block_module
from forepass.settings import Settings
from forepass.streams import block_rng

if TYPE_CHECKING:
    from distributed import Client

KEPT = "replica"


def replicas(
    block: str,
    number: int,
    settings: Settings,
    *,
    on: Client | None = None,
    progress: Callable[[], None] = lambda: None,
) -> list[dict[str, Any]]:
    """Return what each replica of a block found, in order: from the cache, or anew.

    Parameters
    ----------
    number : of replicas.
    settings : folders, seed and cache.
    on : of `forepass.tasks.cluster`: each of its workers compiles the model once.
    progress : called for each replica when it is there.

    Returns
    -------
    list of dict
        As `forepass.calibration.replicas.Replicator.ranks`.
    """
    folder = settings.cache / "calibration" / f"{block}-{key(block, settings)[:20]}"
    found = {place: kept.read_kept(_path(folder, place), KEPT) for place in range(number)}
    missing = [place for place, document in found.items() if document is None]
    for _ in range(number - len(missing)):
        progress()
    compiled.cache_clear()
    asked = [(block, place) for place in missing]
    for (_, place), document in tasks.run(_one, asked, settings, on=on):
        kept.keep(_path(folder, place), document, KEPT)
        found[place] = document
        progress()
    return [found[place] for place in range(number)]


def key(block: str, settings: Settings) -> str:
    """Return the hash of all that decides a block's replicas: tables, beliefs, code, seed."""
    tables = [settings.data / f"{table}.csv" for table in block_module(block).TABLES]
    files = [*tables, settings.priors / f"{block}.toml", settings.priors / "definitions.toml"]
    blocks = (f"blocks/{name}.py" for name in ("growth", "trends", "variables"))
    code = ("physics.py", "inputs", f"blocks/{block}", f"blocks/{block}.py", *blocks)
    own = fingerprints.code_files(
        *code, "calibration/replicas.py", "calibration/block_records.py", "likelihoods.py"
    )
    salt = f"{block} {settings.seed} {fingerprints.numerical_versions()}"
    return fingerprints.fingerprint([*(path for path in files if path.is_file()), *own], salt=salt)


def replica_seed(block: str, place: int, settings: Settings) -> int:
    """Return the seed of one replica of a block, of its data and of its refit."""
    return int(block_rng(settings.seed, f"replica {place} of {block}").integers(2**32))


@cache
def compiled(block: str, settings: Settings) -> Replicator:
    """Return the compiled model of a block, the same for each task of a process."""
    return replicator(block_records.opened(block, settings), block_records.design(block))


def _one(task: tuple[str, int], settings: Settings) -> dict[str, Any]:
    block, place = task
    return compiled(block, settings).ranks(place, replica_seed(block, place, settings))


def _path(folder: Path, place: int) -> Path:
    return folder / f"{place:05d}.json"
