"""The PyMC model that joins every measured row to the physics of its configuration."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forepass import physics
from forepass.blocks.serving.rate import tokens_per_s_per_chip
from forepass.blocks.serving.rows import EFFECTS, LEVELS, SCENARIOS, SPLIT_MARK, Rows, make_rows
from forepass.blocks.variables import prior_variable
from forepass.inputs.priors import Prior

if TYPE_CHECKING:
    import pymc as pm

__all__ = [
    "DRAWS",
    "PARAMETERS",
    "PRIORS",
    "TABLES",
    "TARGET_ACCEPT",
    "build",
    "build_on",
    "group_levels",
    "measured",
]

TABLES = ("serving", "chips", "language_models")
DRAWS = 1200
TARGET_ACCEPT = 0.8
"""Of transitions; smaller steps cost more gradients for each effective draw, and avoid nothing."""

PARAMETERS = (
    "prefill_compute_share",
    "decode_compute_share",
    "bandwidth_share",
    "compute_gain_8bit",
    "compute_gain_4bit",
    "compute_share_experts",
    "traffic_gain_8bit",
    "traffic_gain_4bit",
    "overlap_sharpness",
    "layer_latency_us",
    "collective_latency_us",
    "expert_latency_us",
    "step_overhead_us",
    "sequence_overhead_us",
    "request_overhead_us",
    "memory_share",
    "scheduler_batch_per_chip",
    "kv_read_factor",
    "kv_16bit_share",
    "latent_kv_factor",
    "latent_decode_channels",
    "latent_prefill_channels",
    "link_share",
    "engine_width_exponent",
    "stored_bits_4bit",
    "unstated_input_tokens",
    "unstated_output_tokens",
    "unstated_layers",
    "unstated_routed_share",
    "unstated_experts_per_token",
    "unstated_kv_bytes_per_token",
    "unstated_link_bandwidth",
)
SPREADS = (
    *(f"{level}_spread" for level in LEVELS),
    "engine_latency_spread",
    "model_prefill_spread",
)
NOISE = ("noise_scale", "noise_tail")
TAILS = ("campaign_tail", "split_cell_factor")
SELECTION = ("published_fleet_lead",)
LOOKING_AHEAD = ("software_gain_halflife", "new_campaign_weight")
PRIORS = (
    *PARAMETERS,
    *(f"effect_{name}" for name in EFFECTS),
    *SPREADS,
    *NOISE,
    *TAILS,
    *SELECTION,
    *LOOKING_AHEAD,
)

CENTRED = ("campaign", "cell")
"""Groups that several close rows inform: sampled as they are, not relative to their spread."""
CELLS_TO_TELL = {
    "z_generation": 5.0,
    "z_stack": 50.0,
    "z_model": 2.0,
    "z_engine": 20.0,
    # What sets engines apart in latency may be nothing, and a spread near 0 must be free to move.
    "z_engine_latency": np.inf,
    "z_model_prefill": 5.0,
}
"""Cells of one group that tell as much of its effect as the prior does, about; in between lies how
the effect is sampled. It moves no posterior, only the effort of drawing from it."""
NOISE_OVER_CELL_SPREAD = 0.55
"""Noise within a cell over the scatter of cells, about as fitted; it moves no posterior."""
LEAST_TAIL = 2.0
"""Degrees of freedom are kept above two, so that the noise has a variance."""


def measured(tables: Mapping[str, pd.DataFrame]) -> tuple[pd.DataFrame, NDArray[np.float64]]:
    """Return the rows that can be fitted and the log of their measured tokens/s per chip.

    Estimates are predicted, not fitted; rows whose weights do not fit in the stated chips
    contradict themselves and are left out.
    """
    table = tables["serving"]
    prefill = table["scenario"] == "prefill_only"
    rate = table["output_tokens_per_s_per_chip"].where(
        ~prefill, table["total_tokens_per_s_per_chip"]
    )
    sized = make_rows(table, tables)
    held = physics.weight_bytes(sized.fields["total_params"], sized.fields["weight_bits"])
    fits = held <= sized.fields["memory"] * table["n_chips"].to_numpy()
    # A pool's rate says nothing without the lengths that it was measured at.
    pool = table["scenario"].isin(["decode_only", "prefill_only"]) & table["input_tokens"].isna()
    kept = (table["scenario"] != "estimate") & rate.notna() & fits & ~pool
    return table[kept].reset_index(drop=True), np.log(rate[kept].to_numpy(dtype=float))


def group_levels(rows: Rows) -> dict[str, list[str]]:
    """Return the distinct groups of each kind, sorted; these are the model's coordinates."""
    return {level: sorted(set(rows.levels[level].tolist())) for level in LEVELS}


def build(tables: Mapping[str, pd.DataFrame], priors: Mapping[str, Prior]) -> "pm.Model":
    """Return the model of log tokens/s per chip on all measured rows.

    The mean is the physics of the row times exponentiated effects: of the scenario, of software
    date and chip age, and of groups (vendor, generation, chip, model, engine, campaign, and the
    cell of rows that share all of them), each normal around zero with a learned spread. Noise
    within a cell is Student t.
    """
    table, observed = measured(tables)
    rows = make_rows(table, tables)
    return build_on(rows, observed, group_levels(rows), priors)


def build_on(
    rows: Rows,
    observed: NDArray[np.float64],
    levels: Mapping[str, list[str]],
    priors: Mapping[str, Prior],
) -> "pm.Model":
    """Return the model on given rows; ``levels`` may name groups that no row belongs to.

    A group without rows keeps its prior given the spread: what is believed of a new one.
    """
    import pymc as pm
    import pytensor.tensor as pt

    coords = {level: list(names) for level, names in levels.items()}
    with pm.Model(coords={**coords, "scenario": list(SCENARIOS)}) as model:
        data = {name: pm.Data(name, values) for name, values in model_data(rows, levels).items()}
        target = pm.Data("log_rate", observed)
        p: dict[str, Any] = {name: prior_variable(priors[name]) for name in PARAMETERS}
        spread = {name: prior_variable(priors[name]) for name in SPREADS}
        effects = {name: prior_variable(priors[f"effect_{name}"]) for name in EFFECTS}
        tails = {name: prior_variable(priors[name]) for name in TAILS}
        cells = cells_of_groups(rows, levels)
        groups = {
            lv: _effect(f"z_{lv}", spread[f"{lv}_spread"], cells[lv], lv)
            for lv in LEVELS
            if lv not in CENTRED
        }
        groups["campaign"] = pm.StudentT(
            "of_campaign",
            nu=LEAST_TAIL + tails["campaign_tail"],
            sigma=spread["campaign_spread"],
            dims="campaign",
        )
        at = {level: data[f"{level}_index"] for level in LEVELS}
        slow = _effect(
            "z_engine_latency", spread["engine_latency_spread"], cells["engine"], "engine"
        )
        heavy = _effect("z_model_prefill", spread["model_prefill_spread"], cells["model"], "model")
        p["latency_factor"] = pt.exp(slow)[at["engine"]]
        p["prefill_compute_share"] *= pt.exp(heavy)[at["model"]]
        mean = pt.log(tokens_per_s_per_chip(data, p, pt))
        mean += sum(effects[name] * data[name] for name in EFFECTS)
        mean += sum(group[at[level]] for level, group in groups.items())
        # The effect of production is that of a typical fleet; the fleet on record is no such one.
        mean += prior_variable(priors["published_fleet_lead"]) * data["production"]
        wider = 1 + np.array(split_cells(levels["cell"])) * (tails["split_cell_factor"] - 1)
        # Rows tell where the mean of their cell lies far better than what it owes to which effect,
        # so the sampler moves that mean; shrunk, as one row alone leaves it to the effects.
        nothing = pt.zeros(len(levels["cell"]))
        weight = nothing[at["cell"]].inc(1.0) + NOISE_OVER_CELL_SPREAD**2
        explained = nothing[at["cell"]].inc(mean) / weight
        whole = pm.Normal("mean_of_cell", explained, spread["cell_spread"] * wider, dims="cell")
        mean += pm.Deterministic("of_cell", whole - explained, dims="cell")[at["cell"]]
        for name in LOOKING_AHEAD:
            prior_variable(priors[name])
        # No variable, but whoever asks of a row whose campaign is unstated needs it beside them.
        pm.Deterministic("campaign_rows", data["rows_of"], dims=("scenario", "campaign"))
        noise, tail = prior_variable(priors["noise_scale"]), prior_variable(priors["noise_tail"])
        pm.StudentT("y", nu=LEAST_TAIL + tail, mu=mean, sigma=noise, observed=target)
    return model


def _effect(name: str, spread: Any, cells: NDArray[np.float64], level: str) -> Any:  # noqa: ANN401
    """Return the effects of groups around zero, sampled between centred and relative to spread.

    Those that many cells tell of are sampled as they are, those of few relative to their spread:
    either alone leaves a neck that the sampler passes slowly (Papaspiliopoulos, Roberts and Skold
    2007, doi:10.1214/088342307000000014).
    """
    import pymc as pm

    told = cells / (cells + CELLS_TO_TELL[name])
    scaled = pm.Normal(f"scaled_{name}", 0, spread**told, dims=level)
    effect = scaled * spread ** (1 - told)
    pm.Deterministic(name, effect / spread, dims=level)
    return effect


def cells_of_groups(rows: Rows, levels: Mapping[str, list[str]]) -> dict[str, NDArray[np.float64]]:
    """Return by level how many distinct cells each of its groups has rows in, dims (group)."""
    of = {
        level: Counter(
            name for name, _ in set(zip(rows.levels[level], rows.levels["cell"], strict=True))
        )
        for level in levels
    }
    return {lv: np.array([float(of[lv][name]) for name in names]) for lv, names in levels.items()}


def split_cells(cells: Sequence[str]) -> list[float]:
    """Return 1 for each cell whose deployment is split in pools or over scale-up domains, else 0.

    How such a deployment is cut up matters, and is not in the tables: its cells scatter more.
    """
    return [float(cell.endswith(SPLIT_MARK)) for cell in cells]


def model_data(rows: Rows, levels: Mapping[str, list[str]]) -> dict[str, NDArray[Any]]:
    """Return everything that the model reads of the rows, by name of its data variable."""
    index = {}
    for level, names in levels.items():
        place = {name: position for position, name in enumerate(names)}
        index[f"{level}_index"] = np.array([place[name] for name in rows.levels[level]], dtype=int)
    scenario = np.array([SCENARIOS.index(name) for name in rows.levels["scenario"]], dtype=int)
    rows_of = np.zeros((len(SCENARIOS), len(levels["campaign"])))
    np.add.at(rows_of, (scenario, index["campaign_index"]), 1.0)
    return {**rows.fields, **rows.effects, **index, "rows_of": rows_of}
