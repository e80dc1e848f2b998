"""The least effective draws per second of a block, as shipped, and under other samplers.

Run as ``python samplers.py BLOCK SAMPLER DRAWS``; SAMPLER is shipped, pymc or numpyro. All take the
same model. The shipped settings are those of `forepass fit`; the others take their own defaults
but for DRAWS draws of each of two chains after as many of tuning, since some would take hours.
Seconds are of tuning and drawing, with compilation apart where the sampler tells them apart:
NumPyro's first gradient compiles, and its seconds hold that.
"""

import json
import os
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

# Two chains at once on two cores, as the others have; read when JAX starts.
os.environ.setdefault("XLA_FLAGS", "--xla_force_host_platform_device_count=2")


def shipped(block: str) -> dict[str, float]:
    """Return what a fit of a block takes; of several structures, of one on the average."""
    from forepass.posterior import block_module, fitted
    from forepass.settings import Settings

    begun: dict[str, float] = {}
    start = time.monotonic()

    def note(_block: str, stage: str) -> None:
        begun.setdefault(stage.split()[0], time.monotonic())

    with tempfile.TemporaryDirectory() as cache:
        fits = fitted([block], Settings(cache=Path(cache)), force=True, unsafe=True, progress=note)
    found, structures = fits[block].diagnostics, len(getattr(block_module(block), "VARIANTS", "_"))
    return {
        "ess": min(found.ess_bulk, found.ess_tail),
        "seconds": (begun["done"] - begun["sampling"]) / structures,
        "compile_seconds": begun["sampling"] - start,
        "rhat": found.rhat,
    }


def by_pymc(block: str, sampler: str, draws: int) -> dict[str, float]:
    """Return what PyMC's interface to a sampler takes on the same model."""
    import arviz as az
    import pymc as pm

    from forepass.posterior import build_model
    from forepass.settings import Settings

    with build_model(block, Settings()) as model:
        names = [variable.name for variable in model.free_RVs]
        start = time.monotonic()
        tree: Any = pm.sample(
            draws=draws,
            tune=draws,
            chains=2,
            cores=2,
            random_seed=1,
            nuts_sampler=sampler,
            progressbar=False,
            compute_convergence_checks=False,
        )
    whole = time.monotonic() - start
    seconds = float(tree.posterior.attrs.get("sampling_time", whole))
    free = tree.posterior.dataset[names]
    moving = free.max(("chain", "draw")) > free.min(("chain", "draw"))
    least = [
        float(values.where(moving[name]).min())
        for method in ("bulk", "tail")
        for name, values in az.ess(free, method=method).data_vars.items()
        if values.size
    ]
    rhat = max(float(values.max()) for values in az.rhat(free).data_vars.values() if values.size)
    return {
        "ess": min(least),
        "seconds": seconds,
        "compile_seconds": whole - seconds,
        "rhat": rhat,
    }


def main(block: str, sampler: str, draws: int) -> None:
    """Print the figures of one run as JSON."""
    found = shipped(block) if sampler == "shipped" else by_pymc(block, sampler, draws)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    ran = {"ess_per_second": found["ess"] / found["seconds"], "peak_mb": peak}
    print(json.dumps({"block": block, "sampler": sampler, **found, **ran}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 500)
