"""The record of each block as its likelihood has it: what a replica redraws, and what it keeps.

Dates, gaps, errors, kinds and who reports stay as observed. Where a likelihood is a density alone,
the simulator that belongs to it stands here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from forepass.calibration.replicas import Design, Open, observed_as_data
from forepass.posterior import TARGET_ACCEPT, block_module, build_model
from forepass.settings import Settings

if TYPE_CHECKING:
    import pymc as pm

type Floats = NDArray[np.float64]

SERVING_ROWS = 120
"""Measured rows of the serving block that replicas have, evenly spaced in the table."""
DERIVED = {
    "chips": ("growth",),
    "language_models": ("slope_at_end", "trend"),
    "fleet": ("log_shipments",),
    "training": ("log_record_flop",),
    "demand": ("log_world_tokens_per_s",),
}
"""Deterministic variables from which forecasts of a block run on."""
SIZES = ("active_seen", "total_seen")
"""Sizes of language models, which have a density alone: bounds may be all that is known."""
NOWHERE = 60.0
"""A log size that no model reaches in either direction, as the records of releases have it."""


def opened(block: str, settings: Settings) -> Open:
    """Return a block's model with its observations open to exchange."""
    model = _fewer_measurements(settings) if block == "serving" else build_model(block, settings)
    data = observed_as_data(model)
    if block == "chips":
        # A sheet's gaps hold zeros, whatever the normal that stands in for them draws.
        data["log_specs_seen"] = data["log_specs_seen"] * model["present_seen"]
    if block == "language_models":
        data |= _sizes(model)
    closing = _walks(model, settings) if block == "fleet" else {}
    data |= {shared.owner.inputs[0].name: path for shared, path in closing.items()}
    return Open(model, data, closing)


def design(block: str) -> Design:
    """Return what is ranked: every believed quantity, and those that forecasts run on from."""
    module = block_module(block)
    return Design(
        ranked=module.PRIORS,
        derived=DERIVED.get(block, ()),
        variants=tuple(getattr(module, "VARIANTS", {"": {}}).values()),
        target_accept=getattr(module, "TARGET_ACCEPT", TARGET_ACCEPT),
    )


def _fewer_measurements(settings: Settings) -> pm.Model:
    from forepass.blocks.serving.model import PRIORS, TABLES, build_on, group_levels, measured
    from forepass.blocks.serving.rows import make_rows
    from forepass.inputs.priors import expect, load_priors
    from forepass.inputs.tables import load_tables

    tables = load_tables(TABLES, settings.data)
    priors = load_priors("serving", settings.priors)
    expect(priors, PRIORS, "serving")
    table, observed = measured(tables)
    taken = np.linspace(0, len(table) - 1, min(SERVING_ROWS, len(table))).astype(int)
    rows = make_rows(table, tables).take(taken)
    return build_on(rows, observed[taken], group_levels(rows), priors)


def _sizes(model: pm.Model) -> dict[str, Any]:
    """Return simulators of releases' sizes, a value or the bounds that it is found between.

    Of a size that is known by bounds alone, a replica says on which side of them it lies, or that
    it lies between: the bounds cut the line into the three things that could have been found.
    """
    made = {}
    for name in SIZES:
        inputs = model[name].owner.inputs
        value, *mixed = size_draws(model[name])
        if mixed:
            experts, dense = mixed
            value = experts * value + (1 - experts) * dense
        made[f"{name}_observed"] = value
        low, high = (constant.data for constant in inputs[-2:])
        lower, upper = cells(value, low, high)
        for place, end, seen, cut in ((-2, "low", low, lower), (-1, "high", high, upper)):
            inputs[place] = _data(model, f"{name}_{end}", seen)
            made[f"{name}_{end}"] = cut
    return made


def size_draws(variable: Any) -> Any:  # noqa: ANN401 - PyTensor is untyped
    """Return what one of `SIZES` is drawn as: a size, or that of a mixture, whether it is, a dense.

    Parameters of its density, as the model has them, are of these.
    """
    import pymc as pm

    centre, spread, *more = variable.owner.op.dist_params(variable.owner)
    size = pm.Normal.dist(centre, spread)
    if variable.name == "active_seen":
        return (size,)
    dense, dense_spread, log_odds, *_ = more
    return size, pm.Bernoulli.dist(logit_p=log_odds), pm.Normal.dist(dense, dense_spread)


def cells(value: Any, low: Floats, high: Floats) -> tuple[Any, Any]:  # noqa: ANN401
    """Return the bounds that a value is found between: itself where those of its row coincide.

    Parameters
    ----------
    value : log sizes, NumPy arrays or tensors.
    low, high : log bounds as observed, of the same shape.

    Returns
    -------
    tuple
        Lower and upper log bounds: those observed, or all below or above them.
    """
    import pytensor.tensor as pt

    bounded = high > low
    below, above = value < low, value > high
    lower = pt.switch(below, -NOWHERE, pt.switch(above, high, low))
    upper = pt.switch(below, low, pt.switch(above, NOWHERE, high))
    return pt.switch(bounded, lower, value), pt.switch(bounded, upper, value)


def _walks(model: pm.Model, settings: Settings) -> dict[Any, Any]:
    """Return, for each record that a random walk goes through, the path that its steps draw.

    The record stands in the model as a constant, its first quarter included, which is kept.
    """
    import pytensor.tensor as pt

    from forepass.blocks.fleet.model import TABLES
    from forepass.blocks.fleet.shipments import quarterly_record
    from forepass.inputs.tables import load_tables

    tables = load_tables(TABLES, settings.data)
    record = quarterly_record(tables["chip_stock"], tables["chips"])
    paths = {}
    for name, seen in record.log_walked.items():
        known = np.nonzero(~np.isnan(np.diff(seen, axis=1)))
        early = np.isnan(seen)
        start = seen[np.arange(len(seen)), early.sum(axis=1)]
        steps = pt.zeros(seen.shape)[known[0], known[1] + 1].set(model[f"{name}_rises"])
        path = (start[:, None] + steps.cumsum(axis=1)) * ~early
        paths[_exchanged(model, f"{name}_seen", np.nan_to_num(seen))] = path
    return paths


def _exchanged(model: pm.Model, name: str, constant: Floats) -> Any:  # noqa: ANN401
    """Put data in the place of a constant of a model's graph, and return it as it stands there."""
    from pytensor.graph.traversal import ancestors
    from pytensor.tensor.variable import TensorConstant

    held = _data(model, name, constant)
    every = ancestors([*model.basic_RVs, *model.deterministics])
    places = [
        (node, at)
        for node in {variable.owner for variable in every if variable.owner}
        for at, value in enumerate(node.inputs)
        if isinstance(value, TensorConstant)
        and value.data.shape == constant.shape
        and np.array_equal(value.data, constant)
    ]
    if not places:
        raise LookupError(f"no part of the model reads the record of {name}")
    for node, at in places:
        node.inputs[at] = held
    return held


def _data(model: pm.Model, name: str, value: Floats) -> Any:  # noqa: ANN401
    import pymc as pm
    from pytensor.tensor.shape import specify_shape

    # Where a constant of that shape stood, the graph takes nothing else.
    with model:
        return specify_shape(pm.Data(name, value), value.shape)
