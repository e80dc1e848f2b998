"""Figures: what is written, and what the panels say."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from forepass.errors import InputError
from forepass.tell import by_year_figures as figures
from forepass.tell.figures import save_figure

YEARS = list(range(2022, 2031))
LABELS = {
    "world_tokens_per_s": ("tokens/s", 1e9),
    "share_of_upper_bound": ("share", 0.1),
    "fleet_h100e": ("H100e", 1e6),
    "cost_usd_per_million_tokens": ("USD per million tokens", 1.0),
    "memory_wall_ratio": ("FLOP/byte", 400.0),
    "frontier_active_params": ("parameters", 1e11),
}


def document(years: list[int] = YEARS) -> dict[str, Any]:
    spread = {"p05": 0.5, "p10": 0.6, "p25": 0.8, "p50": 1.0, "p75": 1.3, "p90": 1.7, "p95": 2.0}
    quantities = {
        name: {
            "unit": unit,
            "long_name": name.replace("_", " "),
            **{
                key: [start * factor * 1.3 ** (year - 2022) for year in years]
                for key, factor in spread.items()
            },
        }
        for name, (unit, start) in LABELS.items()
    }
    quantities["chip_memory"] = quantities["memory_wall_ratio"]
    return {
        "forepass": "9.9",
        "seed": 4,
        "as_of": "2026-05",
        "years": years,
        "quantities": quantities,
    }


def saved(made: dict[str, Any], folder: Path) -> list[Path]:
    return save_figure(figures.draw_by_year(made, "forecast"), folder, "forecast", made)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return saved(document(), tmp_path_factory.mktemp("figures") / "new")


def test_the_figure_is_written_as_png_and_svg_and_nothing_else(written: list[Path]) -> None:
    assert sorted(path.name for path in written) == ["forecast.png", "forecast.svg"]
    assert sorted(written[0].parent.iterdir()) == sorted(written)
    assert written[0].read_bytes().startswith(b"\x89PNG")
    assert "<svg" in written[1].read_text()[:1000]


def test_the_same_answer_gives_the_same_bytes(written: list[Path], tmp_path: Path) -> None:
    again = saved(document(), tmp_path)
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in written]


def test_each_headline_quantity_has_a_log_panel_with_its_unit() -> None:
    figure = figures.draw_by_year(document(), "forecast")
    titles = [axis.get_title(loc="left").replace("\n", " ") for axis in figure.axes]
    assert len(titles) == 6
    assert "share of upper bound, %" in titles
    assert "fleet h100e, million H100e" in titles
    assert all(axis.get_yscale() == "log" for axis in figure.axes)
    caption = figure.get_supxlabel()
    assert "as of 2026-05" in caption
    assert "50, 80 and 90%" in caption
    assert "Seed 4" in caption


def test_years_without_a_number_leave_a_gap_and_a_quantity_without_any_leaves_no_panel(
    tmp_path: Path,
) -> None:
    made = document()
    for key in ("p05", "p10", "p25", "p50", "p75", "p90", "p95"):
        made["quantities"]["fleet_h100e"][key][-1] = None
        made["quantities"]["memory_wall_ratio"][key] = [None] * len(YEARS)
    assert len(figures.draw_by_year(made, "forecast").axes) == 5
    assert len(saved(made, tmp_path)) == 2


def test_from_the_year_of_scenarios_on_the_fan_is_pale_and_the_median_dotted() -> None:
    made = document()
    made["quantities"]["fleet_h100e"]["scenarios_only_from"] = 2028
    figure = figures.draw_by_year(made, "forecast")
    lines = [line for axis in figure.axes for line in axis.lines if line.get_linestyle() == ":"]
    dotted = [np.asarray(line.get_xdata()) for line in lines]
    assert [across[0] for across in dotted if across.size] == [2028]
    assert "only scenarios should be trusted" in figure.get_supxlabel()
    assert "scenarios" not in figures.draw_by_year(document(), "forecast").get_supxlabel()


def test_quarters_stand_at_their_ends() -> None:
    made = document()
    del made["years"]
    made["quarters"] = [f"{2026 + place // 4}Q{place % 4 + 1}" for place in range(len(YEARS))]
    figure = figures.draw_by_year(made, "forecast")
    assert figure.axes[0].get_xlim() == (2026.25, 2028.25)
    assert "p90 of 2028Q1" in figure.get_supxlabel()


def test_a_single_year_is_refused() -> None:
    with pytest.raises(InputError, match="two years"):
        figures.draw_by_year(document([2030]), "forecast")


def test_the_overhang_has_a_fan_for_each_sense_and_bars_for_a_release() -> None:
    made = document([2025, 2026, 2027, 2028, 2029])
    fans = list(figures.PANELS["overhang"])
    entry = next(iter(made["quantities"].values()))
    made["quantities"] = dict.fromkeys(fans, entry)
    parts, since = ["fleet", "chips", "all"], [1, 2, 3]
    per_year = [[[1.0 + y + p for p in range(3)] for _ in since] for y in range(5)]
    made["quantities"][figures.RELEASE] = {
        "unit": "ratio",
        "long_name": "Release overhang",
        "dims": ["year", "years_since_release", "part"],
        "years_since_release": since,
        "part": parts,
        **dict.fromkeys(("p10", "p50", "p90"), per_year),
    }
    figure = figures.draw_by_year(made, "overhang")
    assert len(figure.axes) == len(fans) + 1
    year = int(made["as_of"][:4])
    assert f"frozen in {year}" in figure.axes[-1].get_title(loc="left")
    labels = [text.get_text() for text in figure.axes[-1].get_yticklabels()]
    assert labels == parts
    heights = [text.get_text() for text in figure.axes[-1].texts]
    place = [2025, 2026, 2027, 2028, 2029].index(year)
    assert heights[0] == f"{1.0 + place:.1f}"


def test_a_scale_suits_what_is_forecast_and_many_zeros_are_told_as_a_power() -> None:
    made = document()
    for key in ("p05", "p10", "p25", "p50", "p75", "p90", "p95"):
        made["quantities"]["world_tokens_per_s"][key] = [1e3 * 20.0**at for at in range(9)]
    axis = figures.draw_by_year(made, "forecast").axes[0]
    assert "billion tokens/s" in axis.get_title(loc="left")
    axis.figure.canvas.draw()
    labels = [text.get_text() for text in axis.get_yticklabels() if text.get_text()]
    assert "10⁻⁶" in labels
    assert "1" in labels
