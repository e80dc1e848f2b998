"""Text and CSV of answers."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from forepass.tell import render

YEARS = [2025, 2026, 2030]


def entry(unit: str, label: str, values: Any, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    spread = {"p05": 0.6, "p10": 0.7, "p25": 0.8, "p50": 1.0, "p75": 1.3, "p90": 1.5, "p95": 1.8}

    def scale(value: Any, factor: float) -> Any:  # noqa: ANN401
        if isinstance(value, list):
            return [scale(item, factor) for item in value]
        return value * factor

    quantiles = {key: scale(values, factor) for key, factor in spread.items()}
    return {"unit": unit, "long_name": label, **quantiles, **more}


def document() -> dict[str, Any]:
    return {
        "forepass": "9.9",
        "seed": 4,
        "as_of": "2026-11-02",
        "inputs": {"data": "ab"},
        "years": YEARS,
        "quantities": {
            "chip_flops": entry("FLOP/s", "Rate of a chip at 8 bits", [1e15, 2e15, 9e15]),
            "release_overhang": entry(
                "ratio",
                "Frozen model",
                [[2.0, 4.0]] * 3,
                dims=["year", "part"],
                part=["fleet_growth", "chips"],
            ),
        },
        "notes": ["the fleet is a count of chips"],
    }


def passes_document() -> dict[str, Any]:
    return {
        **{key: document()[key] for key in ("forepass", "seed", "as_of", "inputs")},
        "quantities": {
            "passes_upper_per_chip": {
                "unit": "passes/s",
                "long_name": "Upper bound per chip at 16 bits",
                "value": 557.142857,
            },
            "passes_realised_per_chip": entry("passes/s", "Realised per chip", 60.0),
            "cost_usd_per_million_tokens": {
                **entry("USD per million tokens", "Cost", 4.9),
                **dict.fromkeys(("p10", "p50", "p90")),
            },
            "share_of_upper_bound": entry("share", "Share of the upper bound", 0.11),
        },
        "notes": ["does not fit on 1 chip; 64 are enough"],
        "request": {
            "chip": "a100",
            "n_chips": 128,
            "model": "gpt-4",
            "weight_bits": 16,
            "input_tokens": 1000.0,
            "output_tokens": 500.0,
            "concurrency": 256.0,
            "speed": None,
        },
    }


def test_the_table_by_year_shows_medians_with_intervals_on_one_scale_per_row() -> None:
    lines = render.by_year_text(document()).splitlines()
    assert "as of 2026-11-02, seed 4: median (80% interval)" in lines[0]
    row = next(line for line in lines if line.startswith("Rate of a chip at 8 bits, PFLOP/s"))
    assert row.split()[-2:] == ["2.0", "9.0"]
    assert "(1.4 to 3.0)" in lines[lines.index(row) + 1]
    assert lines[-1] == "- the fleet is a count of chips"


def test_a_further_dim_becomes_a_row_for_each_label() -> None:
    text = render.by_year_text(document())
    assert "Frozen model, fleet growth" in text
    assert "Frozen model, chips" in text


def test_the_table_shows_the_years_asked_for_and_milestones_otherwise() -> None:
    assert render.by_year_text(document()).splitlines()[2].split() == ["2026", "2030"]
    assert render.by_year_text(document(), [2025]).splitlines()[2].split() == ["2025"]


def test_a_range_without_milestones_shows_its_ends() -> None:
    made = document() | {"years": [2021, 2022, 2023]}
    assert render.by_year_text(made).splitlines()[2].split() == ["2021", "2023"]
    one = document() | {"years": [2021]}
    assert render.by_year_text(one).splitlines()[2].split() == ["2021"]


def test_the_table_by_year_fits_on_a_wide_terminal() -> None:
    made = document()
    made["years"] = [2024, 2026, 2028, 2030, 2035]
    made["quantities"] = {
        "world_tokens_per_s": entry(
            "tokens/s",
            "Tokens that the world's accelerators can process, at the precision served",
            [1e9, 1e10, 1e11, 1e12, 1e13],
        )
    }
    assert max(map(len, render.by_year_text(made).splitlines())) <= 120


def test_passes_show_bounds_exactly_and_the_rest_with_intervals() -> None:
    text = render.passes_text(passes_document())
    cells = {line.split("  ")[0]: " ".join(line.split()) for line in text.splitlines()}
    assert cells["Upper bound per chip at 16 bits"].endswith("16 bits 557 passes/s")
    assert cells["Realised per chip"].endswith("60 (42 to 90) passes/s")
    assert cells["Share of the upper bound"].endswith("11 (7.7 to 16) %")
    assert cells["Cost"].endswith("Cost - USD per million tokens")
    assert "128 x a100, gpt-4 at 16 bits; 1,000 tokens in, 500 out, 256 requests at once" in text
    assert text.endswith("- does not fit on 1 chip; 64 are enough")


def test_csv_has_a_row_for_each_quantity_year_and_label(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    render.write_csv(document(), path)
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) == 3 + 6
    assert list(rows[0])[:3] == ["quantity", "unit", "year"]
    assert list(rows[0])[-8:-1] == ["p05", "p10", "p25", "p50", "p75", "p90", "p95"]
    assert "seed" in rows[0]["made_from"]
    assert float(rows[2]["p90"]) == pytest.approx(9e15 * 1.5)
    assert rows[0]["part"] == ""


def test_json_refuses_what_json_does_not_have() -> None:
    assert json.loads(render.as_json(document())) == document()
    with pytest.raises(ValueError, match="JSON"):
        render.as_json({"value": float("nan")})


def test_a_probability_is_a_whole_percentage_and_says_its_limit() -> None:
    of_limits = {
        "unit": "probability",
        "long_name": "What sets shipments",
        "dims": ["year", "limit"],
        "limit": ["none", "power"],
        "value": [[1.0, 0.0], [0.2512, 0.7488], [0.5, 0.5]],
    }
    made = document() | {"quantities": {"supply_limit": of_limits}}
    lines = render.by_year_text(made, [2025, 2026]).splitlines()
    power = next(line for line in lines if "What sets shipments, power" in line)
    assert power.split()[-2:] == ["0%", "75%"]
