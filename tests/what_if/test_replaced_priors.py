"""Priors that a scenario replaces: one table is exchanged, and only its block is fitted again."""

from pathlib import Path

import pytest

from forepass import posterior
from forepass.errors import InputError
from forepass.inputs.priors import load_all
from forepass.settings import Settings
from forepass.what_if.replaced_priors import overlaid
from forepass.what_if.scenarios import Layer, Scenario, plain

LOWER = {
    "distribution": "Beta",
    "p10": 0.3,
    "p90": 0.5,
    "unit": 'share, "mean over peak"',
    "source": "judgement",
    "rationale": "Lower, for the sake of it.",
    "support": [0, float("inf")],
}


def scenario(block: str, name: str) -> Scenario:
    return Scenario("mine", "A", "B", "judgement", (Layer("mine", {}, {block: {name: LOWER}}),), ())


def test_one_prior_is_exchanged_and_the_others_are_as_they_were(tmp_path: Path) -> None:
    old = load_all()
    new = load_all(overlaid(scenario("fleet", "duty_cycle"), Settings(cache=tmp_path)).priors)
    assert new["fleet"]["duty_cycle"].quantiles == {"p10": 0.3, "p90": 0.5}
    assert new["fleet"]["duty_cycle"].unit == LOWER["unit"]
    changed = {
        (block, name)
        for block, priors in old.items()
        for name, prior in priors.items()
        if prior.parameters != new[block][name].parameters
    }
    assert changed == {("fleet", "duty_cycle")}
    assert {block: list(priors) for block, priors in new.items()} == {
        block: list(priors) for block, priors in old.items()
    }


def test_the_fits_of_other_blocks_keep_their_keys(tmp_path: Path) -> None:
    settings = Settings(cache=tmp_path)
    own = overlaid(scenario("fleet", "duty_cycle"), settings)
    differ = {
        block
        for block in posterior.BLOCKS
        if posterior._key(block, settings) != posterior._key(block, own)
    }
    assert differ == {"fleet"}


def test_nothing_is_written_where_nothing_is_replaced(tmp_path: Path) -> None:
    settings = Settings(cache=tmp_path)
    assert overlaid(plain(), settings) is settings
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("block", "name", "message"),
    [
        ("flet", "duty_cycle", "no block 'flet'; did you mean fleet"),
        ("claims", "tokens_add", "no block 'claims'"),
        ("fleet", "duty_cycl", "no prior 'duty_cycl'; did you mean duty_cycle"),
    ],
)
def test_a_prior_that_there_is_not_is_refused(
    tmp_path: Path, block: str, name: str, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        overlaid(scenario(block, name), Settings(cache=tmp_path))


def test_a_faulty_table_is_refused_by_the_scenarios_name(tmp_path: Path) -> None:
    faulty = {**LOWER, "p10": 0.9}
    asked = Scenario(
        "m", "A", "B", "judgement", (Layer("mine", {}, {"fleet": {"pue": faulty}}),), ()
    )
    with pytest.raises(InputError, match=r"^mine: priors.fleet: pue: p10 = 0.9 must be below"):
        overlaid(asked, Settings(cache=tmp_path))


def test_a_source_not_on_record_is_refused_by_the_scenarios_name(tmp_path: Path) -> None:
    layer = Layer("mine", {}, {"fleet": {"duty_cycle": {**LOWER, "source": "nowhere"}}})
    asked = Scenario("m", "A", "B", "judgement", (layer,), ())
    with pytest.raises(InputError, match=r"^mine: priors.fleet: duty_cycle: source 'nowhere'"):
        overlaid(asked, Settings(cache=tmp_path))


def test_a_prior_of_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    (tmp_path / "priors").mkdir()
    settings = Settings(priors=tmp_path / "priors", cache=tmp_path)
    with pytest.raises(InputError, match=r"mine: priors\.fleet: .*fleet\.toml: no such file"):
        overlaid(scenario("fleet", "duty_cycle"), settings)
