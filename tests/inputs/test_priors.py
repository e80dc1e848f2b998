"""Files of beliefs: what is read, and the one line that refuses what is not."""

import math
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

import pytest
from numpy.testing import assert_allclose

from forepass.errors import InputError
from forepass.inputs.elicitation import LEVELS, quantile
from forepass.inputs.families import FAMILIES
from forepass.inputs.priors import (
    BLOCKS,
    Prior,
    check_sources,
    expect,
    load_all,
    load_priors,
    source_keys,
)
from forepass.inputs.rows import read_rows
from forepass.rooms import room

SHIPPED = [block for block in BLOCKS if (room("priors") / f"{block}.toml").is_file()]

GROWTH = {
    "distribution": '"Normal"',
    "p10": "0.18",
    "p90": "0.34",
    "unit": '"log per year"',
    "source": '"judgement"',
    "rationale": '"As the record went."',
}


def write(folder: Path, changes: Mapping[str, str | None], name: str = "growth") -> Path:
    fields = {**GROWTH, **changes}
    lines = [f"{key} = {value}" for key, value in fields.items() if value is not None]
    (folder / "fleet.toml").write_text("\n".join([f"[{name}]", *lines, ""]), encoding="utf-8")
    return folder


def prior_named(name: str, source: str = "judgement") -> Prior:
    return Prior("fleet", name, "HalfNormal", {"sigma": 1.0}, {}, "1", source, "", "fleet.toml")


def test_a_record_becomes_a_prior_with_the_parameters_it_states(tmp_path: Path) -> None:
    prior = load_priors("fleet", write(tmp_path, {"p50": "0.26"}))["growth"]
    assert prior.block == "fleet"
    assert prior.parameters == pytest.approx({"mu": 0.26, "sigma": 0.0624243}, rel=1e-5)
    assert prior.quantiles == {"p10": 0.18, "p50": 0.26, "p90": 0.34}
    assert (prior.unit, prior.source) == ("log per year", "judgement")
    assert prior.rationale == "As the record went."
    assert prior.file == str(tmp_path / "fleet.toml")
    assert prior.support == (-math.inf, math.inf)


def test_a_record_may_state_a_mode_and_the_mass_of_an_interval(tmp_path: Path) -> None:
    peak = {"mode": "0.3", "interval": "[0.1, 0.6]", "mass": "0.8", "p10": None, "p90": None}
    changes = {**peak, "distribution": '"Beta"', "support": "[0, 1]"}
    prior = load_priors("fleet", write(tmp_path, changes))["growth"]
    alpha, beta = prior.parameters["alpha"], prior.parameters["beta"]
    assert (alpha - 1) / (alpha + beta - 2) == pytest.approx(0.3)
    assert set(prior.quantiles) == {"p10", "p50", "p90"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"p10": None, "p9": "0.1"}, "unknown field 'p9'; did you mean p95 or p90?"),
        ({"p10": None, "p01": "0.1"}, "unknown field 'p01'; did you mean p90 or p50 or p10?"),
        ({"raitonale": '"x"'}, "unknown field 'raitonale'; did you mean rationale?"),
        ({"unit": None}, "unit is missing; add unit = ..."),
        ({"source": None}, "source is missing; add source = ..."),
        ({"rationale": None}, "rationale is missing; add rationale = ..."),
        ({"distribution": None}, "distribution is missing; add distribution = ..."),
        ({"rationale": '"  "'}, 'rationale must be text in quotes, as in rationale = "..."'),
        ({"unit": "3"}, 'unit must be text in quotes, as in unit = "..."'),
        ({"unit": '"\\u001b[31m"'}, "unit holds control characters; retype it"),
        ({"source": '"a;;b"'}, "source has an empty key; join keys with one ;"),
        ({"distribution": '"normal"'}, "unknown distribution 'normal'; did you mean Normal"),
        ({"distribution": '"Zipf"'}, "unknown distribution 'Zipf'; known: Normal, LogNormal"),
        ({"p10": '"0.1"'}, "p10 must be a finite number without quotes, got '0.1'"),
        ({"p10": "true"}, "p10 must be a finite number without quotes, got 'True'"),
        ({"p10": "nan"}, "p10 must be a finite number without quotes, got 'nan'"),
        ({"p90": "inf"}, "p90 must be a finite number without quotes, got 'inf'"),
        ({"p90": "1" + 400 * "0"}, "p90 must be a finite number without quotes, got '1000"),
        ({"p10": "0.5"}, "p10 = 0.5 must be below p90 = 0.34; put the quantiles in rising order"),
        ({"p10": None}, "Normal needs two or three quantiles, got p90"),
        ({"p25": "0.2", "p50": "0.26"}, "Normal needs two or three quantiles, got p10, p25, p50"),
        ({"p50": "0.33"}, "p50 = 0.33 does not fit: the Normal through p10 = 0.18 and p90 = 0.34"),
        ({"support": "[0.2, 1]"}, "Normal takes values of any size, beyond support = [0.2, 1]"),
        ({"support": "[0]"}, "support must be two numbers, as in support = [0, 1]"),
        ({"support": "[1, 0]"}, "support = [1, 0] must rise; put the low end first"),
        ({"support": "[nan, 1]"}, "support must be a number without quotes, got 'nan'"),
        ({"mode": "0.2"}, "mode and p10 are both given; state either quantiles, or mode"),
        ({"p10": None, "p90": None, "mode": "0.2", "mass": "0.8"}, "interval is missing; mode,"),
    ],
)
def test_a_faulty_record_is_refused_by_file_key_and_mend(
    tmp_path: Path, changes: Mapping[str, str | None], message: str
) -> None:
    with pytest.raises(InputError) as refusal:
        load_priors("fleet", write(tmp_path, changes))
    words = str(refusal.value)
    assert words.startswith(f"{tmp_path / 'fleet.toml'}: growth: {message}")
    assert "\n" not in words


def test_a_share_as_a_normal_is_refused_with_the_families_that_fit(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"choose among LogitNormal, Beta$"):
        load_priors("fleet", write(tmp_path, {"support": "[0, 1]"}))


def test_a_quantile_outside_the_support_is_refused(tmp_path: Path) -> None:
    changes = {"distribution": '"Beta"', "support": "[-1, 1]", "p90": "1.2"}
    with pytest.raises(InputError, match=r"growth: p90 = 1\.2 is impossible"):
        load_priors("fleet", write(tmp_path, changes))
    changes = {"distribution": '"LogNormal"', "support": "[0, 1]"}
    with pytest.raises(InputError, match=r"growth: LogNormal takes values above 0, beyond"):
        load_priors("fleet", write(tmp_path, changes))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[growth]\np10 = \n", " line 2: not valid TOML: Invalid value"),
        (b"[growth]\np10 = 1\np10 = 2\n", " line 3: not valid TOML: Cannot overwrite a value"),
        (b"[growth]\n\n[growth]\n", " line 3: not valid TOML: Cannot declare"),
        (b"[growth]\nunit = 'x", " line 2: not valid TOML: "),
        (b"[growth]\n# caf\xe9\n", " line 2: not UTF-8 (save the file as UTF-8)"),
        (b"x = " + b"[" * 20_000, ": not valid TOML: nested too deeply"),
        (b"growth = 3\n", ": growth: put [growth] on a line of its own, fields below it"),
        (b'["bad name"]\n', ": 'bad name': a name has only a-z, 0-9 and _"),
        (b"#" * 1_000_001, ": larger than 1 MB, so not read"),
    ],
)
def test_a_broken_file_is_refused_by_its_line(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "fleet.toml"
    file.write_bytes(content)
    with pytest.raises(InputError) as refusal:
        load_priors("fleet", tmp_path)
    assert str(refusal.value).startswith(f"{file}{message}")


def test_a_missing_file_is_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"fleet\.toml: no such file"):
        load_priors("fleet", tmp_path)
    with pytest.raises(InputError, match=r"elsewhere: no such folder of priors"):
        load_all(tmp_path / "elsewhere")


def test_a_file_that_no_block_reads_is_refused(tmp_path: Path) -> None:
    (tmp_path / "flet.toml").touch()
    with pytest.raises(InputError, match=r"flet\.toml: nothing reads it; did you mean fleet\.toml"):
        load_all(tmp_path)


def test_a_prior_that_the_model_does_not_use_is_refused_with_the_one_it_misses() -> None:
    priors = {"growht": prior_named("growht")}
    with pytest.raises(InputError) as refusal:
        expect(priors, ("growth",), "fleet")
    assert str(refusal.value) == (
        "fleet.toml: growht: the fleet model does not use it; did you mean growth?"
    )


def test_a_prior_too_many_is_refused() -> None:
    priors = {name: prior_named(name) for name in ("growth", "spare")}
    with pytest.raises(InputError, match=r"fleet\.toml: spare: .* delete \[spare\]$"):
        expect(priors, ("growth",), "fleet")


def test_a_missing_prior_is_refused() -> None:
    with pytest.raises(InputError, match=r"^fleet\.toml: share is missing; add \[share\] with"):
        expect({"growth": prior_named("growth")}, ("growth", "share"), "fleet")
    with pytest.raises(InputError, match=r"^priors/fleet\.toml: share is missing"):
        expect({}, ("share",), "fleet")


def test_the_priors_that_a_model_uses_are_accepted_in_any_order() -> None:
    expect({name: prior_named(name) for name in "ab"}, ("b", "a"), "fleet")


def test_a_source_that_no_table_has_is_refused_with_the_closest_key() -> None:
    priors = [prior_named("growth", "epoch-2024; epoch-2205")]
    with pytest.raises(InputError, match=r"growth: source 'epoch-2205' .*did you mean epoch-2025"):
        check_sources(priors, {"epoch-2024", "epoch-2025"})
    with pytest.raises(InputError, match=r'growth: source .* add it there, or write "judgement"$'):
        check_sources(priors, {"qqq"})


def test_known_sources_and_judgement_are_accepted() -> None:
    prior = prior_named("growth", "epoch-2024; judgement")
    check_sources([prior], {"epoch-2024"})
    assert source_keys(prior) == ["epoch-2024", "judgement"]


@pytest.mark.parametrize("block", SHIPPED)
def test_every_shipped_prior_has_the_quantiles_it_states(block: str) -> None:
    priors = load_priors(block)
    assert priors
    for prior in priors.values():
        stated = sorted(prior.quantiles.items(), key=lambda item: LEVELS[item[0]])
        found = quantile(prior, [LEVELS[label] for label, _ in stated])
        outer = [0, -1]
        assert_allclose(found[outer], [stated[i][1] for i in outer], rtol=1e-5, atol=1e-9)
        width = float(quantile(prior, 0.9) - quantile(prior, 0.1))
        assert_allclose(found, [value for _, value in stated], atol=0.1 * width)
        assert prior.file == f"priors/{block}.toml"
        assert prior.distribution in FAMILIES


@pytest.mark.parametrize("block", SHIPPED)
def test_every_shipped_prior_is_used_and_none_is_missing(block: str) -> None:
    expect(load_priors(block), import_module(f"forepass.blocks.{block}").PRIORS, block)


@pytest.mark.parametrize("block", SHIPPED)
def test_every_source_of_a_shipped_prior_is_in_the_table_of_sources(block: str) -> None:
    rows = read_rows(room("data") / "sources.csv")
    check_sources(load_priors(block).values(), {cells[0] for cells in rows.cells})
