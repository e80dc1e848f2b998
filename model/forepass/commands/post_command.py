"""``forepass post``: the post that forepass starts from, its table and its claims revisited."""

import argparse
from typing import TYPE_CHECKING

from forepass.commands import arguments
from forepass.commands.arguments import Subparsers

if TYPE_CHECKING:
    from collections.abc import Mapping

    import xarray as xr

    from forepass.inputs.claims import Claim
    from forepass.settings import Settings

__all__ = ["NAME", "add_parser", "run"]

NAME = "post"
BLOCKS = ("serving",)
TABLES = ("chips", "language_models", "serving")

EXAMPLE = """\
example: the post's table and claims, with the serving software of the month it appeared in
  forepass post --date 2024-05
"""


def add_parser(subparsers: Subparsers) -> None:
    """Add the parser of ``post``."""
    parser = subparsers.add_parser(
        NAME,
        help="the post that started it: its table with intervals, and whether its claims hold",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--date",
        type=arguments.iso_date,
        help="date of the serving software, YYYY[-MM[-DD]] (default: that of the definitions)",
    )
    arguments.add_despite(parser)
    arguments.add_common(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the table, the claims with their probabilities, and the measured rows outside."""
    from forepass import answers, render

    settings = arguments.settings_from(args)
    claims = _claims(settings)
    asked = {"date": args.date, "despite_failed_checks": args.despite_failed_checks}
    document = answers.answer(NAME, asked, settings, draw=lambda: _draw(args, settings, claims))
    print(render.as_json(document) if args.json else render.post_text(document, claims))
    return 0


def _claims(settings: "Settings") -> "Mapping[str, Claim]":
    from forepass.inputs.claims import load_claims

    return load_claims(settings.priors)


def _draw(
    args: argparse.Namespace, settings: "Settings", claims: "Mapping[str, Claim]"
) -> "xr.Dataset":
    from forepass import post
    from forepass.commands import fitting
    from forepass.inputs.definitions import load_definitions
    from forepass.inputs.tables import load_tables

    tables = load_tables(TABLES, settings.data)
    fits = fitting.checked_fits(
        BLOCKS,
        settings,
        quiet=args.quiet,
        despite_failed_checks=args.despite_failed_checks,
    )
    definitions = load_definitions(settings.priors)
    draws = post.revisit(fits, tables, definitions, claims, date=args.date)
    return fitting.flagged(draws, fits)
