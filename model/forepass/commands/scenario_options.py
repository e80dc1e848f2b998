"""``--scenario`` and ``--set``: what a forecasting command is asked to change, and its draws."""

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from forepass.commands import fitting
from forepass.commands.arguments import Options
from forepass.settings import Settings
from forepass.tell.answers import Draws
from forepass.what_if.scenarios import Scenario, as_asked, load_scenario, plain, with_layer

if TYPE_CHECKING:
    from forepass.what_if.changed import Changed, Question


def add_options(parser: Options) -> None:
    """Give a parser the options that change the forward run."""
    parser.add_argument(
        "--scenario", metavar="NAME", help="a named future (forepass scenario list), or its file"
    )
    add_set(parser)


def add_set(parser: Options) -> None:
    """Give a parser ``--set``."""
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help='pin a belief or a quantity: duty_cycle=0.7, "inference_share@2028=0.3 to 0.7" (80%% '
        "interval; from 2028 on), copy_speed_tokens_per_s=200 (may be repeated)",
    )


def scenario_from(
    args: argparse.Namespace, settings: Settings, name: str | None = None
) -> Scenario:
    """Return the scenario of a name, or of ``--scenario``, with what ``--set`` asks besides."""
    name = name or getattr(args, "scenario", None)
    found = load_scenario(name, settings.priors) if name else plain()
    asked = as_asked(args.set)
    return with_layer(found, asked) if asked.content() != plain().layers[0].content() else found


def arguments_of(scenario: Scenario) -> dict[str, Any]:
    """Return what the key of an answer needs to know of a scenario; of a plain one nothing."""
    return {} if scenario == plain() else {"scenario": scenario.content()}


def changed(scenario: Scenario, args: argparse.Namespace, settings: Settings) -> "Changed":
    """Return what a forecast is made from in a scenario, as `forepass.what_if.changed` does."""
    from forepass.what_if import changed

    with _fitting(args) as asked:
        return changed.changed(scenario, settings, **asked)


def drawn(
    scenario: Scenario,
    questions: "Iterable[Question]",
    args: argparse.Namespace,
    settings: Settings,
    years: list[int],
) -> Draws:
    """Return the draws that answer questions in a scenario, as `forepass.what_if.changed` does."""
    from forepass.what_if import changed

    with _fitting(args) as asked:
        wanted = getattr(args, "draws", None)
        return changed.drawn(scenario, questions, settings, years, wanted=wanted, **asked)


@contextmanager
def runs_of(
    stages: Sized, scenario: Scenario, args: argparse.Namespace
) -> Iterator[Callable[[str], None]]:
    """Yield what is told of each stage of a long answer once it is done."""
    from forepass.what_if.changed import in_reason

    with (
        fitting.progress_over(stages, quiet=args.quiet, what="runs") as report,
        in_reason(scenario),
    ):
        yield lambda stage: report(stage, "done")


@contextmanager
def _fitting(args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield how fits are asked for and their progress is shown."""
    from forepass.posterior import BLOCKS

    def say(words: str) -> None:
        if not args.quiet:
            print(f"forepass: {words}", file=sys.stderr)

    with fitting.checked(BLOCKS, args) as report:
        yield {"unsafe": args.unsafe_ignore_checks, "progress": report, "say": say}
