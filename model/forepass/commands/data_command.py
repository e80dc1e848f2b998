"""``forepass data``: the observed tables, listed, shown and checked."""

import argparse
import difflib
import json
from importlib.resources.abc import Traversable

from forepass.commands import arguments
from forepass.commands.arguments import Subparsers
from forepass.errors import InputError

__all__ = ["NAME", "add_parser", "run"]

NAME = "data"

EXAMPLE = """\
examples:
  forepass data list
  forepass data show chips
  forepass data check --data my-data
"""

# Columns that say when a row was seen; the first that a table has dates it.
DATES = ("date", "quarter_end", "made_date", "release_date")


def add_parser(subparsers: Subparsers) -> None:
    """Add the parser of ``data``."""
    parser = subparsers.add_parser(
        NAME,
        help="list, show and check the observed tables",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="tables with rows, sources and newest date")
    showing = actions.add_parser("show", help="one table")
    showing.add_argument("table", metavar="TABLE")
    checking = actions.add_parser("check", help="every table against its schema and the others")
    for action, run_action in ((listing, _list), (showing, _show), (checking, _check)):
        arguments.add_common(action)
        action.set_defaults(run=run, run_action=run_action)


def run(args: argparse.Namespace) -> int:
    """Do what was asked of the tables."""
    status: int = args.run_action(args)
    return status


def _list(args: argparse.Namespace) -> int:
    from forepass import render
    from forepass.inputs.rows import read_rows

    found = []
    for name, path in _tables(arguments.settings_from(args).data).items():
        rows = read_rows(path).records()
        keys = {key for row in rows for key in row.get("source", "").split(";") if key}
        newest = max(_date(row) for row in rows)
        found.append({"table": name, "rows": len(rows), "sources": len(keys), "newest": newest})
    headers = ["table", "rows", "sources", "newest"]
    if args.json:
        print(json.dumps({"tables": found}, indent=2))
    else:
        print(render.table([[str(row[key]) for key in headers] for row in found], headers))
    return 0


def _show(args: argparse.Namespace) -> int:
    from forepass import render
    from forepass.inputs.rows import read_rows

    tables = _tables(arguments.settings_from(args).data)
    if args.table not in tables:
        close = difflib.get_close_matches(args.table, tables, n=3) or sorted(tables)
        raise InputError(f"no table {args.table!r}; did you mean {', '.join(close)}?")
    rows = read_rows(tables[args.table])
    if args.json:
        print(json.dumps({"table": args.table, "rows": rows.records()}, indent=2))
    else:
        print(render.table(rows.cells, rows.header))
    return 0


def _check(args: argparse.Namespace) -> int:
    findings = _findings(arguments.settings_from(args).data)
    if args.json:
        print(json.dumps({"findings": findings}, indent=2))
    else:
        print("\n".join(findings) if findings else "the tables keep to their schemas and agree")
    return 1 if findings else 0


def _findings(folder: Traversable) -> list[str]:
    """Return the first fault of each table, and what is doubtful between those without one."""
    from forepass.inputs import tables
    from forepass.inputs.checks import check_tables

    sound, findings = {}, []
    for name in tables.TABLES:
        try:
            sound[name] = tables.load_table(name, folder)
        except InputError as error:
            findings.append(str(error))
    try:
        findings += [str(finding) for finding in check_tables(sound)]
    except InputError as error:
        findings.append(str(error))
    return findings


def _tables(folder: Traversable) -> dict[str, Traversable]:
    files = {path.name: path for path in folder.iterdir() if path.name.endswith(".csv")}
    if not files:
        raise InputError(f"{folder} holds no CSV table")
    return {name.removesuffix(".csv"): files[name] for name in sorted(files)}


def _date(row: dict[str, str]) -> str:
    return next((row[column] for column in DATES if row.get(column)), "")
