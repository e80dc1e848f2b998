"""Subcommands as values, the options that they share, and checks of what is typed."""

import argparse
import dataclasses
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forepass import limits
from forepass.as_of import seen_as_of
from forepass.errors import InputError
from forepass.inputs.dates import is_date, last_day
from forepass.settings import Settings

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from distributed import Client

type Options = argparse.ArgumentParser | argparse._ArgumentGroup
type Run = Callable[[argparse.Namespace, Settings], int]


@dataclass(frozen=True, slots=True)
class Command:
    """A subcommand, or an action of one.

    Attributes
    ----------
    name, words, example
        What is typed, what it answers, and how it is used.
    run
        Does it, with the settings that the common options ask for, and returns the exit status;
        absent where there are actions.
    add_options
        Adds the options that it has beside the common ones.
    draws
        Whether it answers from fits, so that a user may insist on one that failed.
    """

    name: str
    words: str
    example: str = ""
    run: Run | None = None
    add_options: Callable[[argparse.ArgumentParser], None] | None = None
    draws: bool = False
    actions: "tuple[Command, ...]" = ()


def add_command(subparsers: "argparse._SubParsersAction[Any]", command: Command) -> None:
    """Add the parser of a subcommand with its own options, then the common ones."""
    parser = subparsers.add_parser(
        command.name,
        help=command.words,
        epilog=command.example,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    if command.actions:
        actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
        for action in command.actions:
            add_command(actions, dataclasses.replace(action, example=command.example))
        return
    if command.add_options:
        command.add_options(parser)
    if command.draws:
        words = "answer even from a fit that failed its convergence checks; every output says so"
        add_flag(parser, "--unsafe-ignore-checks", words)
    _add_common(parser)
    parser.set_defaults(run=command.run)


def _add_common(parser: argparse.ArgumentParser) -> None:
    common = parser.add_argument_group("common options")
    add_flag(common, "--json", "print JSON instead of text")
    common.add_argument(
        "--seed", type=seed, metavar="N", help="seed of every random draw (a whole number)"
    )
    words = "with what was published by this day alone (a month or a year: by its last day)"
    common.add_argument("--as-of", type=iso_date, metavar="DATE", help=words)
    add_flag(common, "--quiet", "show no progress")
    for name, what in (("data", "observed tables"), ("priors", "priors")):
        words = f"folder of {what}, not the shipped one"
        common.add_argument(f"--{name}", type=folder, metavar="DIR", help=words)


def add_blocks(parser: argparse.ArgumentParser) -> None:
    """Give ``parser`` the option that names blocks."""
    parser.add_argument(
        "--block", action="append", metavar="NAME", help="this block only (may be repeated)"
    )


def add_cluster(parser: Options, when: str = "") -> None:
    """Give a parser, or a group of its options, where the tasks of a long run are done."""
    either = parser.add_mutually_exclusive_group()
    words = f"{when}processes that share the work; numbers stay the same"
    either.add_argument("--workers", type=positive_integer, metavar="N", help=words)
    words = f"{when}a running Dask scheduler whose workers do it, as tcp://host:8786"
    either.add_argument("--scheduler", type=address, metavar="ADDRESS", help=words)


def cluster_from(args: argparse.Namespace) -> "AbstractContextManager[Client | None]":
    """Return what gives the cluster that is asked for, or None, while it is open."""
    from forepass import tasks

    return tasks.cluster(args.workers, args.scheduler)


def add_flag(parser: Options, name: str, words: str) -> None:
    """Give a parser, or a group of its options, one that is asked for or not."""
    parser.add_argument(name, action="store_true", help=words)


def add_csv(parser: Options, words: str) -> None:
    """Give a parser the file to write an answer to as CSV."""
    parser.add_argument("--csv", type=new_file, metavar="FILE", help=words)


def add_figure(parser: Options, words: str) -> None:
    """Give a parser, or a group of its options, the folder to draw a figure in."""
    parser.add_argument("--figure", type=output_folder, metavar="DIR", help=words)


def add_out(parser: Options, words: str) -> None:
    """Give a parser the folder that all is written to, which must be named."""
    parser.add_argument("--out", type=output_folder, required=True, metavar="DIR", help=words)


def add_own_tables(group: Options) -> None:
    """Give a parser, or a group of its options, the user's own chips and models."""
    for things, table in (("chips", "chips"), ("models", "language_models")):
        words = f"more {things}, in the columns of data/{table}.csv"
        group.add_argument(f"--{things}-file", type=existing_file, metavar="CSV", help=words)


def refuse_beside(args: argparse.Namespace, options: Iterable[str], why: str) -> None:
    """Refuse the first of the options that is given, with the reason why it may not be."""
    for option in options:
        if getattr(args, option):
            raise InputError(f"--{option.replace('_', '-')} {why}")


def settings_from(args: argparse.Namespace) -> Settings:
    """Return the settings that the common options ask for."""
    asked = {"seed": args.seed, "data": args.data, "priors": args.priors}
    settings = Settings(**{name: value for name, value in asked.items() if value is not None})
    return settings if args.as_of is None else seen_as_of(settings, last_day(args.as_of))


def checked[T](
    want: str, read: Callable[[str], T], holds: Callable[[T], bool] = lambda _: True
) -> Callable[[str], T]:
    """Return what reads an argument and refuses one that is not as wanted."""

    def check(text: str) -> T:
        try:
            value = read(text)
        except ValueError:
            value = None
        if value is None or not holds(value):
            raise argparse.ArgumentTypeError(f"must be {want}, got {text!r}")
        return value

    return check


positive_number = checked(
    limits.NUMBER,
    float,
    lambda value: limits.LEAST_NUMBER <= value <= limits.LARGEST_NUMBER,
)
share = checked("a share from 0 to 1", float, lambda value: 0 <= value <= 1)
positive_integer = checked("a whole number above 0", int, lambda value: value > 0)
half_year = checked(
    "a year or a half, such as 2021 or 2021.5",
    float,
    lambda value: 1950 <= value <= 2100 and value * 2 == int(value * 2),
)
seed = checked("a whole number, 0 or more", int, lambda value: value >= 0)
weight_bits = checked("16, 8 or 4", int, lambda value: value in (16, 8, 4))
address = checked(
    "an address such as tcp://host:8786",
    str,
    lambda text: re.fullmatch(r"(tcp|tls|ucx|wss?)://[^\s/]+:\d+/?", text) is not None,
)
iso_date = checked("a date such as 2026, 2026-05 or 2026-05-31", str, is_date)
year_list = checked(
    "years such as 2026,2030", lambda text: sorted({int(year) for year in text.split(",")})
)
folder = checked("a folder that exists", Path, Path.is_dir)
existing_file = checked("a file that exists", Path, Path.is_file)
# Asked for before the work, so that it is not lost at the end.
new_file = checked(
    "a file in a folder that exists", Path, lambda path: not path.is_dir() and path.parent.is_dir()
)
output_folder = checked("a folder", Path, lambda path: path.is_dir() or not path.exists())
