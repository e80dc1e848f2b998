"""Probabilistic forecasts of AI inference capacity and compute overhang."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forepass.api import Inputs as Inputs
    from forepass.api import compare as compare
    from forepass.api import fit as fit
    from forepass.api import forecast as forecast
    from forepass.api import load_inputs as load_inputs
    from forepass.api import overhang as overhang
    from forepass.api import passes as passes
    from forepass.api import quantiles as quantiles
    from forepass.api import scenario as scenario
    from forepass.api import sensitivity as sensitivity
    from forepass.api import settings_for as settings_for

__version__ = "0.1.0"

__all__ = [
    "Inputs",
    "compare",
    "fit",
    "forecast",
    "load_inputs",
    "overhang",
    "passes",
    "quantiles",
    "scenario",
    "sensitivity",
    "settings_for",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever is asked for
    """Return a function of `forepass.api`, which loads the numerical libraries when first asked."""
    if name in __all__:
        from forepass import api

        return getattr(api, name)
    raise AttributeError(f"module 'forepass' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
