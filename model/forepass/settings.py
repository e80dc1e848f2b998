"""What a run reads, where it keeps its fits, and the seed that it starts from."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path

from forepass.rooms import room

__all__ = ["DEFAULT_SEED", "Settings", "cache_folder", "default_settings"]

DEFAULT_SEED = 1


@dataclass(frozen=True, slots=True)
class Settings:
    """The folders and the seed of one run.

    Attributes
    ----------
    data, priors
        Folders of CSV tables and of TOML priors.
    seed
        Root seed: every other seed of the run is derived from it.
    cache
        Folder of fits and answers; made when first written to.
    """

    data: Traversable
    priors: Traversable
    seed: int
    cache: Path

    @classmethod
    def default(cls) -> "Settings":
        """Return the settings of a run without options."""
        return default_settings()


def default_settings(
    *,
    data: Traversable | None = None,
    priors: Traversable | None = None,
    seed: int = DEFAULT_SEED,
    cache: Path | None = None,
) -> Settings:
    """Return the settings of a run; whatever is not given is the shipped room or the user's cache.

    Parameters
    ----------
    data, priors
        A user's own folders, in place of the shipped ones.
    seed
        Root seed.
    cache
        Folder of fits and answers, in place of the user's cache folder.
    """
    return Settings(
        data=room("data") if data is None else data,
        priors=room("priors") if priors is None else priors,
        seed=seed,
        cache=cache_folder(os.environ) if cache is None else cache,
    )


def cache_folder(environment: Mapping[str, str]) -> Path:
    """Return ``$FOREPASS_CACHE``, else ``forepass`` in ``$XDG_CACHE_HOME`` or ``~/.cache``."""
    if own := environment.get("FOREPASS_CACHE"):
        return Path(own).expanduser()
    if shared := environment.get("XDG_CACHE_HOME"):
        return Path(shared).expanduser() / "forepass"
    return Path.home() / ".cache" / "forepass"
