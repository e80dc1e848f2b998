"""Checks of the trends of chips, without a fit: made-up draws around the record."""

from dataclasses import replace

import numpy as np
import pytest

from forepass.blocks.chips.records import SPECS, ChipRecords
from forepass.settings import Settings
from forepass.trend_checks import chip_findings, chips
from forepass.trend_checks.chips import CUTS, LaterParts


@pytest.fixture(scope="module")
def settings() -> Settings:
    return Settings()


@pytest.fixture(scope="module")
def records(settings: Settings) -> ChipRecords:
    return chips.records_of(settings)


def around(records: ChipRecords, off: float, spread: float) -> np.ndarray:
    rng = np.random.default_rng(1)
    shape = (400, *records.log_specs.shape)
    return records.log_specs + off + spread * rng.standard_normal(shape)


@pytest.fixture(scope="module")
def parts(records: ChipRecords) -> LaterParts:
    shipped = chips.rows(records, ~records.announced)
    drawn: dict[str, dict[float, np.ndarray]] = {"drifting": {}, "limited": {}}
    for cut in CUTS:
        later = chips.rows(shipped, shipped.when + 2022 >= cut)
        drawn["drifting"][cut] = around(later, 1.0, 0.2)
        drawn["limited"][cut] = around(later, 0.0, 0.2)
    return LaterParts(drawn, chips.quantities(shipped), shipped)


def test_every_later_figure_of_a_shipped_chip_is_scored(parts: LaterParts) -> None:
    scores = chips.scores_of(parts)
    shipped = parts.shipped
    later = sum(int(shipped.present[shipped.when + 2022 >= cut].sum()) for cut in CUTS)
    own = scores[(scores["structure"] == "limited") & scores["quantity"].isin(SPECS)]
    # Formats that no early chip had cannot be forecast by a line either, and are left out.
    assert 0.8 * later < len(own) <= later
    assert own["crps"].mean() < scores[scores["structure"] == "drifting"]["crps"].mean()


def test_the_structure_that_foretold_the_record_gets_the_weight(parts: LaterParts) -> None:
    assert chips.weight_of_limits(parts, seed=1)["best"] > 0.9
    swapped = dict(zip(parts.drawn, list(parts.drawn.values())[::-1], strict=True))
    assert chips.weight_of_limits(replace(parts, drawn=swapped), seed=1)["best"] < 0.1


def test_a_predictive_check_sees_draws_that_lie_off_or_spread_too_far(records: ChipRecords) -> None:
    fair = chip_findings.predictive_check(around(records, 0.0, 0.3), records)
    off = chip_findings.predictive_check(around(records, 2.0, 0.3), records)
    assert (fair["in80"] > 0.9).all()
    assert (off["in80"] < 0.1).all()
    assert fair["growth_place"].between(0.2, 0.8).all()


def test_formats_spread_from_wide_to_narrow(settings: Settings) -> None:
    formats = chip_findings.formats_by_year(settings)
    eight, four = (formats[f"parts with fast {bits} bit"] for bits in (8, 4))
    assert eight[2017] == 0
    assert four[2025] > four[2023]
    assert ((formats.fillna(0) >= 0) & (formats.fillna(0) <= 1)).all(axis=None)


def test_flop_per_byte_of_the_fleet_lies_within_that_of_its_chips(settings: Settings) -> None:
    fleet = chip_findings.fleet_flop_per_byte(settings)
    assert fleet.between(200, 800).all()
    assert fleet.index.is_monotonic_increasing


def test_vendors_with_few_shipped_chips_are_named(records: ChipRecords) -> None:
    assert "OpenAI" in records.thin_vendors
    assert "NVIDIA" not in records.thin_vendors
