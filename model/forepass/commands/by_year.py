"""What the subcommands that answer by year share: their options, their table, their files."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forepass.commands import arguments
from forepass.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

    from forepass.settings import Settings

__all__ = ["add_options", "answer", "drawn", "say_written"]

type Draw = Callable[[argparse.Namespace, "Settings", list[int]], "xr.Dataset"]


def add_options(parser: argparse.ArgumentParser) -> None:
    """Give ``parser`` the range of years and the files to write."""
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


def answer(name: str, args: argparse.Namespace, *, draw: Draw) -> dict[str, Any]:
    """Print the answer of subcommand ``name``, write its files, and return its document."""
    from forepass import answers, render

    settings = arguments.settings_from(args)
    years = _years(args, settings)
    asked = {
        "from": years[0],
        "to": years[-1],
        "despite_failed_checks": args.despite_failed_checks,
    }
    document = answers.answer(name, asked, settings, draw=lambda: draw(args, settings, years))
    if args.json:
        print(render.as_json(document))
    else:
        print(render.by_year_text(document, args.years))
    if args.csv is not None:
        render.write_csv(document, args.csv)
        say_written(args.csv, args)
    if args.netcdf is not None:
        _write_netcdf(draw(args, settings, years), args.netcdf)
        say_written(args.netcdf, args)
    return document


def drawn(
    args: argparse.Namespace,
    settings: "Settings",
    years: list[int],
    *,
    question: "Callable[..., xr.Dataset]",
) -> "xr.Dataset":
    """Return the draws that answer ``question`` (forecast or overhang), fitting what is stale."""
    import numpy as np

    from forepass import posterior
    from forepass.commands import catalogue, fitting
    from forepass.inputs.definitions import load_definitions

    tables = catalogue.load(settings)
    fits = fitting.checked_fits(
        posterior.BLOCKS,
        settings,
        quiet=args.quiet,
        despite_failed_checks=args.despite_failed_checks,
    )
    definitions = load_definitions(settings.priors)
    draws = question(
        fits, np.array(years), settings=settings, definitions=definitions, tables=tables
    )
    return fitting.flagged(draws, fits)


def say_written(path: Path, args: argparse.Namespace) -> None:
    """Say on standard error that a file is there."""
    if not args.quiet:
        print(f"wrote {path}", file=sys.stderr)


def _years(args: argparse.Namespace, settings: "Settings") -> list[int]:
    """Return the years asked for, within what the definitions allow."""
    from forepass.inputs.definitions import load_definitions

    definitions = load_definitions(settings.priors)
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


def _write_netcdf(draws: "xr.Dataset", path: Path) -> None:
    from forepass import atomic

    # netCDF attributes hold one text, not a list of remarks.
    draws = draws.assign_attrs(notes="\n".join(draws.attrs.get("notes", [])))
    with atomic.replacing(path) as temporary:
        draws.to_netcdf(temporary, engine="h5netcdf")
