"""``forepass explore``: the forecast as a page in which assumptions can be moved."""

import argparse
from typing import Any

from forepass import atomic
from forepass.commands import arguments, scenario_options
from forepass.commands.arguments import Command
from forepass.commands.output import tell
from forepass.errors import InputError
from forepass.settings import Settings
from forepass.tell import answers
from forepass.what_if.scenarios import Scenario

WORDS = "a page in which assumptions can be moved and the forecasts follow"
EXAMPLE = """\
example: a page to open in a browser, or to put anywhere
  forepass explore --out explorer.html
of a scenario, with a title of its own
  forepass explore --scenario wall-returns --title "If the wall returns" --out wall.html
"""
FIRST_YEAR = 2023
TITLE = "How much AI inference can the world do?"


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--out", type=arguments.new_file, required=True, metavar="FILE", help="the page to write"
    )
    parser.add_argument("--title", default=TITLE, metavar="TEXT", help="heading of the page")
    arguments.add_flag(parser, "--force", "write over a file that is not such a page")
    scenario_options.add_options(parser)


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Write the page and say what is in it."""
    from forepass.explorer import page_file

    if not args.title.strip():
        raise InputError("--title must say something")
    page_file.check_overwritten(args.out, force=args.force)
    scenario = scenario_options.scenario_from(args, settings)
    # What reproduces the page goes with it.
    typed = [option for text in args.set for option in ("--set", text)]
    asked: dict[str, Any] = {
        "unsafe_ignore_checks": args.unsafe_ignore_checks,
        "scenario_named": args.scenario,
        "options": typed,
        **scenario_options.arguments_of(scenario),
    }
    document = answers.answer(
        "explore",
        asked,
        settings,
        draw=lambda: _contents(args, scenario, settings),
        build=lambda found, **frame: frame | found,
    )
    atomic.write_text(args.out, page_file.page_text(document, args.title))
    megabytes = args.out.stat().st_size / 1e6
    words = f"wrote {args.out}: {document['draws']:,} draws, {megabytes:.1f} MB"
    tell(args, words, file=str(args.out), draws=document["draws"], megabytes=round(megabytes, 2))
    return 0


def _contents(args: argparse.Namespace, scenario: Scenario, settings: Settings) -> Any:  # noqa: ANN401
    from forepass.explorer.contents import contents, stages
    from forepass.kept_fits import failed_notes

    found = scenario_options.changed(scenario, args, settings)
    years = range(max(FIRST_YEAR, found.definitions.first_year), found.definitions.last_year + 1)
    with scenario_options.runs_of(stages(found), scenario, args) as done:
        page = contents(found, scenario, years, seed=settings.seed, done=done)
    page["notes"] = [*page["notes"], *failed_notes(found.fits)]
    return page


COMMAND = Command("explore", WORDS, EXAMPLE, run, _add_options, draws=True)
