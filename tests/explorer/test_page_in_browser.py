"""The page in a browser: what it shows is what Python works out for the same state."""

import csv
import json
import shlex
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import xarray as xr
from arviz_stats.base import array
from scipy import stats

from forepass.cli import build_parser
from forepass.explorer.ingredients import HEADLINES, narrowed
from forepass.explorer.page_file import page_text
from forepass.forward.forecast import forecast_of
from forepass.forward.overhang import overhang_of
from forepass.forward.projection import project, whole_span
from forepass.inputs.elicitation import quantile
from forepass.inputs.priors import load_priors
from forepass.sensitivities.beliefs import prior_scores
from forepass.settings import Settings
from forepass.what_if import intervention_names
from forepass.what_if.changed import Changed
from forepass.what_if.replaced_priors import overlaid
from forepass.what_if.scenarios import as_asked, load_scenario, plain, with_layer

from .conftest import Opened

if TYPE_CHECKING:
    from playwright.sync_api import Browser

STATS: Any = array.array_stats
YEAR = 2030
NAMES = [headline.name for headline in HEADLINES if ":" not in headline.name]
LEVELS = [0.5, 0.1, 0.9]
PLACE = "fleet.duty_cycle"


def drawn(found: Changed, *asked: str) -> xr.Dataset:
    """Return every headline of the year in Python, with what ``--set`` would change."""
    scenario = with_layer(plain(), as_asked(asked))
    definitions = replace(found.definitions, **scenario.definitions())
    whole = project(
        found.fits,
        whole_span(definitions),
        seed=1,
        definitions=definitions,
        tables=found.tables,
        interventions=intervention_names.resolve(scenario, found.priors, definitions),
    )
    year = narrowed(whole, range(YEAR, YEAR + 4))
    return xr.merge([forecast_of(year, year.years), overhang_of(year, year.years)])


@pytest.fixture(scope="module")
def believed(found: Changed) -> xr.Dataset:
    return drawn(found)


def check(opened: Opened, told: xr.Dataset, *, rtol: float = 1e-3) -> None:
    for name in NAMES:
        expected = np.quantile(told[name].sel(year=YEAR).values, LEVELS)
        np.testing.assert_allclose(opened.headline(name), expected, rtol=rtol, err_msg=name)


def test_it_opens_without_a_complaint_or_a_request_and_shows_the_forecast(
    opened: Opened, believed: xr.Dataset
) -> None:
    opened.open()
    check(opened, believed, rtol=2e-4)
    assert opened.page.inner_text("#now").startswith(f"{YEAR}: ")
    assert opened.complaints == []


def until(opened: Opened, holds: str) -> None:
    """Wait until something holds, which the page's policy forbids to ask in the page itself."""
    for _ in range(100):
        if opened.page.evaluate(holds):
            return
        opened.page.wait_for_timeout(50)
    pytest.fail(f"never so: {holds}")


def slide(opened: Opened, selector: str, value: float) -> None:
    """Drag a slider to a value, and wait until the page has followed."""
    opened.page.locator(selector).evaluate(
        """async (input, value) => {
            input.value = value;
            input.dispatchEvent(new Event("input", { bubbles: true }));
            await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
        }""",
        str(value),
    )


def lever_at(opened: Opened, name: str, value: float) -> None:
    """Drag the slider of a lever to the place of a value."""
    words = """([name, value]) => {
        const lever = explorer.answers.levers[name];
        const { low, high, log } = lever;
        const stops = stopsOf(lever);
        if (stops.length) return stops.indexOf(value);
        return log ? Math.round((STEPS * Math.log(value / low)) / Math.log(high / low)) : value;
    }"""
    at = opened.page.evaluate(words, [name, value])
    slide(opened, f'[data-lever="{name}"] input', at)


def test_quantities_that_are_set_give_what_set_gives(opened: Opened, found: Changed) -> None:
    opened.open()
    lever_at(opened, "human_tokens_per_s", 10)
    lever_at(opened, "inference_share", 0.3)
    lever_at(opened, "duty_cycle", 0.65)
    lever_at(opened, "copy_speed_tokens_per_s", 100)
    state = opened.page.evaluate("explorer.state().levers")
    options = opened.page.evaluate(
        "Object.fromEntries(Object.values(explorer.answers.levers).map((l) => [l.name, l.option]))"
    )
    assert len(state) == 4
    assert state["copy_speed_tokens_per_s"] == 100
    check(opened, drawn(found, *(f"{options[name]}={value}" for name, value in state.items())))
    opened.page.select_option("#headline", "copies_world")
    assert opened.page.inner_text("#exact") == "Worked out exactly for what is set."
    assert opened.complaints == []


def test_precision_is_exact_and_sizes_between_levels_are_interpolated_and_said_to_be(
    opened: Opened, found: Changed
) -> None:
    opened.open()
    opened.page.select_option('[data-lever="weight_bits"] select', "8")
    until(opened, "explorer.state().levers.weight_bits === 8")
    option = opened.page.evaluate("explorer.answers.levers.weight_bits.option")
    check(opened, drawn(found, f"{option}=8"))
    size = option.replace("weight_bits", "frontier_active_params")
    opened.open("set.frontier_active_params=2.2e11")
    check(opened, drawn(found, f"{size}=2.2e11"))
    opened.open("set.frontier_active_params=1.7e11")
    assert opened.page.inner_text("#exact").startswith("Interpolated in logs")
    told = drawn(found, f"{size}=1.7e11")
    for name in ("world_tokens_per_s", "cost_usd_per_million_tokens", "frontier_active_params"):
        expected = np.quantile(told[name].sel(year=YEAR).values, LEVELS)
        np.testing.assert_allclose(opened.headline(name), expected, rtol=0.2, err_msg=name)
    opened.open("set.frontier_active_params=1.7e11&set.weight_bits=8")
    assert opened.page.inner_text("#exact").startswith("Rough")
    opened.open("set.weight_bits=8&show=release_overhang%3A1")
    assert opened.page.inner_text("#exact").startswith("Does not follow precision served")


def weights_of(found: Changed, moved: Mapping[str, tuple[float, float]]) -> Any:  # noqa: ANN401
    logs: Any = 0.0
    for key, (shift, width) in moved.items():
        block, _, name = key.partition(".")
        z = prior_scores(found.priors[block][name], found.fits[block].posterior[name].values)
        logs = logs + stats.norm.logpdf(z, shift, width) - stats.norm.logpdf(z)
    smoothed, k = STATS.psislw(-np.asarray(logs))
    return np.exp(smoothed), float(k)


def weighted(values: Any, weights: Any) -> Any:  # noqa: ANN401
    """Return quantiles of weighted draws the slow way: by the middle of each one's weight."""
    order = np.argsort(values)
    each = weights[order]
    middle = np.cumsum(each) - each / 2
    at = (middle - middle[0]) / (middle[-1] - middle[0])
    return np.interp(LEVELS, at, values[order])


def test_a_moved_belief_weighs_the_draws_as_python_does(
    opened: Opened, found: Changed, believed: xr.Dataset
) -> None:
    opened.open()
    opened.page.fill("#search", PLACE)
    sliders = f'[data-prior="{PLACE}"] input'
    slide(opened, f"{sliders} >> nth=0", 0.5)
    slide(opened, f"{sliders} >> nth=1", -0.4)
    moved = opened.page.evaluate("explorer.state().priors")
    assert moved == {PLACE: [0.5, pytest.approx(2**-0.4)]}
    weights, k = weights_of(found, moved)
    for name in NAMES:
        expected = weighted(believed[name].sel(year=YEAR).values, weights)
        np.testing.assert_allclose(opened.headline(name), expected, rtol=2e-3, err_msg=name)
    assert opened.page.evaluate("explorer.answers.k") == pytest.approx(k, abs=5e-3)
    assert "Pareto k" in opened.page.inner_text("#trust")
    assert opened.complaints == []


def test_what_the_draws_cannot_answer_is_marked_with_the_command_that_can(opened: Opened) -> None:
    opened.open(f"prior.{PLACE}=2.5,0.5")
    assert "The draws cannot answer this" in opened.page.inner_text("#trust")
    assert "doubtful" in (opened.page.get_attribute("#answer", "class") or "")
    assert "--scenario moved.toml" in opened.page.input_value("#command")


def test_the_scenario_file_and_command_ask_for_what_the_page_shows(
    opened: Opened, tmp_path: Path, found: Changed
) -> None:
    moved = {PLACE: (0.7, 1.2), "serving.effect_production": (-1.0, 0.6)}
    words = "&".join(f"prior.{key}={shift},{width}" for key, (shift, width) in moved.items())
    opened.open(f"{words}&set.inference_share=0.3&cross=above,1e11&year=2029")
    command = shlex.split(opened.page.input_value("#command"))
    args = build_parser().parse_args(command[1:])
    assert args.when == [["world_tokens_per_s", "above", "100000000000"]]
    assert args.scenario == "moved.toml"
    assert args.set == ["inference_share@2027=0.3"]
    file = tmp_path / "moved.toml"
    file.write_text(opened.page.locator("#file-text").text_content() or "", encoding="utf-8")
    settings = Settings(cache=tmp_path / "cache")
    replaced = overlaid(load_scenario(str(file), settings.priors), settings)
    for key, (shift, width) in moved.items():
        block, _, name = key.partition(".")
        old, new = found.priors[block][name], load_priors(block, replaced.priors)[name]
        for level in (0.1, 0.5, 0.9):
            expected = quantile(old, stats.norm.cdf(shift + width * stats.norm.ppf(level)))
            assert float(quantile(new, level)) == pytest.approx(float(expected), rel=0.02, abs=0.01)


def test_the_command_keeps_what_the_page_was_asked_but_for_what_its_reader_sets(
    opened: Opened,
) -> None:
    opened.open("set.duty_cycle=0.4")
    words = """(options) => optionsBelow(options, explorer.state(), explorer.answers)"""
    options = ["--set", "duty_cycle=0.5", "--set", "mix_lag = 1 to 2"]
    assert opened.page.evaluate(words, options) == ["--set", "mix_lag = 1 to 2"]


def test_a_link_carries_the_state_and_what_is_not_of_the_page_is_left_out(opened: Opened) -> None:
    words = f"show=copies_lab&year=2028&cross=below,2e6&set.duty_cycle=0.4&prior.{PLACE}=0.5,1.25"
    opened.open(words)
    found = opened.page.evaluate("asHash(explorer.state(), explorer.answers.contents)")
    again = opened.page.evaluate("(h) => fromHash(h, explorer.answers).state", found)
    assert again == opened.page.evaluate("explorer.state()")
    assert again["headline"] == "copies_lab"
    assert again["levers"] == {"duty_cycle": 0.4}
    opened.open("show=__proto__&set.duty_cycle=7&prior.a.b=1,1&year=1999&x=<img src=x>")
    told = opened.page.inner_text("#ignored")
    for key in ("show", "set.duty_cycle", "prior.a.b", "year", "x"):
        assert key in told
    assert opened.page.evaluate("explorer.state().levers") == {}
    assert opened.complaints == []


def test_a_keyboard_moves_a_slider_and_the_change_is_said(opened: Opened) -> None:
    opened.open()
    before = opened.headline("world_tokens_per_s")
    slider = opened.page.locator('[data-lever="duty_cycle"] input')
    slider.focus()
    opened.page.keyboard.press("ArrowRight")
    until(opened, "explorer.state().levers.duty_cycle === 0.51")
    # The words follow with the next frame.
    shown = "document.querySelector('[data-lever=duty_cycle] input').ariaValueText"
    until(opened, f"{shown} !== 'as forecast'")
    assert slider.get_attribute("aria-valuetext") == "51.0 %"
    until(opened, "document.getElementById('said').textContent.includes('World capacity')")
    assert opened.headline("world_tokens_per_s") != before


def test_a_keyboard_skips_to_the_sliders_and_loses_nothing(opened: Opened) -> None:
    opened.open("set.duty_cycle=0.4")
    opened.page.locator(".skip").focus()
    opened.page.keyboard.press("Enter")
    assert opened.page.evaluate("document.activeElement.id") == "moving"
    assert opened.page.evaluate("explorer.state().levers") == {"duty_cycle": 0.4}
    assert opened.page.inner_text("#ignored") == ""


def test_every_control_has_a_name_and_every_table_headings(opened: Opened) -> None:
    opened.open("cross=above,1e11&show=release_overhang%3A1")
    nameless = opened.page.evaluate(
        """[...document.querySelectorAll("input, select, textarea, button, [tabindex]")]
            .filter((e) => !(e.labels?.length || e.textContent.trim() || e.ariaLabel))
            .map((e) => e.outerHTML)"""
    )
    assert nameless == []
    for table in opened.page.locator("table").all():
        assert table.locator("th[scope]").count() > 0


def test_numbers_are_taken_away_as_they_are_shown(opened: Opened) -> None:
    opened.open("set.duty_cycle=0.4")
    shown = opened.headline("world_tokens_per_s")
    found = {}
    for name in ("csv", "json"):
        with opened.page.expect_download() as waiting:
            opened.page.click(f"#{name}")
        found[name] = waiting.value.path().read_text(encoding="utf-8")
    rows = list(csv.DictReader(found["csv"].splitlines()))
    document = json.loads(found["json"])
    for one in (rows, document["rows"]):
        (row,) = (
            r for r in one if r["quantity"] == "world_tokens_per_s" and int(r["year"]) == YEAR
        )
        assert [float(row[key]) for key in ("p50", "p10", "p90")] == shown
    assert document["state"]["levers"] == {"duty_cycle": 0.4}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_all_of_it_in_either_scheme(
    browser: "Browser", page_path: Path, scheme: str, tmp_path: Path
) -> None:
    phone = Opened(browser, page_path, width=360, scheme=scheme)
    phone.open(f"prior.{PLACE}=2.5,0.5&cross=above,1e11")
    for section in phone.page.locator(".rest section").all():
        section.evaluate("(one) => (one.style.contentVisibility = 'visible')")
    assert phone.page.evaluate("document.documentElement.scrollWidth") == 360
    paper = phone.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (paper == "rgb(17, 23, 29)") == (scheme == "dark")
    picture = phone.page.locator("#fan canvas").screenshot(path=tmp_path / "fan.png")
    assert len(picture) > 3000
    assert phone.complaints == []


def test_hostile_texts_are_shown_as_they_are(
    browser: "Browser", document: dict[str, Any], tmp_path: Path
) -> None:
    hostile = "</script><img src=x onerror=\"document.title='broken'\">"
    priors = [
        prior | dict.fromkeys(("title", "unit", "source", "rationale"), hostile)
        for prior in document["priors"]
    ]
    headlines = [one | {"title": hostile, "about": hostile} for one in document["headlines"]]
    path = tmp_path / "hostile.html"
    changed = document | {"priors": priors, "headlines": headlines, "notes": [hostile]}
    path.write_text(page_text(changed, hostile), encoding="utf-8")
    opened = Opened(browser, path)
    opened.open()
    assert opened.page.title() == hostile
    assert opened.page.inner_text("h1") == hostile
    assert hostile in opened.page.inner_text("#priors")
    assert hostile in opened.page.inner_text("#notes")
    assert opened.page.locator("img").count() == 0
    assert opened.complaints == []
