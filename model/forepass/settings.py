"""What a run reads, where it keeps its fits, and the seed that it starts from."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from forepass.rooms import room


def cache_folder(environment: Mapping[str, str]) -> Path:
    """Return ``$FOREPASS_CACHE``, else ``forepass`` in ``$XDG_CACHE_HOME`` or ``~/.cache``."""
    if own := environment.get("FOREPASS_CACHE"):
        return Path(own).expanduser()
    if shared := environment.get("XDG_CACHE_HOME"):
        return Path(shared).expanduser() / "forepass"
    return Path.home() / ".cache" / "forepass"


@dataclass(frozen=True, slots=True)
class Settings:
    """The folders and the seed of one run; the shipped rooms and the user's cache unless given.

    Attributes
    ----------
    data, priors
        Folders of CSV tables and of TOML priors.
    seed
        Root seed: every other seed of the run is derived from it.
    cache
        Folder of fits and answers; made when first written to.
    as_of
        The day whose knowledge `data` and `priors` hold; None for all of it. Set by
        `forepass.as_of.seen_as_of` alone, which makes those folders.
    unseen
        Tables without a row on that day, each with the date of its first.
    """

    data: Traversable = field(default_factory=lambda: room("data"))
    priors: Traversable = field(default_factory=lambda: room("priors"))
    seed: int = 1
    cache: Path = field(default_factory=lambda: cache_folder(os.environ))
    as_of: date | None = None
    unseen: tuple[tuple[str, str], ...] = ()

    def __reduce__(self) -> tuple[Callable[..., "Settings"], tuple[dict[str, Any]]]:
        """Leave what is the default out of what is sent: another machine has its own."""
        fresh = Settings()
        changed = {one.name: getattr(self, one.name) for one in fields(self)}
        kept = {name: value for name, value in changed.items() if value != getattr(fresh, name)}
        return _from_changed, (kept,)


def _from_changed(changed: dict[str, Any]) -> Settings:
    return Settings(**changed)
