"""``forepass forecast`` and ``forepass overhang``: the subcommands that answer by year."""

import argparse
from functools import partial
from pathlib import Path
from typing import Any

from forepass.commands import arguments, scenario_options
from forepass.commands.arguments import Command
from forepass.commands.output import say_written, tell_answer, write_figures
from forepass.errors import InputError
from forepass.forward import horizon, thresholds
from forepass.inputs.dates import last_day
from forepass.inputs.definitions import load_definitions
from forepass.settings import Settings
from forepass.tell import answers, render
from forepass.tell.answers import Draws

FORECAST_WORDS = "capacity, cost, fleet, chips, models, and what lies under them, by year"
FORECAST_EXAMPLE = """\
example: the forecast to 2030 with its figure, and all its numbers as a table
  forepass forecast --to 2030 --figure forecast --csv forecast.csv
when the world's capacity passes 100 billion output tokens/s; the fleet by quarter
  forepass forecast --when world_tokens_per_s ">" 1e11
  forepass forecast --quarterly --years 2026,2027
with a belief pinned and a share set to an interval; in a scenario
  forepass forecast --set duty_cycle=0.7 --set "inference_share=0.3 to 0.7"
  forepass forecast --scenario wall-returns
"""
OVERHANG_WORDS = (
    "copies, worker equivalents, run-to-train ratio, spare and release overhang, by year"
)
OVERHANG_EXAMPLE = """\
example: copies and worker equivalents in 2028 and 2030
  forepass overhang --years 2028,2030
when the leading lab could run a million copies at once
  forepass overhang --when copies_lab above 1e6
agents at 200 tokens/s each, against a person of 10
  forepass overhang --speed 200 --human-rate 10
"""

FEWEST_DRAWS, MOST_DRAWS = 100, 200_000
"""Fewer say nothing of the tails; more would not fit in the memory of a small machine."""
DRAWS = arguments.checked(
    f"a whole number from {FEWEST_DRAWS} to {MOST_DRAWS}",
    int,
    lambda value: FEWEST_DRAWS <= value <= MOST_DRAWS,
)


def _add_options(parser: argparse.ArgumentParser) -> None:
    scenario_options.add_options(parser)
    parser.add_argument(
        "--when",
        nargs=3,
        action="append",
        default=[],
        metavar=("QUANTITY", "RELATION", "X"),
        help="when a quantity passes X instead: its name as in --json, '>' or '<' (quoted) or "
        "above or below, and X in its unit there (may be repeated)",
    )
    arguments.add_flag(parser, "--quarterly", "at the end of each quarter, between the years")
    words = f"draws in all, up to {MOST_DRAWS:,}: the fits' own joined anew, with other shocks"
    parser.add_argument("--draws", type=DRAWS, metavar="N", help=words)
    add_years(parser)
    parser.add_argument(
        "--netcdf", type=arguments.new_file, metavar="FILE", help="write the draws as netCDF"
    )
    arguments.add_figure(parser, "write the figure to DIR as PNG and SVG, named as the command")


def add_span(parser: argparse.ArgumentParser) -> None:
    """Give a parser the first and the last year of an answer."""
    words = "first year (with --as-of: its year)"
    parser.add_argument("--from", dest="first", type=int, metavar="YEAR", help=words)
    parser.add_argument("--to", dest="last", type=int, metavar="YEAR", help="last year")


def add_years(parser: argparse.ArgumentParser) -> None:
    """Give a parser the years of an answer, and the file to write it to as CSV."""
    add_span(parser)
    words = "years that the text table shows, such as 2026,2030 (JSON and CSV hold all)"
    parser.add_argument("--years", type=arguments.year_list, metavar="LIST", help=words)
    arguments.add_csv(parser, "write every quantile as tidy CSV")


def _add_overhang(parser: argparse.ArgumentParser) -> None:
    _add_options(parser)
    for option, name, words in (
        ("--speed", "copy_speed_tokens_per_s", "output tokens/s of each copy"),
        ("--human-rate", "human_tokens_per_s", "tokens for a second of work"),
    ):
        parser.add_argument(
            option,
            dest="set",
            action="append",
            default=[],
            type=partial(_stated, name),
            metavar="TOKENS/S",
            help=f"{words} (--set {name}=...)",
        )


def _stated(name: str, text: str) -> str:
    return f"{name}={arguments.positive_number(text)}"


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Print the answer and write the files asked for."""
    definitions = load_definitions(settings.priors)
    years = years_asked(args, settings)
    asked = {"from": years[0], "to": years[-1], "unsafe_ignore_checks": args.unsafe_ignore_checks}
    scenario = scenario_options.scenario_from(args, settings)
    asked |= scenario_options.arguments_of(scenario)
    asked |= {"draws": args.draws} if args.draws else {}
    text, build = render.by_year_text, partial(horizon.marked, fold=definitions.scenarios_only_fold)
    wanted = [thresholds.read_threshold(words) for words in args.when]
    if wanted:
        others = ("quarterly", "netcdf", "figure")
        arguments.refuse_beside(args, others, "does not go with --when, whose answer is dates")
        asked["when"] = [str(threshold) for threshold in wanted]
        text, build = render.when_text, partial(thresholds.crossings, asked=wanted)
    if args.quarterly:
        asked["quarterly"] = True

    def draw() -> Draws:
        # The names come with the numerical libraries, and are checked before anything is fitted.
        from forepass.forward import forecast, overhang, timing

        of = forecast if args.command == FORECAST.name else overhang
        thresholds.check_names(wanted, of.ORDER)
        if not args.quarterly:
            return _draw(args, settings, years)
        span = list(range(definitions.first_year, definitions.last_year + 1))
        return timing.quarterly(_draw(args, settings, span), years)

    document = answers.answer(args.command, asked, settings, draw=draw, build=build)
    tell_answer(args, document, partial(text, years=args.years))
    if args.netcdf is not None:
        _write_netcdf(draw(), document, args.netcdf)
        say_written(args, args.netcdf)
    if args.figure is not None:
        from forepass.tell.by_year_figures import draw_by_year

        write_figures(args, {args.command: draw_by_year(document, args.command)}, document)
    return 0


FORECAST = Command("forecast", FORECAST_WORDS, FORECAST_EXAMPLE, run, _add_options, draws=True)
OVERHANG = Command("overhang", OVERHANG_WORDS, OVERHANG_EXAMPLE, run, _add_overhang, draws=True)


def _draw(args: argparse.Namespace, settings: Settings, years: list[int]) -> Draws:
    from forepass.forward.forecast import forecast_of
    from forepass.forward.overhang import overhang_of

    question = forecast_of if args.command == FORECAST.name else overhang_of
    scenario = scenario_options.scenario_from(args, settings)
    return scenario_options.drawn(scenario, [question], args, settings, years)


def years_asked(args: argparse.Namespace, settings: Settings) -> list[int]:
    """Return the years asked for, by default from the day of --as-of, as definitions allow."""
    definitions = load_definitions(settings.priors)
    earliest, latest = definitions.first_year, definitions.last_year
    start = horizon.first_year(definitions, args.as_of and last_day(args.as_of))
    first = start if args.first is None else args.first
    last = latest if args.last is None else args.last
    for option, year in (("--from", first), ("--to", last)):
        if not earliest <= year <= latest:
            raise InputError(f"{option} must lie within {earliest} to {latest}, got {year}")
    if first > last:
        raise InputError(f"--from must not be after --to, got {first} and {last}")
    for year in args.years or []:
        if not first <= year <= last:
            raise InputError(f"--years must lie within {first} to {last}, got {year}")
    return list(range(first, last + 1))


def _write_netcdf(draws: Draws, document: dict[str, Any], path: Path) -> None:
    from forepass import atomic

    # netCDF attributes hold one text, not a list of remarks.
    notes = "\n".join(draws.attrs.get("notes", []))
    draws = draws.assign_attrs(notes=notes, **answers.provenance(document))
    with atomic.replacing(path) as temporary:
        draws.to_netcdf(temporary, engine="h5netcdf")
