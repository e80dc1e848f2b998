"""Where priors, data and templates live, in a wheel and in a checkout."""

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]


def room(name: str) -> Traversable:
    """Return a folder, as ``priors`` or ``data``: the wheel's own copy, else the checkout's."""
    shipped = files("forepass").joinpath(name)
    return shipped if shipped.is_dir() else CHECKOUT / name
