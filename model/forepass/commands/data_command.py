"""``forepass data``: the observed tables, listed, shown and checked."""

import argparse
from importlib.resources.abc import Traversable

from forepass.commands.arguments import Command
from forepass.commands.output import tell
from forepass.errors import InputError
from forepass.inputs.rows import read_rows
from forepass.inputs.text_files import suggest
from forepass.settings import Settings
from forepass.tell import render

EXAMPLE = """\
examples:
  forepass data list
  forepass data show chips
  forepass data check --data my-data
"""

# Columns that say when a row was seen; the first that a table has dates it.
DATES = ("date", "quarter_end", "made_date", "release_date")


def _list(args: argparse.Namespace, settings: Settings) -> int:
    found = []
    for name, path in _tables(settings.data).items():
        rows = read_rows(path, may_be_empty=bool(settings.as_of)).records()
        keys = {key for row in rows for key in row.get("source", "").split(";") if key}
        newest = max((_date(row) for row in rows), default="")
        found.append({"table": name, "rows": len(rows), "sources": len(keys), "newest": newest})
    headers = ["table", "rows", "sources", "newest"]
    text = render.table([[str(row[key]) for key in headers] for row in found], headers)
    tell(args, text, tables=found)
    return 0


def _show(args: argparse.Namespace, settings: Settings) -> int:
    tables = _tables(settings.data)
    if args.table not in tables:
        raise InputError(f"no table {args.table!r}; {suggest(args.table, tables)}")
    rows = read_rows(tables[args.table], may_be_empty=bool(settings.as_of))
    tell(args, render.table(rows.cells, rows.header), table=args.table, rows=rows.records())
    return 0


def _check(args: argparse.Namespace, settings: Settings) -> int:
    findings = _findings(settings)
    text = "\n".join(findings) or "the tables keep to their schemas and agree"
    tell(args, text, findings=findings)
    return 1 if findings else 0


def _add_table(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("table", metavar="TABLE")


COMMAND = Command(
    "data",
    "list, show and check the observed tables",
    EXAMPLE,
    actions=(
        Command("list", "tables with rows, sources and newest date", "", _list),
        Command("show", "one table", "", _show, _add_table),
        Command("check", "every table against its schema and the others", "", _check),
    ),
)


def _findings(settings: Settings) -> list[str]:
    """Return the first fault of each table, and what is doubtful between those without one."""
    from forepass.inputs import tables
    from forepass.inputs.checks import check_tables

    sound, findings = {}, []
    for name in tables.TABLES:
        try:
            loaded = tables.load_tables([name], settings.data, may_be_empty=dict(settings.unseen))
            if not loaded[name].empty:
                sound[name] = loaded[name]
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
