"""``forepass predict``: throughput for every row of a table of configurations."""

import argparse
import json
import sys
from typing import TYPE_CHECKING

from forepass.commands import arguments
from forepass.commands.arguments import Subparsers

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["NAME", "add_parser", "run"]

NAME = "predict"

EXAMPLE = """\
example: the p05 to p95 of output tokens per second and chip, row by row
  forepass predict configurations.csv --out predicted.csv

The table needs the columns chip, n_chips, model, weight_bits, input_tokens, output_tokens,
concurrency and disaggregated; scenario, software and date are used where present, and other
columns pass through.
"""


def add_parser(subparsers: Subparsers) -> None:
    """Add the parser of ``predict``."""
    parser = subparsers.add_parser(
        NAME,
        help="the same for every row of a table of configurations",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("table", type=arguments.existing_file, metavar="IN.csv")
    parser.add_argument("--out", type=arguments.new_file, required=True, metavar="OUT.csv")
    parser.add_argument("--chips-file", type=arguments.existing_file, metavar="CSV")
    parser.add_argument("--models-file", type=arguments.existing_file, metavar="CSV")
    arguments.add_despite(parser)
    arguments.add_common(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write the predictions and return 1 when a row could not be done."""
    from forepass.commands import configurations

    rows = configurations.read(args.table)
    parsed, errors = configurations.parse(rows)
    predicted, failed = _predict(parsed, args)
    errors |= failed
    configurations.write(rows, predicted, args.out)
    complaints = [(rows.lines[place], errors[place]) for place in sorted(errors)]
    for line, error in complaints:
        print(f"forepass: {args.table} line {line}: {error}", file=sys.stderr)
    _report(args, n_rows=len(rows.cells), complaints=complaints)
    return 1 if complaints else 0


def _predict(
    parsed: "pd.DataFrame", args: argparse.Namespace
) -> "tuple[pd.DataFrame, dict[int, str]]":
    """Return the new columns for the rows that can be done, and what is wrong with the others."""
    from forepass import capacity, posterior
    from forepass.commands import catalogue, fitting
    from forepass.inputs.definitions import load_definitions

    settings = arguments.settings_from(args)
    tables = catalogue.load(settings, chips_file=args.chips_file, models_file=args.models_file)
    fits = fitting.checked_fits(
        posterior.BLOCKS,
        settings,
        quiet=args.quiet,
        despite_failed_checks=args.despite_failed_checks,
    )
    return capacity.predict(parsed, fits, tables, load_definitions(settings.priors))


def _report(args: argparse.Namespace, *, n_rows: int, complaints: list[tuple[int, str]]) -> None:
    if args.json:
        errors = [{"line": line, "error": error} for line, error in complaints]
        print(json.dumps({"rows": n_rows, "out": str(args.out), "errors": errors}, indent=2))
    elif not args.quiet:
        done = n_rows - len(complaints)
        print(f"wrote {args.out}: {done} of {n_rows} rows predicted", file=sys.stderr)
