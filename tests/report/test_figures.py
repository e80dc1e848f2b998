"""Figures of a report: what each shows of its evidence, and how it is told to who cannot see it."""

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.text import Text

from forepass.report import figures_of_record
from forepass.report.figures import FIGURES, said
from forepass.tell.figures import save_figure

YEARS = list(range(2024, 2032))
SPREAD = {"p05": 0.4, "p10": 0.5, "p25": 0.8, "p50": 1.0, "p75": 1.3, "p90": 2.0, "p95": 2.5}
UNITS = {
    "fleet_power": ("W", 1e10),
    "contracted_power": ("W", 3e10),
    "share_of_upper_bound": ("share", 0.02),
    "passes_upper_per_chip": ("passes/s", 5e4),
    "passes_lower_per_chip": ("passes/s", 100.0),
    "moe_activation_fraction": ("1", 0.05),
    "capacity_over_demand": ("ratio", 10.0),
}
X = [float(x) for x in np.geomspace(1.0, 100.0, 61)]
BELL = [float(y) for y in np.exp(-((np.linspace(-3, 3, 61)) ** 2))]


def by_year(name: str) -> dict[str, Any]:
    unit, start = UNITS.get(name, ("tokens/s", 2e9))
    return {"unit": unit, "long_name": name.replace("_", " ")} | {
        key: [start * factor * 1.2 ** (year - YEARS[0]) for year in YEARS]
        for key, factor in SPREAD.items()
    }


def published(name: str, times: float, **about: Any) -> dict[str, Any]:  # noqa: ANN401 - of JSON
    return {
        "by": "Somebody (of note)",
        "source": "one",
        "words": name,
        "date": "2027",
        "unit": "chips",
        "low": None,
        "point": 100 * times,
        "high": None,
        "part": False,
        "seen": False,
        "p10": 50.0,
        "p50": 100.0,
        "p90": 200.0,
        "ratio": times,
        "verdict": "agrees" if 0.5 < times < 2 else "above, 2 times",
    } | about


def evidence() -> dict[str, Any]:
    names = {name for figure in FIGURES.values() for name in figure.shown}
    quantities = {name: by_year(name) for name in sorted(names)}
    limits = [[1.0, 0.0, 0.0, 0.0, 0.0], *([[0.2, 0.3, 0.1, 0.1, 0.3]] * (len(YEARS) - 1))]
    about = {"unit": "probability", "long_name": "What sets shipments"}
    labels = ["none", "power", "packaging", "memory", "spending"]
    quantities["supply_limit"] = about | {"limit": labels, "value": limits}
    quantities["shortage"] = about | {"value": [0.02 * at for at in range(len(YEARS))]}
    made = {"forepass": "9.9", "seed": 4, "as_of": "2026-05"}
    belief = {"acts_forward": True, "at_low": 1e9, "at_high": 4e9, "low": 0.1, "high": 0.4}
    group = {"share": 0.6, "share_p05": 0.5, "share_p95": 0.7}
    ratio = {key: [[factor, 0.5 * factor] for _ in YEARS] for key, factor in SPREAD.items()}
    serving = {"kind": "chip", "rows": 20.0, "cover50": 0.5, "cover80": 0.8, "fold50": 1.2}
    serving |= {f"fold {rule}": 9.0 for rule in figures_of_record.RULES} | {"fold90": 1.9}
    score = {"block": "chips", "mode": "as known", "rows": 9.0, "cover50": 0.5, "cover80": 0.8}
    score |= {"cover80_low": 0.7, "cover80_high": 0.9, "versus best": 0.6}
    rank = {"block": "fleet", "replicates": 50.0, "spread": 1.0, "p_adjusted": 1.0}
    prior = {"p10": 2.0, "p50": 10.0, "p90": 50.0}
    fitted = {"learned": 0.4, "posterior": prior}
    fitted |= {"curves": {"x": X, "prior": BELL, "posterior": BELL}}
    return made | {
        "base": 2026,
        "years": YEARS,
        "quantities": quantities,
        "rests_on": {key: ["chips", "fleet"] for key in names},
        "fits": [{"block": "chips"}, {"block": "fleet"}, {"block": "demand"}],
        "tables": [
            {"table": "chips", "rows": 70, "blocks": ["chips", "fleet"]},
            {"table": "demand", "rows": 80, "blocks": ["demand"]},
        ],
        "sources": [{"source": "one", "publisher": "A Publisher"}],
        "comparisons": [
            published("Chips in use", 1.5),
            published("Chips in use", 0.9, seen=True, by="one"),
            published("Power drawn", 300.0, low=100.0, high=1e5),
            published("A part", 0.2, part=True),
            published("No median", 1.0, ratio=None, p50=0.0),
            published("A change", -0.5, p10=-0.7),
        ],
        "scenarios": [{"name": "baseline"}, {"name": "wall-returns"}, {"name": "stall"}],
        "compared": made
        | {
            "years": YEARS,
            "quantities": {
                "world_tokens_per_s": {"long_name": "Capacity", "scenario": ["baseline"]},
                "world_tokens_per_s_ratio": ratio | {"compared": ["wall-returns", "stall"]},
            },
        },
        "sensitivity": {
            "world_tokens_per_s@2030": made
            | {
                "quantity": {
                    "unit": "tokens/s",
                    "long_name": "Capacity",
                    "year": 2030,
                    "p50": 2e9,
                },
                "beliefs": [
                    belief | {"words": "Duty cycle", "at_high": 2.1e9},
                    belief | {"words": "Gain of software"},
                    belief | {"words": "A belief of the record", "acts_forward": False},
                ],
                "groups": [
                    group | {"name": "model size"},
                    group | {"name": "future shocks: demand", "share": 0.3},
                ],
            }
        },
        "track_record": {
            "serving": [serving | {"name": "h100-sxm"}, serving | {"name": "b200"}],
            "backtest": [
                score | {"target": target, "horizon": horizon}
                for target in ("bandwidth", "power", "all")
                for horizon in (1.0, 2.0, "all")
            ],
            "calibration": [
                rank | {"variable": f"variable_{at}", "mean_place": 0.4 + 0.02 * at}
                for at in range(10)
            ],
        },
        "beliefs": [
            {"block": block, "unit": "1", "prior": prior, "name": name, "words": words} | more
            for block in ("chips", "language_models", "serving", "fleet", "training", "demand")
            for name, words, more in (
                ("growth", "Growth of it", fitted),
                ("level", "Level of it", fitted | {"learned": 0.9}),
                ("cost", "Cost of it", {}),
            )
        ],
    }


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return evidence()


@pytest.mark.parametrize("name", FIGURES)
def test_each_figure_says_as_of_when_and_is_legible_at_half_width(
    name: str, document: dict[str, Any]
) -> None:
    figure = FIGURES[name].draw(document)
    assert "as of 2026-05" in figure.get_supxlabel().lower()
    written = [text for text in figure.findobj(Text) if text.get_text().strip()]
    least = 8.5 if name.startswith("beliefs") else 11
    assert min(float(text.get_fontsize()) for text in written) >= least
    assert 10 <= figure.get_figwidth() <= 12


@pytest.mark.parametrize("name", FIGURES)
def test_each_figure_is_told_in_words_and_has_numbers_behind_it(
    name: str, document: dict[str, Any]
) -> None:
    figure = FIGURES[name]
    alt = figure.alt(document)
    assert any(character.isdecimal() for character in alt)
    assert alt.endswith(".")
    # What is behind the curves of beliefs is told in the text, belief by belief.
    told = name.startswith("beliefs")
    assert bool(figure.shown) + (figure.rows is not None) == (0 if told else 1)
    if figure.rows is not None:
        headers, rows = figure.rows(document)
        assert rows
        assert {len(row) for row in rows} == {len(headers)}
        assert all(isinstance(cell, str) for row in rows for cell in row)


@pytest.mark.parametrize("name", ["bounds", "published", "beliefs_fleet"])
def test_the_same_evidence_gives_the_same_bytes(
    name: str, document: dict[str, Any], tmp_path: Path
) -> None:
    first, again = (
        save_figure(FIGURES[name].draw(document), tmp_path / folder, name, document)
        for folder in ("first", "again")
    )
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in again]


def test_a_quantity_is_said_with_its_interval_and_unit(document: dict[str, Any]) -> None:
    assert said(document, "fleet_power", 2024) == "10 (5 to 20) GW"
    assert said(document, "share_of_upper_bound", 2024) == "2 (1 to 4)%"
    assert f"{said(document, 'fleet_power', 2030)} in 2030" in FIGURES["fleet"].alt(document)


def test_the_bounds_lie_in_order_on_one_log_axis_each_named_with_its_last_median(
    document: dict[str, Any],
) -> None:
    axis = FIGURES["bounds"].draw(document).axes[0]
    assert axis.get_yscale() == "log"
    names = {text.get_text().split("\n")[0]: text.get_text() for text in axis.texts}
    assert {*names} == {"lower bound:", "realised", "upper bound:"}
    assert names["upper bound:"].endswith("180,000")


def test_what_sets_shipments_adds_up_and_starts_where_the_record_ends(
    document: dict[str, Any],
) -> None:
    axis = FIGURES["fleet"].draw(document).axes[-1]
    assert axis.get_xlim() == (2026, 2031)
    assert axis.get_ylim() == (0, 100)
    tops = [
        np.asarray(path.vertices)[:, 1].max()
        for one in axis.collections
        for path in one.get_paths()
    ]
    top = max(tops)
    assert top == pytest.approx(100)
    assert len({one.get_hatch() for one in axis.collections}) == len(axis.collections) == 5


def test_what_a_ratio_says_nothing_of_is_left_out_and_what_the_fit_saw_is_hollow(
    document: dict[str, Any],
) -> None:
    figure = FIGURES["published"].draw(document)
    assert "3 figures are left out" in figure.get_supxlabel()
    labels = [text.get_text() for axis in figure.axes for text in axis.get_yticklabels()]
    assert labels == ["Somebody, 2027", "A Publisher, 2027", "Somebody, 2027"]
    points = [
        (float(np.asarray(line.get_xdata())[0]), line.get_marker(), line.get_markerfacecolor())
        for axis in figure.axes
        for line in axis.lines
        if line.get_marker() in ("o", ">", "<")
    ]
    assert [ratio for ratio, mark, _ in points if mark == "o"] == [1.5, 0.9, 300.0]
    assert [face == "white" for _, mark, face in points if mark == "o"] == [False, True, False]
    assert sum(mark == ">" for _, mark, _ in points) >= 1
    assert FIGURES["published"].alt(document).startswith("Of 3 published figures, 2 agree")


def test_ranks_that_chance_does_not_explain_are_named(document: dict[str, Any]) -> None:
    assert not FIGURES["calibration"].draw(document).axes[0].texts
    made = copy.deepcopy(document)
    made["track_record"]["calibration"][3]["p_adjusted"] = 0.01
    figure = FIGURES["calibration"].draw(made)
    assert [text.get_text() for text in figure.axes[0].texts] == ["variable 3"]
    assert "Named: the 1" in figure.get_supxlabel()


def test_chance_leaves_narrower_bands_to_more_refits() -> None:
    few, many = (figures_of_record.by_chance(replicates) for replicates in (25, 100))
    for name, centre in (("mean_place", 0.5), ("spread", 1.0)):
        width = [np.ptp(of[name]) for of in (few, many)]
        assert width[0] / width[1] == pytest.approx(2, rel=0.1)
        assert many[name][0] < centre < many[name][1]
    # A uniform place has a standard deviation of 1 / sqrt(12).
    assert many["mean_place"][1] - 0.5 == pytest.approx(1.96 / np.sqrt(12 * 100), rel=0.05)


def test_beliefs_stand_in_the_order_of_what_was_learned_and_the_unfitted_last(
    document: dict[str, Any],
) -> None:
    axes = FIGURES["beliefs_demand"].draw(document).axes
    titles = [axis.get_title(loc="left") for axis in axes]
    assert titles == ["Level of it  90%", "Growth of it  40%", "Cost of it  no data"]
    assert [len(axis.collections) for axis in axes] == [1, 1, 1]
    assert [axis.get_xscale() for axis in axes] == ["log", "log", "linear"]
    assert len(axes[0].lines) == 2  # the posterior's edge and the prior


def test_the_tornado_tells_of_what_acts_forward_widest_first(document: dict[str, Any]) -> None:
    rows = FIGURES["tornado"].rows
    assert rows is not None
    assert [row[0] for row in rows(document)[1]] == ["Gain of software", "Duty cycle"]
    alt = FIGURES["tornado"].alt(document)
    assert "gain of software (median 1.0 to 4.0 billion tokens/s)" in alt


def test_scenarios_are_told_by_their_ratios_to_the_first(document: dict[str, Any]) -> None:
    alt = FIGURES["scenarios"].alt(document)
    assert alt == ("Capacity in 2030 over that of baseline, median: wall-returns 1.00, stall 0.50.")
