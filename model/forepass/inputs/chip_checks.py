"""Doubtful data sheets: sparse rates entered as dense, slips of unit, columns swapped."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from forepass.inputs.dates import year_fraction
from forepass.inputs.findings import Finding, finding, neighbour_ratio

RATES = RATE_16, RATE_FP8, RATE_INT8, RATE_4 = (
    "flops_16bit_flop_per_s",
    "flops_fp8_flop_per_s",
    "flops_int8_op_per_s",
    "flops_4bit_flop_per_s",
)
BANDWIDTH, CAPACITY = "memory_bandwidth_bytes_per_s", "memory_capacity_bytes"
DENSE_MEND = "enter the dense rate, which is half of a rate with 2:4 sparsity"

# Halving the bits doubles a dense rate, and counting zeros doubles it again.
SPARSE_RATIO = (3.8, 4.2)
DOUBLE_RATIO = (1.9, 2.1)
EQUAL_RATIO = (0.95, 1.05)
# A part of the same make and generation is comparable if its memory is about as fast; then a rate
# well above every sibling's, at more FLOP per joule than they have, is likely twice the dense one.
COMPARABLE_BANDWIDTH = 0.65
RATE_ABOVE_SIBLINGS = 1.7
EFFICIENCY_ABOVE_SIBLINGS = 1.4
# A slip of unit is a factor of a thousand; chips of one time differ by far less. Memory on the die
# instead of beside it is a few hundred times smaller.
SLIP = 50.0
SLIPS = {
    **dict.fromkeys((*RATES, BANDWIDTH, "scale_up_bandwidth_bytes_per_s", "power_w"), SLIP),
    CAPACITY: 500.0,
}


def check_chips(chips: pd.DataFrame) -> Iterator[Finding]:
    """Yield the doubtful figures of chips, each cell at most once."""
    checks = (_swapped, _slips, _sparse_in_ratio, _sparse_among_siblings)
    findings = [found for check in checks for found in check(chips)]
    yield from {(f.file, f.line, f.column): f for f in reversed(findings)}.values()


def eight_bit_rate(chips: pd.DataFrame) -> pd.Series:
    """Return the higher of the FP8 and the INT8 rate of each chip."""
    return chips[[RATE_FP8, RATE_INT8]].max(axis=1)


def _swapped(chips: pd.DataFrame) -> Iterator[Finding]:
    for row in chips.index[chips[BANDWIDTH] < chips[CAPACITY]]:
        message = "the memory would take more than a second to read"
        mend = "capacity and bandwidth may be swapped, or one of them in another unit"
        yield finding(chips, row, BANDWIDTH, message, mend)


def _slips(chips: pd.DataFrame) -> Iterator[Finding]:
    years = chips["release_date"].map(year_fraction)
    for column, most in SLIPS.items():
        ratio = neighbour_ratio(chips[column], years)
        for row in chips.index[(ratio > most) | (ratio < 1 / most)]:
            times = ratio[row] if ratio[row] > 1 else 1 / ratio[row]
            side = "above" if ratio[row] > 1 else "below"
            message = f"{times:.0f} times {side} chips of the same time"
            yield finding(chips, row, column, message, "look for a slip of unit, as GB for TB")
    ratio = neighbour_ratio(chips[CAPACITY] / chips[BANDWIDTH], years)
    for row in chips.index[(ratio > SLIP) | (ratio < 1 / SLIP)]:
        message = "capacity does not go with the bandwidth in chips of the same time"
        yield finding(chips, row, CAPACITY, message, "look for a slip of unit, as GB for TB")


def _sparse_in_ratio(chips: pd.DataFrame) -> Iterator[Finding]:
    """Yield rates that are four times the rate at twice the bits, where two is the rule."""
    eight = eight_bit_rate(chips)
    four_over_eight = chips[RATE_4] / eight
    for row in chips.index[four_over_eight.between(*SPARSE_RATIO)]:
        yield finding(chips, row, RATE_4, "four times the 8-bit rate", DENSE_MEND)
    # Some recent parts have a 16-bit rate cut in half; then the 4-bit rate is twice the 8-bit one.
    eight_over_sixteen = eight / chips[RATE_16]
    doubtful = eight_over_sixteen.between(*SPARSE_RATIO) & ~four_over_eight.between(*DOUBLE_RATIO)
    for row in chips.index[doubtful]:
        column = RATE_FP8 if chips.loc[row, RATE_FP8] == eight[row] else RATE_INT8
        yield finding(chips, row, column, "four times the 16-bit rate", DENSE_MEND)
    eight_by_kind = chips[RATE_FP8] / chips[RATE_INT8]
    for row in chips.index[eight_by_kind.between(*DOUBLE_RATIO)]:
        yield finding(chips, row, RATE_FP8, "twice the INT8 rate", DENSE_MEND)


def _sparse_among_siblings(chips: pd.DataFrame) -> Iterator[Finding]:
    """Yield rates that stand out by a factor of two among parts of one make and generation."""
    eight_over_sixteen = eight_bit_rate(chips) / chips[RATE_16]
    for _, family in chips.groupby(["vendor", "generation"]):
        for row in family.index:
            siblings = family.drop(row)
            ratios = eight_over_sixteen[siblings.index].dropna()
            if not ratios.empty and ratios.between(*DOUBLE_RATIO).all():
                if eight_over_sixteen.loc[row:row].between(*EQUAL_RATIO).all():
                    message = "as high as the 8-bit rate, unlike others of its generation"
                    yield finding(chips, row, RATE_16, message, DENSE_MEND)
                if eight_over_sixteen.loc[row:row].between(*SPARSE_RATIO).all():
                    message = "four times the 16-bit rate, unlike others of its generation"
                    column = RATE_INT8 if pd.isna(chips.loc[row, RATE_FP8]) else RATE_FP8
                    yield finding(chips, row, column, message, DENSE_MEND)
            for column in RATES:
                if _stands_out(chips.loc[row], siblings, column):
                    message = "about twice the rate of others of its generation"
                    yield finding(chips, row, column, message, DENSE_MEND)


def _stands_out(chip: pd.Series, siblings: pd.DataFrame, column: str) -> bool:
    comparable = siblings[siblings[BANDWIDTH] >= COMPARABLE_BANDWIDTH * chip[BANDWIDTH]]
    highest = comparable[column].max()
    if not chip[column] > RATE_ABOVE_SIBLINGS * highest:
        return False
    usual = (siblings[column] / siblings["power_w"]).median()
    efficiency = chip[column] / chip["power_w"]
    return bool(
        np.isnan(usual) or np.isnan(efficiency) or efficiency > EFFICIENCY_ABOVE_SIBLINGS * usual
    )
