"""What subcommands print beside their answers."""

import argparse
import json
import sys
from pathlib import Path

from forepass import __version__


def tell(args: argparse.Namespace, text: str, **content: object) -> None:
    """Print what was found as text or, where asked for, as JSON with the version that found it."""
    print(json.dumps({"forepass": __version__, **content}, indent=2) if args.json else text)


def say_written(args: argparse.Namespace, *paths: Path) -> None:
    """Say on standard error that files are there."""
    if not args.quiet:
        for path in paths:
            print(f"wrote {path}", file=sys.stderr)
