"""Answers: documents of quantiles, and the cache that keeps them."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from forepass.errors import InputError
from forepass.settings import Settings
from forepass.tell import answers

YEARS = [2025, 2026, 2027]


def draws(offset: float = 0.0) -> xr.Dataset:
    """Return made-up draws: by year, scalar, by year and label, and a bound."""
    rng = np.random.default_rng(5)
    attrs = {"units": "tokens/s", "long_name": "Tokens served"}
    return xr.Dataset(
        {
            "by_year": (("draw", "year"), offset + rng.lognormal(size=(200, 3)), attrs),
            "scalar": (("draw",), rng.normal(size=200), attrs),
            "labelled": (
                ("draw", "years_since_release", "year"),
                rng.normal(size=(200, 2, 3)),
                attrs,
            ),
            "bound": ((), 3.5, attrs),
        },
        coords={"year": YEARS, "years_since_release": [1, 2]},
        attrs={"notes": ["made up"]},
    )


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    data, priors = tmp_path / "data", tmp_path / "priors"
    data.mkdir()
    priors.mkdir()
    (data / "sources.csv").write_text("source,date\na,2024-05\nb,2026-11-02\nc,\n")
    (priors / "fleet.toml").write_text("")
    return Settings(data=data, priors=priors, seed=3, cache=tmp_path / "cache")


def kept(settings: Settings) -> Path:
    """Return the one file of the cache."""
    (path,) = (settings.cache / "answers").iterdir()
    return path


def ask(settings: Settings, offset: float = 0.0, **arguments: object) -> dict[str, object]:
    return answers.answer("forecast", arguments, settings, draw=lambda: draws(offset))


def test_quantities_hold_the_quantiles_of_their_draws_along_the_years() -> None:
    made = draws()
    document = answers.build_document(made, seed=3, as_of="2026-11-02", inputs={"data": "ab"})
    entry = document["quantities"]["by_year"]
    assert document["years"] == YEARS
    assert entry["unit"] == "tokens/s"
    for key, level in (("p05", 0.05), ("p50", 0.5), ("p95", 0.95)):
        np.testing.assert_allclose(entry[key], np.quantile(made["by_year"], level, axis=0))
    assert isinstance(document["quantities"]["scalar"]["p50"], float)
    assert document["quantities"]["bound"]["value"] == 3.5
    assert "p50" not in document["quantities"]["bound"]
    assert document["notes"] == ["made up"]


def test_a_further_dim_nests_within_the_years_and_names_its_labels() -> None:
    made = draws()
    document = answers.build_document(made, seed=3, as_of="", inputs={})
    entry = document["quantities"]["labelled"]
    assert entry["dims"] == ["year", "years_since_release"]
    assert entry["years_since_release"] == [1, 2]
    expected = np.quantile(made["labelled"].sel(year=2026, years_since_release=2), 0.9)
    assert entry["p90"][1][1] == pytest.approx(float(expected))


def test_what_cannot_be_computed_is_null_in_json() -> None:
    made = draws()
    made["by_year"][:, 1] = np.nan
    made["by_year"][8, 2] = np.inf
    document = answers.build_document(made, seed=3, as_of="", inputs={})
    assert document["quantities"]["by_year"]["p50"][1] is None
    rest = np.delete(made["by_year"].values[:, 2], 8)
    assert document["quantities"]["by_year"]["p50"][2] == pytest.approx(np.median(rest))
    json.dumps(document, allow_nan=False)


def test_the_second_answer_comes_from_the_cache(settings: Settings) -> None:
    first = ask(settings, to=2030)
    assert ask(settings, offset=100.0, to=2030) == first
    assert first["as_of"] == "2026-11-02"
    assert first["request"] == {"to": 2030}


def test_a_changed_argument_seed_or_input_is_answered_anew(settings: Settings) -> None:
    first = ask(settings, to=2030)
    assert ask(settings, offset=1.0, to=2031)["quantities"] != first["quantities"]
    reseeded = dataclasses.replace(settings, seed=4)
    assert ask(reseeded, offset=1.0, to=2030)["quantities"] != first["quantities"]
    (settings.data / "chips.csv").write_text("chip\n")  # type: ignore[attr-defined]
    assert ask(settings, offset=2.0, to=2030)["quantities"] != first["quantities"]


@pytest.mark.parametrize("damage", ["{", '{"checksum": "0", "document": {}}', "[]", "\x00"])
def test_a_damaged_cache_is_said_and_computed_again(
    settings: Settings, capsys: pytest.CaptureFixture[str], damage: str
) -> None:
    first = ask(settings)
    kept(settings).write_text(damage)
    assert ask(settings) == first
    assert "damaged" in capsys.readouterr().err
    assert ask(settings, offset=9.0) == first  # and is whole again
    assert capsys.readouterr().err == ""


def test_one_changed_number_in_the_cache_is_noticed(settings: Settings) -> None:
    first = ask(settings)
    text = kept(settings).read_text()
    kept(settings).write_text(text.replace('"value": 3.5', '"value": 4.5'))
    assert ask(settings) == first


def test_an_answer_that_cannot_be_kept_is_still_given(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.cache.write_text("a file where the cache should be")
    assert ask(settings)["seed"] == 3
    assert "not cached" in capsys.readouterr().err


def test_a_draw_that_fails_leaves_nothing_behind(settings: Settings) -> None:
    def interrupted() -> xr.Dataset:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        answers.answer("forecast", {}, settings, draw=interrupted)
    assert not settings.cache.exists()


def test_sources_without_dates_are_refused(settings: Settings) -> None:
    (settings.data / "sources.csv").write_text("source\na\n")  # type: ignore[attr-defined]
    with pytest.raises(InputError, match="'date' is missing"):
        ask(settings)


def test_tidy_rows_have_one_row_for_each_quantity_year_and_label() -> None:
    document = answers.build_document(draws(), seed=3, as_of="", inputs={})
    rows = list(answers.tidy_rows(document))
    by_name = [row["quantity"] for row in rows]
    assert [by_name.count(name) for name in ("by_year", "labelled", "scalar", "bound")] == [
        3,
        6,
        1,
        1,
    ]
    last = rows[by_name.index("labelled") + 5]
    assert (last["year"], last["years_since_release"]) == (2027, 2)
    assert last["p50"] == document["quantities"]["labelled"]["p50"][2][1]
