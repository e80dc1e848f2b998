"""Work for worker processes, which import it by name from this folder."""

import os
import signal
import time
from pathlib import Path

from forepass.errors import InputError
from forepass.settings import Settings
from forepass.streams import block_rng


def drawn(task: str, seed: int) -> list[float]:
    time.sleep(0.05)
    return block_rng(seed, task).normal(size=3).tolist()


def drawn_or_dead(task: str, given: tuple[int, Path, bool]) -> list[float]:
    """Draw, but of the third task kill the process: the first time, or always."""
    seed, folder, always = given
    with (folder / "started").open("a") as log:
        log.write(f"{task} {os.getpid()}\n")
    if task == "task 3" and (always or not (folder / "killed").exists()):
        (folder / "killed").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return drawn(task, seed)


def refused(task: str, _: object) -> None:
    raise InputError(f"{task}: not like this")


def folders(_: int, settings: Settings) -> tuple[str, str, str]:
    return str(settings.data), str(settings.priors), str(settings.cache)


def endless(task: int, folder: Path) -> None:
    if task:
        (folder / f"{os.getpid()}").touch()
        time.sleep(600)
