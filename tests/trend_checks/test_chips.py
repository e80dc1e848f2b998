"""Checks of the trends of chips, without a fit: made-up draws around the record."""

import numpy as np
import pytest

from forepass.blocks import chips
from forepass.blocks.chips.records import ChipRecords, chips_on_record
from forepass.inputs.definitions import load_definitions
from forepass.inputs.tables import load_tables
from forepass.settings import Settings
from forepass.trend_checks import chips as checks


@pytest.fixture(scope="module")
def settings() -> Settings:
    return Settings()


@pytest.fixture(scope="module")
def records(settings: Settings) -> ChipRecords:
    tables = load_tables(chips.TABLES, settings.data)
    return chips_on_record(tables, load_definitions(settings.priors))


def around(records: ChipRecords, off: float, spread: float) -> np.ndarray:
    rng = np.random.default_rng(1)
    shape = (400, *records.log_specs.shape)
    return records.log_specs + off + spread * rng.standard_normal(shape)


def test_a_predictive_check_sees_draws_that_lie_off_or_spread_too_far(records: ChipRecords) -> None:
    fair = checks.predictive_check(around(records, 0.0, 0.3), records)
    off = checks.predictive_check(around(records, 2.0, 0.3), records)
    assert (fair["in80"] > 0.9).all()
    assert (off["in80"] < 0.1).all()
    assert fair["growth_place"].between(0.2, 0.8).all()


def test_formats_spread_from_wide_to_narrow(settings: Settings) -> None:
    formats = checks.formats_by_year(settings)
    eight, four = (formats[f"parts with fast {bits} bit"] for bits in (8, 4))
    assert eight[2017] == 0
    assert four[2025] > four[2023]
    assert ((formats.fillna(0) >= 0) & (formats.fillna(0) <= 1)).all(axis=None)


def test_flop_per_byte_of_the_fleet_lies_within_that_of_its_chips(settings: Settings) -> None:
    fleet = checks.fleet_flop_per_byte(settings)
    assert fleet.between(200, 800).all()
    assert fleet.index.is_monotonic_increasing


def test_vendors_with_few_shipped_chips_are_named(records: ChipRecords) -> None:
    assert "OpenAI" in records.thin_vendors
    assert "NVIDIA" not in records.thin_vendors
