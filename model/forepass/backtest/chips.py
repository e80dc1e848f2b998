"""The sheets of parts that shipped later: specs and price of each."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forepass.backtest.targets import Draws, Target, row_frame
from forepass.blocks import chips
from forepass.blocks.chips.paths import part_specs
from forepass.blocks.chips.records import SPECS, ChipRecords, chips_on_record
from forepass.inputs.dates import EPOCH_YEAR
from forepass.inputs.definitions import load_definitions
from forepass.inputs.tables import load_tables
from forepass.settings import Settings

NEEDS = ("chips",)
RATES = ("chip_fp16_flops_growth", "chip_fp32_flops_doubling_time")
TARGETS = {
    "flops_16bit": Target("16-bit rate of a chip", "FLOP/s", RATES, "", "NVIDIA", 1e-12, "TFLOP/s"),
    "flops_8bit": Target("8-bit rate of a chip", "FLOP/s", RATES),
    "bandwidth": Target(
        "bandwidth of a chip",
        "bytes/s",
        ("chip_memory_bandwidth_doubling_time",),
        fan="NVIDIA",
        scale=1e-12,
        shown_in="TB/s",
    ),
    "capacity": Target("memory of a chip", "bytes", ("chip_memory_capacity_doubling_time",)),
    "power": Target("power of a chip", "W"),
    "price": Target("price of a chip", "USD"),
}

type Floats = NDArray[np.float64]


def records(settings: Settings) -> dict[str, pd.DataFrame]:
    """Return the shipped parts that state each spec."""
    tables = load_tables(chips.TABLES, settings.data)
    record = chips_on_record(tables, load_definitions(settings.priors))
    return {name: shipped(record, name).reset_index(drop=True) for name in TARGETS}


def shipped(record: ChipRecords, spec: str) -> pd.DataFrame:
    """Return the shipped parts of a record that state a spec, by their places in it."""
    at = SPECS.index(spec)
    stated = np.flatnonzero(record.present[:, at] & ~record.announced)
    vendors = np.array(record.vendors)[record.vendor[stated]]
    value = record.log_specs[stated, at]
    return row_frame(record.when[stated], value, vendors).set_index(stated)


def predicted(
    draws: Draws, rows: pd.DataFrame, target: str, settings: Settings, rng: np.random.Generator
) -> Floats:
    """Return draws of the log of a spec of single parts, dims (draw, row)."""
    specs = part_specs(
        draws["chips"],
        when=rows["when"].to_numpy() - EPOCH_YEAR,
        vendor=rows["series"].to_numpy(dtype=str),
        reference=load_definitions(settings.priors).reference_vendor,
        rng=rng,
    )
    return specs[:, :, SPECS.index(target)]
