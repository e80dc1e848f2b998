"""``forepass forecast`` and ``forepass overhang``: the subcommands that answer by year."""

import argparse
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forepass.commands import arguments
from forepass.commands.arguments import Command
from forepass.commands.output import say_written
from forepass.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

    from forepass.inputs.definitions import Definitions
    from forepass.settings import Settings

FORECAST_EXAMPLE = """\
example: the forecast to 2030 with its figure, and all its numbers as a table
  forepass forecast --to 2030 --figure forecast --csv forecast.csv
when the world's capacity passes 100 billion output tokens/s; the fleet by quarter
  forepass forecast --when world_tokens_per_s ">" 1e11
  forepass forecast --quarterly --years 2026,2027
"""
OVERHANG_EXAMPLE = """\
example: copies and worker equivalents in 2028 and 2030
  forepass overhang --years 2028,2030
when the leading lab could run a million copies at once
  forepass overhang --when copies_lab above 1e6
"""


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--when",
        nargs=3,
        action="append",
        metavar=("QUANTITY", "RELATION", "X"),
        help="when a quantity passes X instead: its name as in --json, '>' or '<' (quoted) or "
        "above or below, and X in its unit there (may be repeated)",
    )
    parser.add_argument(
        "--quarterly", action="store_true", help="at the end of each quarter, between the years"
    )
    parser.add_argument("--from", dest="first", type=int, metavar="YEAR", help="first year")
    parser.add_argument("--to", dest="last", type=int, metavar="YEAR", help="last year")
    parser.add_argument(
        "--years",
        type=arguments.year_list,
        metavar="LIST",
        help="years that the text table shows, such as 2026,2030 (JSON and CSV hold all)",
    )
    parser.add_argument(
        "--csv", type=arguments.new_file, metavar="FILE", help="write every quantile as tidy CSV"
    )
    parser.add_argument(
        "--netcdf", type=arguments.new_file, metavar="FILE", help="write the draws as netCDF"
    )
    arguments.add_figure(parser, "write the figure to DIR as PNG and SVG, named as the command")


def run(args: argparse.Namespace) -> int:
    """Print the answer and write the files asked for."""
    from forepass import answers, figures, horizon, render
    from forepass.inputs.definitions import load_definitions

    settings = arguments.settings_from(args)
    definitions = load_definitions(settings.priors)
    years = _years(args, definitions)
    asked = {"from": years[0], "to": years[-1], "despite_failed_checks": args.despite_failed_checks}
    if args.when:
        return _run_when(args, settings, years, asked)
    draw = partial(_draw, args, settings, years)
    if args.quarterly:
        asked["quarterly"] = True
        span = list(range(definitions.first_year, definitions.last_year + 1))
        draw = partial(_draw_quarterly, args, settings, span, years)
    build = partial(horizon.marked, fold=definitions.scenarios_only_fold)
    document = answers.answer(args.command, asked, settings, draw=draw, build=build)
    print(render.as_json(document) if args.json else render.by_year_text(document, args.years))
    _write_csv(args, document)
    if args.netcdf is not None:
        _write_netcdf(draw(), args.netcdf)
        say_written(args, args.netcdf)
    if args.figure is not None:
        say_written(args, *figures.save_by_year(document, args.figure, args.command))
    return 0


def _run_when(
    args: argparse.Namespace, settings: "Settings", years: list[int], asked: dict[str, object]
) -> int:
    """Print when the quantities pass their thresholds."""
    from forepass import answers, render, thresholds

    for option in ("quarterly", "netcdf", "figure"):
        if getattr(args, option, None):
            raise InputError(f"--{option} does not go with --when, whose answer is dates")
    wanted = [thresholds.read_threshold(words) for words in args.when]

    def draw() -> "xr.Dataset":
        # Before anything is fitted; the names come with the numerical libraries.
        from forepass import forecast, overhang

        of = forecast if args.command == FORECAST.name else overhang
        thresholds.check_names(wanted, of.ORDER)
        return _draw(args, settings, years)

    document = answers.answer(
        args.command,
        {**asked, "when": [str(threshold) for threshold in wanted]},
        settings,
        draw=draw,
        build=partial(thresholds.crossings, asked=wanted),
    )
    print(render.as_json(document) if args.json else render.when_text(document, args.years))
    _write_csv(args, document)
    return 0


FORECAST = Command(
    "forecast",
    "capacity, cost, fleet, chips, models, and what lies under them, by year",
    FORECAST_EXAMPLE,
    run,
    _add_options,
    draws=True,
)
OVERHANG = Command(
    "overhang",
    "copies, worker equivalents, run-to-train ratio, spare and release overhang, by year",
    OVERHANG_EXAMPLE,
    run,
    _add_options,
    draws=True,
)


def _draw_quarterly(
    args: argparse.Namespace, settings: "Settings", span: list[int], years: list[int]
) -> "xr.Dataset":
    from forepass import timing

    return timing.quarterly(_draw(args, settings, span), years)


def _draw(args: argparse.Namespace, settings: "Settings", years: list[int]) -> "xr.Dataset":
    import numpy as np

    from forepass import posterior
    from forepass.commands import catalogue, fitting
    from forepass.forecast import forecast
    from forepass.inputs.definitions import load_definitions
    from forepass.overhang import overhang

    question = forecast if args.command == FORECAST.name else overhang
    tables = catalogue.load(settings)
    definitions = load_definitions(settings.priors)
    fits = fitting.checked_fits(posterior.BLOCKS, args)
    draws = question(
        fits, np.array(years), settings=settings, definitions=definitions, tables=tables
    )
    return fitting.flagged(draws, fits)


def _years(args: argparse.Namespace, definitions: "Definitions") -> list[int]:
    """Return the years asked for, within what the definitions allow."""
    earliest, latest = definitions.first_year, definitions.last_year
    first = earliest if args.first is None else args.first
    last = latest if args.last is None else args.last
    for option, years in (("--from", [first]), ("--to", [last]), ("--years", args.years or [])):
        for year in years:
            if not earliest <= year <= latest:
                msg = f"{option} must lie within {earliest} to {latest}, got {year}"
                raise InputError(msg)
    if first > last:
        raise InputError(f"--from must not be after --to, got {first} and {last}")
    outside = [year for year in args.years or [] if not first <= year <= last]
    if outside:
        raise InputError(f"--years must lie within {first} to {last}, got {outside[0]}")
    return list(range(first, last + 1))


def _write_csv(args: argparse.Namespace, document: dict[str, Any]) -> None:
    from forepass import render

    if args.csv is not None:
        render.write_csv(document, args.csv)
        say_written(args, args.csv)


def _write_netcdf(draws: "xr.Dataset", path: Path) -> None:
    from forepass import atomic

    # netCDF attributes hold one text, not a list of remarks.
    draws = draws.assign_attrs(notes="\n".join(draws.attrs.get("notes", [])))
    with atomic.replacing(path) as temporary:
        draws.to_netcdf(temporary, engine="h5netcdf")
