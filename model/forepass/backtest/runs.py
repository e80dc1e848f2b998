"""The forecasts of every block from every origin, each kept as soon as it is made."""

import hashlib
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from forepass import fingerprints, kept
from forepass import tasks as shared_out
from forepass.as_of import seen_as_of
from forepass.backtest.baselines import BASELINES, FEWEST_ROWS, published_rate
from forepass.backtest.published import published_growth
from forepass.backtest.scores import horizon, scored
from forepass.backtest.targets import Target, later_rows, targets_of
from forepass.errors import InputError
from forepass.posterior import BRIEF, fitted
from forepass.settings import Settings

if TYPE_CHECKING:
    import xarray as xr
    from distributed import Client

LONGEST = 5
"""Years ahead that are scored."""
PEERS = (*BASELINES, "published rate")
FAN = ("p10", "p50", "p90")
MAKE_A_RESULT = ("runs", "targets", "baselines", "scores")
"""The modules here that shape what is kept of a task, beside its block's own."""


@dataclass(frozen=True, slots=True)
class Task:
    """A block forecast from what was known before an origin, a decimal year."""

    block: str
    origin: float

    @property
    def name(self) -> str:
        """Return the task in words."""
        return f"{self.block} from {self.origin:g}"

    @property
    def day(self) -> date:
        """Return the last day of which the forecast knows."""
        return date(int(self.origin), 7 if self.origin % 1 else 1, 1) - timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a task.

    Attributes
    ----------
    rows : a record for each (target, later row): its scores, and the CRPS of each peer.
    fans : p10, p50 and p90 by target on a grid of decimal years, and what had been seen.
    unscored : why, by target, where nothing could be scored.
    rhat, divergences, seconds : how the chains of the block's draws agree; the time they took.
    """

    rows: list[dict[str, Any]]
    fans: dict[str, dict[str, list[float]]]
    unscored: dict[str, str]
    rhat: float = 1.0
    divergences: int = 0
    seconds: float = 0.0


def tasks(blocks: Iterable[str], *, first: float, last: float, every: float) -> list[Task]:
    """Return the tasks of blocks from origins ``every`` so many years, ends included."""
    origins = np.arange(first, last + every / 2, every)
    return [Task(block, float(origin)) for block in blocks for origin in origins]


def results(
    asked: Iterable[Task], settings: Settings, *, on: "Client | None" = None
) -> Iterator[tuple[Task, Result]]:
    """Yield the scores of tasks: those kept of an earlier run, then the others as they are made.

    The seed hangs on the run's own and the task: order, company and workers change nothing.

    Parameters
    ----------
    on : of `forepass.tasks.cluster`, whose workers make them; None makes them here.
    """
    missing = {}
    for task in asked:
        name = f"{task.block}-{task.origin:g}-{_key(task, settings)}.json"
        path = settings.cache / "backtests" / name
        if (found := kept.read_kept(path, "backtest")) is None:
            missing[task] = path
        else:
            yield task, Result(**found)
    for task, made in shared_out.run(_made, missing, settings, on=on):
        kept.keep(missing[task], asdict(made), "backtest")
        yield task, made


def _made(task: Task, settings: Settings) -> Result:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of vendors with few chips, as there were
        return _forecast(task, settings)


def _forecast(task: Task, settings: Settings) -> Result:
    module = targets_of(task.block)
    try:
        then = seen_as_of(settings, task.day, again=getattr(module, "AGAIN", {}))
        early = module.records(then)
    except InputError as error:
        return Result([], {}, dict.fromkeys(module.TARGETS, _reason(error)))
    came, due, unscored = module.records(settings), {}, {}
    until = task.origin + LONGEST
    for name, target in module.TARGETS.items():
        early[name], due[name] = _split(target, early[name], came[name], task.origin, until)
        if len(early[name]) < FEWEST_ROWS:
            unscored[name] = f"{len(early[name])} earlier rows, fewer than {FEWEST_ROWS}"
        elif due[name].empty:
            unscored[name] = "no row came later"
    scored_now = [name for name in module.TARGETS if name not in unscored]
    if not scored_now:
        return Result([], {}, unscored)
    try:
        fits = fitted(module.NEEDS, then, effort=BRIEF, unsafe=True)
    except InputError as error:
        return Result([], {}, unscored | dict.fromkeys(scored_now, _reason(error)))
    draws = {block: fit.posterior for block, fit in fits.items()}
    found = [fit.diagnostics for fit in fits.values()]
    rows, fans = [], {}
    for name in scored_now:
        target, rng = module.TARGETS[name], np.random.default_rng(_seed(task, name, settings))
        fan_rng, row_rng = rng.spawn(2)
        drawn = module.predicted(draws, due[name], name, settings, row_rng)
        rows += _scores(task, name, target, early[name], due[name], drawn, then)
        if target.fan:
            fans[name] = _fan(module, draws, name, target, task, settings, fan_rng)
    return Result(
        rows=rows,
        fans=fans,
        unscored=unscored,
        rhat=max(d.rhat for d in found),
        divergences=sum(d.divergences for d in found),
        seconds=sum(d.seconds for d in found),
    )


def _split(
    target: Target, early: pd.DataFrame, came: pd.DataFrame, origin: float, until: float
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the earlier rows and those to be scored; of one series alone where that is asked."""
    due = later_rows(target, came, early, after=origin, until=until)
    if "scored" in came:  # each series is of a set that grows: the newest one stands
        newest = max(early.loc[early["when"] == early["when"].max(), "series"], key=len, default="")
        early = early[early["series"] == newest]
        due = due[(due["series"] == newest) & due["scored"]]
    return early.reset_index(drop=True), due.reset_index(drop=True)


def _scores(
    task: Task,
    name: str,
    target: Target,
    early: pd.DataFrame,
    due: pd.DataFrame,
    drawn: Any,  # noqa: ANN401 - an array
    then: Settings,
) -> list[dict[str, Any]]:
    truth, given = due["value"].to_numpy(), np.asarray(due.get("given", 0.0))
    frame = scored(drawn, truth)
    # What is given of a row, as the speed of its chip, the naive forecasts know too.
    seen = early.assign(value=early["value"] - early.get("given", 0.0))
    peers = {peer: forecast(seen, due) for peer, forecast in BASELINES.items()}
    if rate := _published(target, then):
        peers["published rate"] = published_rate(seen, due, rate)
    for peer in PEERS:
        own = scored(peers[peer], truth - given) if peer in peers else None
        for what in ("crps", "log_score", "cover80"):
            frame[f"{what} {peer}"] = np.nan if own is None else own[what]
    about = {"target": name, "block": task.block, "origin": task.origin}
    of_rows = due[["when"]].assign(
        horizon=horizon(due["when"] - task.origin),
        cluster=due["group"].astype(str) + due["when"].map(lambda when: f" {int(when)}"),
        mode="reconstructed" if getattr(targets_of(task.block), "AGAIN", {}) else "as known",
    )
    # Six digits are far within what another seed would change, and halve the file.
    rounded = of_rows.join(frame).round(6)
    return [
        about | {str(key): None if pd.isna(value) else value for key, value in record.items()}
        for record in rounded.to_dict("records")
    ]


def _published(target: Target, then: Settings) -> float | None:
    """Return the best growth rate that others had published by the day, in x per year."""
    for name in target.published:
        try:
            return published_growth(name, then)
        except (KeyError, InputError):
            continue  # not published yet, nor perhaps any trend
    return None


def _fan(
    module: Any,  # noqa: ANN401 - a module of targets
    draws: "Mapping[str, xr.Dataset]",
    name: str,
    target: Target,
    task: Task,
    settings: Settings,
    rng: np.random.Generator,
) -> dict[str, list[float]]:
    grid = task.origin + np.array([0.02, *range(1, LONGEST + 1)])
    rows = pd.DataFrame({"when": grid}).assign(
        series=target.fan, error=0.0, off_frontier=False, probed=False
    )
    drawn = module.predicted(draws, rows, name, settings, rng)
    found = dict(zip(FAN, np.exp(np.quantile(drawn, [0.1, 0.5, 0.9], axis=0)), strict=True))
    return {"when": grid.tolist(), **{key: values.tolist() for key, values in found.items()}}


def _reason(error: InputError) -> str:
    return str(error).split(": ", maxsplit=1)[-1] if ": no row" in str(error) else str(error)


def _seed(task: Task, target: str, settings: Settings) -> int:
    digest = hashlib.sha256(f"{settings.seed} {task.name} {target}".encode()).digest()
    return int.from_bytes(digest[:8])


def _key(task: Task, settings: Settings) -> str:
    """Return the hash of all that decides a task's result."""
    own = (f"backtest/{name}.py" for name in (*MAKE_A_RESULT, task.block))
    code = fingerprints.code_files(
        *own, "blocks", "inputs", "physics.py", "posterior.py", "as_of.py"
    )
    inputs = fingerprints.input_hashes(settings.data, settings.priors)
    salt = f"{task} {settings.seed} {inputs['data']} {inputs['priors']} {BRIEF}"
    return fingerprints.fingerprint(code, salt=f"{salt} {fingerprints.numerical_versions()}")[:20]
