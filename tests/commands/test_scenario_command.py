"""``forepass scenario``, ``--scenario`` and ``--set``: answers from the draws of priors."""

import csv
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from forepass import posterior
from forepass.cli import main
from forepass.posterior import Fit
from forepass.settings import Settings
from forepass.tell import scenario_figures

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    forward_fits: Mapping[str, Fit],
) -> Run:
    """Return the command line with draws of the priors in place of fits."""

    def fitted(_names: object, settings: Settings, **_: object) -> Mapping[str, Fit]:
        read_from.append(str(settings.priors))
        return forward_fits

    read_from: list[str] = []
    monkeypatch.setattr(posterior, "fitted", fitted)
    monkeypatch.setenv("FOREPASS_CACHE", str(tmp_path / "cache"))

    def run_main(*argv: object) -> tuple[int, str, str]:
        status = main([str(argument) for argument in argv])
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return run_main


def quantities(run: Run, *argv: object) -> dict[str, Any]:
    status, out, _ = run(*argv, "--from", 2028, "--to", 2030, "--json")
    assert status == 0
    return json.loads(out)


def test_the_list_names_each_scenario_and_what_it_inherits(run: Run) -> None:
    status, out, _ = run("scenario", "list")
    assert status == 0
    assert "The memory wall returns" in out
    assert out.count("\n") == 16
    record = json.loads(run("scenario", "list", "--json")[1])["scenarios"]
    assert record[0]["name"] == "baseline"
    assert {"post-world-2024": ["wall-returns"]}.items() <= {
        one["name"]: one["inherits"] for one in record
    }.items()


def test_a_scenario_is_shown_with_its_story_sources_and_changes(run: Run) -> None:
    status, out, _ = run("scenario", "show", "post-world-2024")
    assert status == 0
    for told in ("GPT-4 architecture", "inherits wall-returns", "wall_reversion_chance = 1"):
        assert told in out
    assert "frontier_active_params = 2.8e+11 from 2023 on" in out
    assert "copy_speed_tokens_per_s is defined as 20" in out


def test_the_baseline_is_the_forecast_and_the_overhang_themselves(run: Run) -> None:
    told = quantities(run, "scenario", "run", "baseline")["quantities"]
    for command in ("forecast", "overhang"):
        plain = quantities(run, command)["quantities"]
        for name, entry in plain.items():
            assert told[name] == entry


def test_a_pin_has_one_effect_by_every_way_of_asking(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    about = '[scenario]\ntitle = "T"\nstory = "S"\nsource = "judgement"\n'
    file.write_text(f"{about}[pins]\nduty_cycle = 0.3\n", encoding="utf-8")
    ways: list[tuple[object, ...]] = [
        ("forecast", "--set", "duty_cycle=0.3"),
        ("forecast", "--scenario", file),
    ]
    ways += [("scenario", "run", file), ("scenario", "run", "baseline", "--set", "duty_cycle=0.3")]
    found = [quantities(run, *way)["quantities"]["world_tokens_per_s"]["p50"] for way in ways]
    assert all(one == found[0] for one in found)
    assert found[0] != quantities(run, "forecast")["quantities"]["world_tokens_per_s"]["p50"]


def test_speed_and_human_rate_are_what_set_would_make_them(run: Run) -> None:
    sugar = quantities(run, "overhang", "--speed", 20, "--human-rate", 7)
    texts = ("copy_speed_tokens_per_s=20", "human_tokens_per_s=7")
    plain = quantities(run, "overhang", *(part for text in texts for part in ("--set", text)))
    assert sugar["quantities"] == plain["quantities"]
    assert "20 tokens/s each" in sugar["quantities"]["copies_lab"]["long_name"]


def test_the_answer_says_what_was_changed_by_hand(run: Run) -> None:
    notes = quantities(run, "overhang", "--scenario", "fast-agents", "--set", "mix_lag=1 to 2")
    (note,) = (note for note in notes["notes"] if "changed by hand" in note)
    assert note.startswith("fast-agents (Fast agents): ")
    for told in ("agents_speed is 200", "mix_lag is 1 to 2", "copy_speed_tokens_per_s is defined"):
        assert told in note


def test_a_replaced_prior_is_fitted_and_said_to_be(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(
        '[scenario]\ntitle = "T"\nstory = "S"\nsource = "judgement"\n'
        '[priors.fleet.shipment_step]\ndistribution = "LogNormal"\np10 = 0.1\np90 = 0.2\n'
        'unit = "1"\nsource = "judgement"\nrationale = "R"\n',
        encoding="utf-8",
    )
    status, out, err = run("forecast", "--scenario", file, "--years", 2030)
    assert status == 0
    told = "fitted on replaced priors: fleet; fits as before: chips, language_models, serving,"
    assert told in err
    assert told in out


def test_comparison_holds_levels_and_paired_ratios_that_are_narrower(run: Run) -> None:
    found = quantities(run, "scenario", "compare", "baseline", "power-bound", "fast-agents")
    levels = found["quantities"]["world_tokens_per_s"]
    pairs = found["quantities"]["world_tokens_per_s_ratio"]
    assert levels["dims"] == ["year", "scenario"]
    assert levels["scenario"] == ["baseline", "power-bound", "fast-agents"]
    assert pairs["compared"] == ["power-bound", "fast-agents"]
    width = pairs["p90"][-1][0] / pairs["p10"][-1][0]
    assert width < (levels["p90"][-1][1] / levels["p10"][-1][1]) ** 0.5
    assert pairs["p50"][-1][0] < 1
    assert found["quantities"]["cost_usd_per_million_tokens_ratio"]["p50"][-1][0] == 1
    assert found["quantities"]["share_of_upper_bound_difference"]["unit"] == "share"


def test_comparison_is_told_as_text_as_csv_and_as_a_figure(run: Run, tmp_path: Path) -> None:
    words = ("scenario", "compare", "baseline", "power-bound", "--from", 2028)
    table, folder = tmp_path / "pairs.csv", tmp_path / "figure"
    status, out, err = run(*words, "--years", 2030, "--csv", table, "--figure", folder)
    assert status == 0
    assert "- power-bound over baseline" in out
    assert "- power-bound less baseline" in out
    assert err.count("wrote ") == 3
    assert {path.name for path in folder.iterdir()} == {"scenarios.png", "scenarios.svg"}
    with table.open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert {"quantity", "year", "scenario", "compared", "p10", "p50"} <= set(rows[0])


def test_a_figure_of_one_year_is_refused(run: Run, tmp_path: Path) -> None:
    words = ("scenario", "compare", "baseline", "power-bound", "--from", 2030, "--to", 2030)
    status, _, err = run(*words, "--figure", tmp_path / "figure")
    assert status == 2
    assert "two years or more" in err


def test_labels_are_moved_apart_and_none_above_the_top() -> None:
    moved = scenario_figures.spread([0.0, 0.01, 0.98, 0.99, 1.0], gap=0.1, top=1.0)
    assert moved == pytest.approx([0.0, 0.1, 0.8, 0.9, 1.0])


def test_a_grid_sets_every_combination_of_its_values_in_the_first_scenario(run: Run) -> None:
    asked = ["--grid", "duty_cycle=0.5,0.7", "--grid", "inference_share@2028=0.4, 0.3 to 0.7"]
    found = quantities(run, "scenario", "compare", "baseline", *asked)["quantities"]
    tokens = found["world_tokens_per_s"]
    assert tokens["scenario"] == [
        "baseline",
        "duty_cycle=0.5, inference_share@2028=0.4",
        "duty_cycle=0.5, inference_share@2028=0.3 to 0.7",
        "duty_cycle=0.7, inference_share@2028=0.4",
        "duty_cycle=0.7, inference_share@2028=0.3 to 0.7",
    ]
    low, _, high, _ = (row for row in tokens["p50"][-1][1:])
    assert high / low == pytest.approx(0.7 / 0.5)


def test_a_grid_of_what_there_is_not_is_refused_in_a_line(run: Run) -> None:
    asked = ("baseline", "wall-returns", "--grid", "duty_cycl=0.5,0.7")
    status, _, error = run("scenario", "compare", *asked)
    assert (status, error.count("\n")) == (2, 1)
    assert "duty_cycl: no such belief or quantity; did you" in error
