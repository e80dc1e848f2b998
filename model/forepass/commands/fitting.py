"""Fits for the subcommands that draw: from the cache or anew, with progress on a terminal."""

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from contextlib import contextmanager
from typing import TYPE_CHECKING

from forepass.settings import Settings

if TYPE_CHECKING:
    from distributed import Client

    from forepass.posterior import Fit

type Report = Callable[[str, str], None]


class CheckError(Exception):
    """A fit fell short of its checks: one line that says which and what to do; exit status 1."""


def fits_of(
    names: Sequence[str], args: argparse.Namespace, settings: Settings, *, force: bool = False
) -> "dict[str, Fit]":
    """Return the fits of the blocks ``names``, as `checked` has them made.

    A command that does not let the user insist shows a failed fit beside the others.
    """
    from forepass import posterior

    unsafe = getattr(args, "unsafe_ignore_checks", True)
    with checked(names, args) as report:
        return posterior.fitted(
            names, settings, force=force, progress=report, unsafe=unsafe, side_by_side=True
        )


@contextmanager
def checked(names: Sequence[str], args: argparse.Namespace) -> Iterator[Report]:
    """Yield what fits of the blocks ``names`` report to.

    ``CheckError`` is raised when one fails its convergence checks and the user did not insist.
    """
    from forepass import posterior

    try:
        with progress_over(names, quiet=args.quiet) as report:
            yield report
    except posterior.FitFailed as failure:
        insist = "; --unsafe-ignore-checks answers all the same, and every output then says so"
        raise CheckError(f"{failure}{insist}") from failure


def shared_out[T, G, R](
    work: Callable[[T, G], R], asked: Iterable[T], given: G, *, on: "Client | None", quiet: bool
) -> Iterator[tuple[T, R]]:
    """Yield tasks and their results as `forepass.tasks.run` does, with progress on a terminal."""
    from forepass import tasks

    asked = list(asked)
    with progress_over(asked, quiet=quiet, what="tasks") as report:
        for task, found in tasks.run(work, asked, given, on=on):
            yield task, found
            report("tasks", "done")


@contextmanager
def progress_over(parts: Sized, *, quiet: bool, what: str = "blocks") -> Iterator[Report]:
    """Yield what a fit reports (block, stage) to, which is silent where nobody is watching."""
    if quiet or not sys.stderr.isatty():
        yield lambda _block, _stage: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn

    watched = Console(stderr=True)
    columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), what, TimeElapsedColumn())
    with Progress(*columns, console=watched, transient=True) as bar:
        task = bar.add_task("fits", total=len(parts))

        def report(block: str, stage: str) -> None:
            words = f"{block.replace('_', ' ')}: {stage}"
            bar.update(task, advance=1 if stage == "done" else 0, description=words)

        yield report
