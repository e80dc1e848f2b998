"""``forepass check``: every check of fits and forecast, each against its limit."""

import argparse
import dataclasses
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from forepass import fingerprints
from forepass.commands import (
    arguments,
    check_calibration,
    check_trends,
    check_world,
    fit_command,
    fitting,
)
from forepass.commands.arguments import Command
from forepass.commands.output import tell, write_figures, write_table
from forepass.errors import InputError
from forepass.settings import Settings
from forepass.tell import answers, render

if TYPE_CHECKING:
    import pandas as pd

SERVING = "serving"
SHOWN = 12
"""Lines of what falls short of one check; JSON has all."""
KINDS = ("chip", "generation", "model", "campaign", "date", "vendor")
OTHER_CHECKS = {
    "--serving-validation": "refit the serving block without each group of rows and score what it "
    "says of them (minutes to hours)",
    "--trends": "show the growth rates of each trend beside published ones, and what its priors "
    "say of the rows (what its posterior says: without --trends; what it would have said before: "
    "forepass backtest)",
    "--world": "show the forecast beside published figures of the same quantity and date, with "
    "the reason where they differ",
}

OTHERS_TAKE = {
    "calibration": ("block", "csv", "figure", "replicates", "workers", "scheduler"),
    "world": ("csv",),
    "serving_validation": ("csv", "kind"),
    "trends": ("block", "figure"),
}
"""Options that go with each other check; of two checks the first here refuses the second."""
ALONE_TAKES = ("block", "figure")
BELONGS = {
    **dict.fromkeys(("csv", "kind"), "serving_validation"),
    **dict.fromkeys(("replicates", "workers", "scheduler"), "calibration"),
}
"""The check that must be asked for beside an option."""

WORDS = "fits and forecast against stated limits: convergence, prediction, beliefs, identities"
EXAMPLE = """\
examples: every check of fits and forecast; the serving block refitted without each chip in turn;
growth of trends; the forecast beside what others have published
  forepass check --figure figures
  forepass check --serving-validation --kind chip --csv validation.csv
  forepass check --trends --block chips --figure figures
  forepass check --world
  forepass check --calibration --block training --workers 2
"""

SCORES = {
    "rows": ("rows", "{:,.0f}"),
    "fold50": ("median\nfold", "{:.2f}"),
    "fold90": ("90th pct\nfold", "{:.2f}"),
    "bias": ("bias", "{:.2f}"),
    "cover50": ("in 50%\ninterval", "{:.0%}"),
    "cover80": ("in 80%\ninterval", "{:.0%}"),
    "width80": ("80% width,\nfactor", "{:.2f}"),
    "crps": ("CRPS", "{:.2f}"),
}


def _add_options(parser: argparse.ArgumentParser) -> None:
    arguments.add_blocks(parser)
    for name, words in OTHER_CHECKS.items():
        arguments.add_flag(parser, name, words)
    words = "with --serving-validation, these groups only"
    parser.add_argument("--kind", choices=KINDS, help=words)
    words = "write the table of --serving-validation, --world or --calibration as CSV"
    arguments.add_csv(parser, words)
    words = "write the predictive check of the serving block, or with --trends each trend, to DIR"
    arguments.add_figure(parser, words)
    check_calibration.add_options(parser)


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Print the checks and return 1 where one falls short of its limit."""
    if other := _other_check(args):
        of_others = {"calibration": check_calibration, "world": check_world, "trends": check_trends}
        return (of_others[other].run if other in of_others else _run_validation)(args, settings)
    from forepass.inputs.priors import BLOCKS

    names = fit_command.chosen_blocks(args.block, BLOCKS)
    if args.figure is not None and SERVING not in names:
        raise InputError("--figure draws the serving block; add --block serving")
    document = answers.answer(
        "check",
        {"blocks": names, "lock": fingerprints.numerical_versions()},
        settings,
        draw=partial(_findings, args, names, settings),
        build=answers.as_found,
    )
    tell(args, "" if args.json else _text(document), **document)
    if args.figure is not None:
        from forepass.fit_checks.run import measured_quantities
        from forepass.tell.check_figures import draw_check

        fit = fitting.fits_of([SERVING], args, settings)[SERVING]
        (rows,) = measured_quantities(SERVING, fit, settings)
        write_figures(args, {"serving_check": draw_check(rows)}, document)
    return 0 if all(one["passed"] for one in document["checks"]) else 1


COMMAND = Command("check", WORDS, EXAMPLE, run, _add_options)


def _other_check(args: argparse.Namespace) -> str | None:
    """Return the other check that is asked for, if any; refuse what does not go with it."""
    asked = next((name for name in OTHERS_TAKE if getattr(args, name)), None)
    takes = OTHERS_TAKE[asked] if asked else ALONE_TAKES
    for option in (*OTHERS_TAKE, *ALONE_TAKES, *BELONGS):
        if option not in (asked, *takes):
            why = f"does not go with --{asked}"
            if asked in (None, "trends"):
                why = f"belongs to --{BELONGS.get(option)}; give both"
            arguments.refuse_beside(args, [option], why.replace("_", "-"))
    return asked


def _findings(args: argparse.Namespace, names: list[str], settings: Settings) -> dict[str, object]:
    from forepass import catalogue
    from forepass.fit_checks.run import FORECAST, findings

    fits = fitting.fits_of(names, args, settings)
    tables = catalogue.load(settings)
    with fitting.progress_over([*names, FORECAST], quiet=args.quiet, what="checked") as report:
        found = findings(fits, tables, settings, report)
    checks = [dataclasses.asdict(one) for one in found]
    return {"blocks": fit_command.diagnostics(fits), "checks": checks}


def _text(document: dict[str, Any]) -> str:
    """Return a line for each check, and below what falls short, and rates beside beliefs."""
    from forepass.fit_checks.finding import as_rows

    checks = document["checks"]
    parts = [render.table(as_rows(checks), ["of", "check", "", "found"])]
    for one in checks:
        if not one["passed"]:
            name = f"{one['block'].replace('_', ' ')}, {one['check']}"
            parts += ["", f"{name}: the limit is {one['limit']}"]
            parts += [f"- {line}" for line in one["short"][:SHOWN]]
            parts += [f"- and {len(one['short']) - SHOWN} more"] * (len(one["short"]) > SHOWN)
    rates = [rate for one in checks for rate in one["values"].get("rates", [])]
    if rates:
        headers = ["rate, a year in logs or logits", "stated 90%", "on record", "fitted 90%", ""]
        parts += ["", render.table(map(_rate, rates), headers)]
    short = sum(not one["passed"] for one in checks)
    parts += ["", f"{short} of {len(checks)} checks fall short"]
    return render.framed(document, *parts, what="checks against their limits")


def _rate(rate: dict[str, Any]) -> list[str]:
    mark = "outside" if rate["outside"] else ""
    return [
        rate["name"],
        "{:+.2f} to {:+.2f}".format(*rate["stated"]),
        f"{rate['record']:+.2f} ± {rate['error']:.2f}",
        "{:+.2f} to {:+.2f}".format(*rate["fitted"]),
        f"{mark}, and of years to come".removeprefix(", and ") if rate["ahead"] else mark,
    ]


def _run_validation(args: argparse.Namespace, settings: Settings) -> int:
    """Print how the serving block predicts rows that it has not seen."""
    fits = fitting.fits_of([SERVING], args, settings)
    scores = _validation(args, settings)
    table = scores.reset_index()
    content = {"blocks": fit_command.diagnostics(fits), "validation": table.to_dict("records")}
    tell(args, f"{fit_command.diagnostics_text(fits)}\n\n{_validation_text(scores)}", **content)
    write_table(args, table)
    return 0 if fits[SERVING].diagnostics.passed else 1


def _validation(args: argparse.Namespace, settings: Settings) -> "pd.DataFrame":
    """Return the scores of every split, telling of each on a terminal."""
    from forepass.blocks.serving import validation
    from forepass.blocks.serving.model import TABLES, measured
    from forepass.blocks.serving.rows import make_rows
    from forepass.inputs.priors import load_priors
    from forepass.inputs.tables import load_tables

    def wanted(split: validation.Split) -> bool:
        return args.kind in (None, split.kind)

    tables = load_tables(TABLES, settings.data)
    table, _ = measured(tables)
    splits = [
        split
        for split in validation.splits(table, make_rows(table, tables))
        if wanted(split) and split.held.sum() >= validation.FEWEST_ROWS
    ]
    if not splits:
        raise InputError(f"--kind: no {args.kind} has enough measured rows to be held out")
    with fitting.progress_over(splits, quiet=args.quiet, what="splits") as report:
        return validation.validate(
            tables,
            load_priors(SERVING, settings.priors),
            seed=settings.seed,
            only=wanted,
            progress=_teller(report),
        )


def _teller(report: fitting.Report) -> Callable[[str], None]:
    """Return what tells of each split as it starts, and of the one before that it is done."""
    before: list[str] = []

    def tell(split: str) -> None:
        if before:
            report(before.pop(), "done")
        before.append(split)
        report(split, "fitting without it")

    return tell


def _validation_text(scores: "pd.DataFrame") -> str:
    rows = []
    for row in scores.reset_index().to_dict("records"):
        peers = {name: value for name, value in row.items() if str(name).startswith("crps ")}
        best = min(peers, key=lambda name: peers[name])
        own = [words.format(row[column]) for column, (_, words) in SCORES.items()]
        rival = f"{peers[best]:.2f} ({str(best).removeprefix('crps ')})"
        rows.append(
            [row["kind"], row["name"], *own, rival, f"{row['crps'] / peers[best] - 1:+.0%}"]
        )
    scored = [head for head, _ in SCORES.values()]
    headers = ["held out", "", *scored, "best naive peer's\nCRPS", "CRPS\nagainst it"]
    return (
        f"{render.table(rows, headers)}\n\n"
        "- fold: predicted over measured or its inverse, whichever is above 1; bias: median of "
        "predicted over measured\n"
        "- CRPS: of the natural log of tokens/s per chip; lower is better"
    )
