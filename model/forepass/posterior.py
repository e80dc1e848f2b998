"""Fit the blocks and check each fit, kept under the hash of what went into it."""

import hashlib
import os
import time
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from importlib import import_module
from itertools import chain
from multiprocessing import current_process
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from forepass import fingerprints
from forepass.as_of import refuse_unseen
from forepass.inputs.definitions import Definitions, load_definitions
from forepass.inputs.priors import BLOCKS, check_sources, expect, load_priors
from forepass.kept_fits import ESS_LIMIT, RHAT_LIMIT, Diagnostics, Fit, keep_fit, read_fit
from forepass.settings import Settings

if TYPE_CHECKING:
    import pymc as pm
    import xarray as xr

__all__ = [
    "BLOCKS",
    "BRIEF",
    "Diagnostics",
    "Effort",
    "Fit",
    "FitFailed",
    "block_module",
    "fitted",
]

CHAINS, DRAWS, TUNE = 4, 1000, 600
TARGET_ACCEPT = 0.9
"""Of a block that states none of its own."""
KEPT = 600
"""Draws kept of each chain, evenly spaced: blocks are joined draw by draw, so all keep as many."""
# A second try takes smaller steps and tunes for longer, before a fit is called failed.
ATTEMPTS: tuple[dict[str, Any], ...] = (
    {"tune": TUNE},
    {"tune": 2 * TUNE, "target_accept": 0.97},
)


@dataclass(frozen=True, slots=True)
class Effort:
    """How long each structure of a block is sampled.

    Attributes
    ----------
    chains, tune
        Chains, and the transitions of each before its first draw.
    draws
        Of each chain; None for as many as the block asks for.
    kept
        Draws kept of each chain, evenly spaced.
    attempts
        Of `ATTEMPTS`, how many are made before what was drawn is taken as it is.
    """

    chains: int = CHAINS
    tune: int = TUNE
    draws: int | None = None
    kept: int = KEPT
    attempts: int = len(ATTEMPTS)


FULL = Effort()
BRIEF = Effort(chains=2, tune=500, draws=500, kept=500, attempts=1)
"""Enough for the scores of a forecast, of which there are many to make."""

LONGEST_FIRST = ("serving", "chips", "language_models", "fleet", "demand", "training")

READERS_OF_A_FIT = (
    *("prediction.py", "speeds.py", "validation.py", "claims.py", "comparisons.py"),
    "scenarios.py",
    *("vintages.py", "supply.py", "stock.py"),
)
"""Files that use a block's posterior and do not shape it: a change there refits nothing."""

type Progress = Callable[[str, str], None]
"""Called with a block and what is being done to it."""


class FitFailed(Exception):  # noqa: N818 - it names what happened, and is told to the user as such
    """A fit that did not converge; the message says which and what to do."""


def block_module(name: str) -> ModuleType:
    """Return the module of a block: its TABLES, PRIORS, build and project.

    `project` takes the posterior, years and a source of shocks; the fleet's also takes the forecast
    of the newest part. A block whose model has several structures also has VARIANTS, the data to
    exchange for each, and `mixed`, which makes one posterior of their draws. One that hangs on
    definitions names them in CONVENTIONS, and its `build` takes them. MAY_BE_EMPTY names
    tables without which a fit to an earlier day's record does.
    """
    return import_module(f"forepass.blocks.{name}")


def fitted(
    names: Iterable[str],
    settings: Settings,
    *,
    force: bool = False,
    unsafe: bool = False,
    progress: Progress | None = None,
    effort: Effort = FULL,
    side_by_side: bool = False,
) -> dict[str, Fit]:
    """Return the fit of each block, from the cache where nothing that went into it has changed.

    Parameters
    ----------
    names
        Blocks to fit, of `BLOCKS`.
    force
        Fit again whatever the cache holds.
    unsafe
        Return a fit that fell short instead of raising.
    progress
        Told of each block and what is being done to it.
    effort
        How long each is sampled.
    side_by_side
        Fit blocks in processes of their own, as many as there are cores: compiling a model keeps
        one core busy, whatever the sampler can do with more. The draws are the same.

    Raises
    ------
    FitFailed
        When the chains of a block disagree, its message naming the block and the figures.
    InputError
        When on the day of the settings a block's tables had no row yet, naming them all.
    """
    names = list(names)
    needed = {
        table
        for name in names
        for table in block_module(name).TABLES
        if table not in _optional(name, settings)
    }
    refuse_unseen(needed, settings)
    keys = {name: _key(name, settings, effort) for name in names}
    kept = {} if force else {name: read_fit(name, keys[name], settings.cache) for name in names}
    missing = [name for name in names if kept.get(name) is None]
    tell = progress or _unheard
    # A process that another ended with, as those that share out a backtest are, may start none.
    apart = side_by_side and effort == FULL and not current_process().daemon
    if apart and min(len(missing), os.cpu_count() or 1) > 1:
        made = _side_by_side(missing, keys, settings, tell)
    else:
        made = ((name, _fit(name, keys[name], settings, effort, tell)) for name in missing)
    fits: dict[str, Fit] = {}
    with closing(made):  # so that processes end before anything is said of a fit that failed
        for name, fit in chain(((n, fit) for n, fit in kept.items() if fit), made):
            if not fit.from_cache:
                keep_fit(name, fit, settings.cache)
            if not (fit.diagnostics.passed or unsafe):
                raise FitFailed(_complaint(fit.diagnostics))
            tell(name, "done")
            fits[name] = fit
    return {name: fits[name] for name in names}


def _side_by_side(
    names: list[str], keys: Mapping[str, str], settings: Settings, progress: Progress
) -> Generator[tuple[str, Fit]]:
    """Yield the fit of each block as it is done, those that take longest begun first."""
    from forepass import tasks

    workers = min(len(names), os.cpu_count() or 1)
    order = sorted(names, key=LONGEST_FIRST.index)
    # More chains at once than cores took half as long again.
    each = max((os.cpu_count() or 1) // workers, 1)
    with tasks.cluster(workers) as client:
        progress(order[0], f"fitting, {workers} blocks at a time")
        asked = [(name, keys[name], each) for name in order]
        for (name, *_), fit in tasks.run(_fit_apart, asked, settings, on=client):
            yield name, fit


def _fit_apart(task: tuple[str, str, int], settings: Settings) -> Fit:
    name, key, cores = task
    return _fit(name, key, settings, FULL, _unheard, cores)


def build_model(name: str, settings: Settings) -> "pm.Model":
    """Return the PyMC model of a block on its tables and priors."""
    from forepass.inputs.tables import load_table, load_tables

    module = block_module(name)
    priors = load_priors(name, settings.priors)
    expect(priors, module.PRIORS, name)
    check_sources(priors.values(), set(load_table("sources", settings.data)["source"]))
    tables = load_tables(module.TABLES, settings.data, may_be_empty=_optional(name, settings))
    model: pm.Model = module.build(tables, priors, **_conventions(name, settings))
    return model


def block_seed(name: str, settings: Settings) -> int:
    """Return the seed of a block's sampler: its own, whichever blocks are fitted beside it."""
    digest = hashlib.sha256(f"{settings.seed} {name}".encode()).digest()
    return int.from_bytes(digest[:4])


def _fit(
    name: str,
    key: str,
    settings: Settings,
    effort: Effort,
    progress: Progress,
    cores: int | None = None,
) -> Fit:
    import nutpie
    from pytensor.configdefaults import config

    start, module = time.monotonic(), block_module(name)
    progress(name, "reading")
    # Under fastmath a cold and a cached compile round differently: same seed, other draws.
    with config.change_flags(numba__fastmath=False):
        model = build_model(name, settings)
        progress(name, "compiling")
        compiled = nutpie.compile_pymc_model(_settled(model, module))
        variables = sorted(variable.name for variable in model.free_RVs)
        for attempt in ATTEMPTS[: effort.attempts]:
            trees = []
            for variant, exchanged in getattr(module, "VARIANTS", {"": {}}).items():
                progress(name, f"sampling {variant}".rstrip())
                sampling = nutpie.sample(
                    compiled.with_data(**exchanged) if exchanged else compiled,
                    draws=effort.draws or getattr(module, "DRAWS", DRAWS),
                    chains=effort.chains,
                    cores=min(effort.chains, cores or os.cpu_count() or 1),
                    seed=block_seed(name, settings),
                    progress_bar=False,
                    save_warmup=False,
                    blocking=False,
                    tune=attempt["tune"] * effort.tune // TUNE,
                    target_accept=attempt.get(
                        "target_accept", getattr(module, "TARGET_ACCEPT", TARGET_ACCEPT)
                    ),
                )
                trees.append(_waited(sampling))
            kept = effort.chains * effort.kept
            diagnostics = _diagnostics(name, trees, variables, time.monotonic() - start, kept)
            if diagnostics.passed:
                break
    draws = [_stacked(tree.posterior.dataset, effort.kept) for tree in trees]
    if len(draws) > 1:
        draws = [module.mixed(draws, block_seed(name, settings))]
    return Fit(draws[0], diagnostics, key, from_cache=False)


def _settled(model: "pm.Model", module: ModuleType) -> "pm.Model":
    """Return the model with its data as constants, which what is worked out of them alone costs.

    Not where structures exchange data on one compiled model.
    """
    from pymc.model.transform.optimization import freeze_dims_and_data

    return model if hasattr(module, "VARIANTS") else freeze_dims_and_data(model)


def _unheard(_block: str, _stage: str) -> None:
    """Take progress that nobody asked for."""


def _diagnostics(
    name: str, trees: list[Any], variables: list[str], seconds: float, kept: int
) -> Diagnostics:
    """Return the worst agreement of chains over all variants of a block's model."""
    worst = [_worst(tree.posterior.dataset[variables]) for tree in trees]
    return Diagnostics(
        block=name,
        rhat=max(rhat for rhat, _, _ in worst),
        ess_bulk=min(bulk for _, bulk, _ in worst),
        ess_tail=min(tail for _, _, tail in worst),
        divergences=sum(int(tree.sample_stats["diverging"].sum()) for tree in trees),
        seconds=seconds,
        draws=kept,
    )


def _worst(free: "xr.Dataset") -> tuple[float, float, float]:
    """Return the largest R-hat and the least bulk and tail ESS over everything that moves."""
    import arviz as az
    import numpy as np

    # What never moves, as a correlation of a thing with itself, has no R-hat; what moves must.
    moving = free.max(("chain", "draw")) > free.min(("chain", "draw"))

    def extreme(values: "xr.Dataset", pick: Any, neutral: float) -> float:  # noqa: ANN401
        held = values.where(moving, neutral).data_vars.values()
        return float(pick(np.concatenate([array.values.ravel() for array in held])))

    with np.errstate(invalid="ignore"):
        return (
            extreme(az.rhat(free), np.max, 1.0),
            extreme(az.ess(free), np.min, np.inf),
            extreme(az.ess(free, method="tail"), np.min, np.inf),
        )


def _waited(sampling: Any) -> Any:  # noqa: ANN401 - nutpie is untyped
    """Return the draws when they are done; interrupted, none.

    Left to itself the sampler answers an interrupt with the draws so far, which would be judged,
    found short, and drawn again by another route: the same seed, other numbers.
    """
    try:
        return sampling.wait()
    except BaseException:
        sampling.cancel()
        raise


def _stacked(posterior: "xr.Dataset", each: int) -> "xr.Dataset":
    """Return the kept draws of all chains along one dim, variables in order of name."""
    import numpy as np

    kept = sorted(str(name) for name in posterior.data_vars if not str(name).endswith("__"))
    spaced = np.linspace(0, posterior.sizes["draw"] - 1, each).astype(int)
    # Of one designer or one year there may be nothing to vary, and nothing cannot be stacked.
    empty = {name: posterior[name].isel(chain=0) for name in kept if not posterior[name].size}
    draws = posterior[kept].drop_vars(empty).isel(draw=spaced)
    draws = draws.stack(sample=("chain", "draw"), create_index=False)
    draws = draws.drop_vars(["chain", "draw"], errors="ignore").rename(sample="draw")
    for name, of_chain in empty.items():
        shape = (draws.sizes["draw"], *of_chain.shape[1:])
        draws[name] = (("draw", *of_chain.dims[1:]), np.zeros(shape))
    return draws.transpose("draw", ...)


def _key(name: str, settings: Settings, effort: Effort = FULL) -> str:
    """Return the hash of all that decides a block's draws."""
    tables = [settings.data / f"{table}.csv" for table in block_module(name).TABLES]
    beliefs = [settings.priors / f"{name}.toml"]
    shared = [path for path in fingerprints.code_files("blocks") if not _of_a_block(path)]
    own = fingerprints.code_files(f"blocks/{name}", f"blocks/{name}.py", "inputs")
    own = (path for path in own if path.name not in READERS_OF_A_FIT)
    code = [*fingerprints.code_files("physics.py", "posterior.py"), *shared, *own]
    reads = getattr(block_module(name), "CONVENTIONS", ())
    chosen = [getattr(d, key) for d in _conventions(name, settings).values() for key in reads]
    salt = f"{name} {settings.seed} {fingerprints.numerical_versions()} {chosen}"
    salt += "" if effort == FULL else f" {effort}"
    return fingerprints.fingerprint(
        [*(p for p in tables + beliefs if p.is_file()), *code], salt=salt
    )


def _optional(name: str, settings: Settings) -> tuple[str, ...]:
    """Return the tables of which an earlier day may have had no row for a block to read."""
    return getattr(block_module(name), "MAY_BE_EMPTY", ()) if settings.as_of else ()


def _conventions(name: str, settings: Settings) -> dict[str, Definitions]:
    """Return the definitions as a keyword of a block's `build`, where its model hangs on any."""
    reads = getattr(block_module(name), "CONVENTIONS", ())
    return {"definitions": load_definitions(settings.priors)} if reads else {}


def _of_a_block(path: Any) -> bool:  # noqa: ANN401 - a Traversable, whose parents only Path knows
    return any(name in BLOCKS for name in (path.name.removesuffix(".py"), Path(path).parent.name))


def _complaint(found: Diagnostics) -> str:
    return (
        f"the fit of block '{found.block}' fell short: R-hat {found.rhat:.3f} "
        f"(limit {RHAT_LIMIT}), "
        f"effective draws {min(found.ess_bulk, found.ess_tail):.0f} (limit {ESS_LIMIT}), "
        f"{found.divergences} divergences (limit 0); undo the last change to its priors or data, "
        f"or run `forepass fit --block {found.block} --force --seed N` with another seed"
    )
