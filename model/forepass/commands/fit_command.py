"""``forepass fit``: fit the blocks that are stale and show how well the sampling went."""

import argparse
import dataclasses
import json
from typing import TYPE_CHECKING

from forepass import __version__
from forepass.commands import arguments, fitting
from forepass.commands.arguments import Subparsers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forepass.posterior import Fit

__all__ = [
    "NAME",
    "add_parser",
    "chosen_blocks",
    "diagnostics",
    "diagnostics_text",
    "run",
]

NAME = "fit"
HEADERS = (
    "block",
    "cached",
    "seconds",
    "draws",
    "R-hat",
    "bulk ESS",
    "tail ESS",
    "divergences",
    "checks",
)

EXAMPLE = """\
example: fit the block of the fleet again, although nothing in it changed
  forepass fit --block fleet --force
"""


def add_parser(subparsers: Subparsers) -> None:
    """Add the parser of ``fit``."""
    parser = subparsers.add_parser(
        NAME,
        help="fit the blocks that are stale, with progress and diagnostics",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--block", action="append", metavar="NAME", help="this block only (may be repeated)"
    )
    parser.add_argument("--force", action="store_true", help="fit even what is not stale")
    arguments.add_common(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Fit, print the diagnostics, and return 1 when a check fell short."""
    from forepass import posterior

    names = chosen_blocks(args.block, posterior.BLOCKS)
    settings = arguments.settings_from(args)
    with fitting.progress_over(names, quiet=args.quiet) as report:
        # A failed fit is shown here beside the others rather than raised.
        fits = posterior.fitted(names, settings, force=args.force, progress=report, unsafe=True)
    if args.json:
        print(json.dumps({"forepass": __version__, "blocks": diagnostics(fits)}, indent=2))
    else:
        print(diagnostics_text(fits))
    return 0 if all(fit.diagnostics.passed for fit in fits.values()) else 1


def chosen_blocks(asked: list[str] | None, known: tuple[str, ...]) -> list[str]:
    """Return the blocks asked for, in the order of ``known``; all of them unless some are named."""
    import difflib

    from forepass.errors import InputError

    wanted = [name.lower().replace("-", "_") for name in asked or known]
    for name in wanted:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1) or known
            raise InputError(f"no block {name!r} for --block; did you mean {', '.join(close)}?")
    return [name for name in known if name in wanted]


def diagnostics(fits: "Mapping[str, Fit]") -> dict[str, dict[str, object]]:
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


def diagnostics_text(fits: "Mapping[str, Fit]") -> str:
    """Return the table of how well each block was sampled."""
    from forepass import render

    rows = []
    for name, fit in fits.items():
        found = fit.diagnostics
        rows.append(
            [
                name.replace("_", " "),
                "yes" if fit.from_cache else "no",
                f"{found.seconds:.1f}",
                f"{found.draws:,}",
                f"{found.rhat:.3f}",
                f"{found.ess_bulk:,.0f}",
                f"{found.ess_tail:,.0f}",
                str(found.divergences),
                "passed" if found.passed else "FAILED",
            ]
        )
    return render.table(rows, HEADERS)
