"""``forepass forecast``: capacity, cost, fleet, chips and models by year."""

import argparse
from typing import TYPE_CHECKING

from forepass.commands import arguments, by_year
from forepass.commands.arguments import Subparsers

if TYPE_CHECKING:
    import xarray as xr

    from forepass.settings import Settings

__all__ = ["NAME", "add_parser", "run"]

NAME = "forecast"

EXAMPLE = """\
example: the forecast to 2030 with its figure, and all its numbers as a table
  forepass forecast --to 2030 --figure forecast --csv forecast.csv
"""


def add_parser(subparsers: Subparsers) -> None:
    """Add the parser of ``forecast``."""
    parser = subparsers.add_parser(
        NAME,
        help="capacity, cost, fleet, chips, models, and what lies under them, by year",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    by_year.add_options(parser)
    parser.add_argument(
        "--figure",
        type=arguments.output_folder,
        metavar="DIR",
        help="write the figure to DIR as forecast.png and forecast.svg",
    )
    arguments.add_despite(parser)
    arguments.add_common(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the answer and write the files asked for."""
    document = by_year.answer(NAME, args, draw=_draw)
    if args.figure is not None:
        from forepass import figures

        for path in figures.save_forecast(document, args.figure):
            by_year.say_written(path, args)
    return 0


def _draw(args: argparse.Namespace, settings: "Settings", years: list[int]) -> "xr.Dataset":
    from forepass.forecast import forecast

    return by_year.drawn(args, settings, years, question=forecast)
