"""The command ``forepass``: finds the subcommand, runs it, and turns errors into exit statuses."""

import argparse
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from forepass import __version__
from forepass.commands import (
    backtest_command,
    check_command,
    completion_command,
    data_command,
    explore_command,
    fit_command,
    passes_command,
    post_command,
    predict_command,
    priors_command,
    register_command,
    report_command,
    scenario_command,
    sensitivity_command,
)
from forepass.commands.arguments import add_command
from forepass.commands.by_year_commands import FORECAST, OVERHANG
from forepass.commands.fitting import CheckError
from forepass.errors import InputError, one_line
from forepass.inputs.text_files import suggest

DONE, FELL_SHORT, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130

COMMANDS = (
    passes_command.COMMAND,
    predict_command.COMMAND,
    fit_command.COMMAND,
    FORECAST,
    OVERHANG,
    scenario_command.COMMAND,
    sensitivity_command.COMMAND,
    backtest_command.COMMAND,
    post_command.COMMAND,
    check_command.COMMAND,
    register_command.COMMAND,
    report_command.COMMAND,
    explore_command.COMMAND,
    priors_command.COMMAND,
    data_command.COMMAND,
    completion_command.COMMAND,
)


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message.removeprefix('argument ')} (see {self.prog} --help)")


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    parser = _Parser(
        prog="forepass",
        description="How much AI inference can the world's chips do, and how sure is that?",
        epilog="example: forepass passes --chip a100 --chips 128 --model gpt-4 --weight-bits 16",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"forepass {__version__}")
    subparsers = parser.add_subparsers(
        title="subcommands", dest="command", metavar="COMMAND", required=True
    )
    for command in COMMANDS:
        add_command(subparsers, command)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status: 0, 1, 2 or 130."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        status = _run(arguments)
        sys.stdout.flush()
        return status
    except InputError as error:
        return _complain(error, BAD_INPUT)
    except CheckError as error:
        return _complain(error, FELL_SHORT)
    except BrokenPipeError:
        # The reader (head, less) has seen enough; Python would complain again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except OSError as error:
        return _complain(f"{error.filename or 'output'}: {error.strerror or error}", BAD_INPUT)
    except KeyboardInterrupt:
        return _complain("interrupted, nothing half-written", INTERRUPTED)


def _run(arguments: list[str]) -> int:
    parser = build_parser()
    _check_command(arguments)
    args = parser.parse_args(arguments)
    status: int = args.run(args)
    return status


def _check_command(arguments: list[str]) -> None:
    """Refuse an unknown subcommand with the closest names, which argparse does not offer."""
    names = [command.name for command in COMMANDS]
    word = next((argument for argument in arguments if not argument.startswith("-")), None)
    if word is None or word in names:
        return
    raise InputError(f"no subcommand {word!r}; {suggest(word, names)}")


def _complain(error: object, status: int) -> int:
    print(f"forepass: {one_line(str(error))}", file=sys.stderr)
    return status
