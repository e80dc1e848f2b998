"""``forepass sensitivity``: which beliefs move a quantity, and whether they are judgement."""

import argparse
import os
from functools import partial
from typing import TYPE_CHECKING, Any

from forepass.commands import arguments, scenario_options
from forepass.commands.arguments import Command
from forepass.commands.output import tell_answer, write_figures
from forepass.errors import InputError
from forepass.forward.thresholds import read_threshold
from forepass.inputs.definitions import load_definitions
from forepass.settings import Settings
from forepass.tell import answers
from forepass.tell import sensitivity_text as text
from forepass.what_if.scenarios import Scenario

if TYPE_CHECKING:
    from forepass.what_if.changed import Changed

WORDS = "which beliefs move a quantity, what measuring them is worth, and where the answer turns"
EXAMPLE = """\
example: what moves the world's capacity in 2030, by belief and by group of beliefs
  forepass sensitivity world_tokens_per_s
  forepass sensitivity copies_world --year 2028 --by group --figure sensitivity
with a million runs of the model, by two processes
  forepass sensitivity world_tokens_per_s --draws 1000000 --workers 2
which measurement would narrow it most
  forepass sensitivity cost_usd_per_million_tokens --measure
what the share of agents must be for the capacity to pass 100 billion tokens/s
  forepass sensitivity world_tokens_per_s --break-even agents_share_2030 --cross above 1e11
"""
YEAR, TOP = 2030, 12
MOST_DRAWS = 10_000_000


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("quantity", metavar="QUANTITY", help="its name as in --json")
    parser.add_argument("--year", type=int, default=YEAR, help=f"of the quantity ({YEAR})")
    words = "beliefs one by one (input) or groups of them with the shocks to come (group)"
    parser.add_argument("--by", choices=("input", "group"), default="input", help=words)
    words = f"beliefs to tell of ({TOP})"
    parser.add_argument(
        "--top", type=arguments.positive_integer, default=TOP, metavar="N", help=words
    )
    arguments.add_flag(parser, "--measure", "rank measurements by what they would narrow")
    words = "also whether data or priors of each block decide (a minute the first time)"
    arguments.add_flag(parser, "--likelihood", words)
    words = "fit again, with priors at twice their power, what is marked ? (minutes a fit)"
    arguments.add_flag(parser, "--refit", words)
    words = "forward runs for the shares, where more than usual: 1000000 takes minutes"
    parser.add_argument("--draws", type=arguments.positive_integer, metavar="N", help=words)
    words = "what a belief must be for the median to cross the value of --cross instead"
    parser.add_argument("--break-even", metavar="BELIEF", help=words)
    words = "'>' or '<' (quoted) or above or below, and X in the quantity's unit there"
    parser.add_argument("--cross", nargs=2, metavar=("RELATION", "X"), help=words)
    arguments.add_csv(parser, "write every share as CSV")
    scenario_options.add_options(parser)
    arguments.add_cluster(parser)
    arguments.add_figure(parser, "write tornado and shares to DIR as PNG and SVG")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Print the answer and write the files asked for."""
    definitions = load_definitions(settings.priors)
    first, last = definitions.first_year, definitions.last_year
    if not first <= args.year <= last:
        raise InputError(f"--year must lie within {first} to {last}, got {args.year}")
    if (args.draws or 0) > MOST_DRAWS:
        raise InputError(f"--draws must be {MOST_DRAWS:,} or fewer, got {args.draws:,}")
    scenario = scenario_options.scenario_from(args, settings)
    changed = scenario_options.arguments_of(scenario)
    asked: dict[str, Any] = {"quantity": args.quantity, "year": args.year}
    asked |= {"unsafe_ignore_checks": args.unsafe_ignore_checks, **changed}
    if args.break_even is None and args.cross is None:
        asked |= {"top": args.top, "measure": args.measure, "likelihood": args.likelihood}
        asked |= {"refit": True} if args.refit else {}
        asked |= {"draws": args.draws} if args.draws else {}
        if args.likelihood and changed:
            raise InputError(
                "--likelihood does not go with --scenario or --set: it is about the fits as shipped"
            )
    else:
        asked |= _break_even(args)
    document = answers.answer(
        "sensitivity",
        asked,
        settings,
        draw=lambda: _draws(args, scenario, settings),
        build=lambda found, **frame: _document(found, asked, scenario, settings, args, frame),
    )
    told = text.break_even_text
    if "break_even" not in document:
        told = partial(text.sensitivity_text, by=args.by)
    tell_answer(args, document, told, text.write_csv)
    if args.figure is not None:
        from forepass.tell import sensitivity_figures as figures

        drawn = {"tornado": figures.draw_tornado(document), "shares": figures.draw_shares(document)}
        write_figures(args, drawn, document)
    return 0


def _break_even(args: argparse.Namespace) -> dict[str, Any]:
    """Return what is asked about a break-even, as the answer depends on it."""
    if args.break_even is None or args.cross is None:
        raise InputError("--break-even BELIEF and --cross RELATION X go together")
    others = ("measure", "likelihood", "refit", "draws", "workers", "scheduler", "csv", "figure")
    words = "does not go with --break-even, whose answer is a value"
    arguments.refuse_beside(args, others, words)
    threshold = read_threshold([args.quantity, *args.cross], option="--cross")
    about = {"above": threshold.above, "threshold": threshold.value}
    return {"break_even": args.break_even, **about}


def _draws(args: argparse.Namespace, scenario: Scenario, settings: Settings) -> Any:  # noqa: ANN401
    """Return fits and what a scenario changes, once the names asked for are known to be right."""
    # Matrices here are small: several threads on each cost more than they give.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from forepass.inputs.priors import load_all
    from forepass.sensitivities.beliefs import check_name
    from forepass.sensitivities.runs import check_quantity

    check_quantity(args.quantity)
    if args.break_even is not None:
        check_name(args.break_even, load_all(settings.priors))
    return scenario_options.changed(scenario, args, settings)


def _document(
    found: "Changed",
    asked: dict[str, Any],
    scenario: Scenario,
    settings: Settings,
    args: argparse.Namespace,
    frame: dict[str, Any],
) -> dict[str, Any]:
    from forepass.commands import fitting
    from forepass.sensitivities.asked import document

    with arguments.cluster_from(args) as on:
        share_out = partial(fitting.shared_out, on=on, quiet=args.quiet)
        return document(
            found, asked, scenario=scenario, settings=settings, frame=frame, share_out=share_out
        )


COMMAND = Command("sensitivity", WORDS, EXAMPLE, run, _add_options, draws=True)
