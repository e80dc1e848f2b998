"""Rows of every target as the tables hold them, and draws of them from the beliefs alone."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forepass.as_of import seen_as_of
from forepass.backtest import experts, fleet, language_models
from forepass.backtest.targets import BLOCKS, later_rows, targets_of
from forepass.inputs.tables import load_table
from forepass.posterior import Fit
from forepass.settings import Settings


@pytest.mark.parametrize("block", BLOCKS)
def test_every_target_has_rows_and_draws_of_them(
    block: str, forward_fits: Mapping[str, Fit]
) -> None:
    module, settings = targets_of(block), Settings()
    records = module.records(settings)
    assert set(module.TARGETS) == set(records)
    draws = {name: forward_fits[name].posterior for name in module.NEEDS}
    for name in module.TARGETS:
        rows = records[name]
        assert np.isfinite(rows[["when", "value"]].to_numpy()).all()
        assert rows["when"].between(2010, 2027).all()
        late = rows.iloc[-6:].reset_index(drop=True)
        late["when"] += 1.0
        drawn = module.predicted(draws, late, name, settings, np.random.default_rng(1))
        assert drawn.shape[1] == len(late)
        assert np.isfinite(drawn).all()
        assert np.std(drawn, axis=0).min() > 0


def test_scored_sizes_are_known_ones_and_shares_are_below_1() -> None:
    records = language_models.records(Settings())
    assert (records["fraction"]["value"] < 0).all()
    # Bounds are not values: the range of gpt-5's active size, the floor of qwen3-max's total.
    assert not np.isclose(records["active"]["value"], np.log(1.2e11)).any()
    assert records["total"]["probed"].any()
    assert not records["active"]["off_frontier"].any()


def test_throughput_is_scored_of_chips_that_nobody_had_measured() -> None:
    rows = pd.DataFrame({"when": [2025.5, 2025.6, 2024.9], "chip": ["old", "new", "new"]})
    target = targets_of("serving").TARGETS["throughput_new_chip"]
    early = pd.DataFrame({"chip": ["old"]})
    due = later_rows(target, rows, early, after=2025.0, until=2030.0)
    assert due["when"].tolist() == [2025.6]


def test_counts_made_again_are_read_a_quarter_after_their_date_and_only_if_asked(
    tmp_path: Path,
) -> None:
    settings, day = Settings(cache=tmp_path), date(2024, 12, 31)
    again = load_table("chip_stock", seen_as_of(settings, day, again=fleet.AGAIN).data)
    assert again["quarter_end"].max() == "2024-09-30"
    assert ("chip_stock", "2026-04-22") in seen_as_of(settings, day).unseen


def test_the_stock_is_that_of_makers_counted_together() -> None:
    rows = fleet.records(Settings())["stock_chips"]
    sets = rows["series"].unique().tolist()
    assert sets[0] == "NVIDIA"
    assert len(sets) == 3
    end = rows[rows["when"] == rows["when"].max()].set_index("series")["value"]
    assert end.is_monotonic_increasing
    assert rows.loc[rows["scored"], "when"].mod(1).between(0.99, 1).all()


def test_experts_are_held_against_rows_told_after_they_spoke() -> None:
    found = {(row.quantity, row.date): row for row in experts.due(Settings())}
    installed = found["world_h100e_installed", "2025-12"]
    assert installed.said == 1.8e7
    assert 1.6e7 <= installed.came <= 2.13e7
    assert installed.error == pytest.approx(np.log(installed.said / installed.came))
    # The largest of the labs' fleets answers for the leading one; what is still to come does not.
    assert found["leading_lab_h100e", "2025-12"].came == 1.75e6
    assert not any(row.date > "2026-11" for row in found.values())
