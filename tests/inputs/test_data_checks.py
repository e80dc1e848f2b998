"""Cross-checks find what is planted, and leave the shipped tables alone."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest

from forepass.inputs.checks import check_tables, newest_source
from forepass.inputs.findings import neighbour_ratio
from forepass.inputs.tables import TABLES, load_tables

type Tables = Mapping[str, pd.DataFrame]

RATES = [
    "flops_16bit_flop_per_s",
    "flops_fp8_flop_per_s",
    "flops_int8_op_per_s",
    "flops_4bit_flop_per_s",
]
BANDWIDTH, CAPACITY = "memory_bandwidth_bytes_per_s", "memory_capacity_bytes"


@pytest.fixture(scope="module")
def shipped() -> Tables:
    return load_tables(TABLES)


def row_of(frame: pd.DataFrame, **values: str) -> int:
    mask = np.logical_and.reduce([frame[column] == value for column, value in values.items()])
    return int(frame.index[mask][0])


def figure(frame: pd.DataFrame, row: int, column: str) -> float:
    return float(frame[column].to_numpy()[row])


def planted(tables: Tables, name: str, row: int, changes: Mapping[str, str | float]) -> set[str]:
    """Return the columns doubted in one row once it is changed."""
    frame = tables[name].copy()
    for column, value in changes.items():
        frame.loc[row, column] = value
    _, line = frame.attrs["places"].rows[row]
    needed = ("sources",) if name == "chips" else tables
    findings = check_tables({**{other: tables[other] for other in needed}, name: frame})
    return {f.column for f in findings if (f.file, f.line) == (f"data/{name}.csv", line)}


def test_shipped_tables_raise_no_doubt(shipped: Tables) -> None:
    assert [str(found) for found in check_tables(shipped)] == []


@pytest.mark.parametrize(
    "chip",
    [
        "a100-sxm-80gb",
        "h100-sxm",
        "h200-sxm",
        "b200",
        "gb200",
        "b300",
        "gb300",
        "mi300x",
        "mi325x",
        "mi350x",
        "mi355x",
    ],
)
def test_a_sheet_of_sparse_rates_is_doubted(chip: str, shipped: Tables) -> None:
    chips = shipped["chips"]
    row = row_of(chips, chip=chip)
    doubled = {rate: 2 * figure(chips, row, rate) for rate in RATES}
    assert planted(shipped, "chips", row, doubled)


@pytest.mark.parametrize(
    ("chip", "rate"),
    [
        ("h100-sxm", "flops_16bit_flop_per_s"),
        ("h100-sxm", "flops_fp8_flop_per_s"),
        ("a100-sxm-40gb", "flops_int8_op_per_s"),
        ("tpu-v7", "flops_fp8_flop_per_s"),
        ("b200", "flops_4bit_flop_per_s"),
        ("rubin-ultra", "flops_4bit_flop_per_s"),
        ("maia-200", "flops_4bit_flop_per_s"),
    ],
)
def test_one_sparse_rate_among_dense_ones_is_doubted(chip: str, rate: str, shipped: Tables) -> None:
    row = row_of(shipped["chips"], chip=chip)
    doubled = 2 * figure(shipped["chips"], row, rate)
    assert rate in planted(shipped, "chips", row, {rate: doubled})


@pytest.mark.parametrize("chip", ["h100-sxm", "mi300x", "tpu-v5e", "l4"])
@pytest.mark.parametrize("factor", [1e3, 1e-3])
@pytest.mark.parametrize("column", [BANDWIDTH, CAPACITY, "power_w", "flops_16bit_flop_per_s"])
def test_a_slip_of_a_thousand_is_doubted(
    column: str, factor: float, chip: str, shipped: Tables
) -> None:
    row = row_of(shipped["chips"], chip=chip)
    value = factor * figure(shipped["chips"], row, column)
    assert planted(shipped, "chips", row, {column: value}) & {column, BANDWIDTH, CAPACITY}


@pytest.mark.parametrize("chip", ["p100-sxm2", "h100-sxm", "mtia-v2", "mi455x"])
def test_capacity_and_bandwidth_swapped_are_doubted(chip: str, shipped: Tables) -> None:
    chips = shipped["chips"]
    row = row_of(chips, chip=chip)
    swapped = {
        BANDWIDTH: figure(chips, row, CAPACITY),
        CAPACITY: figure(chips, row, BANDWIDTH),
    }
    assert BANDWIDTH in planted(shipped, "chips", row, swapped)


def test_a_shipped_chip_from_the_future_is_doubted(shipped: Tables) -> None:
    row = row_of(shipped["chips"], chip="b200")
    assert "release_date" in planted(shipped, "chips", row, {"release_date": "2031-05"})


def test_what_the_sources_could_not_have_seen_is_doubted(shipped: Tables) -> None:
    row = row_of(shipped["serving"], status="measured")
    assert "date" in planted(shipped, "serving", row, {"date": "2031"})


def test_the_date_of_the_look_can_be_given(shipped: Tables) -> None:
    early = check_tables({"chips": shipped["chips"]}, as_of="2022-01")
    assert {found.message for found in early} >= {"a shipped chip with a date to come"}
    assert not check_tables({"chips": shipped["chips"]}, as_of="2050")


def test_a_bare_year_is_not_the_newest_source() -> None:
    sources = pd.DataFrame({"date": ["2025-04", "2026", "2025-03-09", np.nan]})
    assert str(newest_source(sources)) == "2025-04-30"


@pytest.mark.parametrize(
    ("name", "key", "changes", "column"),
    [
        ("language_models", {"model": "llama-3.1-70b"}, {"active_params": 1e10}, "active_params"),
        (
            "language_models",
            {"model": "deepseek-v3"},
            {"active_params": 6.71e11},
            "active_params",
        ),
        ("language_models", {"model": "deepseek-v3"}, {"total_params": 671.0}, "total_params"),
        (
            "language_models",
            {"model": "llama-3.1-70b"},
            {"kv_bytes_per_token_16bit": 163840.0},
            "kv_bytes_per_token_16bit",
        ),
        ("training", {"model": "deepseek-v3"}, {"training_flop": 3.4e21}, "training_flop"),
        ("training", {"model": "deepseek-v3"}, {"n_chips": 204.0}, "training_flop"),
        ("training", {"model": "deepseek-v3"}, {"n_chips": 20480.0}, "utilisation"),
        ("chip_prices", {"price_type": "purchase"}, {"central_usd": 30.0}, "central_usd"),
        ("chip_stock", {"chip": "mi300x"}, {"units_p50": 1.0}, "h100e_p50"),
    ],
)
def test_figures_that_do_not_go_together_are_doubted(
    name: str,
    key: dict[str, str],
    changes: dict[str, str | float],
    column: str,
    shipped: Tables,
) -> None:
    row = row_of(shipped[name], **key)
    assert column in planted(shipped, name, row, changes)


@pytest.mark.parametrize(
    ("changes", "column"),
    [
        ({"output_tokens_per_s_per_chip": 1e6}, "output_tokens_per_s_per_chip"),
        ({"total_tokens_per_s_per_chip": 1e6}, "total_tokens_per_s_per_chip"),
        ({"concurrency": 0.5}, "concurrency"),
        ({"date": "2019-05"}, "date"),
    ],
)
def test_a_run_beyond_its_chip_is_doubted(
    changes: dict[str, str | float], column: str, shipped: Tables
) -> None:
    row = row_of(shipped["serving"], scenario="closed_loop", chip="b200")
    assert column in planted(shipped, "serving", row, changes)


def test_a_falling_sum_of_shipments_is_doubted(shipped: Tables) -> None:
    stock = shipped["chip_stock"]
    rows = stock[(stock["chip"] == "mi300x")].sort_values("quarter_end").index
    changes = {
        column: figure(stock, int(rows[0]), column) / 2 for column in ("units_p50", "h100e_p50")
    }
    assert "units_p50" in planted(shipped, "chip_stock", int(rows[1]), changes)


def test_a_finding_reads_as_one_line(shipped: Tables) -> None:
    chips = shipped["chips"].copy()
    chips.loc[row_of(chips, chip="h100-sxm"), "release_date"] = "2031-05"
    [found] = [f for f in check_tables({"chips": chips}, as_of="2026-11") if "to come" in f.message]
    assert str(found).startswith("data/chips.csv line 9, column release_date: a shipped chip with")
    assert str(found).endswith("got '2031-05' (the newest source is of 2026-11-30)")


def test_a_value_alone_in_time_has_no_neighbours() -> None:
    ratio = neighbour_ratio(pd.Series([2.0, np.nan]), pd.Series([1.0, 2.0]))
    assert ratio.isna().all()


def test_neighbours_are_those_near_in_time() -> None:
    years = pd.Series(np.arange(40.0))
    ratio = neighbour_ratio(2.0**years, years)
    assert ratio[20] == pytest.approx(1, rel=1)
    assert (neighbour_ratio(pd.Series(np.ones(40)), years) == 1).all()
