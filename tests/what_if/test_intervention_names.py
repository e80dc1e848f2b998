"""Names and values: what can be changed, what is refused with which mend, what has no effect."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd
import pytest

from forepass.errors import InputError
from forepass.forward.projection import Projection
from forepass.inputs.definitions import load_definitions
from forepass.inputs.priors import load_all
from forepass.posterior import Fit
from forepass.rooms import room
from forepass.what_if.intervention_names import QUANTITIES, check_heard, resolve
from forepass.what_if.interventions import Amount, Change, Interventions, Pin
from forepass.what_if.scenarios import (
    Layer,
    as_asked,
    load_scenario,
    plain,
    scenario_names,
    with_layer,
)

BELIEFS, DEFINITIONS = load_all(), load_definitions()


def resolved(*texts: str, first: Layer | None = None) -> Interventions:
    scenario = with_layer(plain(), first) if first else plain()
    return resolve(with_layer(scenario, as_asked(texts)), BELIEFS, DEFINITIONS)


def test_every_shipped_scenario_is_possible_under_the_shipped_priors() -> None:
    for name in scenario_names(room("priors")):
        resolve(load_scenario(name, room("priors")), BELIEFS, DEFINITIONS)


def test_every_quantity_that_can_be_changed_is_one_of_the_forward_run(
    projection: Projection,
) -> None:
    virtual = {"chip_flops", "power_shipped"}
    for block, sorts in QUANTITIES.items():
        for name in sorts:
            whole, _, kind = name.partition(".")
            array = getattr(projection, block).get(whole)
            assert array is not None or whole in virtual, name
            assert not kind or kind in array["workload"].values


def test_a_number_pins_a_belief_and_changes_a_quantity_after_the_record() -> None:
    found = resolved("duty_cycle=0.7", "inference_share=0.5", "fleet.lab_share@2030=0.2")
    assert found.pins == (Pin("fleet", "duty_cycle", Amount(0.7, 0.7)),)
    assert [(one.name, one.since) for one in found.changes] == [
        ("inference_share", 2027),
        ("lab_share", 2030),
    ]


def test_a_name_that_is_both_means_the_quantity_when_a_year_is_given() -> None:
    (change,) = resolved("duty_cycle@2029=0.7").changes
    assert change == Change(
        "fleet", "duty_cycle", "value", Amount(0.7, 0.7), 2029, "", "duty_cycle"
    )


def test_an_interval_takes_the_family_of_the_prior() -> None:
    (pin,) = resolved("mix_lag=1 to 2").pins
    assert (pin.amount.low, pin.amount.high, pin.amount.distribution) == (1, 2, "LogNormal")


def test_a_group_changes_each_of_its_members_alike() -> None:
    layer = load_layer("[shifts.chip_flops]\nfrom = 2028\ntimes = [1.5, 3]\n")
    changes = resolved(first=layer).changes
    assert {one.name for one in changes} == {f"chip_flops_{bits}bit" for bits in (16, 8, 4)}
    assert {one.called for one in changes} == {"chip_flops"}


def load_layer(text: str) -> Layer:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mine.toml"
        about = '[scenario]\ntitle = "A"\nstory = "B"\nsource = "judgement"\n'
        path.write_text(about + text, encoding="utf-8")
        return load_scenario(str(path), room("priors")).layers[-1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("duty_cycl=0.7", "duty_cycl: no such belief or quantity; did you mean duty_cycle?"),
        ("fleet.dutycycle=0.7", "did you mean duty_cycle"),
        ("duty_cycle=1.2", "duty_cycle: must be between 0 and 1"),
        ("mix_lag=0", "mix_lag: must be above 0"),
        ("duty_cycle=0.7 to 1.2", "duty_cycle: must be between 0 and 1"),
        ("world_tokens_per_s=1e9", "the demand block's belief is demand.world_tokens_per_s"),
        ("fleet_power=1e9", "fleet_power: follows from the rest, so it cannot be set"),
        ("mix_lag@2028=1", "mix_lag: a belief holds for all years"),
        ("weight_bits=5", "weight_bits: can only be set to 4, 8 or 16"),
        ("weight_bits=4 to 8", "weight_bits: can only be set to 4, 8 or 16"),
        ("chip_flops=1e15", "chip_flops: stands for chip_flops_16bit"),
        ("lab_share@2036=0.2", "lab_share: the year must lie within 2021 to 2035, got 2036"),
        ("lab_share=1.2", "lab_share: must be from 0 to 1"),
        ("chip_bandwidth=-1", "chip_bandwidth: must be above 0"),
    ],
)
def test_what_cannot_be_is_refused_with_a_mend(text: str, message: str) -> None:
    with pytest.raises(InputError) as refusal:
        resolved(text)
    assert message in str(refusal.value)


def test_two_names_of_one_thing_contradict_each_other() -> None:
    with pytest.raises(InputError, match="duty_cycle is the same; keep one of the two"):
        resolved("duty_cycle=0.7", "fleet.duty_cycle=0.8")


def test_two_changes_of_which_one_fixes_the_other_contradict_each_other() -> None:
    with pytest.raises(InputError, match="chip_bandwidth, changed too, fixes it"):
        resolved("memory_wall_ratio=500", "chip_bandwidth=1e13")


def test_a_belief_is_not_pinned_and_its_prior_replaced_in_one_layer() -> None:
    text = (
        "[pins]\nduty_cycle = 0.5\n[priors.fleet.duty_cycle]\n"
        'distribution = "Beta"\np10 = 0.3\np90 = 0.5\nunit = "1"\nsource = "judgement"\n'
        'rationale = "Lower."\n'
    )
    with pytest.raises(InputError, match="duty_cycle is pinned and its prior replaced"):
        resolved(first=load_layer(text))


def test_a_later_layer_overrides_an_earlier_one_whatever_the_name() -> None:
    (pin,) = resolved("fleet.duty_cycle=0.8", first=as_asked(["duty_cycle=0.7"])).pins
    assert pin.amount.low == 0.8


@pytest.fixture
def heard(
    forward_fits: Mapping[str, Fit], question_tables: Mapping[str, pd.DataFrame]
) -> Callable[[str, float], None]:
    """Return what refuses a belief pinned at a value to no effect."""

    def check(name: str, value: float) -> None:
        block, belief = name.split(".")
        pin = Pin(block, belief, Amount(value, value))
        check_heard(forward_fits, [pin], seed=1, definitions=DEFINITIONS, tables=question_tables)

    return check


@pytest.mark.parametrize(
    "name",
    ["chips.growth_bandwidth", "fleet.shipment_step", "serving.noise_scale", "demand.actor_share"],
)
def test_a_belief_that_only_shapes_its_fit_is_not_pinned_to_no_effect(
    heard: Callable[[str, float], None], name: str
) -> None:
    with pytest.raises(InputError, match=rf"replace its prior under \[priors.{name}\]"):
        heard(name, 0.2)


@pytest.mark.parametrize(
    "name",
    [
        "chips.slowdown",
        "language_models.algorithmic_gain",
        "serving.bandwidth_share",
        "serving.effect_production",
        "fleet.life",
        "training.utilisation",
        "demand.human_hours_per_year",
    ],
)
def test_a_belief_that_the_forward_run_reads_is_heard(
    heard: Callable[[str, float], None], name: str
) -> None:
    heard(name, 0.2)


def test_a_pin_that_gives_no_number_is_refused(heard: Callable[[str, float], None]) -> None:
    with pytest.raises(InputError, match="inference_share_2030 = 1: gives no number"):
        heard("fleet.inference_share_2030", 1.0)
