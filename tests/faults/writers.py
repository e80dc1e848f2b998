"""What a killed writer was doing: run as a program, forked anew for each death.

``python writers.py OPERATION FOLDER`` prepares once and says "ready"; for each line that it is then
given it forks a child, says the child's number, and when the child is gone how it went. Another
writer to be killed is another entry of `OPERATIONS`.
"""

import os
import shutil
import signal
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

SIZE = 60_000
BLOCK = "training"
BELIEF = '[level]\ndistribution = "Normal"\np10 = -1\np90 = 1\nunit = "1"\nsource = "judgement"\n'

type Write = Callable[[int], object]


def answer_of(number: int) -> dict[str, Any]:
    """Return what an answer holds, the same number throughout."""
    return {"number": number, "values": [number] * SIZE}


def forecast_of(number: int) -> dict[str, Any]:
    """Return what an entry of a register holds, long enough to be killed over."""
    quantity = {"unit": "chips", "long_name": "Fleet", "p50": [float(number)] * (SIZE // 10)}
    return {
        **{"forepass": "0", "as_of": "2026", "seed": 1, "years": [2026] * (SIZE // 10)},
        **{"inputs": {}, "scenario": {"name": "baseline"}, "quantities": {"fleet": quantity}},
    }


def _answers(folder: Path) -> Write:
    from forepass import kept

    return lambda number: kept.keep(folder / "answers" / "one.json", answer_of(number), "answer")


def _pages(folder: Path) -> Write:
    from forepass import atomic
    from forepass.explorer import page_file

    def write(number: int) -> None:
        atomic.write_text(folder / "page.html", page_file.MARK + f"{number:07}" * SIZE)

    return write


def _reports(folder: Path) -> Write:
    from forepass.report.folder import replacing_folder, write_manifest

    def write(number: int) -> None:
        with replacing_folder(folder / "report") as new:
            (new / "figures").mkdir()
            for name in ("report.md", "report.html", "figures/world.svg", "figures/chips.svg"):
                (new / name).write_text(f"{number:07}" * SIZE, encoding="utf-8")
            write_manifest(new, {"seed": number})

    return write


def _entries(folder: Path) -> Write:
    from forepass.register.folder import record

    # The clock goes back a day each time, which must not disturb the order.
    return lambda number: record(
        folder / "register",
        forecast_of(number),
        reason=str(number),
        today=date.fromordinal(date(2026, 11, 1).toordinal() - number),
    )


def _draws(folder: Path) -> Write:
    import numpy as np
    import xarray as xr

    from forepass.kept_fits import Diagnostics, Fit, keep_fit

    values = np.arange(10.0 * SIZE).reshape(-1, 10)
    draws = xr.Dataset({"level": (("draw", "obs"), values)}, {"obs": [f"o{n}" for n in range(10)]})
    found = Diagnostics(BLOCK, 1.0, 500.0, 500.0, 0, 1.0, SIZE)
    fit = Fit(draws, found, "k" * 64, from_cache=False)
    return lambda _: keep_fit(BLOCK, fit, folder)


def _fits(folder: Path) -> Write:
    import nutpie

    from forepass import posterior

    shutil.copytree(Path(posterior.__file__).parents[2] / "data", folder / "data")
    (folder / "priors").mkdir()
    (folder / "priors" / f"{BLOCK}.toml").write_text(BELIEF + 'rationale = "Little is known."\n')
    compiled = nutpie.compile_pymc_model(_model(None, {}))
    nutpie.compile_pymc_model = lambda _: compiled
    block = SimpleNamespace(TABLES=("chips",), PRIORS=("level",), build=_model)
    posterior.block_module = lambda _: block  # type: ignore[assignment,return-value]
    return lambda _: posterior.fitted([BLOCK], _settings(folder), force=True)


def _settings(folder: Path) -> Any:  # noqa: ANN401
    from forepass.settings import Settings

    return Settings(data=folder / "data", priors=folder / "priors", cache=folder)


def _model(_tables: object, _priors: object) -> Any:  # noqa: ANN401
    import pymc as pm

    with pm.Model() as model:
        level = pm.Normal("level", 0, 1)
        pm.Normal("y", level, 1, observed=[0.8, 1.1, 1.3])
    return model


OPERATIONS: dict[str, Callable[[Path], Write]] = {
    "answer": _answers,
    "page": _pages,
    "report": _reports,
    "entry": _entries,
    "draws": _draws,
    "fit": _fits,
}


def _serve(operation: str, folder: Path) -> None:
    write = OPERATIONS[operation](folder)
    print("ready", flush=True)
    for number, _ in enumerate(sys.stdin, 1):
        child = os.fork()
        if child == 0:
            write(number)
            os._exit(0)
        print(child, flush=True)
        _, status = os.waitpid(child, 0)
        print({0: "done", signal.SIGKILL: "killed"}.get(status, f"failed {status}"), flush=True)


if __name__ == "__main__":
    _serve(sys.argv[1], Path(sys.argv[2]))
