"""Configurations as arrays: names, widths of arithmetic, what is not stated, what is a replica."""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
import pytest

from forepass.blocks.serving.rows import EFFECTS, FIELDS, LEVELS, Rows, compute_bits, make_rows
from forepass.errors import InputError
from forepass.inputs.records import chip_record

type Tables = Mapping[str, pd.DataFrame]
type Configure = Callable[..., pd.DataFrame]


def _one(rows: Rows, field: str) -> float:
    [value] = rows.fields[field]
    return float(value)


def _without(tables: Tables, model: str, *columns: str) -> Tables:
    """Return the tables with some sizes of a model left empty."""
    models = tables["language_models"].copy()
    models.loc[models["model"] == model, list(columns)] = np.nan
    return {**tables, "language_models": models}


@pytest.mark.parametrize(
    ("chip", "model"),
    [("A100", "Llama 3.1 70B"), ("a100 80GB", "meta-llama/Llama-3.1-70B-Instruct")],
)
def test_any_spelling_of_chip_and_model_gives_the_same_row(
    chip: str, model: str, tables: Tables, configure: Configure
) -> None:
    named = make_rows(configure(), tables)
    spelt = make_rows(configure(chip=chip, model=model), tables)
    assert spelt.fields == named.fields
    assert spelt.effects == named.effects
    assert {k: v.tolist() for k, v in spelt.levels.items()} == {
        k: v.tolist() for k, v in named.levels.items()
    }


@pytest.mark.parametrize(("column", "name"), [("chip", "h1000"), ("model", "llama-9")])
def test_an_unknown_name_is_refused_by_that_name(
    column: str, name: str, tables: Tables, configure: Configure
) -> None:
    with pytest.raises(InputError, match=name):
        make_rows(configure(**{column: name}), tables)


@pytest.mark.parametrize(
    ("chip", "bits", "expected"),
    [
        ("a100-sxm-80gb", 16, 16),
        ("a100-sxm-80gb", 8, 8),
        ("h100-sxm", 8, 8),
        ("h100-sxm", 4, 16),
        ("b200", 4, 4),
        ("b200", 8, 8),
        ("v100-sxm2-16gb", 8, 16),
    ],
)
def test_a_chip_without_arithmetic_at_a_width_multiplies_in_16_bits(
    chip: str, bits: float, expected: float, tables: Tables
) -> None:
    assert compute_bits(chip_record(chip, tables), bits) == expected


@pytest.mark.parametrize(
    ("chip", "bits", "column"),
    [
        ("h100-sxm", 4, "flops_16bit_flop_per_s"),
        ("h100-sxm", 8, "flops_fp8_flop_per_s"),
        ("b200", 4, "flops_4bit_flop_per_s"),
    ],
)
def test_the_rate_of_a_row_is_the_dense_one_at_the_width_it_computes_in(
    chip: str, bits: float, column: str, tables: Tables, configure: Configure
) -> None:
    rows = make_rows(configure(chip=chip, weight_bits=bits), tables)
    [expected] = tables["chips"].loc[tables["chips"]["chip"] == chip, column]
    assert _one(rows, "flops") == expected
    assert _one(rows, "weight_bits") == bits


def test_every_measured_row_has_every_field_effect_and_group(known: Rows) -> None:
    assert set(known.fields) == set(FIELDS)
    assert set(known.effects) == set(EFFECTS)
    assert set(known.levels) == {*LEVELS, "scenario"}
    for name, values in {**known.fields, **known.effects}.items():
        assert values.shape == (len(known),), name
        assert np.all(np.isfinite(values)), name


def test_measured_rows_state_what_no_belief_can_stand_in_for(known: Rows) -> None:
    needed = (
        "n_chips",
        "least_chips",
        "beams",
        "flops",
        "bandwidth",
        "memory",
        "active_params",
        "weight_bits",
    )
    for name in needed:
        assert np.all(known.fields[name] > 0), name
    assert np.all(known.fields["total_params"] >= known.fields["active_params"])


@pytest.mark.parametrize(
    ("column", "field"),
    [
        ("n_layers", "n_layers"),
        ("kv_layers", "attending_layers"),
        ("kv_bytes_per_token_16bit", "kv_bytes_per_token_16bit"),
    ],
)
def test_a_size_missing_from_a_model_is_marked_by_zero(
    column: str, field: str, tables: Tables, configure: Configure
) -> None:
    rows = make_rows(configure(), _without(tables, "llama-3.1-70b", column))
    assert _one(rows, field) == 0


@pytest.mark.parametrize("field", ["input_tokens", "output_tokens", "concurrency", "kv_bits"])
def test_a_size_missing_from_a_row_is_marked_by_zero(
    field: str, tables: Tables, configure: Configure
) -> None:
    empty = configure(**{field: np.nan})
    absent = empty.drop(columns=field)
    for table in (empty, absent):
        assert _one(make_rows(table, tables), field) == 0


def test_a_mixture_of_unpublished_experts_is_marked_by_a_negative_share(
    tables: Tables, configure: Configure
) -> None:
    hidden = _without(tables, "deepseek-v3", "n_experts", "experts_per_token")
    table = configure(model="deepseek-v3", weight_bits=8)
    assert _one(make_rows(table, tables), "share_routed") == pytest.approx(8 / 256)
    assert _one(make_rows(table, hidden), "share_routed") < 0


def test_a_dense_model_routes_nothing(tables: Tables, configure: Configure) -> None:
    rows = make_rows(configure(), tables)
    assert _one(rows, "share_routed") == 0
    assert _one(rows, "total_params") == _one(rows, "active_params")


def test_latent_attention_is_told_from_the_others(tables: Tables, configure: Configure) -> None:
    latent = make_rows(configure(model="deepseek-v3"), tables)
    assert _one(latent, "latent_attention") == 1
    assert _one(make_rows(configure(), tables), "latent_attention") == 0


def test_a_link_carries_half_of_what_vendors_state_each_way(
    tables: Tables, configure: Configure
) -> None:
    assert _one(make_rows(configure(), tables), "link_bandwidth") == pytest.approx(3e11)


@pytest.mark.parametrize(
    ("n_chips", "concurrency", "replica"),
    [
        (16, 64, 16),  # requests are counted over all chips
        (16, np.nan, 4),  # 141 GB in 0.8 x 80 GB each: 2.2 chips
        (4, np.nan, 4),
        (2, np.nan, 2),  # no more than there are
    ],
)
def test_a_replica_is_all_chips_or_the_fewest_that_hold_the_weights(
    n_chips: int, concurrency: float, replica: float, tables: Tables, configure: Configure
) -> None:
    rows = make_rows(configure(n_chips=n_chips, concurrency=concurrency), tables)
    assert _one(rows, "n_chips") == replica


def test_an_engine_has_at_least_a_server_or_what_holds_the_weights(
    tables: Tables, configure: Configure
) -> None:
    large = configure(model="deepseek-v3", weight_bits=8, chip="h100-sxm", n_chips=64)
    assert _one(make_rows(large, tables), "least_chips") == 16  # 671 GB in 0.8 x 80 GB each
    assert _one(make_rows(configure(n_chips=64), tables), "least_chips") == 8
    assert _one(make_rows(configure(n_chips=2, weight_bits=8), tables), "least_chips") == 2


def test_a_pool_does_not_wait_as_a_split_deployment_does(
    tables: Tables, configure: Configure
) -> None:
    whole = make_rows(configure(n_chips=32), tables)
    pool = make_rows(configure(n_chips=32, scenario="decode_only"), tables)
    assert whole.effects["split"] > whole.effects["pool"]
    assert pool.effects["pool"] > pool.effects["split"]


def test_a_load_without_a_scenario_is_a_closed_loop(tables: Tables, configure: Configure) -> None:
    def scenario(**cells: object) -> list[str]:
        return make_rows(configure(**cells), tables).levels["scenario"].tolist()

    assert scenario() == ["closed_loop"]
    assert scenario(concurrency=np.nan) == ["offline"]
    assert scenario(scenario="server") == ["server"]


def test_requests_keep_one_sequence_unless_told_of_beams(
    tables: Tables, configure: Configure
) -> None:
    assert _one(make_rows(configure(), tables), "beams") == 1
    assert _one(make_rows(configure(beams=4), tables), "beams") == 4


@pytest.mark.parametrize("scenario", ["decode_only", "prefill_only"])
def test_a_pool_is_marked_as_what_it_does(
    scenario: str, tables: Tables, configure: Configure
) -> None:
    rows = make_rows(configure(scenario=scenario), tables)
    assert _one(rows, scenario) == 1
    assert _one(rows, "decode_only") + _one(rows, "prefill_only") == 1


@pytest.mark.parametrize("scenario", ["server", "interactive"])
def test_a_stated_load_leaves_no_further_latency_limit(
    scenario: str, tables: Tables, configure: Configure
) -> None:
    loaded = make_rows(configure(scenario=scenario), tables)
    free = make_rows(configure(scenario=scenario, concurrency=np.nan), tables)
    assert loaded.effects[scenario] == 0
    assert free.effects[scenario] == 1


@pytest.mark.parametrize(
    ("software", "engine"),
    [
        ("TensorRT-LLM 1.0", "trt"),
        ("TRT-LLM", "trt"),
        ("vLLM 0.9.2", "vllm"),
        ("SGLang", "sglang"),
        ("in-house", "other"),
        (None, ""),
    ],
)
def test_an_engine_is_its_family_whatever_the_version(
    software: str | None, engine: str, tables: Tables, configure: Configure
) -> None:
    rows = make_rows(configure(software=software), tables)
    assert rows.levels["engine"].tolist() == [engine]
    assert rows.levels["stack"].tolist() == [f"a100-sxm-80gb/{engine}"]


def test_later_software_is_dated_in_years(tables: Tables, configure: Configure) -> None:
    early, late = (make_rows(configure(date=date), tables) for date in ("2025-01", "2026-01"))
    gain = late.effects["software_date"] - early.effects["software_date"]
    assert gain == pytest.approx(1, abs=0.01)
    assert np.all(late.effects["chip_age"] < early.effects["chip_age"])


@pytest.mark.parametrize(
    ("chip", "n_chips", "doublings"),
    [
        ("a100-sxm-80gb", 4, 0),
        ("a100-sxm-80gb", 8, 0),
        ("a100-sxm-80gb", 32, 2),
        ("gb200", 32, 0),
        ("gb200", 144, 1),
    ],
)
def test_chips_beyond_a_scale_up_domain_are_counted_in_doublings(
    chip: str, n_chips: int, doublings: float, tables: Tables, configure: Configure
) -> None:
    rows = make_rows(configure(chip=chip, n_chips=n_chips), tables)
    assert rows.effects["beyond_domain"] == pytest.approx([doublings])


def test_a_great_fleet_is_many_replicas_not_one_wide_one(
    tables: Tables, configure: Configure
) -> None:
    large, larger = (make_rows(configure(n_chips=n), tables) for n in (1_000, 100_000))
    assert large.effects["beyond_domain"] == larger.effects["beyond_domain"]


@pytest.mark.parametrize(
    ("cells", "mark"),
    [
        ({}, "whole"),
        ({"disaggregated": True}, "split"),
        ({"n_chips": 16}, "split"),
        ({"n_chips": 16, "chip": "gb200"}, "split"),
        ({"n_chips": 16, "chip": "gb200", "concurrency": np.nan}, "whole"),
    ],
    ids=["one server", "two pools", "two servers", "a rack under load", "replicas in a rack"],
)
def test_cells_of_split_deployments_are_marked(
    cells: dict[str, object], mark: str, tables: Tables, configure: Configure
) -> None:
    [cell] = make_rows(configure(**cells), tables).levels["cell"].tolist()
    assert cell.endswith(mark)


def test_rows_in_another_order_are_the_same_rows(tables: Tables) -> None:
    table = tables["serving"].head(40)
    forward, backward = make_rows(table, tables), make_rows(table[::-1], tables)
    order = np.arange(40)[::-1]
    for name, values in forward.take(order).fields.items():
        np.testing.assert_array_equal(values, backward.fields[name])
    for name, groups in forward.take(order).levels.items():
        assert groups.tolist() == backward.levels[name].tolist()
