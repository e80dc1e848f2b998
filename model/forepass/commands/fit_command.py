"""``forepass fit``: fit the blocks that are stale and show how well the sampling went."""

import argparse
import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING

from forepass.commands import arguments, fitting
from forepass.commands.arguments import Command
from forepass.commands.output import tell
from forepass.errors import InputError
from forepass.inputs.text_files import suggest
from forepass.settings import Settings
from forepass.tell import render

if TYPE_CHECKING:
    from forepass.posterior import Fit

COLUMNS = (
    ("seconds", "seconds", "{:.1f}"),
    ("draws", "draws", "{:,}"),
    ("R-hat", "rhat", "{:.3f}"),
    ("bulk ESS", "ess_bulk", "{:,.0f}"),
    ("tail ESS", "ess_tail", "{:,.0f}"),
    ("divergences", "divergences", "{}"),
)

WORDS = "fit the blocks that are stale, with progress and diagnostics"
EXAMPLE = """\
example: fit the block of the fleet again, although nothing in it changed
  forepass fit --block fleet --force
"""


def _add_options(parser: argparse.ArgumentParser) -> None:
    arguments.add_blocks(parser)
    arguments.add_flag(parser, "--force", "fit even what is not stale")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Fit, print the diagnostics, and return 1 when a check fell short."""
    from forepass import posterior

    names = chosen_blocks(args.block, posterior.BLOCKS)
    fits = fitting.fits_of(names, args, settings, force=args.force)
    tell(args, diagnostics_text(fits), blocks=diagnostics(fits))
    return 0 if all(fit.diagnostics.passed for fit in fits.values()) else 1


COMMAND = Command("fit", WORDS, EXAMPLE, run, _add_options)


def chosen_blocks(asked: list[str] | None, known: tuple[str, ...]) -> list[str]:
    """Return the blocks asked for, in the order of ``known``; all of them unless some are named."""
    wanted = [name.lower().replace("-", "_") for name in asked or known]
    for name in wanted:
        if name not in known:
            raise InputError(f"no block {name!r} for --block; {suggest(name, known)}")
    return [name for name in known if name in wanted]


def diagnostics(fits: Mapping[str, "Fit"]) -> dict[str, dict[str, object]]:
    """Return what is known of the sampling of each block, as JSON has it."""
    return {
        name: {
            **dataclasses.asdict(fit.diagnostics),
            "passed": fit.diagnostics.passed,
            "from_cache": fit.from_cache,
            "key": fit.key,
        }
        for name, fit in fits.items()
    }


def diagnostics_text(fits: Mapping[str, "Fit"]) -> str:
    """Return the table of how well each block was sampled."""
    rows = [
        [
            name.replace("_", " "),
            "yes" if fit.from_cache else "no",
            *(words.format(getattr(fit.diagnostics, field)) for _, field, words in COLUMNS),
            "passed" if fit.diagnostics.passed else "FAILED",
        ]
        for name, fit in fits.items()
    ]
    return render.table(rows, ["block", "cached", *(head for head, *_ in COLUMNS), "checks"])
