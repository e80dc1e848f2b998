"""Configurations as arrays of physical facts: what the rate needs to know of each row."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forepass import physics
from forepass.inputs.dates import year_fraction
from forepass.inputs.records import Chip, LanguageModel, chip_record, model_record

__all__ = [
    "EFFECTS",
    "FIELDS",
    "LEVELS",
    "SCENARIOS",
    "Rows",
    "compute_bits",
    "dense_flops",
    "least_replica",
    "make_rows",
    "model_fields",
    "smallest_count",
]

FIELDS = (
    "n_chips",
    "least_chips",
    "split",
    "concurrency",
    "flops",
    "compute_bits",
    "bandwidth",
    "memory",
    "link_bandwidth",
    "active_params",
    "total_params",
    "share_routed",
    "experts_per_token",
    "n_layers",
    "attending_layers",
    "latent_attention",
    "kv_bytes_per_token_16bit",
    "kv_bits",
    "most_tokens_read",
    "weight_bits",
    "input_tokens",
    "output_tokens",
    "beams",
    "cached_share",
    "decode_only",
    "prefill_only",
)
EFFECTS = (
    "server",
    "interactive",
    "production",
    "pool",
    "split",
    "beyond_domain",
    "speculative",
    "software_date",
    "chip_age",
)
SCENARIOS = (
    "closed_loop",
    "offline",
    "server",
    "interactive",
    "batch1",
    "decode_only",
    "prefill_only",
    "production",
    "estimate",
)
LEVELS = ("generation", "stack", "model", "engine", "campaign", "cell")

CHIPS_IN_ONE_SERVER = 8
MOST_IN_ONE_REPLICA = 256
"""A larger deployment is many replicas, whatever its count of chips."""
SPARE_MEMORY = 0.8
"""A replica is the least power of two of chips that holds the weights in this share of memory."""
EPOCH_YEAR = 3.5
"""Software dates count from mid-2025, the middle of the measurements, in years since 2022.0."""
SPLIT_MARK = "split"
UNLIMITED_TOKENS = 1e12
ENGINES = {
    "trt": ("trt", "tensorrt"),
    "sglang": ("sglang",),
    "vllm": ("vllm", "mango"),
}


@dataclass(frozen=True, slots=True)
class Rows:
    """Configurations, one element each.

    Attributes
    ----------
    fields : by name of `FIELDS`, dims (obs); rates per chip, zero where unstated.
    effects : by name of `EFFECTS`, dims (obs); what shifts the log rate.
    levels : by name of `LEVELS`, the group that each row belongs to, an empty name where it is
        unstated; and by ``scenario``, how the row was or would be measured.
    """

    fields: dict[str, NDArray[np.float64]]
    effects: dict[str, NDArray[np.float64]]
    levels: dict[str, NDArray[np.str_]]

    def __len__(self) -> int:
        """Return the number of configurations."""
        return len(self.fields["n_chips"])

    def take(self, index: NDArray[Any] | slice) -> "Rows":
        """Return the rows at ``index``."""
        return Rows(*({k: v[index] for k, v in part.items()} for part in self._parts()))

    def _parts(self) -> tuple[dict[str, Any], ...]:
        return self.fields, self.effects, self.levels


def compute_bits(chip: Chip, weight_bits: float) -> float:
    """Return the bits at which the chip multiplies weights stored at ``weight_bits``.

    Where it lacks arithmetic at that width the weights are widened to 16 bits first, as the kernels
    for weight-only formats do.
    """
    if weight_bits <= 4 and chip.flops_4bit_flop_per_s > 0:
        return 4.0
    if 4 < weight_bits <= 8 and chip.flops_8bit_flop_per_s > 0:
        return 8.0
    return 16.0


def dense_flops(chip: Chip, bits: float) -> float:
    """Return the chip's dense FLOP/s at ``bits``; NaN where it is not published."""
    if bits <= 4:
        return chip.flops_4bit_flop_per_s
    if bits <= 8:
        return chip.flops_8bit_flop_per_s
    if chip.flops_16bit_flop_per_s > 0:
        return chip.flops_16bit_flop_per_s
    # Announced parts often state 8 bit alone, whose rate has been twice that of 16 bit.
    return chip.flops_8bit_flop_per_s / 2


def smallest_count(chip: Chip, model: LanguageModel, weight_bits: float) -> int:
    """Return the fewest chips whose memory holds the weights at ``weight_bits``."""
    held = physics.weight_bytes(model.total_params, weight_bits)
    return math.ceil(held / chip.memory_capacity_bytes)


def least_replica(
    total_params: NDArray[np.float64] | float,
    bits: NDArray[np.float64] | float,
    memory: NDArray[np.float64] | float,
) -> NDArray[np.float64]:
    """Return the least power of two of chips that holds the weights with room for the KV cache."""
    needed = physics.weight_bytes(total_params, bits) / (SPARE_MEMORY * memory)
    return np.asarray(2.0 ** np.ceil(np.log2(np.maximum(needed, 1.0))))


def make_rows(table: pd.DataFrame, tables: Mapping[str, pd.DataFrame]) -> Rows:
    """Return the configurations of a table as arrays.

    Parameters
    ----------
    table
        Columns as in data/serving.csv; chip and model may be any known spelling.
    tables
        ``chips`` and ``language_models``.

    Raises
    ------
    InputError
        Where a chip or a model is not known.
    """
    chips = {name: chip_record(name, tables) for name in table["chip"].unique()}
    models = {name: model_record(name, tables) for name in table["model"].unique()}
    chip_of, model_of = table["chip"].map(chips), table["model"].map(models)
    column = _columns(table)
    bits = column("weight_bits")
    pairs = list(zip(chip_of, bits, strict=True))
    computed = np.array([compute_bits(chip, bit) for chip, bit in pairs])
    flops = np.array([dense_flops(c, b) for (c, _), b in zip(pairs, computed, strict=True)])
    scenario = _scenarios(table)
    fields = {
        **_deployment(table, chip_of, model_of, bits),
        "flops": flops,
        "compute_bits": computed,
        "weight_bits": bits,
        "kv_bits": np.nan_to_num(column("kv_bits")),
        "input_tokens": np.nan_to_num(column("input_tokens")),
        "output_tokens": np.nan_to_num(column("output_tokens")),
        "beams": np.nan_to_num(column("beams"), nan=1.0),
        "cached_share": np.nan_to_num(column("cached_share")),
        "decode_only": np.asarray(scenario == "decode_only", dtype=float),
        "prefill_only": np.asarray(scenario == "prefill_only", dtype=float),
        **_chip_fields(chip_of),
        **model_fields(model_of),
    }
    effects = _effects(table, chip_of, scenario, fields)
    return Rows(fields, effects, _levels(table, chip_of, model_of, fields, effects))


def _columns(table: pd.DataFrame) -> Any:  # noqa: ANN401 - a closure
    def column(name: str) -> NDArray[np.float64]:
        if name not in table:
            return np.full(len(table), np.nan)
        return np.asarray(table[name], dtype=float)

    return column


def _text(table: pd.DataFrame, name: str, otherwise: str) -> NDArray[Any]:
    if name not in table:
        return np.full(len(table), otherwise, dtype=object)
    return np.asarray(table[name].fillna(otherwise).replace("", otherwise), dtype=object)


def _scenarios(table: pd.DataFrame) -> NDArray[Any]:
    """Return the scenario of each row; unstated, a closed loop where requests in flight are."""
    stated = _text(table, "scenario", "")
    loaded = np.nan_to_num(_columns(table)("concurrency")) > 0
    return np.where(stated == "", np.where(loaded, "closed_loop", "offline"), stated)


def _deployment(
    table: pd.DataFrame,
    chip_of: "pd.Series[Any]",
    model_of: "pd.Series[Any]",
    bits: NDArray[np.float64],
) -> dict[str, NDArray[np.float64]]:
    """Return the chips that serve together, the least that one engine could have, and the requests.

    All chips serve together where the requests in flight are stated, since they are stated for all
    of them; otherwise as few as hold the weights with room for the KV cache. A deployment is split
    where it has pools of its own, or more chips than one server or scale-up domain.
    """
    n_chips = np.asarray(table["n_chips"], dtype=float)
    concurrency = np.nan_to_num(_columns(table)("concurrency"))
    memory = np.array([chip.memory_capacity_bytes for chip in chip_of])
    params = np.array([model.total_params for model in model_of])
    least = np.minimum(least_replica(params, bits, memory), n_chips)
    together = np.where(concurrency > 0, n_chips, least)
    wide = (together > _domain(chip_of)) | ((concurrency > 0) & (n_chips > CHIPS_IN_ONE_SERVER))
    return {
        "n_chips": together,
        "least_chips": np.maximum(least, np.minimum(together, CHIPS_IN_ONE_SERVER)),
        "split": np.asarray(wide | (_flag(table, "disaggregated") > 0), dtype=float),
        "concurrency": concurrency,
    }


def _domain(chip_of: "pd.Series[Any]") -> NDArray[np.float64]:
    """Return the chips of a scale-up domain, or of a server where chips have no link."""
    linked = np.array([chip.scale_up_chips for chip in chip_of], dtype=float)
    return np.where(linked > 1, linked, CHIPS_IN_ONE_SERVER)


def _chip_fields(chip_of: "pd.Series[Any]") -> dict[str, NDArray[np.float64]]:
    def of(name: str) -> NDArray[np.float64]:
        return np.array([getattr(chip, name) for chip in chip_of], dtype=float)

    return {
        "bandwidth": of("memory_bandwidth_bytes_per_s"),
        "memory": of("memory_capacity_bytes"),
        # Vendors add both directions; a collective is bound by one.
        "link_bandwidth": np.nan_to_num(of("scale_up_bandwidth_bytes_per_s")) / 2,
    }


def model_fields(models: Iterable[LanguageModel]) -> dict[str, NDArray[np.float64]]:
    """Return what the rate needs to know of each model, by name of `FIELDS`; zero is unstated."""
    known = list(models)

    def of(name: str) -> NDArray[np.float64]:
        return np.array([getattr(model, name) for model in known], dtype=float)

    active, total = of("active_params"), of("total_params")
    routed = of("experts_per_token") / of("n_experts")
    # A mixture whose experts are not published is marked by a negative share.
    routed = np.where(np.isnan(routed), np.where(total > 1.02 * active, -1.0, 0.0), routed)
    routed = np.where(total > 1.02 * active, routed, 0.0)
    attention = [model.attention or "" for model in known]
    sparse = of("sparse_read_tokens")
    return {
        "active_params": active,
        "total_params": np.maximum(total, active),
        "share_routed": routed,
        "experts_per_token": np.nan_to_num(of("experts_per_token")),
        "n_layers": np.nan_to_num(of("n_layers")),
        "attending_layers": np.nan_to_num(of("kv_layers")),
        "latent_attention": np.array([float("mla" in kind) for kind in attention]),
        "kv_bytes_per_token_16bit": np.nan_to_num(of("kv_bytes_per_token_16bit")),
        "most_tokens_read": np.where(sparse > 0, sparse, UNLIMITED_TOKENS),
    }


def _effects(
    table: pd.DataFrame,
    chip_of: "pd.Series[Any]",
    scenario: NDArray[Any],
    fields: Mapping[str, NDArray[np.float64]],
) -> dict[str, NDArray[np.float64]]:
    dates = _text(table, "date", "2025-07")
    when = {date: year_fraction(str(date)) for date in set(dates)}
    year = np.array([when[date] for date in dates])
    released = np.array([chip.release_year for chip in chip_of], dtype=float)
    age = np.maximum(np.where(np.isnan(released), 1.0, year - released), 0.0)
    n_chips = np.minimum(np.asarray(table["n_chips"], dtype=float), MOST_IN_ONE_REPLICA)
    # Under a stated concurrency the load sets the batch, and no further latency limit acts.
    free = fields["concurrency"] <= 0
    # A pool is measured at its best; a whole deployment waits where its pools do not match.
    pool = fields["decode_only"] + fields["prefill_only"]
    return {
        "server": np.asarray((scenario == "server") & free, dtype=float),
        "interactive": np.asarray((scenario == "interactive") & free, dtype=float),
        "production": np.asarray(scenario == "production", dtype=float),
        "pool": pool,
        "split": fields["split"] * (1 - pool),
        "beyond_domain": np.log2(np.maximum(n_chips / _domain(chip_of), 1.0)),
        "speculative": _flag(table, "speculative"),
        "software_date": year - EPOCH_YEAR,
        "chip_age": np.exp(-age),
    }


def _flag(table: pd.DataFrame, name: str) -> NDArray[np.float64]:
    if name not in table:
        return np.zeros(len(table))
    return np.asarray(table[name].fillna(value=False), dtype=float)


def _levels(
    table: pd.DataFrame,
    chip_of: "pd.Series[Any]",
    model_of: "pd.Series[Any]",
    fields: Mapping[str, NDArray[np.float64]],
    effects: Mapping[str, NDArray[np.float64]],
) -> dict[str, NDArray[np.str_]]:
    software = _text(table, "software", "")
    engine = {name: _engine(str(name)) for name in set(software)}
    levels = {
        "generation": [chip.generation or chip.name for chip in chip_of],
        "stack": [f"{c.name}/{engine[name]}" for c, name in zip(chip_of, software, strict=True)],
        "model": [model.name for model in model_of],
        "engine": [engine[name] for name in software],
        "campaign": list(_text(table, "campaign", "")),
    }
    split = (fields["split"] > 0) | (effects["beyond_domain"] > 0)
    kinds = zip(
        *(levels[k] for k in ("campaign", "stack", "model")),
        np.asarray(table["weight_bits"], dtype=float).astype(int).astype(str),
        np.where(split, SPLIT_MARK, "whole"),
        strict=True,
    )
    levels["cell"] = ["/".join(map(str, kind)) for kind in kinds]
    levels["scenario"] = list(_scenarios(table))
    return {name: np.array(values, dtype=str) for name, values in levels.items()}


def _engine(software: str) -> str:
    """Return the family of a serving engine named with its version."""
    name = software.lower()
    for family, marks in ENGINES.items():
        if any(mark in name for mark in marks):
            return family
    return "other" if name else ""
