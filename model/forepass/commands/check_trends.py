"""``forepass check --trends``: growth beside published rates, and what priors expected.

A block takes part if `forepass.trend_checks` has a module of its name, with

    growth_rates(posterior, settings)    `Growth`, beside published ones
    notes(posterior, settings)           lines of further findings
    figures(posterior, settings)         what draws each figure, by its name
"""

import argparse
from collections.abc import Mapping
from dataclasses import asdict
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING

from forepass.commands import fit_command, fitting
from forepass.commands.output import tell, write_figures
from forepass.errors import InputError
from forepass.settings import Settings
from forepass.tell import render

if TYPE_CHECKING:
    from forepass.backtest.published import Growth

PLACE = "forepass.trend_checks"


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Print growth and findings of every trend; return 1 where sampling fell short."""
    from forepass import posterior

    checks = _modules(args.block, posterior.BLOCKS)
    fits = fitting.fits_of(list(checks), args, settings)
    growths = {n: c.growth_rates(fits[n].posterior, settings) for n, c in checks.items()}
    notes = {name: check.notes(fits[name].posterior, settings) for name, check in checks.items()}
    text = [fit_command.diagnostics_text(fits), *as_text(growths, notes)]
    told = {block: [asdict(rate) for rate in rates] for block, rates in growths.items()}
    tell(args, "\n\n".join(text), growth=told, notes=notes)
    if args.figure is not None:
        for block, check in checks.items():
            drawn = check.figures(fits[block].posterior, settings)
            write_figures(args, {f"{block}_{name}": draw() for name, draw in drawn.items()})
    return 0 if all(fit.diagnostics.passed for fit in fits.values()) else 1


def _modules(asked: "list[str] | None", blocks: "tuple[str, ...]") -> dict[str, ModuleType]:
    names = fit_command.chosen_blocks(asked, blocks)
    found = [name for name in names if find_spec(f"{PLACE}.{name}")]
    if not found:
        raise InputError(f"--block: no trend of {', '.join(names)} is checked")
    return {name: import_module(f"{PLACE}.{name}") for name in found}


def as_text(growths: "Mapping[str, list[Growth]]", notes: Mapping[str, list[str]]) -> list[str]:
    """Return a table of growth and the findings of each block."""
    parts = []
    for block, rates in growths.items():
        rows = [
            [
                rate.name,
                f"{rate.median:.2f} ({rate.low:.2f} to {rate.high:.2f})",
                ", ".join(f"{value:.2f} ({name})" for name, value in rate.published.items()),
            ]
            for rate in rates
        ]
        headers = [f"growth of {block.replace('_', ' ')}, x per year", "80% interval", "published"]
        parts.append(render.table(rows, headers))
        parts.append("\n".join(notes[block]))
    return parts
