"""``forepass check --trends``: what the trends would have said before, and what they say of growth.

A block takes part if `forepass.trend_checks` has a module of its name, with

    leave_future_out_scores(settings, progress=None)    scores of rows after each cut, refitting
    growth_rates(posterior, settings)                   `Growth`, beside published ones
    notes(posterior, settings)                          lines of further findings
    figures(posterior, settings)                        what draws each figure, by its name
"""

import argparse
import json
from dataclasses import asdict
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING

from forepass import __version__
from forepass.commands import arguments, by_year, fit_command, fitting
from forepass.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import pandas as pd

    from forepass.trend_checks.published import Growth

__all__ = ["run"]

PLACE = "forepass.trend_checks"
NEAR = "1 to 3"
OVERALL = "all"


def run(args: argparse.Namespace) -> int:
    """Print scores, growth and findings of every trend; return 1 where sampling fell short."""
    from forepass import atomic, posterior

    checks = _modules(args.block, posterior.BLOCKS)
    settings = arguments.settings_from(args)
    with fitting.progress_over(list(checks), quiet=args.quiet) as report:
        fits = posterior.fitted(checks, settings, progress=report, unsafe=True)
    with fitting.progress_over(list(checks), quiet=args.quiet) as report:
        told = _teller(report)
        scores = _summaries(
            check.leave_future_out_scores(settings, progress=told(name)).assign(block=name)
            for name, check in checks.items()
        )
    growths = {n: c.growth_rates(fits[n].posterior, settings) for n, c in checks.items()}
    notes = {n: c.notes(fits[n].posterior, settings) for n, c in checks.items()}
    if args.json:
        print(_as_json(scores, growths, notes))
    else:
        diagnostics = fit_command.diagnostics_text(fits)
        print("\n\n".join([diagnostics, *_as_text(scores, growths, notes)]))
    if args.csv is not None:
        atomic.write_text(args.csv, scores.round(4).to_csv(index=False, lineterminator="\n"))
        by_year.say_written(args.csv, args)
    if args.figure is not None:
        from forepass.figures import save_figure

        for block, check in checks.items():
            for name, draw in check.figures(fits[block].posterior, settings).items():
                for path in save_figure(draw, args.figure, f"{block}_{name}"):
                    by_year.say_written(path, args)
    return 0 if all(fit.diagnostics.passed for fit in fits.values()) else 1


def _modules(asked: "list[str] | None", blocks: "tuple[str, ...]") -> dict[str, ModuleType]:
    names = fit_command.chosen_blocks(asked, blocks)
    found = [name for name in names if find_spec(f"{PLACE}.{name}")]
    if not found:
        raise InputError(f"--block: no trend of {', '.join(names)} is checked")
    return {name: import_module(f"{PLACE}.{name}") for name in found}


def _teller(
    report: "Callable[[str, str], None] | None",
) -> "Callable[[str], Callable[[str], None] | None]":
    def of(block: str) -> "Callable[[str], None] | None":
        return None if report is None else lambda stage: report(block, stage)

    return of


def _summaries(scores: "Iterable[pd.DataFrame]") -> "pd.DataFrame":
    """Return mean scores by block, structure and horizon: of each quantity, and of all."""
    import pandas as pd

    from forepass.trend_checks.leave_future_out import summary

    every = pd.concat(list(scores), ignore_index=True)
    if "structure" not in every:
        every["structure"] = ""
    every["structure"] = every["structure"].fillna("")
    by = ("block", "structure", "quantity")
    return pd.concat([summary(every.assign(quantity=OVERALL), by), summary(every, by)])


def _as_json(
    scores: "pd.DataFrame",
    growths: "Mapping[str, list[Growth]]",
    notes: "Mapping[str, list[str]]",
) -> str:
    content = {
        "forepass": __version__,
        "scores": scores.astype({"horizon": str}).to_dict("records"),
        "growth": {block: [asdict(rate) for rate in rates] for block, rates in growths.items()},
        "notes": dict(notes),
    }
    return json.dumps(content, indent=2)


def _as_text(
    scores: "pd.DataFrame",
    growths: "Mapping[str, list[Growth]]",
    notes: "Mapping[str, list[str]]",
) -> list[str]:
    from forepass import render

    near = scores[(scores["horizon"] == NEAR) & ~scores["structure"].isin(_alone(scores))]
    overall = scores[scores["quantity"] == OVERALL]
    parts = [
        f"Rows {NEAR} years after the cut, forecast from the record before it",
        _score_table(near),
        "Every horizon and structure",
        _score_table(overall),
    ]
    for block, rates in growths.items():
        rows = [
            [
                rate.name,
                f"{rate.median:.2f} ({rate.low:.2f} to {rate.high:.2f})",
                ", ".join(f"{value:.2f} ({name})" for name, value in rate.published.items()),
            ]
            for rate in rates
        ]
        headers = [f"growth of {block.replace('_', ' ')}, x per year", "80% interval", "published"]
        parts.append(render.table(rows, headers))
        parts.append("\n".join(notes[block]))
    return parts


def _alone(scores: "pd.DataFrame") -> set[str]:
    """Return the structures that go into a stacked one."""
    found = set(scores["structure"])
    return found - {"stacked"} if "stacked" in found else set()


def _score_table(scores: "pd.DataFrame") -> str:
    from forepass import render

    rows = [
        [
            row["block"],
            f"{row['quantity']} {row['structure']}".strip(),
            row["horizon"],
            f"{row['rows']}",
            *(f"{row[name]:.0%}" for name in ("cover50", "cover80")),
            *(f"{row[name]:.3f}" for name in ("crps", "crps log-linear", "crps random walk")),
        ]
        for row in scores.to_dict("records")
    ]
    headers = [
        "block",
        "quantity",
        "years\nahead",
        "rows",
        "in 50%\ninterval",
        "in 80%\ninterval",
        "CRPS of\nthe log",
        "log-linear\nfit",
        "random walk\nwith drift",
    ]
    return render.table(rows, headers)
