"""``forepass check``: whether the fits converged, and how the serving block predicts."""

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from forepass.commands import arguments, check_calibration, fit_command, fitting
from forepass.commands.arguments import Command
from forepass.commands.output import say_written, tell
from forepass.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from forepass.checks import Predictive
    from forepass.posterior import Fit
    from forepass.settings import Settings

SERVING = "serving"
KINDS = ("chip", "generation", "model", "campaign", "date", "vendor")

EXAMPLE = """\
examples: convergence of every block; the serving block refitted without each chip in turn;
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
    parser.add_argument(
        "--serving-validation",
        action="store_true",
        help="refit the serving block without each group of rows and score what it says of them "
        "(minutes to hours)",
    )
    parser.add_argument(
        "--trends",
        action="store_true",
        help="show the growth rates of each trend beside published ones, and what its priors and "
        "its posterior say of the rows (what it would have said before: forepass backtest)",
    )
    parser.add_argument(
        "--world",
        action="store_true",
        help="show the forecast beside published figures of the same quantity and date, with the "
        "reason where they differ",
    )
    parser.add_argument(
        "--kind", choices=KINDS, help="with --serving-validation, these groups only"
    )
    parser.add_argument(
        "--csv",
        type=arguments.new_file,
        metavar="FILE",
        help="write the table of --serving-validation, --world or --calibration as CSV",
    )
    words = "write the predictive check of the serving block, or with --trends each trend, to DIR"
    arguments.add_figure(parser, words)
    check_calibration.add_options(parser)


def run(args: argparse.Namespace) -> int:
    """Print the checks and return 1 where the sampling of a block fell short."""
    from forepass.commands import check_trends, check_world

    check_calibration.refuse_lonely_options(args)
    if args.calibration:
        return check_calibration.run(args)
    _refuse_lonely_options(args)
    if args.world:
        return check_world.run(args)
    from forepass import atomic, posterior

    if args.trends:
        return check_trends.run(args)
    asked = [SERVING] if args.serving_validation else args.block
    names = fit_command.chosen_blocks(asked, posterior.BLOCKS)
    if args.figure is not None and SERVING not in names:
        raise InputError("--figure draws the serving block; add --block serving")
    settings = arguments.settings_from(args)
    with fitting.progress_over(names, quiet=args.quiet) as report:
        fits = posterior.fitted(names, settings, progress=report, unsafe=True)
    parts = [fit_command.diagnostics_text(fits)]
    content: dict[str, Any] = {"blocks": fit_command.diagnostics(fits)}
    found = _predictive(fits[SERVING], settings) if SERVING in fits else None
    if found is not None:
        parts.append(_predictive_text(found))
        content["predictive"] = {"scores": found.scores, "loo": found.loo}
    scores = _validation(args, settings) if args.serving_validation else None
    if scores is not None:
        parts.append(_validation_text(scores))
        content["validation"] = scores.reset_index().to_dict("records")
    tell(args, "\n\n".join(parts), **content)
    if args.csv is not None and scores is not None:
        text = scores.reset_index().to_csv(index=False, lineterminator="\n")
        atomic.write_text(args.csv, text)
        say_written(args, args.csv)
    if args.figure is not None and found is not None:
        from forepass import check_figures, figures

        figure = check_figures.draw_check(found)
        say_written(args, *figures.save_figure(figure, args.figure, "serving_check"))
    return 0 if all(fit.diagnostics.passed for fit in fits.values()) else 1


COMMAND = Command(
    "check",
    "convergence of the fits, their predictive checks, and validation on unseen rows",
    EXAMPLE,
    run,
    _add_options,
)


def _refuse_lonely_options(args: argparse.Namespace) -> None:
    if args.world:
        others = ("serving_validation", "trends", "block", "kind", "figure")
        for option in (name for name in others if getattr(args, name)):
            raise InputError(f"--{option.replace('_', '-')} does not go with --world")
        return
    if args.serving_validation:
        if args.trends:
            raise InputError("--trends: --serving-validation is another check; ask for one")
        if args.block:
            raise InputError("--block: --serving-validation is of the serving block alone")
        return
    for option, value in (("--kind", args.kind), ("--csv", args.csv)):
        if value is not None:
            raise InputError(f"{option} belongs to --serving-validation; give both")


def _predictive(fit: "Fit", settings: "Settings") -> "Predictive":
    from forepass import checks
    from forepass.blocks.serving.model import TABLES
    from forepass.inputs.tables import load_tables

    tables = load_tables(TABLES, settings.data)
    return checks.predictive(fit.posterior, tables, seed=settings.seed)


def _validation(args: argparse.Namespace, settings: "Settings") -> "pd.DataFrame":
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
    names = [
        f"{split.kind} {split.name}"
        for split in validation.splits(table, make_rows(table, tables))
        if wanted(split) and split.held.sum() >= validation.FEWEST_ROWS
    ]
    if not names:
        raise InputError(f"--kind: no {args.kind} has enough measured rows to be held out")
    with fitting.progress_over(names, quiet=args.quiet, what="splits") as report:
        return validation.validate(
            tables,
            load_priors(SERVING, settings.priors),
            seed=settings.seed,
            only=wanted,
            progress=_teller(report),
        )


def _teller(report: Callable[[str, str], None] | None) -> Callable[[str], None]:
    """Return what tells of each split as it starts, and of the one before that it is done."""
    before: list[str] = []

    def tell(split: str) -> None:
        if report is None:
            return
        if before:
            report(before.pop(), "done")
        before.append(split)
        report(split, "fitting without it")

    return tell


def _predictive_text(found: "Predictive") -> str:
    s, loo = found.scores, found.loo
    return "\n".join(
        [
            f"serving, {s['rows']:,} rows that the fit has seen: median fold {s['fold50']:.2f}, "
            f"90th percentile {s['fold90']:.2f}; {s['cover50']:.0%} in the 50% interval, "
            f"{s['cover80']:.0%} in the 80% interval",
            f"leave-one-out: elpd {loo['elpd']:.0f} (standard error {loo['se']:.0f}), "
            f"{loo['p']:.0f} effective parameters, largest Pareto k {loo['k_max']:.2f}, "
            f"too high to trust for {loo['bad_share']:.1%} of rows",
        ]
    )


def _validation_text(scores: "pd.DataFrame") -> str:
    from forepass import render

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
    return "\n".join(
        [
            render.table(rows, headers),
            "",
            "- fold: predicted over measured or its inverse, whichever is above 1; bias: median of "
            "predicted over measured",
            "- CRPS: of the natural log of tokens/s per chip; lower is better",
        ]
    )
