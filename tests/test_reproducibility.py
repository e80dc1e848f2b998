"""The same inputs and seed give the same numbers to the last bit, on one core or two."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from forepass.forward.forecast import world_tokens_per_s
from forepass.forward.projection import Projection
from forepass.posterior import fitted
from forepass.settings import Settings

BLOCK = "training"
FIT_ON_ONE_CORE = f"""
import os, sys
os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])
os.cpu_count = lambda: 1
from pathlib import Path
from forepass.posterior import fitted
from forepass.settings import Settings
fitted(["{BLOCK}"], Settings(cache=Path(sys.argv[1])), unsafe=True)
"""


def draws(cache: Path) -> dict[str, str]:
    """Return hashes of the kept draws by variable, from an empty cache or a full one."""
    posterior = fitted([BLOCK], Settings(cache=cache), unsafe=True)[BLOCK].posterior
    return {
        str(name): hashlib.sha256(array.values.tobytes()).hexdigest()
        for name, array in posterior.data_vars.items()
    }


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="cores cannot be chosen here")
def test_a_fit_in_another_process_on_one_core_has_the_same_draws(tmp_path: Path) -> None:
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
    alone = subprocess.Popen(
        [sys.executable, "-c", FIT_ON_ONE_CORE, str(tmp_path / "one")], env=os.environ | threads
    )
    here = draws(tmp_path / "two")
    assert alone.wait() == 0
    assert list((tmp_path / "one" / "fits").glob("*.nc"))
    assert draws(tmp_path / "one") == here


def test_a_forecast_in_one_thread_and_in_two_has_the_same_bits(
    projection: Projection, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for threads in (1, 2):
        monkeypatch.setattr(os, "cpu_count", lambda threads=threads: threads)
        found.append(world_tokens_per_s(projection))
    np.testing.assert_array_equal(found[0], found[1])
