"""``forepass post``: the post that forepass starts from, its table and its claims revisited."""

import argparse
from collections.abc import Mapping

from forepass.commands import arguments
from forepass.commands.arguments import Command
from forepass.commands.output import tell_answer
from forepass.inputs.claims import Claim, load_claims
from forepass.inputs.definitions import load_definitions
from forepass.settings import Settings
from forepass.tell import answers, render
from forepass.tell.answers import Draws

BLOCKS = ("serving",)
TABLES = ("chips", "language_models", "serving")

WORDS = "the post that started it: its table with intervals, and whether its claims hold"
EXAMPLE = """\
example: the post's table and claims, with the serving software of the month it appeared in
  forepass post --date 2024-05
"""


def _add_options(parser: argparse.ArgumentParser) -> None:
    words = "date of the serving software, YYYY[-MM[-DD]] (default: that of the definitions)"
    parser.add_argument("--date", type=arguments.iso_date, help=words)


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Print the table, the claims with their probabilities, and the measured rows outside."""
    claims = load_claims(settings.priors)
    asked = {"date": args.date, "unsafe_ignore_checks": args.unsafe_ignore_checks}
    document = answers.answer("post", asked, settings, draw=lambda: _draw(args, settings, claims))
    tell_answer(args, document, lambda told: render.post_text(told, claims))
    return 0


COMMAND = Command("post", WORDS, EXAMPLE, run, _add_options, draws=True)


def _draw(args: argparse.Namespace, settings: Settings, claims: Mapping[str, Claim]) -> Draws:
    from forepass.commands import fitting
    from forepass.forward import post
    from forepass.inputs.tables import load_tables
    from forepass.kept_fits import flagged

    tables = load_tables(TABLES, settings.data)
    fits = fitting.fits_of(BLOCKS, args, settings)
    definitions = load_definitions(settings.priors)
    draws = post.revisit(fits, tables, definitions, claims, date=args.date)
    return flagged(draws, fits)
