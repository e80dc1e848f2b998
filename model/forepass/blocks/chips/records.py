"""Tables of chips and prices as one array of log specs, with their errors and gaps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from forepass.blocks.trends import calendar_years, knots_within, times
from forepass.inputs.dates import EPOCH_YEAR

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from forepass.inputs.definitions import Definitions

    type Floats = NDArray[np.float64]

# Levels and growths speak of the start of this year, the middle of what the table holds: further
# back, a level and its growth could hardly be told apart.
ANCHOR_YEAR = 2024
# Those that few chips state come last, where the Cholesky factor of correlations is least tied.
SPECS = (
    "flops_8bit",
    "bandwidth",
    "capacity",
    "power",
    "scale_up_bandwidth",
    "flops_16bit",
    "price",
    "flops_4bit",
)
# What the model works with: 16- and 4-bit rates as ratios to the 8-bit rate. The three move nearly
# as one, and their ratios stay put for years, so scatter and drift belong to the ratios.
TRAITS = tuple({"flops_16bit": "ratio_16bit", "flops_4bit": "ratio_4bit"}.get(s, s) for s in SPECS)
COLUMNS = {
    "flops_16bit": "flops_16bit_flop_per_s",
    "flops_4bit": "flops_4bit_flop_per_s",
    "bandwidth": "memory_bandwidth_bytes_per_s",
    "capacity": "memory_capacity_bytes",
    "power": "power_w",
    "scale_up_bandwidth": "scale_up_bandwidth_bytes_per_s",
}
# With fewer shipped chips a vendor's effect is little but the population's.
FEWEST_CHIPS = 3
# What decides whether a part carries its vendor's line forward.
LEADING = ("flops_16bit", "flops_8bit", "bandwidth")
# Conflicts between sources are recorded for rates and bandwidths.
RATED = ("flops_16bit", "flops_8bit", "flops_4bit", "bandwidth")


@dataclass(frozen=True, slots=True)
class ChipRecords:
    """Chips that the trend is fitted to.

    `log_specs` has shape (chip, spec), zero where `present` is false; `error` holds one standard
    deviation of each log spec.
    """

    names: list[str]
    vendors: list[str]
    vendor: NDArray[np.int_]
    when: Floats
    log_specs: Floats
    present: NDArray[np.bool_]
    error: Floats
    announced: NDArray[np.bool_]

    @property
    def since_anchor(self) -> Floats:
        """Return release times as years since the anchor."""
        return self.when - (ANCHOR_YEAR - EPOCH_YEAR)

    @property
    def knots(self) -> Floats:
        """Return the turns of years at which slopes may bend, as years since the anchor."""
        return knots_within(self.since_anchor)

    @property
    def thin_vendors(self) -> list[str]:
        """Return the vendors whose effects come mostly from the population."""
        shipped = [self.vendors[index] for index in self.vendor[~self.announced]]
        return [name for name in self.vendors if shipped.count(name) < FEWEST_CHIPS]

    def of(self, vendor: str) -> NDArray[np.bool_]:
        """Tell which chips are of a vendor, which need not be on record."""
        return np.array(self.vendors)[self.vendor] == vendor

    @property
    def shipped_span(self) -> tuple[float, float]:
        """Return the release of the first and the last shipped chip as years since the anchor."""
        shipped = self.since_anchor[~self.announced]
        return float(shipped.min()), float(shipped.max())

    @property
    def years(self) -> NDArray[np.int_]:
        """Return the calendar years that the record spans."""
        spanned = calendar_years(self.when)
        return np.arange(spanned.min(), spanned.max() + 1)


def chips_on_record(tables: Mapping[str, pd.DataFrame], definitions: Definitions) -> ChipRecords:
    """Return the record that the trends of chips are fitted to, of all that the tables hold."""
    return chip_records(
        tables["chips"],
        tables["chip_prices"],
        minimum_bandwidth=definitions.chip_minimum_bandwidth_bytes_per_s,
        line_share=definitions.chip_line_share,
    )


def chip_records(
    chips: pd.DataFrame,
    prices: pd.DataFrame,
    *,
    minimum_bandwidth: float,
    line_share: float,
) -> ChipRecords:
    """Return the log specs of the parts that carry their vendor's line forward.

    A dated chip belongs if its memory bandwidth, where known, reaches the minimum (parts with
    LPDDR alone follow another trend), and if bandwidth, 8-bit and 16-bit rate, where known, are
    at least a share of the best that its vendor had already shipped: parts cut down for an export
    rule, a workstation or a single workload say little about what could be built.

    Parameters
    ----------
    chips, prices
        Tables `chips` and `chip_prices`.
    minimum_bandwidth
        In bytes/s.
    line_share
        Share of the vendor's earlier best, between 0 and 1.
    """
    chips = chips.assign(when=times(chips["release_date"])).dropna(subset="when")
    bandwidth = chips["memory_bandwidth_bytes_per_s"]
    chips = chips[bandwidth.isna() | (bandwidth >= minimum_bandwidth)]
    chips = chips[_in_line(chips, prices, line_share)]
    specs = np.column_stack([_spec(chips, prices, name) for name in SPECS])
    present = np.isfinite(specs)
    vendors = sorted(chips["vendor"].unique())
    conflict = chips["relative_error"].fillna(0.0).to_numpy(dtype=float)
    return ChipRecords(
        names=chips["chip"].tolist(),
        vendors=vendors,
        vendor=np.array([vendors.index(name) for name in chips["vendor"]]),
        when=chips["when"].to_numpy(dtype=float),
        log_specs=np.log(np.where(present, specs, 1.0)),
        present=present,
        error=np.where(np.isin(SPECS, RATED), conflict[:, None], 0.0),
        announced=(chips["status"] == "announced").to_numpy(),
    )


def specs_from_traits(traits: Any) -> Any:  # noqa: ANN401 - NumPy arrays and tensors alike
    """Return log specs of log traits: rates are their ratio times the 8-bit rate.

    The last axis runs over `TRAITS` on the way in and over `SPECS` on the way out; the same map
    turns their growths, effects and shocks.
    """
    eight = TRAITS.index("flops_8bit")
    follows = np.array([trait.startswith("ratio") for trait in TRAITS], dtype=float)
    return traits + traits[..., eight : eight + 1] * follows


def _in_line(chips: pd.DataFrame, prices: pd.DataFrame, share: float) -> NDArray[np.bool_]:
    leading = np.column_stack([_spec(chips, prices, name) for name in LEADING])
    when, vendor = chips["when"].to_numpy(), chips["vendor"].to_numpy()
    known = np.where(np.isfinite(leading), leading, 0.0)
    keeps = np.ones(len(chips), dtype=bool)
    for row in range(len(chips)):
        earlier = (vendor == vendor[row]) & (when < when[row])
        best = known[earlier].max(axis=0, initial=0.0)
        keeps[row] = not (leading[row] < share * best).any() and np.isfinite(leading[row]).any()
    return keeps


def _spec(chips: pd.DataFrame, prices: pd.DataFrame, name: str) -> Floats:
    if name == "flops_8bit":
        rate = chips[["flops_fp8_flop_per_s", "flops_int8_op_per_s"]].max(axis=1)
        # Below the 16-bit rate the format is there for compatibility alone.
        values = rate.where(~(rate < chips["flops_16bit_flop_per_s"]))
    elif name == "price":
        bought = prices[prices["price_type"] == "purchase"]
        values = chips["chip"].map(bought.groupby("chip")["central_usd"].median())
    else:
        values = chips[COLUMNS[name]]
    return values.to_numpy(dtype=float, na_value=np.nan)
