"""The command ``forepass``: finds the subcommand, runs it, and turns errors into exit statuses."""

import argparse
import os
import sys
from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import NoReturn

from forepass import __version__
from forepass.commands.arguments import add_command, settings_from
from forepass.commands.fitting import CheckError
from forepass.errors import InputError, one_line
from forepass.inputs.text_files import suggest

DONE, FELL_SHORT, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130

COMMANDS = {
    "passes": "passes_command.COMMAND",
    "predict": "predict_command.COMMAND",
    "fit": "fit_command.COMMAND",
    "forecast": "by_year_commands.FORECAST",
    "overhang": "by_year_commands.OVERHANG",
    "scenario": "scenario_command.COMMAND",
    "sensitivity": "sensitivity_command.COMMAND",
    "backtest": "backtest_command.COMMAND",
    "post": "post_command.COMMAND",
    "check": "check_command.COMMAND",
    "register": "register_command.COMMAND",
    "report": "report_command.COMMAND",
    "explore": "explore_command.COMMAND",
    "priors": "priors_command.COMMAND",
    "data": "data_command.COMMAND",
    "completion": "completion_command.COMMAND",
}
"""Where each subcommand is, of `forepass.commands`; a run loads the one that it asks for."""


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message.removeprefix('argument ')} (see {self.prog} --help)")


def build_parser(names: Iterable[str] = tuple(COMMANDS)) -> argparse.ArgumentParser:
    """Return the parser of the whole command line, or of some subcommands."""
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
    for name in names:
        module, _, command = COMMANDS[name].partition(".")
        add_command(subparsers, getattr(import_module(f"forepass.commands.{module}"), command))
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
    word = next((argument for argument in arguments if not argument.startswith("-")), None)
    if word is not None and word not in COMMANDS:
        # With the closest names, which argparse does not offer.
        raise InputError(f"no subcommand {word!r}; {suggest(word, COMMANDS)}")
    parser = build_parser(arguments[:1] if word in arguments[:1] else COMMANDS)
    args = parser.parse_args(arguments)
    status: int = args.run(args, settings_from(args))
    return status


def _complain(error: object, status: int) -> int:
    print(f"forepass: {one_line(str(error))}", file=sys.stderr)
    return status
