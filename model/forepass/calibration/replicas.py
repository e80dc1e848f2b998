"""A block's model with its observations left open: made from known parameters, and refitted.

The model is compiled once. What was observed is data of it, so that a refit to other observations
exchanges the data and compiles nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from forepass.likelihoods import without_transforms
from forepass.posterior import ATTEMPTS, TARGET_ACCEPT

if TYPE_CHECKING:
    import pymc as pm

type Floats = NDArray[np.float64]
type Values = dict[str, NDArray[Any]]

DRAWS_RANKED = 63
"""Draws that a truth is ranked among: its rank takes one of 64 values, which bins divide."""
THINNING = 10
"""Of the draws of a refit one in so many is ranked: nearly independent ones, as ranks assume."""
LOG_LIKELIHOOD = "log likelihood of the data"
OF_TIME = ("record", "report", "quarter", "record_year")
"""Dims along which a forecast goes on from the last entry, the only one that is ranked."""


@dataclass(frozen=True, slots=True)
class Open:
    """A model whose observations can be exchanged.

    Attributes
    ----------
    model : the PyMC model; every observation is a `pymc.Data` of it.
    data : by name of such data, the random variable that makes it from the parameters.
    closing : data in the graphs of ``data`` and of the model that other observations decide, and
        what decides them (a record that a random walk goes through, by its steps).
    """

    model: pm.Model
    data: Mapping[str, Any]
    closing: Mapping[Any, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Design:
    """What is refitted and ranked.

    Attributes
    ----------
    ranked : free variables whose every element is ranked.
    derived : deterministic variables that forecasts use, of which the last in time is ranked.
    variants : data that each structure of the model exchanges; replicas take them in turn.
    target_accept : of the sampler.
    """

    ranked: Sequence[str]
    derived: Sequence[str] = ()
    variants: Sequence[Mapping[str, float]] = ({},)
    target_accept: float = TARGET_ACCEPT


@dataclass(frozen=True, slots=True)
class Replicator:
    """A compiled model: `draw` makes parameters and data, `refit` gives draws from data."""

    design: Design
    compiled: Any
    draw: Callable[[int, Mapping[str, float]], tuple[Values, Values]]
    log_likelihood: Callable[[Values, Values], float]
    places: Mapping[str, tuple[tuple[Any, ...], list[str]]]
    """Of each ranked variable, its ranked elements and a label for each."""

    def refit(self, data: Values, seed: int) -> Any:  # noqa: ANN401 - nutpie is untyped
        """Return the draws of a fit to the data, by the compiled model."""
        import nutpie

        return nutpie.sample(
            self.compiled.with_data(**data),
            draws=DRAWS_RANKED * THINNING,
            tune=ATTEMPTS[0]["tune"],
            target_accept=self.design.target_accept,
            chains=1,
            cores=1,
            seed=seed,
            progress_bar=False,
            save_warmup=False,
        )

    def ranks(self, replica: int, seed: int) -> dict[str, Any]:
        """Return the rank of each truth of one replica, with diagnostics of its refit.

        Returns
        -------
        dict
            ``ranks`` by label, from 0 to `DRAWS_RANKED`: how many draws lie below the truth.
            ``divergences``; ``ess``, the effective share of the ranked draws, by label, at most 1.
        """
        import arviz as az

        variants = self.design.variants
        truth, data = self.draw(seed, variants[replica % len(variants)])
        tree = self.refit(data, seed)
        posterior = tree.posterior.dataset.isel(chain=0)
        every = {name: posterior[name].to_numpy() for name in truth}
        ranks: dict[str, int] = {}
        effective: dict[str, float] = {}
        for name, (at, labels) in self.places.items():
            drawn = every[name][(slice(None), *at)].reshape(DRAWS_RANKED * THINNING, -1)
            true = truth[name][at].ravel()
            below = (drawn[THINNING - 1 :: THINNING] < true).sum(axis=0)
            ranks.update(zip(labels, below.tolist(), strict=True))
            for label, values in zip(labels, drawn.T, strict=True):
                found = float(az.ess(values[None, :])) / DRAWS_RANKED
                effective[label] = round(min(found, 1.0), 3)
        thinned = {name: values[THINNING - 1 :: THINNING] for name, values in every.items()}
        likely = [
            self.log_likelihood({name: values[at] for name, values in thinned.items()}, data)
            for at in range(DRAWS_RANKED)
        ]
        ranks[LOG_LIKELIHOOD] = int(np.sum(np.array(likely) < self.log_likelihood(truth, data)))
        divergences = int(tree.sample_stats["diverging"].sum())
        return {"ranks": ranks, "divergences": divergences, "effective": effective}


def observed_as_data(model: pm.Model) -> dict[str, Any]:
    """Make every observation of a model data of it; return the random variable of each, by name."""
    from pytensor.compile.sharedvalue import shared

    variables = {}
    for variable in model.observed_RVs:
        value = model.rvs_to_values[variable]
        if value not in model.data_vars:
            # Not `pymc.Data`, which narrows whole numbers to a type that variables do not have.
            seen = value.data.astype(variable.dtype)
            held = shared(seen, name=f"{variable.name}_observed")  # type: ignore[no-untyped-call]
            model.register_data_var(held)
            del model.values_to_rvs[value]
            model.rvs_to_values[variable], model.values_to_rvs[held] = held, variable
            value = held
        variables[value.name] = variable
    return variables


def replicator(opened: Open, design: Design) -> Replicator:
    """Return the compiled model, ready to make and refit any number of replicas."""
    import nutpie
    from pytensor.configdefaults import config

    with config.change_flags(numba__fastmath=False):
        return Replicator(
            design=design,
            compiled=nutpie.compile_pymc_model(opened.model),
            draw=_simulator(opened, design),
            log_likelihood=_likelihood(opened.model),
            places={
                name: _ranked(opened.model, name) for name in (*design.ranked, *design.derived)
            },
        )


def _ranked(model: pm.Model, name: str) -> tuple[tuple[Any, ...], list[str]]:
    """Return which elements of a variable are ranked, and a label for each by where it stands."""
    dims, labels = model.named_vars_to_dims.get(name) or (), [name]
    for dim in dims:
        if dim not in OF_TIME:
            labels = [f"{label}, {at}" for label in labels for at in model.coords[dim]]
    return tuple(-1 if dim in OF_TIME else slice(None) for dim in dims), labels


def _simulator(
    opened: Open, design: Design
) -> Callable[[int, Mapping[str, float]], tuple[Values, Values]]:
    import pymc as pm
    from pymc.pytensorf import find_rng_nodes, reseed_rngs
    from pytensor.graph.replace import graph_replace

    free = [variable.name for variable in opened.model.free_RVs]
    named = dict.fromkeys([*free, *design.ranked, *design.derived])
    outputs = [*(opened.model[name] for name in named), *opened.data.values()]
    if opened.closing:
        outputs = graph_replace(outputs, opened.closing, strict=False)
    streams = find_rng_nodes(outputs)
    made = pm.pytensorf.compile([], outputs, random_seed=0)

    def draw(seed: int, variant: Mapping[str, float]) -> tuple[Values, Values]:
        pm.set_data(dict(variant), model=opened.model)
        reseed_rngs(streams, seed)
        values = [np.asarray(value) for value in made()]
        truth = dict(zip(named, values, strict=False))
        data = dict(zip(opened.data, values[len(named) :], strict=True))
        return truth, {**data, **{name: np.asarray(value) for name, value in variant.items()}}

    return draw


def _likelihood(model: pm.Model) -> Callable[[Values, Values], float]:
    import pymc as pm

    plain = without_transforms(model)
    free = [variable.name for variable in plain.free_RVs]
    density = pm.pytensorf.compile(
        [plain.rvs_to_values[variable] for variable in plain.free_RVs],
        sum(term.sum() for term in plain.logp(vars=plain.observed_RVs, sum=False)),
        on_unused_input="ignore",
    )

    def log_likelihood(values: Values, data: Values) -> float:
        for name, value in data.items():
            plain[name].set_value(value)
        return float(density(*(values[name] for name in free)))

    return log_likelihood
