"""Chips and language models as records: one row of their table each, found by any of its names."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from forepass.inputs.dates import year_fraction
from forepass.inputs.names import build_index, resolve

GIGABYTE, GIBIBYTE = 1e9, 2.0**30


@dataclass(frozen=True, slots=True)
class Chip:
    """One accelerator package; rates are dense peaks, and a missing figure is NaN.

    Attributes
    ----------
    release_year
        Years since the start of 2022.
    flops_8bit_flop_per_s
        The higher of the FP8 and the INT8 rate.
    relative_error
        One standard deviation of the disagreement between sources, as a share.
    """

    name: str
    vendor: str
    generation: str | None
    release_date: str | None
    release_year: float
    shipped: bool
    status: str
    flops_16bit_flop_per_s: float
    flops_fp8_flop_per_s: float
    flops_int8_op_per_s: float
    flops_8bit_flop_per_s: float
    flops_4bit_flop_per_s: float
    memory_bandwidth_bytes_per_s: float
    memory_capacity_bytes: float
    scale_up_bandwidth_bytes_per_s: float
    scale_up_chips: float
    power_w: float
    relative_error: float
    source: str


@dataclass(frozen=True, slots=True)
class LanguageModel:
    """One language model; a missing figure is NaN.

    Attributes
    ----------
    release_year
        Years since the start of 2022.
    total_params, active_params
        Parameters stored, and read for one token.
    kv_layers
        Layers that keep a KV cache growing with the context.
    kv_bytes_per_token_16bit
        Bytes that one token adds to the KV cache at 16 bits.
    sparse_read_tokens
        Most cached tokens that a token reads, where attention is sparse.
    params_relative_error
        One standard deviation of an estimated parameter count, as a share.
    """

    name: str
    developer: str
    release_date: str | None
    release_year: float
    architecture: str | None
    attention: str | None
    status: str
    total_params: float
    active_params: float
    n_experts: float
    experts_per_token: float
    n_shared_experts: float
    n_layers: float
    kv_layers: float
    n_kv_heads: float
    head_dim: float
    kv_bytes_per_token_16bit: float
    sparse_read_tokens: float
    native_weight_bits: float
    max_context_tokens: float
    params_relative_error: float
    source: str


def chip_record(name: str, tables: Mapping[str, pd.DataFrame], *, where: str | None = None) -> Chip:
    """Return the chip that ``name`` stands for, in any spelling that `resolve` knows.

    ``where`` is the file, line and column that hold the name, for the message.
    """
    row = _row(tables["chips"], "chip", resolve(name, chip_index(tables), "chip", where))
    rates = (row["flops_fp8_flop_per_s"], row["flops_int8_op_per_s"])
    row["flops_8bit_flop_per_s"] = max((r for r in rates if not math.isnan(r)), default=math.nan)
    return Chip(**{field: row[field] for field in Chip.__dataclass_fields__})


def model_record(
    name: str, tables: Mapping[str, pd.DataFrame], *, where: str | None = None
) -> LanguageModel:
    """Return the language model that ``name`` stands for; see `chip_record`."""
    table = tables["language_models"]
    row = _row(table, "model", resolve(name, model_index(tables), "model", where))
    return LanguageModel(**{field: row[field] for field in LanguageModel.__dataclass_fields__})


def chip_index(tables: Mapping[str, pd.DataFrame]) -> Mapping[str, str]:
    """Return every spelling of a chip with its name; each may end in the chip's memory, as -80gb.

    Memory in a name is checked, not left off: ``a100-40gb`` is never the chip with 80 GB.
    """
    index = _index(tables["chips"], "chip")
    capacity = tables["chips"].set_index("chip")["memory_capacity_bytes"]
    for spelling, name in list(index.items()):
        if not math.isnan(capacity[name]):
            for unit in (GIGABYTE, GIBIBYTE):  # makers call either of them GB
                index.setdefault(f"{spelling}{round(capacity[name] / unit)}gb", name)
    return index


def model_index(tables: Mapping[str, pd.DataFrame]) -> Mapping[str, str]:
    """Return every spelling of a language model with its name."""
    return _index(tables["language_models"], "model")


def _index(table: pd.DataFrame, key: str) -> dict[str, str]:
    return build_index(zip(table[key], table["aliases"].fillna(""), strict=True))


def _row(table: pd.DataFrame, key: str, name: str) -> dict[str, Any]:
    """Return the cells of the row with this name; missing texts are None."""
    [cells] = table[table[key] == name].to_dict("records")
    texts = [column for column in table if table[column].dtype == "str"]
    row: dict[str, Any] = {str(column): value for column, value in cells.items()}
    row |= {str(column): None for column in texts if pd.isna(row[str(column)])}
    return row | {"name": name, "release_year": year_fraction(row["release_date"])}
