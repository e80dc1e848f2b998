"""Fits for the subcommands that draw: from the cache or anew, with progress on a terminal."""

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from forepass.tell.answers import FAILED

if TYPE_CHECKING:
    import xarray as xr

    from forepass.posterior import Fit
    from forepass.settings import Settings

type Report = Callable[[str, str], None]


class CheckError(Exception):
    """A fit fell short of its checks: one line that says which and what to do; exit status 1."""


def checked_fits(
    names: Sequence[str], args: argparse.Namespace, settings: "Settings"
) -> "dict[str, Fit]":
    """Return the fits of the blocks ``names``, fitting those that are stale.

    ``CheckError`` is raised when one fails its convergence checks and the user did not insist.
    """
    from forepass import posterior

    insisted = args.unsafe_ignore_checks
    try:
        with progress_over(names, quiet=args.quiet) as report:
            return posterior.fitted(names, settings, progress=report, unsafe=insisted)
    except posterior.FitFailed as failure:
        insist = "; --unsafe-ignore-checks answers all the same, and every output then says so"
        raise CheckError(f"{failure}{insist}") from failure


def flagged(draws: "xr.Dataset", fits: "Mapping[str, Fit]") -> "xr.Dataset":
    """Return ``draws`` with a note for each fit that they come from although it failed."""
    return draws.assign_attrs(notes=[*draws.attrs.get("notes", []), *failed_notes(fits)])


def failed_notes(fits: "Mapping[str, Fit]") -> list[str]:
    """Return a note for each fit that fell short of its checks."""
    failed = [name for name, fit in fits.items() if not fit.diagnostics.passed]
    return [f"{FAILED}: the fit of block {name} did not converge" for name in failed]


@contextmanager
def progress_over(
    names: Sequence[str], *, quiet: bool, what: str = "blocks"
) -> Iterator[Report | None]:
    """Yield what a fit reports (block, stage) to, or None where nobody is watching."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn

    watched = Console(stderr=True)
    columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), what, TimeElapsedColumn())
    with Progress(*columns, console=watched, transient=True) as bar:
        task = bar.add_task("fits", total=len(names))

        def report(block: str, stage: str) -> None:
            words = f"{block.replace('_', ' ')}: {stage}"
            bar.update(task, advance=1 if stage == "done" else 0, description=words)

        yield report
