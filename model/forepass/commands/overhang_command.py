"""``forepass overhang``: how much more the compute could do than it is asked to, by year."""

import argparse
from typing import TYPE_CHECKING

from forepass.commands import arguments, by_year
from forepass.commands.arguments import Subparsers

if TYPE_CHECKING:
    import xarray as xr

    from forepass.settings import Settings

__all__ = ["NAME", "add_parser", "run"]

NAME = "overhang"

EXAMPLE = """\
example: copies and worker equivalents in 2028 and 2030
  forepass overhang --years 2028,2030
"""


def add_parser(subparsers: Subparsers) -> None:
    """Add the parser of ``overhang``."""
    parser = subparsers.add_parser(
        NAME,
        help="copies, worker equivalents, run-to-train ratio, spare and release overhang, by year",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    by_year.add_options(parser)
    arguments.add_despite(parser)
    arguments.add_common(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the answer and write the files asked for."""
    by_year.answer(NAME, args, draw=_draw)
    return 0


def _draw(args: argparse.Namespace, settings: "Settings", years: list[int]) -> "xr.Dataset":
    from forepass.overhang import overhang

    return by_year.drawn(args, settings, years, question=overhang)
