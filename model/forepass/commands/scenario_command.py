"""``forepass scenario``: named futures, listed, shown, run and compared."""

import argparse
from dataclasses import replace
from functools import partial
from itertools import product

from forepass.commands import arguments, scenario_options
from forepass.commands.arguments import Command
from forepass.commands.by_year_commands import add_years, years_asked
from forepass.commands.output import source_titles, tell, tell_answer, write_figures
from forepass.errors import InputError
from forepass.forward import horizon
from forepass.inputs.definitions import load_definitions
from forepass.settings import Settings
from forepass.tell import answers, render, scenario_texts
from forepass.tell.answers import Draws
from forepass.what_if.scenarios import (
    Scenario,
    as_asked,
    check_compared,
    load_scenario,
    scenario_names,
    with_layer,
)

EXAMPLE = """\
examples:
  forepass scenario list
  forepass scenario show wall-returns
  forepass scenario run power-bound --years 2028,2030
  forepass scenario compare baseline wall-returns wall-broken --figure scenarios
a grid of values, by two processes
  forepass scenario compare baseline --grid duty_cycle=0.5,0.7 --grid pue=1.1,1.3 --workers 2
your own, from a file, with a belief pinned besides
  forepass scenario compare baseline mine.toml --set duty_cycle=0.7
"""


def _list(args: argparse.Namespace, settings: Settings) -> int:
    found = [load_scenario(name, settings.priors) for name in scenario_names(settings.priors)]
    records = [scenario_texts.record(scenario) for scenario in found]
    tell(args, scenario_texts.listed(found), scenarios=records)
    return 0


def _show(args: argparse.Namespace, settings: Settings) -> int:
    scenario = load_scenario(args.name, settings.priors)
    titles = source_titles(settings.data)
    tell(args, scenario_texts.described(scenario, titles), scenario=scenario_texts.record(scenario))
    return 0


def _run(args: argparse.Namespace, settings: Settings) -> int:
    definitions = load_definitions(settings.priors)
    years = years_asked(args, settings)
    scenario = scenario_options.scenario_from(args, settings, args.name)
    asked = _asked(args, years, scenario)
    document = answers.answer(
        "scenario run",
        asked,
        settings,
        draw=partial(_draw, scenario, args, settings, years),
        build=partial(horizon.marked, fold=definitions.scenarios_only_fold),
    )
    tell_answer(args, document, partial(render.by_year_text, years=args.years))
    return 0


def _compare(args: argparse.Namespace, settings: Settings) -> int:
    years = years_asked(args, settings)
    # What --set asks holds in all of them.
    found = [scenario_options.scenario_from(args, settings, name) for name in args.names]
    found += grid(found[0], args.grid)
    check_compared([one.name for one in found])

    def draw() -> Draws:
        from forepass.what_if import pairs

        return pairs.joined(_drawn(found, args, settings, years))

    document = answers.answer("scenario compare", _asked(args, years, *found), settings, draw=draw)
    tell_answer(args, document, partial(scenario_texts.compared_text, years=args.years))
    if args.figure is not None:
        from forepass.tell.scenario_figures import draw_compared

        write_figures(args, {"scenarios": draw_compared(document)}, document)
    return 0


MOST_CELLS = 1000


def _drawn(
    found: list[Scenario], args: argparse.Namespace, settings: Settings, years: list[int]
) -> dict[str, Draws]:
    """Return the draws of each scenario, in their order; on a cluster several at once."""
    from forepass import posterior
    from forepass.commands import fitting

    if args.workers is None and args.scheduler is None:
        return {one.name: _draw(one, args, settings, years) for one in found}
    # What all scenarios share is fitted once, here, before workers ask for it at once.
    fitting.fits_of(posterior.BLOCKS, args, settings)
    quiet = argparse.Namespace(quiet=True, unsafe_ignore_checks=args.unsafe_ignore_checks)
    asked = [(one, quiet, years) for one in found]
    with arguments.cluster_from(args) as on:
        made = fitting.shared_out(_of_scenario, asked, settings, on=on, quiet=args.quiet)
        each = {one.name: draws for (one, *_), draws in made}
    return {one.name: each[one.name] for one in found}


def _of_scenario(task: tuple[Scenario, argparse.Namespace, list[int]], settings: Settings) -> Draws:
    scenario, args, years = task
    return _draw(scenario, args, settings, years)


def grid(base: Scenario, asked: list[str]) -> list[Scenario]:
    """Return the base with each combination of values set: of NAME=A,B,C every one of each."""
    axes = []
    for text in asked:
        name, equals, values = text.partition("=")
        if not equals or "," not in values:
            raise InputError(f"--grid {text}: must be NAME=A,B,..., as in duty_cycle=0.5,0.7")
        axes.append([f"{name.strip()}={value.strip()}" for value in values.split(",")])
    cells = list(product(*axes)) if axes else []
    if len(cells) > MOST_CELLS:
        raise InputError(f"--grid: at most {MOST_CELLS} combinations, got {len(cells):,}")
    return [
        replace(with_layer(base, as_asked(cell, "--grid")), name=", ".join(cell)) for cell in cells
    ]


def _asked(args: argparse.Namespace, years: list[int], *scenarios: Scenario) -> dict[str, object]:
    return {
        "from": years[0],
        "to": years[-1],
        "unsafe_ignore_checks": args.unsafe_ignore_checks,
        "scenarios": [scenario.content() for scenario in scenarios],
    }


def _draw(
    scenario: Scenario, args: argparse.Namespace, settings: Settings, years: list[int]
) -> Draws:
    from forepass.forward.forecast import forecast_of
    from forepass.forward.overhang import overhang_of

    return scenario_options.drawn(scenario, [forecast_of, overhang_of], args, settings, years)


def _add_name(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="scenario, or a file that ends in .toml")


def _add_run_options(parser: argparse.ArgumentParser) -> None:
    _add_name(parser)
    scenario_options.add_set(parser)
    add_years(parser)


def _add_compare_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "names", metavar="NAME", nargs="+", help="scenarios or files; the first is compared with"
    )
    scenario_options.add_set(parser)
    parser.add_argument(
        "--grid",
        action="append",
        default=[],
        metavar="NAME=A,B,...",
        help="the first scenario with each of these values set besides, as by --set (may be "
        "repeated: every combination)",
    )
    add_years(parser)
    arguments.add_cluster(parser)
    arguments.add_figure(parser, "write the figure of ratios to DIR as scenarios.png and .svg")


COMMAND = Command(
    "scenario",
    "named futures: list, show, run and compare them",
    EXAMPLE,
    actions=(
        Command("list", "every scenario", "", _list),
        Command("show", "one scenario with its story, sources and changes", "", _show, _add_name),
        Command("run", "the forecast in a scenario", "", _run, _add_run_options, draws=True),
        Command(
            "compare",
            "levels, and ratios draw by draw, by year",
            "",
            _compare,
            _add_compare_options,
            draws=True,
        ),
    ),
)
