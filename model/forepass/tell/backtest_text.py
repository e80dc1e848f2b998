"""The tables of a backtest, in words."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from forepass.backtest.experts import Due
from forepass.backtest.runs import LONGEST, PEERS, Result, Task
from forepass.backtest.summary import summary
from forepass.backtest.targets import UNSCORED, targets_of
from forepass.tell import render

ALL = "all"
RHAT_LIMIT = 1.1
"""Chains of so few draws that differ by more are said to have fallen short."""
AIM = (0.7, 0.9)


def forecasts(results: Mapping[Task, Result], targets: Iterable[str]) -> pd.DataFrame:
    """Return every forecast of a row of the targets asked for, with its scores."""
    rows = [row for result in results.values() for row in result.rows]
    found = pd.DataFrame(rows)
    return found[found["target"].isin(list(targets))] if rows else found


def table_of(rows: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Return mean scores of each target by horizon and over all, and of all targets."""
    parts = [
        summary(rows.assign(**dict.fromkeys(over, ALL)), PEERS, ("target", "horizon"), seed=seed)
        for over in ((), ("horizon",))
    ]
    parts += [
        summary(rows.assign(every=ALL), PEERS, by, seed=seed)
        .rename(columns={"every": "target"})
        .assign(**({} if "horizon" in by else {"horizon": ALL}))
        for by in (("every", "horizon"), ("every",))
    ]
    first = rows.drop_duplicates("target").set_index("target")
    found = pd.concat(parts, ignore_index=True)
    for column in ("block", "mode"):
        found.insert(0, column, found["target"].map(first[column]).fillna(ALL))
    front = ["block", "target", "mode", "horizon"]
    return found[front + [name for name in found if name not in front]]


def as_text(
    table: pd.DataFrame,
    results: Mapping[Task, Result],
    targets: Iterable[str],
    experts: Iterable[Due] = (),
) -> str:
    """Return the tables by target and by horizon, experts, what is not scored or fell short."""
    whole = table[table["horizon"] == ALL]
    origins = sorted({task.origin for task in results})
    parts = [
        f"Forecasts made from {origins[0]:g} to {origins[-1]:g} of what came up to {LONGEST} years "
        "later; CRPS of natural logs, and over that of simple forecasts (below 1 is better). "
        "Ranges: 80% bootstrap over who and when.",
        _by_target(whole),
        "By years ahead: share in the 80% interval, and CRPS over that of the best simple forecast",
        _by_horizon(table),
        *_verdict(whole),
    ]
    said = [
        f"- {row.forecaster}, {row.made}: {row.quantity} {row.date} {row.said:.3g}, "
        f"came {row.came:.3g} ({np.expm1(row.error):+.0%})"
        for row in experts
    ]
    if said:
        about = "Experts' forecasts that have come due, and how far off they were:"
        parts.append("\n".join([about, *said]))
    if said := _unscored(results, set(targets)):
        parts.append("Not scored:\n" + "\n".join(said))
    if said := shortfalls(results):
        parts.append("\n".join(said))
    return "\n\n".join(parts)


def shortfalls(results: Mapping[Task, Result]) -> list[str]:
    """Return a line for each task whose chains disagree."""
    return [
        f"the fit of {task.name} fell short: R-hat {result.rhat:.2f} (limit {RHAT_LIMIT})"
        for task, result in results.items()
        if result.rhat > RHAT_LIMIT
    ]


def words_of(block: str, target: str, mode: str) -> str:
    """Return what a target is called, marked where its rows were counted again later."""
    if target == ALL:
        return "all targets alike"
    mark = "*" if mode == "reconstructed" else ""
    return f"{targets_of(block).TARGETS[target].words}{mark}"


def _by_target(whole: pd.DataFrame) -> str:
    rows = [
        [
            words_of(row["block"], row["target"], row["mode"]),
            f"{row['origins']}",
            f"{row['rows']}",
            *(f"{row[name]:.0%}" for name in ("cover50", "cover80")),
            f"{row['cover80_low']:.0%}-{row['cover80_high']:.0%}",
            f"{row['cover90']:.0%}",
            f"{row['crps']:.2f}",
            *(_ratio(row.get(f"versus {peer}", np.nan)) for peer in PEERS),
            f"{row['versus best_low']:.2f}-{row['versus best_high']:.2f}",
            f"{row['above']:.1f} + {row['below']:.1f}",
        ]
        for row in whole.to_dict("records")
    ]
    headers = ["target", "origins", "rows", "in\n50%", "in\n80%", "\n(range)", "in\n90%", "\nCRPS"]
    headers += ["over log-\nlinear", "random\nwalk", "last\nvalue", "published\nrate"]
    headers += ["best of all\nrows (range)", "too high +\ntoo low"]
    table = render.table(rows, headers)
    note = "* counted again later, and read as if counted a quarter after the date."
    return f"{table}\n{note}" if (whole["mode"] == "reconstructed").any() else table


def _ratio(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.2f}"


def _by_horizon(table: pd.DataFrame) -> str:
    ahead = list(range(1, LONGEST + 1))
    rows = []
    for row in table[table["horizon"] == ALL].to_dict("records"):
        own = table[table["target"] == row["target"]].to_dict("records")
        cells = {at["horizon"]: f"{at['cover80']:.0%}  {at['versus best']:.2f}" for at in own}
        name = words_of(row["block"], row["target"], row["mode"])
        rows.append([name, *(cells.get(years, "") for years in ahead)])
    return render.table(rows, ["target", *(f"{years}" for years in ahead)])


def _verdict(whole: pd.DataFrame) -> list[str]:
    own, total = whole[whole["target"] != ALL], whole[whole["target"] == ALL].iloc[0]
    met = AIM[0] <= total["cover80"] <= AIM[1]
    better = (own["versus best"] < 1).sum()
    peers = [f"{peer} {total[f'versus {peer}']:.2f}" for peer in PEERS if f"versus {peer}" in total]
    typical = np.exp(np.log(own["versus best"]).mean())
    return [
        f"80% intervals cover {total['cover80']:.0%} (aim {AIM[0]:.0%} to {AIM[1]:.0%}: "
        f"{'met' if met else 'missed'}); CRPS over that of {', '.join(peers)}; below that "
        f"of the best one on {better} of {len(own)} targets, and {typical:.2f} of it typically."
    ]


def _unscored(results: Mapping[Task, Result], targets: set[str]) -> list[str]:
    """Return a line for each target and reason, with the origins that it is true of."""
    when: dict[tuple[str, str], list[float]] = {}
    for task, result in results.items():
        for target, why in result.unscored.items():
            if target in targets:
                when.setdefault((words_of(task.block, target, ""), why), []).append(task.origin)
    said = [
        f"- {words} from {', '.join(f'{origin:g}' for origin in origins)}: {why}"
        for (words, why), origins in when.items()
    ]
    return [*said, *(f"- {words}: {why}" for words, why in UNSCORED.items())]


def as_records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table without what they lack, for JSON."""
    return [
        {str(name): value for name, value in row.items() if not pd.isna(value)}
        for row in table.to_dict("records")
    ]


def fits_of(results: Mapping[Task, Result]) -> list[dict[str, Any]]:
    """Return how the chains of each task agree, as records."""
    return [
        {
            "block": task.block,
            "origin": task.origin,
            "rhat": result.rhat,
            "divergences": result.divergences,
            "seconds": result.seconds,
        }
        for task, result in results.items()
        if result.rows
    ]
