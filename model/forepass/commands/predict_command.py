"""``forepass predict``: throughput for every row of a table of configurations."""

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

from forepass import __version__, catalogue, fingerprints
from forepass.commands import arguments, configurations, fitting
from forepass.commands.arguments import Command
from forepass.inputs.definitions import load_definitions
from forepass.kept_fits import failed_notes
from forepass.settings import Settings
from forepass.tell import answers

if TYPE_CHECKING:
    import pandas as pd

WORDS = "the same for every row of a table of configurations"
EXAMPLE = """\
example: the p05 to p95 of output tokens per second and chip, row by row
  forepass predict configurations.csv --out predicted.csv

The table needs the columns chip, n_chips, model, weight_bits, input_tokens, output_tokens,
concurrency and disaggregated. Used where present: scenario, software, date, campaign,
speculative, cached_share, kv_bits and beams. Other columns pass through.
"""


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("table", type=arguments.existing_file, metavar="IN.csv")
    parser.add_argument("--out", type=arguments.new_file, required=True, metavar="OUT.csv")
    arguments.add_own_tables(parser)


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Write the predictions and return 1 when a row could not be done."""
    rows = configurations.read(args.table)
    parsed, errors = configurations.parse(rows)
    predicted, failed, frame = _predict(parsed, args, settings)
    errors |= failed
    configurations.write(rows, predicted, args.out)
    complaints = [{"line": rows.lines[place], "error": errors[place]} for place in sorted(errors)]
    for complaint in complaints:
        where = f"{args.table} line {complaint['line']}"
        print(f"forepass: {where}: {complaint['error']}", file=sys.stderr)
    n_rows = len(rows.cells)
    if args.json:
        found = {**frame, "rows": n_rows, "out": str(args.out), "errors": complaints}
        print(json.dumps(found, indent=2))
    for mark in frame.get("failed_checks", []):
        print(f"forepass: {mark}", file=sys.stderr)
    if not (args.json or args.quiet):
        done = n_rows - len(complaints)
        print(f"wrote {args.out}: {done} of {n_rows} rows predicted", file=sys.stderr)
    return 1 if complaints else 0


COMMAND = Command("predict", WORDS, EXAMPLE, run, _add_options, draws=True)


def _predict(
    parsed: "pd.DataFrame", args: argparse.Namespace, settings: Settings
) -> "tuple[pd.DataFrame, dict[int, str], dict[str, Any]]":
    """Return new columns of rows that can be done, what is wrong with others, and hashes."""
    from forepass import posterior
    from forepass.forward import capacity

    tables = catalogue.load(settings, chips_file=args.chips_file, models_file=args.models_file)
    fits = fitting.fits_of(posterior.BLOCKS, args, settings)
    predicted, failed = capacity.predict(parsed, fits, tables, load_definitions(settings.priors))
    frame = {
        "forepass": __version__,
        "seed": settings.seed,
        "inputs": fingerprints.input_hashes(settings.data, settings.priors),
    }
    if marks := failed_notes(fits):
        frame["failed_checks"] = marks
    return predicted.assign(made_from=answers.made_from(frame)), failed, frame
