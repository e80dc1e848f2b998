"""Tasks shared out over processes or machines by Dask, or done here one after another.

A task carries what decides its numbers: a place in a list, a name whose stream of random numbers is
its own, a seed. No worker has a seed, so that any number of them, in whatever order they finish,
gives the same. A worker that dies costs the task that it was at, which another does again.
"""

from __future__ import annotations

import logging
import signal
import sys
import threading
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NoReturn

from forepass import __version__, fingerprints
from forepass.errors import InputError
from forepass.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from distributed import Client, Future

__all__ = ["cluster", "here", "run"]

PATIENCE = "10s"
"""For a scheduler to answer; its workers may come later, as batch systems have it."""
QUIET = logging.CRITICAL + 1
HERE: dict[str, Any] = {
    # No pages over HTTP, and no worker dropped because compiling keeps it from answering.
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    "distributed.scheduler.worker-ttl": None,
    # One task to a worker at a time, or another's death would be laid to a task that waited there.
    "distributed.scheduler.worker-saturation": 1.0,
    # Not Dask's own, which gives every freed page back, for the next array to fault in again.
    "distributed.nanny.pre-spawn-environ": {"OPENBLAS_NUM_THREADS": 1, "OMP_NUM_THREADS": 1},
}
EVERYWHERE: dict[str, Any] = {"distributed.admin.large-graph-warning-threshold": "1TB"}
UNLOADABLE = ("deserializ", "No module named")


@contextmanager
def cluster(workers: int | None = None, scheduler: str | None = None) -> Iterator[Client | None]:
    """Yield a client of as many processes of this machine, or of a scheduler; None for neither.

    Until it is left, SIGTERM interrupts as Ctrl-C does; processes started here end with it.

    Parameters
    ----------
    workers : processes to start, one task at a time each, that listen on this machine alone.
    scheduler : address of a running scheduler, as ``tcp://host:8786``.

    Raises
    ------
    InputError
        Where no scheduler answers at the address.
    """
    with _terminated_as_interrupted():
        if scheduler is not None:
            with _connected(scheduler) as client:
                yield client
        elif workers is not None:
            with _started(workers) as client:
                yield client
        else:
            yield None


def run[T, G, R](
    work: Callable[[T, G], R], tasks: Iterable[T], given: G, *, on: Client | None
) -> Iterator[tuple[T, R]]:
    """Yield each task with its result, as soon as it is there.

    Parameters
    ----------
    work : function of a module, of a task and of what all tasks are given.
    tasks : values that can be sent.
    given : sent once. `forepass.settings.Settings` find the worker's own shipped folders and cache.
    on : of `cluster`; None does the tasks here, in order.

    Raises
    ------
    InputError
        As the work raises it; where a worker has another forepass or other inputs; and where
        several workers have died of one task.
    """
    if on is None:
        for task in tasks:
            yield task, work(task, given)
        return
    from dask import config
    from distributed import as_completed

    with config.set(EVERYWHERE):
        held = on.submit(_taken, given, pure=False)
        stamp = _stamp(given)
        # Begun in their order, as far as there are workers.
        futures = {
            on.submit(_done, work, task, held, stamp, pure=False, priority=-place): task
            for place, task in enumerate(tasks)
        }
        try:
            for future in as_completed(futures):
                yield futures[future], _result(future, futures[future])
                future.release()
        finally:
            on.cancel([*futures, held])


def here[T, G, R](work: Callable[[T, G], R], tasks: Iterable[T], given: G) -> Iterator[tuple[T, R]]:
    """Yield each task with its result, done in this process, as `run` does on nothing."""
    return run(work, tasks, given, on=None)


@contextmanager
def _started(workers: int) -> Iterator[Client]:
    from dask import config
    from distributed import Client, LocalCluster

    with (
        TemporaryDirectory(prefix="forepass-") as scratch,
        config.set(HERE),
        # Without a limit on memory: a worker that comes near it would stop, not fail.
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            host="127.0.0.1",
            dashboard_address=None,
            scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},
            memory_limit=0,
            local_directory=scratch,
            silence_logs=QUIET,
            preload="forepass.tasks",
        ) as local,
        Client(local) as client,
    ):
        yield client


def dask_setup(_worker: object) -> None:
    """Leave Ctrl-C, which reaches a whole group of processes, to the one that ends the others.

    Dask calls this by its name in each worker that it starts here.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def _connected(address: str) -> Iterator[Client]:
    from distributed import Client

    try:
        client = Client(address, timeout=PATIENCE)
    except (OSError, ValueError) as error:
        raise InputError(
            f"--scheduler {address}: no scheduler answers there; start one with `dask scheduler` "
            "and give the address that it names"
        ) from error
    with client:
        if not client.nthreads():
            print(f"forepass: {address} has no worker yet; waiting for one", file=sys.stderr)
        yield client


def _taken[G](given: G) -> G:
    """Return what was sent: a task, so that it is sent again where the worker that has it dies."""
    return given


def _done[T, G, R](work: Callable[[T, G], R], task: T, given: G, stamp: dict[str, str]) -> R:
    """Do a task on a worker whose code and inputs are those of the machine that asks."""
    own = _stamp(given)
    if differs := [name for name, value in stamp.items() if own.get(name) != value]:
        raise InputError(
            f"a worker has other {' and '.join(differs)} than this machine; install the same "
            "wheel and packages on every worker, and give --data and --priors that all can read"
        )
    return work(task, given)


def _stamp(given: object) -> dict[str, str]:
    """Return what must be alike on all machines: the code and, of settings, tables and priors."""
    folders = given if isinstance(given, Settings) else Settings()
    hashes = fingerprints.input_hashes(folders.data, folders.priors)
    return {"forepass": __version__, **hashes}


def _result(future: Future[Any], task: object) -> Any:  # noqa: ANN401 - whatever the work returns
    from distributed import KilledWorker

    try:
        return future.result()
    except KilledWorker as error:
        raise InputError(
            f"{task}: every worker that tried it died, as where memory runs out; give fewer "
            "--workers, or larger ones, and run again: what was done is kept"
        ) from error
    except (ImportError, RuntimeError) as error:
        if any(word in str(error) for word in UNLOADABLE):
            raise InputError(
                "the scheduler or a worker cannot load forepass; install the same wheel there"
            ) from error
        raise


@contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    def interrupt(_signal: int, _frame: object) -> NoReturn:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield  # signals belong to the main thread
        return
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
