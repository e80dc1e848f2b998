"""``forepass sensitivity``: which beliefs move a quantity, and whether they are judgement."""

import argparse
import os
from functools import partial
from typing import TYPE_CHECKING, Any

from forepass.commands import arguments, scenario_options
from forepass.commands.arguments import Command
from forepass.commands.output import say_written
from forepass.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import xarray as xr

    from forepass.inputs.definitions import Definitions
    from forepass.posterior import Fit
    from forepass.sensitivity.beliefs import Belief
    from forepass.settings import Settings
    from forepass.what_if.changed import Changed
    from forepass.what_if.scenarios import Scenario

EXAMPLE = """\
example: what moves the world's capacity in 2030, by belief and by group of beliefs
  forepass sensitivity world_tokens_per_s
  forepass sensitivity copies_world --year 2028 --by group --figure sensitivity
which measurement would narrow it most
  forepass sensitivity cost_usd_per_million_tokens --measure
what the share of agents must be for the capacity to pass 100 billion tokens/s
  forepass sensitivity world_tokens_per_s --break-even agents_share_2030 --cross above 1e11
"""
YEAR, TOP = 2030, 12


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("quantity", metavar="QUANTITY", help="its name as in --json")
    parser.add_argument("--year", type=int, default=YEAR, help=f"of the quantity ({YEAR})")
    parser.add_argument(
        "--by",
        choices=("input", "group"),
        default="input",
        help="beliefs one by one (input) or groups of them with the shocks to come (group)",
    )
    parser.add_argument(
        "--top",
        type=arguments.positive_integer,
        default=TOP,
        metavar="N",
        help=f"beliefs to tell of ({TOP})",
    )
    parser.add_argument(
        "--measure", action="store_true", help="rank measurements by what they would narrow"
    )
    parser.add_argument(
        "--likelihood",
        action="store_true",
        help="also whether data or priors of each block decide (a minute the first time)",
    )
    parser.add_argument(
        "--refit",
        action="store_true",
        help="fit again, with priors at twice their power, what is marked ? (minutes a fit)",
    )
    parser.add_argument(
        "--break-even",
        metavar="BELIEF",
        help="what a belief must be for the median to cross the value of --cross instead",
    )
    parser.add_argument(
        "--cross",
        nargs=2,
        metavar=("RELATION", "X"),
        help="'>' or '<' (quoted) or above or below, and X in the quantity's unit there",
    )
    parser.add_argument(
        "--csv", type=arguments.new_file, metavar="FILE", help="write every share as CSV"
    )
    scenario_options.add_options(parser)
    arguments.add_figure(parser, "write tornado and shares to DIR as PNG and SVG")


def run(args: argparse.Namespace) -> int:
    """Print the answer and write the files asked for."""
    from forepass.inputs.definitions import load_definitions
    from forepass.sensitivity import text
    from forepass.tell import answers, render

    settings = arguments.settings_from(args)
    definitions = load_definitions(settings.priors)
    _check_year(args.year, definitions)
    asked: dict[str, Any] = {
        "quantity": args.quantity,
        "year": args.year,
        "unsafe_ignore_checks": args.unsafe_ignore_checks,
    }
    scenario = scenario_options.scenario_from(args, settings)
    asked |= scenario_options.arguments_of(scenario)
    if args.break_even is None and args.cross is None:
        asked |= {"top": args.top, "measure": args.measure, "likelihood": args.likelihood}
        asked |= {"refit": True} if args.refit else {}
        if args.likelihood and scenario_options.arguments_of(scenario):
            raise InputError(
                "--likelihood does not go with --scenario or --set: it is about the fits as shipped"
            )
    else:
        asked |= _break_even(args)
    again = partial(_refitted, args=args, scenario=scenario, settings=settings)
    document = answers.answer(
        "sensitivity",
        asked,
        settings,
        draw=lambda: _draws(args, scenario, settings),
        build=lambda draws, **frame: _document(draws, asked, settings, frame, again),
    )
    if args.json:
        print(render.as_json(document))
    elif "break_even" in document:
        print(text.break_even_text(document))
    else:
        print(text.sensitivity_text(document, by=args.by))
    if args.csv is not None:
        made = answers.made_from(document)
        rows = [row | {"made_from": made} for row in text.rows(document)]
        render.write_rows(rows, list(dict.fromkeys(key for row in rows for key in row)), args.csv)
        say_written(args, args.csv)
    if args.figure is not None:
        from forepass.sensitivity import figures

        say_written(args, *figures.save_sensitivity(document, args.figure))
    return 0


def _check_year(year: int, definitions: "Definitions") -> None:
    first, last = definitions.first_year, definitions.last_year
    if not first <= year <= last:
        raise InputError(f"--year must lie within {first} to {last}, got {year}")


def _break_even(args: argparse.Namespace) -> dict[str, Any]:
    """Return what is asked about a break-even, as the answer depends on it."""
    from forepass.forward.thresholds import read_threshold

    if args.break_even is None or args.cross is None:
        raise InputError("--break-even BELIEF and --cross RELATION X go together")
    for option in ("measure", "likelihood", "refit", "csv", "figure"):
        if getattr(args, option):
            raise InputError(f"--{option} does not go with --break-even, whose answer is a value")
    threshold = read_threshold([args.quantity, *args.cross], option="--cross")
    return {
        "break_even": args.break_even,
        "above": threshold.above,
        "threshold": threshold.value,
    }


def _draws(args: argparse.Namespace, scenario: "Scenario", settings: "Settings") -> Any:  # noqa: ANN401
    """Return fits and what a scenario changes, once the names asked for are known to be right."""
    # Matrices here are small: several threads on each cost more than they give.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from forepass.inputs.priors import load_all
    from forepass.sensitivity.beliefs import check_name
    from forepass.sensitivity.runs import check_quantity

    check_quantity(args.quantity)
    if args.break_even is not None:
        check_name(args.break_even, load_all(settings.priors))
    return scenario_options.changed(scenario, args, settings)


def _refitted(
    beliefs: "Sequence[Belief]",
    fits: "dict[str, Fit]",
    found: "Changed",
    *,
    args: argparse.Namespace,
    scenario: "Scenario",
    settings: "Settings",
) -> "dict[str, xr.Dataset]":
    """Return every block's draws, those of one block fitted anew with priors at another power."""
    from forepass import posterior
    from forepass.commands import fitting
    from forepass.sensitivity.refits import NotRefittedError, raised
    from forepass.what_if import replaced_priors
    from forepass.what_if.interventions import pinned
    from forepass.what_if.scenarios import with_layer

    layer = raised(belief.prior for belief in beliefs if belief.prior is not None)
    own = replaced_priors.overlaid(with_layer(scenario, layer), settings)
    block = beliefs[0].block
    try:
        with fitting.progress_over([block], quiet=args.quiet) as report:
            anew = posterior.fitted([block], own, progress=report)
    except posterior.FitFailed as failure:
        raise NotRefittedError(str(failure).partition(";")[0]) from failure
    fits = pinned({**fits, **anew}, found.interventions.pins, seed=settings.seed)
    return {name: fit.posterior for name, fit in fits.items()}


def _document(
    found: "Changed",
    asked: dict[str, Any],
    settings: "Settings",
    frame: dict[str, Any],
    again: "Callable[..., dict[str, xr.Dataset]]",
) -> dict[str, Any]:
    from forepass.kept_fits import failed_notes
    from forepass.likelihoods import log_likelihood
    from forepass.sensitivity import answer
    from forepass.sensitivity.beliefs import all_beliefs, find
    from forepass.sensitivity.runs import Question
    from forepass.what_if.interventions import pinned

    fits = pinned(found.fits, found.interventions.pins, seed=settings.seed)
    posteriors = {block: fit.posterior for block, fit in fits.items()}
    beliefs = list(all_beliefs(posteriors, found.priors))
    question = Question(
        asked["quantity"],
        asked["year"],
        found.tables,
        found.definitions,
        settings.seed,
        found.interventions,
    )
    if "break_even" in asked:
        document = answer.break_even_document(
            question,
            posteriors,
            find(asked["break_even"], beliefs),
            above=asked["above"],
            threshold=asked["threshold"],
            frame=frame,
        )
    else:
        document = answer.sensitivity_document(
            question,
            posteriors,
            beliefs,
            top=asked["top"],
            measure=asked["measure"],
            likelihoods={
                block: log_likelihood(block, fits[block], settings)
                for block in (fits if asked["likelihood"] else ())
            },
            frame=frame,
            refit=partial(again, fits=fits, found=found) if "refit" in asked else None,
        )
    document["notes"] += [*found.notes, *failed_notes(fits)]
    return document


COMMAND = Command(
    "sensitivity",
    "which beliefs move a quantity, what measuring them is worth, and where the answer turns",
    EXAMPLE,
    run,
    _add_options,
    draws=True,
)
