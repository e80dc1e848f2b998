"""``forepass backtest``: what forepass would have said on earlier days, and what came."""

import argparse
from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING

from forepass.commands import arguments, fitting
from forepass.commands.arguments import Command
from forepass.commands.output import tell, write_figures, write_table
from forepass.errors import InputError
from forepass.inputs.text_files import suggest
from forepass.settings import Settings

if TYPE_CHECKING:
    from forepass.backtest.runs import Result, Task

FIRST, LAST = 2018.0, 2026.0

WORDS = "what forepass would have said on earlier days, scored against what came"
EXAMPLE = """\
examples: every block from every year (about half an hour, once; a stopped run goes on where it
was); by two processes; chips alone, as a table and figures
  forepass backtest
  forepass backtest --workers 2
  forepass backtest --block chips --from 2020 --csv backtest.csv --figure figures
"""


def _add_options(parser: argparse.ArgumentParser) -> None:
    arguments.add_blocks(parser)
    parser.add_argument(
        "--target", action="append", metavar="NAME", help="this target only (may be repeated)"
    )
    for name, value, words in (("from", FIRST, "first"), ("to", LAST, "last")):
        parser.add_argument(
            f"--{name}",
            type=arguments.half_year,
            default=value,
            metavar="YEAR",
            dest=f"{name}_year",
            help=f"{words} origin, as 2021 or 2021.5 (default {value:g})",
        )
    parser.add_argument(
        "--every", choices=("0.5", "1"), default="1", help="years between origins (default 1)"
    )
    arguments.add_csv(parser, "write scores by target and horizon")
    arguments.add_cluster(parser)
    arguments.add_figure(parser, "draw skill, calibration, and forecasts beside what came")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Print the scores; return 1 where the chains of a fit disagree."""
    from forepass.backtest.experts import due
    from forepass.backtest.runs import tasks
    from forepass.tell import backtest_text as text

    if args.from_year > args.to_year:
        raise InputError(f"--from {args.from_year:g} is after --to {args.to_year:g}")
    chosen = _targets(args.block, args.target)
    asked = tasks(chosen, first=args.from_year, last=args.to_year, every=float(args.every))
    results = _results(asked, args, settings)
    targets = [target for names in chosen.values() for target in names]
    rows = text.forecasts(results, targets)
    if rows.empty:
        reasons = [f"{t.name}: {why}" for t, r in results.items() for why in r.unscored.values()]
        raise InputError(f"nothing to score from these origins ({reasons[0]}); widen --from, --to")
    table = text.table_of(rows, seed=settings.seed)
    experts = due(settings) if "stock_h100e" in targets else []
    tell(
        args,
        text.as_text(table, results, targets, experts),
        seed=settings.seed,
        scores=text.as_records(table),
        unscored=[
            {"origin": task.origin, "target": target, "why": why}
            for task, result in results.items()
            for target, why in result.unscored.items()
            if target in targets
        ],
        experts=[asdict(row) for row in experts],
        fits=text.fits_of(results),
    )
    write_table(args, table.round(4))
    if args.figure is not None:
        from forepass.tell import backtest_figures as figures

        drawn = {"backtest": figures.draw_scores(table, rows)}
        if fans := figures.fans_of(results, targets):
            drawn["backtest_fans"] = figures.draw_fans(fans, settings)
        write_figures(args, drawn)
    return 1 if text.shortfalls(results) else 0


def _results(
    asked: "list[Task]", args: argparse.Namespace, settings: Settings
) -> "dict[Task, Result]":
    from forepass.backtest import runs

    found = {}
    with (
        arguments.cluster_from(args) as on,
        fitting.progress_over(asked, quiet=args.quiet, what="forecasts") as report,
    ):
        for task, result in runs.results(asked, settings, on=on):
            found[task] = result
            report(task.name, "done")
    return {task: found[task] for task in asked}


def _targets(blocks: "list[str] | None", asked: Iterable[str] | None) -> dict[str, list[str]]:
    """Return the targets to score by block, of those that are asked for."""
    from forepass.backtest.targets import BLOCKS, targets_of

    for name in blocks or ():
        if name not in BLOCKS:
            raise InputError(f"--block: no block {name!r} is backtested; {suggest(name, BLOCKS)}")
    known = {name: list(targets_of(name).TARGETS) for name in blocks or BLOCKS}
    every = [target for names in known.values() for target in names]
    for name in asked or ():
        if name not in every:
            raise InputError(f"--target: no target {name!r}; {suggest(name, every)}")
    wanted = {
        block: [name for name in names if asked is None or name in asked]
        for block, names in known.items()
    }
    return {block: names for block, names in wanted.items() if names}


COMMAND = Command("backtest", WORDS, EXAMPLE, run, _add_options)
