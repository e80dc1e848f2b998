"""``forepass check``: whether the fits converged, and how the serving block predicts."""

import argparse
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from forepass import __version__
from forepass.commands import arguments, by_year, fit_command, fitting
from forepass.commands.arguments import Subparsers
from forepass.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from forepass.checks import Predictive
    from forepass.posterior import Fit
    from forepass.settings import Settings

__all__ = ["NAME", "add_parser", "run"]

NAME = "check"
SERVING = "serving"
KINDS = ("chip", "generation", "model", "campaign", "date", "vendor")

EXAMPLE = """\
examples: convergence of every block; the serving block refitted without each chip in turn
  forepass check --figure figures
  forepass check --serving-validation --kind chip --csv validation.csv
  forepass check --trends --block chips --figure figures
"""

SCORES = {
    "rows": "rows",
    "fold50": "median\nfold",
    "fold90": "90th pct\nfold",
    "bias": "bias",
    "cover50": "in 50%\ninterval",
    "cover80": "in 80%\ninterval",
    "width80": "80% width,\nfactor",
    "crps": "CRPS",
}


def add_parser(subparsers: Subparsers) -> None:
    """Add the parser of ``check``."""
    parser = subparsers.add_parser(
        NAME,
        help="convergence of the fits, their predictive checks, and validation on unseen rows",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--block", action="append", metavar="NAME", help="this block only (may be repeated)"
    )
    parser.add_argument(
        "--serving-validation",
        action="store_true",
        help="refit the serving block without each group of rows and score what it says of them "
        "(minutes to hours)",
    )
    parser.add_argument(
        "--trends",
        action="store_true",
        help="score what each trend would have said at earlier dates, beside naive forecasts, and "
        "show its growth rates beside published ones (refits; minutes)",
    )
    parser.add_argument(
        "--kind", choices=KINDS, help="with --serving-validation, these groups only"
    )
    parser.add_argument(
        "--csv",
        type=arguments.new_file,
        metavar="FILE",
        help="with --serving-validation or --trends, write the scores as CSV",
    )
    parser.add_argument(
        "--figure",
        type=arguments.output_folder,
        metavar="DIR",
        help="write the predictive check of the serving block, or with --trends each trend, to DIR "
        "as PNG and SVG",
    )
    arguments.add_common(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the checks and return 1 where the sampling of a block fell short."""
    from forepass import posterior
    from forepass.commands import check_trends

    _refuse_lonely_options(args)
    if args.trends:
        return check_trends.run(args)
    asked = [SERVING] if args.serving_validation else args.block
    names = fit_command.chosen_blocks(asked, posterior.BLOCKS)
    if args.figure is not None and SERVING not in names:
        raise InputError("--figure draws the serving block; add --block serving")
    settings = arguments.settings_from(args)
    with fitting.progress_over(names, quiet=args.quiet) as report:
        fits = posterior.fitted(names, settings, progress=report, unsafe=True)
    found = _predictive(fits[SERVING], settings) if SERVING in fits else None
    scores = _validation(args, settings) if args.serving_validation else None
    print((_as_json if args.json else _as_text)(fits, found, scores))
    if args.csv is not None and scores is not None:
        _write_csv(scores, args)
    if args.figure is not None and found is not None:
        from forepass import check_figures

        for path in check_figures.save_check(found, args.figure):
            by_year.say_written(path, args)
    return 0 if all(fit.diagnostics.passed for fit in fits.values()) else 1


def _refuse_lonely_options(args: argparse.Namespace) -> None:
    if args.serving_validation:
        if args.trends:
            raise InputError("--trends: --serving-validation is another check; ask for one")
        if args.block:
            raise InputError("--block: --serving-validation is of the serving block alone")
        return
    for option, value in (("--kind", args.kind), ("--csv", None if args.trends else args.csv)):
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


def _as_json(
    fits: "Mapping[str, Fit]", found: "Predictive | None", scores: "pd.DataFrame | None"
) -> str:
    content: dict[str, Any] = {"forepass": __version__, "blocks": fit_command.diagnostics(fits)}
    if found is not None:
        content["predictive"] = {"scores": found.scores, "loo": found.loo}
    if scores is not None:
        content["validation"] = scores.reset_index().to_dict("records")
    return json.dumps(content, indent=2)


def _as_text(
    fits: "Mapping[str, Fit]", found: "Predictive | None", scores: "pd.DataFrame | None"
) -> str:
    parts = [fit_command.diagnostics_text(fits)]
    if found is not None:
        parts.append(_predictive_text(found))
    if scores is not None:
        parts.append(_validation_text(scores))
    return "\n\n".join(parts)


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
        own = [_score_text(column, row[column]) for column in SCORES]
        rival = f"{peers[best]:.2f} ({str(best).removeprefix('crps ')})"
        rows.append(
            [row["kind"], row["name"], *own, rival, f"{row['crps'] / peers[best] - 1:+.0%}"]
        )
    headers = ["held out", "", *SCORES.values(), "best naive peer's\nCRPS", "CRPS\nagainst it"]
    return "\n".join(
        [
            render.table(rows, headers),
            "",
            "- fold: predicted over measured or its inverse, whichever is above 1; bias: median of "
            "predicted over measured",
            "- CRPS: of the natural log of tokens/s per chip; lower is better",
        ]
    )


def _score_text(column: str, value: float) -> str:
    if column == "rows":
        return f"{value:,.0f}"
    return f"{value:.0%}" if column.startswith("cover") else f"{value:.2f}"


def _write_csv(scores: "pd.DataFrame", args: argparse.Namespace) -> None:
    from forepass import atomic

    atomic.write_text(args.csv, scores.reset_index().to_csv(index=False, lineterminator="\n"))
    by_year.say_written(args.csv, args)
