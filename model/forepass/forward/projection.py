"""Every block's draws run forward in time, joined draw by draw."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from forepass.inputs.dates import year_fraction
from forepass.inputs.definitions import Definitions
from forepass.streams import block_rng
from forepass.what_if.interventions import NONE, Interventions, changed, pinned, shipped

if TYPE_CHECKING:
    from forepass.posterior import Fit

FORWARD = ("chips", "language_models", "fleet", "training", "demand")
CALENDAR_ORIGIN = 2022
MIDDLE_OF_YEAR = 0.5

type Floats = NDArray[np.float64]
type Tables = Mapping[str, pd.DataFrame]


@dataclass(frozen=True, slots=True)
class Projection:
    """The blocks by year, dims (draw, year, ...), with all else that an answer is read from.

    What several answers are read from is worked out of it `once`.
    """

    chips: xr.Dataset
    language_models: xr.Dataset
    fleet: xr.Dataset
    training: xr.Dataset
    demand: xr.Dataset
    serving: xr.Dataset
    years: NDArray[np.int_]
    generations: dict[int, str]
    definitions: Definitions
    tables: Tables
    seed: int
    # A copy with other blocks starts without: `dataclasses.replace` leaves out what is not of init.
    _known: dict[Callable[..., Any], Any] = field(default_factory=dict, init=False, repr=False)

    def once[T](self, work: "Callable[[Projection], T]") -> T:
        """Return what a function of the projection gives, worked out the first time alone."""
        if work not in self._known:
            self._known[work] = work(self)
        return cast(T, self._known[work])


def whole_span(definitions: Definitions) -> NDArray[np.int_]:
    """Return every year that can be asked for, which all answers are projected over.

    A year's draws then do not depend on the range that was asked for.
    """
    return np.arange(definitions.first_year, definitions.last_year + 1)


def project(
    fits: "Mapping[str, Fit]",
    years: NDArray[np.int_],
    *,
    seed: int,
    definitions: Definitions,
    tables: Tables,
    interventions: Interventions = NONE,
) -> Projection:
    """Run every block's posterior forward to ``years``.

    Each block draws its shocks from a stream of its own, so that a change of one block leaves the
    futures of the others as they were (common random numbers).

    Parameters
    ----------
    interventions
        Beliefs pinned before the run, and quantities changed in it: later blocks see the changed.

    Raises
    ------
    InputError
        Where an intervention makes a quantity impossible.
    """
    forward: dict[str, xr.Dataset] = {}
    fits = pinned(fits, interventions.pins, seed=seed)
    for name in FORWARD:
        posterior = fits[name].posterior
        forward[name] = run_forward(name, posterior, years, seed, forward, interventions)
    serving = fits["serving"].posterior
    return joined(forward, serving, years, seed=seed, definitions=definitions, tables=tables)


def run_forward(
    name: str,
    posterior: xr.Dataset,
    years: NDArray[np.int_],
    seed: int,
    forward: Mapping[str, xr.Dataset],
    interventions: Interventions = NONE,
) -> xr.Dataset:
    """Return one block's draws run forward; the fleet's need the chips', in ``forward``."""
    from forepass.posterior import block_module

    # Vintages to come are chips of the chips' own forecast, draw by draw.
    specs: tuple[Any, ...] = ()
    if name == "fleet":
        specs = (forward["chips"], partial(shipped, by=interventions, seed=seed))
    run = block_module(name).project(posterior, years, block_rng(seed, name), *specs)
    return changed(name, run, posterior, interventions.of(name), seed=seed)


def joined(
    forward: Mapping[str, xr.Dataset],
    serving: xr.Dataset,
    years: NDArray[np.int_],
    *,
    seed: int,
    definitions: Definitions,
    tables: Tables,
) -> Projection:
    """Return blocks that were run forward by themselves as one projection, draw by draw."""
    forward = dict(forward)
    forward["training"] = _within_the_lab(forward, definitions)
    return Projection(
        **forward,
        serving=serving,
        years=years,
        generations=_generations(tables["chips"], definitions),
        definitions=definitions,
        tables=tables,
        seed=seed,
    )


def _within_the_lab(forward: Mapping[str, xr.Dataset], definitions: Definitions) -> xr.Dataset:
    """Return training runs whose cluster is no larger than the leading lab's whole fleet.

    A trend of compute may ask for more chips than anyone has: then the run is as long and as well
    used as it was to be, on a smaller cluster, with its tokens as its compute allows. Clusters are
    counted by 16-bit rates, as utilisation in training is.
    """
    fleet, chips, training = (forward[name] for name in ("fleet", "chips", "training"))
    of = np.maximum(fleet["vintage"].values, int(chips["year"][0]))
    narrow_to_wide = (chips["chip_flops_16bit"] / chips["chip_flops_8bit"]).sel(year=of)
    narrow_to_wide = narrow_to_wide.drop_vars("year").rename(year="vintage")
    each = fleet["vintage_h100e_per_chip"] * definitions.h100_equivalent_ops_per_s * narrow_to_wide
    whole = (fleet["fleet_chips_by_vintage"] * each).sum("vintage") * fleet["lab_share"]
    kept = (whole / training["training_cluster_flops"]).clip(max=1.0)
    linear = ("training_flop", "training_cluster_flops", "training_cluster_h100e")
    powers = {**dict.fromkeys(linear, 1.0), "training_tokens": 0.5}
    bounded = {
        name: (training[name] * kept**power).assign_attrs(training[name].attrs)
        for name, power in powers.items()
    }
    about = {"units": "1", "long_name": "1 where the lab's fleet, not the trend, bounds the run"}
    return training.assign(
        bounded | {"run_bounded_by_fleet": (kept < 1).astype(float).assign_attrs(about)}
    )


def _generations(chips: pd.DataFrame, definitions: Definitions) -> dict[int, str]:
    """Return the reference vendor's newest generation at the middle of each year on record."""
    own = chips[
        (chips["vendor"] == definitions.reference_vendor)
        & chips["shipped"]
        & (chips["memory_bandwidth_bytes_per_s"] >= definitions.chip_minimum_bandwidth_bytes_per_s)
    ]
    released = own["release_date"].map(year_fraction).to_numpy() + CALENDAR_ORIGIN
    generation = own["generation"].to_numpy()
    last = int(released.max())
    found = {}
    for year in range(int(released.min()) + 1, last + 1):
        newest = np.where(released <= year + MIDDLE_OF_YEAR, released, 0.0).argmax()
        found[year] = str(generation[newest])
    return found
