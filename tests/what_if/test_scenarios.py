"""Scenarios as files: the shipped ones are possible, faulty ones are refused by file and key."""

from pathlib import Path

import pytest

from forepass.errors import InputError
from forepass.inputs.rows import read_rows
from forepass.rooms import room
from forepass.what_if.scenarios import (
    Asked,
    as_asked,
    load_scenario,
    plain,
    scenario_names,
    with_layer,
)

SHIPPED = room("priors")
WANTED = {
    *("baseline", "wall-returns", "wall-broken", "everything-in-4-bit", "no-gain-below-8-bit"),
    *("sparser-experts", "dense-models-return", "long-contexts", "fast-agents", "power-bound"),
    *("fleet-growth-halves-in-2027", "export-controls", "algorithms-stall", "post-world-2024"),
}
ABOUT = '[scenario]\ntitle = "A title"\nstory = "A story."\nsource = "judgement"\n'


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / "scenarios" / f"{name}.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_the_shipped_scenarios_are_those_promised_with_sources_on_record() -> None:
    known = {*read_rows(room("data") / "sources.csv").column("source"), "judgement"}
    names = scenario_names(SHIPPED)
    assert names[0] == "baseline"
    assert set(names) == WANTED
    for name in names:
        scenario = load_scenario(name, SHIPPED)
        assert scenario.title
        assert {key.strip() for key in scenario.source.split(";")} <= known


def test_the_baseline_changes_nothing_and_every_other_something() -> None:
    for name in scenario_names(SHIPPED):
        scenario = load_scenario(name, SHIPPED)
        asks = scenario.definitions() or scenario.priors() or scenario.layers[-1].changes
        assert bool(asks) == (name != "baseline")


def test_what_is_inherited_comes_first_and_is_named_in_the_chain() -> None:
    scenario = load_scenario("post-world-2024", SHIPPED)
    assert scenario.chain == ("post-world-2024", "wall-returns")
    assert scenario.layers[0].changes == load_scenario("wall-returns", SHIPPED).layers[0].changes


def test_a_loop_of_inheritance_is_refused_with_its_chain(tmp_path: Path) -> None:
    for name, parent in (("one", "two"), ("two", "three"), ("three", "one")):
        write(tmp_path, name, f'{ABOUT}inherits = "{parent}"\n')
    with pytest.raises(InputError, match="loop: one <- two <- three <- one"):
        load_scenario("one", tmp_path)


def test_an_unknown_name_brings_the_closest_and_who_inherits_it(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no scenario 'wall-return'; did you mean wall-returns"):
        load_scenario("wall-return", SHIPPED)
    write(tmp_path, "mine", f'{ABOUT}inherits = "yours"\n')
    with pytest.raises(InputError, match="mine inherits it: no scenario 'yours'"):
        load_scenario("mine", tmp_path)


def test_a_file_of_ones_own_is_read_by_its_path_and_may_inherit(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        f'{ABOUT}inherits = "power-bound"\n[pins]\nduty_cycle = 0.5\n', encoding="utf-8"
    )
    scenario = load_scenario(str(path), SHIPPED)
    assert [list(layer.changes) for layer in scenario.layers] == [
        ["power_limit", "power_limit_growth"],
        ["duty_cycle"],
    ]


def test_pins_and_shifts_are_read_in_all_their_forms(tmp_path: Path) -> None:
    write(
        tmp_path,
        "mine",
        ABOUT
        + "[pins]\nduty_cycle = 0.5\nfleet.mix_lag = [1, 2]\n"
        + "[shifts.workload_share.agents]\nfrom = 2028\nvalue = 0.9\n"
        + "[shifts.chip_bandwidth]\nfrom = 2027\ngrowth = [-0.1, 0.1]\n",
    )
    assert load_scenario("mine", tmp_path).layers[-1].changes == {
        "duty_cycle": Asked(0.5, 0.5),
        "fleet.mix_lag": Asked(1, 2),
        "workload_share.agents": Asked(0.9, 0.9, "value", 2028),
        "chip_bandwidth": Asked(-0.1, 0.1, "growth", 2027),
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[pin]\nduty_cycle = 1\n", "unknown field 'pin'; did you mean pins"),
        (
            "[pins]\nduty_cycle = [0.7, 0.3]\n",
            "pins: duty_cycle: the interval 0.7 to 0.3 must rise",
        ),
        ("[pins]\nduty_cycle = [0.7]\n", "pins: duty_cycle: an interval has two ends"),
        ('[pins]\nduty_cycle = "0.7"\n', "pins: duty_cycle: value must be a finite number"),
        ("[pins]\nduty_cycle = nan\n", "pins: duty_cycle: value must be a finite number"),
        ("[shifts.lab_share]\nvalue = 0.2\n", "shifts: lab_share: from is missing"),
        ("[shifts.lab_share]\nfrom = 2028\n", "shifts: lab_share: give one of value, times"),
        (
            "[shifts.lab_share]\nfrom = 2028\nvalue = 1\ntimes = 2\n",
            "shifts: lab_share: give one of value, times, growth, growth_times, got value",
        ),
        ("[shifts.lab_share]\nfrom = 2028.5\nvalue = 1\n", "lab_share: from must be a year"),
        ("[shifts]\nlab_share = 0.2\n", "lab_share: write [shifts.lab_share] with from"),
        (
            "[pins]\nlab_share = 0.2\n[shifts.lab_share]\nfrom = 2028\nvalue = 0.2\n",
            "shifts: lab_share: pinned too",
        ),
        ("[definitions]\ncopy_speed = 3\n", "definitions: copy_speed: no definition 'copy_speed'"),
        ("[definitions]\nlast_year = 2040\n", "definitions: last_year: fits or the span of years"),
        ("[definitions]\npost_chips = 1.5\n", "post_chips: must be a whole number above 0"),
        ("[definitions]\nreference_model = 4\n", "reference_model: must be text in quotes"),
        ('[definitions]\nsoftware_date = "soon"\n', "software_date: must be a date such as"),
        ("[priors.fleet]\nduty_cycle = 0.4\n", "priors: fleet: write [priors.fleet.duty_cycle]"),
        ("[priors]\nfleet = 1\n", "priors: fleet: write [priors.fleet.NAME]"),
        ("[pins\n", "not valid TOML"),
    ],
)
def test_a_faulty_scenario_is_refused_by_file_and_key(
    tmp_path: Path, text: str, message: str
) -> None:
    path = write(tmp_path, "mine", ABOUT + text)
    with pytest.raises(InputError) as refusal:
        load_scenario("mine", tmp_path)
    assert str(refusal.value).startswith(str(path))
    assert message in str(refusal.value)


def test_a_scenario_without_a_story_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "mine", ABOUT.replace('story = "A story."\n', ""))
    with pytest.raises(InputError, match="scenario: story is missing"):
        load_scenario("mine", tmp_path)


def test_set_reads_numbers_intervals_years_and_definitions() -> None:
    layer = as_asked(
        ["duty_cycle=0.7", "lab_share@2028 = 0.1 to 0.2", "copy_speed_tokens_per_s=200"]
    )
    assert layer.changes == {
        "duty_cycle": Asked(0.7, 0.7),
        "lab_share": Asked(0.1, 0.2, since=2028),
    }
    assert layer.definitions == {"copy_speed_tokens_per_s": 200.0}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("duty_cycle", "must be NAME=VALUE"),
        ("=0.7", "must be NAME=VALUE"),
        ("duty_cycle=", "must be NAME=VALUE"),
        ("duty_cycle@soon=0.7", "must be NAME=VALUE"),
        ("duty_cycle=half", "must be a number or an interval"),
        ("duty_cycle=0.3 to", "must be a number or an interval"),
        ("duty_cycle=0.7 to 0.3", "the interval 0.7 to 0.3 must rise"),
        ("duty_cycle=0.7 to 0.7", "the interval 0.7 to 0.7 must rise"),
        ("duty_cycle=inf", "must be a finite number"),
        ("copy_speed_tokens_per_s=50 to 90", "a definition has one value"),
        ("software_date=soon", "software_date=soon: must be a date such as 2026-05, got 'soon'"),
        ("first_year=2021", "fits or the span of years depend on it"),
    ],
)
def test_a_faulty_set_is_refused_as_it_was_typed(text: str, message: str) -> None:
    with pytest.raises(InputError) as refusal:
        as_asked([text])
    assert str(refusal.value).startswith(f"--set {text}")
    assert message in str(refusal.value)


def test_the_same_name_is_not_set_twice() -> None:
    with pytest.raises(InputError, match="duty_cycle is set twice"):
        as_asked(["duty_cycle=0.7", "duty_cycle=0.8"])


def test_the_content_of_a_scenario_tells_any_two_questions_apart() -> None:
    texts = ("duty_cycle=0.7", "duty_cycle=0.8", "duty_cycle@2028=0.7", "duty_cycle=0.7 to 0.8")
    contents = [str(with_layer(plain(), as_asked([text])).content()) for text in texts]
    assert len(set(contents)) == len(texts)
