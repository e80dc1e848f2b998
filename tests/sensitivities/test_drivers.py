"""Shares of blocks, subjects and beliefs, where it is known what must come out."""

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import pytest
import xarray as xr

from forepass import tasks
from forepass.sensitivities import drivers as d
from forepass.sensitivities import runs
from forepass.sensitivities.beliefs import KINDS, SHOCKS, UNTRACED, Belief
from forepass.sensitivities.runs import Question

Ask = Callable[[str], Question]


@pytest.fixture(scope="module")
def of_demand(posteriors: Mapping[str, xr.Dataset], beliefs: list[Belief], asked: Ask) -> d.Drivers:
    return d.drivers(asked("demand_tokens_per_s"), posteriors, beliefs)


def test_only_blocks_that_a_quantity_follows_from_have_shares(of_demand: d.Drivers) -> None:
    assert {share.name for share in of_demand.blocks} == {"demand", SHOCKS}


@pytest.mark.parametrize("level", ["blocks", "subjects", "kinds"])
def test_shares_of_every_level_sum_to_one(of_demand: d.Drivers, level: str) -> None:
    shares = getattr(of_demand, level)
    assert sum(share.shapley for share in shares) == pytest.approx(1)
    for share in shares:
        assert share.low - 1e-9 <= share.high


def test_kinds_come_in_one_order(of_demand: d.Drivers) -> None:
    assert [share.name for share in of_demand.kinds] == [*KINDS, UNTRACED, SHOCKS]


def test_inputs_come_largest_first_under_their_names(of_demand: d.Drivers) -> None:
    sizes = [one.share.shapley for one in of_demand.inputs]
    assert sizes == sorted(sizes, reverse=True)
    for one in of_demand.inputs:
        assert one.share.name == (one.belief.key if one.belief else one.share.name)
        assert "others" not in one.share.name


def test_a_belief_that_alone_matters_takes_all(
    posteriors: Mapping[str, xr.Dataset],
    beliefs: list[Belief],
    asked: Ask,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def only_pue(_: Question, draws: Mapping[str, xr.Dataset], **__: object) -> np.ndarray:
        return np.asarray(np.log(draws["fleet"]["pue"].values))

    monkeypatch.setattr(runs, "values", only_pue)
    found = d.drivers(asked("fleet_power"), posteriors, beliefs)
    assert [share.name for share in found.blocks] == ["fleet", SHOCKS]
    assert found.blocks[0].shapley == pytest.approx(1, abs=0.15)
    belief = found.inputs[0].belief
    assert belief is not None
    assert belief.key == "fleet.pue"
    assert found.inputs[0].share.shapley > 0.6
    assert found.subjects[0].name == "power of the fleet"
    assert max(found.kinds, key=lambda share: share.shapley).name == "published"


def test_more_runs_on_a_worker_give_the_shares_that_they_give_here(
    posteriors: Mapping[str, xr.Dataset], beliefs: list[Belief], asked: Ask
) -> None:
    question = asked("demand_tokens_per_s")
    here = d.drivers(question, posteriors, beliefs, draws=600)
    assert len(here.rows.output) == 600
    with tasks.cluster(workers=1) as on:
        share_out = partial(tasks.run, on=on)
        there = d.drivers(question, posteriors, beliefs, draws=600, share_out=share_out)
    assert there.blocks == here.blocks
    assert there.kinds == here.kinds
    np.testing.assert_array_equal(there.rows.output, here.rows.output)
