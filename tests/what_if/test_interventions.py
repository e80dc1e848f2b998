"""Interventions: what is changed moves, what follows follows, all else keeps its draws."""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from forepass.errors import InputError
from forepass.forward.projection import Projection, project
from forepass.inputs.definitions import load_definitions
from forepass.inputs.elicitation import parameters_from_quantiles
from forepass.posterior import Fit
from forepass.what_if.interventions import Amount, Change, Interventions, Pin

type Fits = Mapping[str, Fit]
type Run = Callable[..., Projection]


@pytest.fixture
def run(forward_fits: Fits, question_tables: Mapping[str, pd.DataFrame]) -> Run:
    """Return what runs the draws of the priors forward with pins and changes."""

    def forward(*asked: Pin | Change) -> Projection:
        return project(
            forward_fits,
            np.arange(2020, 2036),
            seed=1,
            definitions=load_definitions(),
            tables=question_tables,
            interventions=Interventions(
                tuple(one for one in asked if isinstance(one, Pin)),
                tuple(one for one in asked if isinstance(one, Change)),
            ),
        )

    return forward


def number(value: float) -> Amount:
    return Amount(value, value)


def change(block: str, name: str, how: str, value: float, kind: str = "") -> Change:
    return Change(block, name, how, number(value), 2028, kind)


def test_a_pinned_belief_moves_its_quantity_and_no_other_draw(
    run: Run, projection: Projection
) -> None:
    done = run(Pin("fleet", "duty_cycle", number(0.5)))
    assert (done.fleet["duty_cycle"] == 0.5).all()
    xr.testing.assert_identical(
        done.fleet.drop_vars("duty_cycle"), projection.fleet.drop_vars("duty_cycle")
    )
    xr.testing.assert_identical(done.training, projection.training)


def test_a_belief_pinned_to_an_interval_is_drawn_from_it_alike_in_every_scenario(run: Run) -> None:
    ends = {"p10": 0.3, "p90": 0.7}
    amount = Amount(0.3, 0.7, "Beta", parameters_from_quantiles("Beta", ends))
    pin = Pin("fleet", "duty_cycle", amount)
    other = Pin("fleet", "availability", number(1.0))
    alone, beside = (run(*pins).fleet["duty_cycle"] for pins in ([pin], [pin, other]))
    xr.testing.assert_identical(alone, beside)
    share = float(((alone > 0.3) & (alone < 0.7)).isel(year=0).mean())
    assert share == pytest.approx(0.8, abs=0.12)


def test_vintages_follow_a_change_of_chips_after_their_lag(
    run: Run, projection: Projection
) -> None:
    done = run(change("chips", "chip_bandwidth", "times", 2.0))
    ratio = done.chips["chip_bandwidth"] / projection.chips["chip_bandwidth"]
    np.testing.assert_allclose(ratio.sel(year=2027), 1.0)
    np.testing.assert_allclose(ratio.sel(year=2028), 2.0)
    wall = done.chips["memory_wall_ratio"] / projection.chips["memory_wall_ratio"]
    np.testing.assert_allclose(wall.sel(year=2030), 0.5)
    of_mean = (
        done.fleet["vintage_bandwidth_per_chip"] / projection.fleet["vintage_bandwidth_per_chip"]
    )
    np.testing.assert_allclose(of_mean.sel(vintage=2025), 1.0)
    np.testing.assert_allclose(of_mean.sel(vintage=2034), 2.0, rtol=1e-6)
    xr.testing.assert_identical(
        done.fleet["vintage_h100e_per_chip"], projection.fleet["vintage_h100e_per_chip"]
    )


def test_bandwidth_gives_way_where_the_wall_is_held(run: Run, projection: Projection) -> None:
    done = run(change("chips", "memory_wall_ratio", "growth_times", 0.0))
    wall = done.chips["memory_wall_ratio"]
    np.testing.assert_allclose(wall.sel(year=2035), wall.sel(year=2027))
    xr.testing.assert_identical(done.chips["chip_flops_8bit"], projection.chips["chip_flops_8bit"])
    np.testing.assert_allclose(done.chips["chip_bandwidth"], done.chips["chip_flops_8bit"] / wall)


def test_growth_is_shifted_by_logs_a_year_from_the_year_on(
    run: Run, projection: Projection
) -> None:
    done = run(change("demand", "demand_tokens_per_s", "growth", 0.1))
    for name in ("demand_tokens_per_s", "demand_output_tokens_per_s"):
        ratio = done.demand[name] / projection.demand[name]
        np.testing.assert_allclose(ratio.sel(year=2027), 1.0)
        np.testing.assert_allclose(ratio.sel(year=2030), np.exp(0.3))


def test_what_a_larger_model_brings_follows_its_size(
    run: Run, forward_fits: Fits, projection: Projection
) -> None:
    old = projection.language_models
    new = run(
        change("language_models", "frontier_active_params", "times", 3.0)
    ).language_models.sel(year=2030)
    np.testing.assert_allclose(
        new["frontier_total_params"] / old["frontier_total_params"].sel(year=2030), 3.0
    )
    exponent = forward_fits["language_models"].posterior["layers_exponent"]
    layers = new["frontier_layers"] / old["frontier_layers"].sel(year=2030)
    np.testing.assert_allclose(layers, 3.0**exponent)


def test_dense_models_have_no_parameters_beside_the_active(run: Run) -> None:
    new = run(
        change("language_models", "moe_activation_fraction", "value", 1.0)
    ).language_models.sel(year=2030)
    np.testing.assert_allclose(new["frontier_total_params"], new["frontier_active_params"])


def test_a_longer_run_has_a_smaller_cluster_and_the_same_tokens(
    run: Run, projection: Projection
) -> None:
    done = run(change("training", "training_days", "times", 2.0))
    free = (projection.training["run_bounded_by_fleet"] == 0) & (
        done.training["run_bounded_by_fleet"] == 0
    )
    for name, expected in (("training_cluster_flops", 0.5), ("training_tokens", 1.0)):
        ratio = (done.training[name] / projection.training[name]).where(free).sel(year=2030)
        np.testing.assert_allclose(ratio.dropna("draw"), expected)


def test_halved_growth_of_shipments_leaves_the_record_and_the_mean_chip(
    run: Run, projection: Projection
) -> None:
    done = run(change("fleet", "chips_shipped", "growth_times", 0.5))
    old, new = projection.fleet["chips_shipped"], done.fleet["chips_shipped"]
    np.testing.assert_allclose(new.sel(year=2027), old.sel(year=2027))
    grown = np.log(old.sel(year=2032) / old.sel(year=2027))
    # Where shipments fell, half the fall would be more of them, which limits may forbid.
    rose = np.asarray(grown) > 0
    assert rose.mean() > 0.1
    np.testing.assert_allclose(
        np.log(new.sel(year=2032) / new.sel(year=2027))[rose], 0.5 * np.asarray(grown)[rose]
    )
    xr.testing.assert_identical(
        done.fleet["vintage_h100e_per_chip"], projection.fleet["vintage_h100e_per_chip"]
    )


def test_shipments_on_record_are_not_changed(run: Run) -> None:
    early = Change("fleet", "chips_shipped", "times", number(2.0), 2024)
    with pytest.raises(InputError, match="on record to"):
        run(early)


def test_shares_of_work_still_add_up_when_one_is_set(run: Run, projection: Projection) -> None:
    done = run(change("demand", "workload_share", "value", 0.9, "agents"))
    share = done.demand["workload_share"].sel(year=2030)
    np.testing.assert_allclose(share.sum("workload"), 1.0)
    np.testing.assert_allclose(share.sel(workload="agents"), 0.9)
    old = projection.demand["workload_share"].sel(year=2030)
    np.testing.assert_allclose(
        share.sel(workload="chat") / share.sel(workload="batch"),
        old.sel(workload="chat") / old.sel(workload="batch"),
    )


def test_a_share_that_would_pass_one_is_refused(run: Run) -> None:
    with pytest.raises(InputError, match=r"inference_share.*would pass 1"):
        run(change("fleet", "inference_share", "times", 9.0))


def test_the_growth_of_a_share_is_of_its_logit(run: Run, projection: Projection) -> None:
    done = run(change("fleet", "lab_share", "growth", 5.0))
    share = done.fleet["lab_share"].sel(year=2028)
    assert float(share.max()) < 1
    old = projection.fleet["lab_share"].sel(year=2028)
    np.testing.assert_allclose(
        np.log(share / (1 - share)), np.log(old / (1 - old)) + 5.0, rtol=1e-6
    )


def test_a_change_too_large_for_a_number_is_refused(run: Run) -> None:
    wild = change("demand", "demand_tokens_per_s", "growth", 500.0)
    with pytest.raises(InputError, match="gives no finite number"):
        run(wild)
