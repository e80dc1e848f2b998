"""What subcommands print beside their answers."""

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING

from forepass import __version__, atomic
from forepass.documents import Document
from forepass.inputs.rows import read_rows
from forepass.tell import render

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def tell(args: argparse.Namespace, text: str, **content: object) -> None:
    """Print what was found as text or, where asked for, as JSON with the version that found it."""
    print(json.dumps({"forepass": __version__, **content}, indent=2) if args.json else text)


def tell_answer(
    args: argparse.Namespace,
    document: Document,
    text: Callable[[Document], str],
    write_csv: Callable[[Document, Path], None] = render.write_csv,
) -> None:
    """Print an answer as text or JSON, and write it as CSV where that is asked for."""
    print(render.as_json(document) if args.json else text(document))
    if getattr(args, "csv", None) is not None:
        write_csv(document, args.csv)
        say_written(args, args.csv)


def write_table(args: argparse.Namespace, table: "pd.DataFrame") -> None:
    """Write a table as CSV where that is asked for."""
    if args.csv is not None:
        atomic.write_text(args.csv, table.to_csv(index=False, lineterminator="\n"))
        say_written(args, args.csv)


def write_figures(
    args: argparse.Namespace, figures: "Mapping[str, Figure]", document: Document | None = None
) -> None:
    """Write figures to the folder asked for, under their names, with the answer's hashes."""
    from forepass.tell.figures import save_figure

    for name, figure in figures.items():
        say_written(args, *save_figure(figure, args.figure, name, document))


def source_titles(data: Traversable, *further: str) -> dict[str, str]:
    """Return title, publisher, date and further columns of each source, in a line, by key."""
    shown = ("title", "publisher", "date", *further)
    return {
        row["source"]: ", ".join(row[field] for field in shown if row.get(field))
        for row in read_rows(data / "sources.csv").records()
    }


def say_written(args: argparse.Namespace, *paths: Path) -> None:
    """Say on standard error that files are there."""
    if not args.quiet:
        for path in paths:
            print(f"wrote {path}", file=sys.stderr)
