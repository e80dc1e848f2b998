"""The forward pass: the post's numbers, units, limits, and one answer from every kind of array."""

import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from itertools import combinations, product
from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from forepass import physics

# The post's example: a mixture of 1.8e12 parameters on 80 GB chips, with rounded bandwidth.
GPT4_ACTIVE, GPT4_TOTAL, GPT4_LAYERS, GPT4_BITS = 280e9, 1.8e12, 120, 16
A100_FLOPS, A100_BANDWIDTH = 312e12, 2000e9
USD_PER_MILLION_TOKENS, USD_PER_HOUR = 4.9, 1.0

type Function = Callable[..., Any]
type Arguments = dict[str, float]
type Unit = Mapping[str, float]

RANGES: dict[Function, dict[str, tuple[float, float]]] = {
    physics.weight_flop_per_token: {"active_params": (1e8, 1e13)},
    physics.training_tokens_per_parameter: {"flop": (1e20, 1e30), "tokens": (1e10, 1e16)},
    physics.training_tokens: {"flop": (1e20, 1e30), "tokens_per_parameter": (1, 1e4)},
    physics.attention_flop_per_token: {
        "context": (1, 1e6),
        "n_layers": (1, 200),
        "width": (100, 1e5),
    },
    physics.residual_width: {"active_params": (1e8, 1e13), "n_layers": (1, 200)},
    physics.expert_params: {
        "active_params": (1e8, 1e11),
        "total_params": (1e11, 1e13),
        "share_routed": (0, 0.9),
    },
    physics.share_of_experts_touched: {"batch": (1, 1e4), "share_routed": (0, 1)},
    physics.weight_bytes: {"params": (1e8, 1e13), "bits": (1, 32)},
    physics.weight_bytes_touched: {
        "active_params": (1e8, 1e11),
        "total_params": (1e11, 1e13),
        "share_routed": (0, 0.9),
        "batch": (1, 1e4),
        "bits": (1, 32),
    },
    physics.kv_bytes: {
        "kv_bytes_per_token": (1e3, 1e7),
        "context": (1, 1e6),
        "kv_bits": (4, 16),
    },
    physics.upper_bound: {"flops": (1e12, 1e17), "flop_per_pass": (1e8, 1e14)},
    physics.lower_bound: {"bandwidth": (1e10, 1e14), "bytes_per_pass": (1e8, 1e13)},
    physics.memory_limited_batch: {
        "memory": (1e12, 1e13),
        "weights": (1e9, 1e12),
        "kv_bytes_per_sequence": (1e6, 1e11),
    },
    physics.compute_time: {"flop": (1e8, 1e15), "flops": (1e12, 1e17)},
    physics.traffic_time: {"n_bytes": (1e6, 1e13), "bandwidth": (1e10, 1e14)},
    physics.overlapped: {"first": (1e-5, 1), "second": (1e-5, 1), "sharpness": (1, 20)},
    physics.closed_loop_rate: {
        "concurrency": (1, 1e4),
        "output_tokens": (1, 1e4),
        "step_time": (1e-4, 1),
        "prefill_time": (1e-4, 1),
        "sharing": (1, 1e4),
    },
    physics.cost_per_million_tokens: {
        "price_per_chip_hour": (0.1, 100),
        "tokens_per_s_per_chip": (0.1, 1e5),
    },
    physics.rate_from_cost: {
        "price_per_chip_hour": (0.1, 100),
        "usd_per_million_tokens": (0.01, 100),
    },
}
FALLING = {
    (physics.training_tokens_per_parameter, "flop"),
    (physics.residual_width, "n_layers"),
    (physics.expert_params, "active_params"),
    (physics.upper_bound, "flop_per_pass"),
    (physics.lower_bound, "bytes_per_pass"),
    (physics.memory_limited_batch, "weights"),
    (physics.memory_limited_batch, "kv_bytes_per_sequence"),
    (physics.compute_time, "flops"),
    (physics.traffic_time, "bandwidth"),
    (physics.overlapped, "sharpness"),
    (physics.closed_loop_rate, "step_time"),
    (physics.closed_loop_rate, "prefill_time"),
    (physics.closed_loop_rate, "sharing"),
    (physics.cost_per_million_tokens, "tokens_per_s_per_chip"),
    (physics.rate_from_cost, "usd_per_million_tokens"),
}
PARAMS: Unit = {"parameter": 1}
TRAINING: Unit = {"parameter": 1, "token": 1}  # six FLOP for each of both
UNITS: dict[Function, tuple[dict[str, Unit], Unit]] = {
    physics.weight_flop_per_token: ({"active_params": PARAMS}, PARAMS),
    physics.training_tokens_per_parameter: (
        {"flop": TRAINING, "tokens": {"token": 1}},
        {"token": 1, "parameter": -1},
    ),
    physics.training_tokens: (
        {"flop": TRAINING, "tokens_per_parameter": {"token": 1, "parameter": -1}},
        {"token": 1},
    ),
    physics.attention_flop_per_token: (
        {"context": {"token": 1}, "n_layers": {"layer": 1}, "width": {"channel": 1}},
        {"token": 1, "layer": 1, "channel": 1},
    ),
    physics.residual_width: (
        {"active_params": {"layer": 1, "channel": 2}, "n_layers": {"layer": 1}},
        {"channel": 1},
    ),
    physics.expert_params: ({"active_params": PARAMS, "total_params": PARAMS}, PARAMS),
    physics.share_of_experts_touched: ({}, {}),
    physics.weight_bytes: (
        {"params": PARAMS, "bits": {"bit": 1}},
        {"parameter": 1, "bit": 1},
    ),
    physics.weight_bytes_touched: (
        {"active_params": PARAMS, "total_params": PARAMS, "bits": {"bit": 1}},
        {"parameter": 1, "bit": 1},
    ),
    physics.kv_bytes: (
        {
            "kv_bytes_per_token": {"byte": 1, "token": -1},
            "context": {"token": 1},
            "kv_bits": {"bit": 1},
        },
        {"byte": 1, "bit": 1},
    ),
    physics.upper_bound: (
        {"flops": {"flop": 1, "second": -1}, "flop_per_pass": {"flop": 1}},
        {"second": -1},
    ),
    physics.lower_bound: (
        {"bandwidth": {"byte": 1, "second": -1}, "bytes_per_pass": {"byte": 1}},
        {"second": -1},
    ),
    physics.memory_limited_batch: (
        {"memory": {"byte": 1}, "weights": {"byte": 1}, "kv_bytes_per_sequence": {"byte": 1}},
        {},
    ),
    physics.compute_time: (
        {"flop": {"flop": 1}, "flops": {"flop": 1, "second": -1}},
        {"second": 1},
    ),
    physics.traffic_time: (
        {"n_bytes": {"byte": 1}, "bandwidth": {"byte": 1, "second": -1}},
        {"second": 1},
    ),
    physics.overlapped: ({"first": {"second": 1}, "second": {"second": 1}}, {"second": 1}),
    physics.closed_loop_rate: (
        {
            "output_tokens": {"token": 1},
            "step_time": {"second": 1, "token": -1},
            "prefill_time": {"second": 1},
        },
        {"token": 1, "second": -1},
    ),
    physics.cost_per_million_tokens: (
        {
            "price_per_chip_hour": {"usd": 1, "second": -1},
            "tokens_per_s_per_chip": {"token": 1, "second": -1},
        },
        {"usd": 1, "token": -1},
    ),
    physics.rate_from_cost: (
        {
            "price_per_chip_hour": {"usd": 1, "second": -1},
            "usd_per_million_tokens": {"usd": 1, "token": -1},
        },
        {"token": 1, "second": -1},
    ),
}
QUICK = settings(max_examples=40, deadline=None)
EVERY_FUNCTION = pytest.mark.parametrize("function", RANGES, ids=lambda f: f.__name__)


def _within(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(low, high, allow_subnormal=False)


def _arguments(function: Function) -> st.SearchStrategy[Arguments]:
    return st.fixed_dictionaries({k: _within(*ends) for k, ends in RANGES[function].items()})


def _middle(function: Function) -> Arguments:
    return {name: (low + high) / 2 for name, (low, high) in RANGES[function].items()}


def _gpt4_bounds() -> tuple[float, float]:
    flop = physics.weight_flop_per_token(GPT4_ACTIVE)
    weights = physics.weight_bytes(GPT4_ACTIVE, GPT4_BITS)
    return (
        physics.upper_bound(A100_FLOPS, flop),
        physics.lower_bound(A100_BANDWIDTH, weights),
    )


def _gpt4_realised() -> float:
    return float(physics.rate_from_cost(USD_PER_HOUR, USD_PER_MILLION_TOKENS))


def test_a_pass_of_gpt4_costs_560_gflop() -> None:
    assert physics.weight_flop_per_token(GPT4_ACTIVE) == pytest.approx(5.6e11)


def test_an_a100_does_at_most_557_passes_of_gpt4_per_second() -> None:
    assert _gpt4_bounds()[0] == pytest.approx(557, abs=0.5)


def test_an_unbatched_a100_does_3_57_passes_of_gpt4_per_second() -> None:
    assert _gpt4_bounds()[1] == pytest.approx(3.57, abs=0.005)


def test_a_price_of_4_9_dollars_at_one_an_hour_is_56_7_tokens_per_second() -> None:
    assert _gpt4_realised() == pytest.approx(56.7, abs=0.05)


def test_the_realised_rate_is_a_tenth_of_the_upper_bound() -> None:
    assert _gpt4_realised() / _gpt4_bounds()[0] == pytest.approx(0.10, abs=0.005)


def test_the_realised_rate_is_15_9_times_the_lower_bound() -> None:
    assert _gpt4_realised() / _gpt4_bounds()[1] == pytest.approx(15.9, abs=0.05)


def test_a_cluster_of_128_does_26_million_passes_an_hour() -> None:
    passes_per_hour = 128 * _gpt4_realised() * physics.SECONDS_PER_HOUR
    assert passes_per_hour == pytest.approx(26e6, rel=0.01)


def test_1000_tokens_in_and_50_out_cost_about_1050_passes() -> None:
    one = physics.weight_flop_per_token(GPT4_ACTIVE)
    width = physics.residual_width(GPT4_ACTIVE, GPT4_LAYERS)

    def flop(context: float) -> float:
        return float(one + physics.attention_flop_per_token(context, GPT4_LAYERS, width))

    request = sum(flop(context) for context in range(1050))
    assert request / one == pytest.approx(1050, rel=0.01)


def test_attention_breaks_the_rule_of_adding_tokens_at_a_long_context() -> None:
    one = physics.weight_flop_per_token(GPT4_ACTIVE)
    width = physics.residual_width(GPT4_ACTIVE, GPT4_LAYERS)
    assert physics.attention_flop_per_token(128_000, GPT4_LAYERS, width) > one


def test_every_function_of_the_module_is_held_to_its_properties() -> None:
    functions = {
        name
        for name, value in vars(physics).items()
        if callable(value) and getattr(value, "__module__", "") == physics.__name__
    }
    public = {name for name in functions if name[0].islower()}
    assert {function.__name__ for function in RANGES} == public
    assert UNITS.keys() == RANGES.keys()


@pytest.mark.parametrize(
    ("function", "name"),
    [(function, name) for function, names in RANGES.items() for name in names],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_results_rise_or_fall_with_each_input(function: Function, name: str) -> None:
    sign = -1 if (function, name) in FALLING else 1

    @QUICK
    @given(_arguments(function), _within(*RANGES[function][name]))
    def check(arguments: Arguments, other: float) -> None:
        low, high = sorted([arguments[name], other])
        before = function(**{**arguments, name: low})
        after = function(**{**arguments, name: high})
        assert sign * (after - before) >= -1e-9 * max(abs(before), abs(after))

    check()


@EVERY_FUNCTION
def test_another_choice_of_units_changes_nothing_but_the_unit(function: Function) -> None:
    of_arguments, of_result = UNITS[function]
    names = sorted({unit for units in [*of_arguments.values(), of_result] for unit in units})

    def scale(unit: Unit, sizes: Mapping[str, float]) -> float:
        return math.prod(sizes[name] ** power for name, power in unit.items())

    @QUICK
    @given(_arguments(function), st.fixed_dictionaries(dict.fromkeys(names, _within(0.1, 10))))
    def check(arguments: Arguments, sizes: dict[str, float]) -> None:
        scaled = {k: v * scale(of_arguments.get(k, {}), sizes) for k, v in arguments.items()}
        expected, found = function(**arguments) * scale(of_result, sizes), function(**scaled)
        # Where large arguments nearly cancel, rounding one of them moves the result by far more.
        nudged = [
            function(**{**scaled, name: value * (1 + 1e-13)}) for name, value in scaled.items()
        ]
        rounding = sum(abs(value - found) for value in nudged)
        assert found == pytest.approx(expected, rel=1e-6, abs=rounding)

    check()


@EVERY_FUNCTION
def test_floats_numpy_and_xarray_agree(function: Function) -> None:
    ends = RANGES[function]
    rng = np.random.default_rng(1)
    columns = {name: rng.uniform(*ends[name], size=5) for name in ends}
    one_by_one = [function(**{k: float(v[i]) for k, v in columns.items()}) for i in range(5)]
    labelled = function(**{k: xr.DataArray(v, dims="draw") for k, v in columns.items()})
    np.testing.assert_allclose(function(**columns), one_by_one, rtol=1e-12)
    np.testing.assert_allclose(labelled, one_by_one, rtol=1e-12)
    assert labelled.dims == ("draw",)


@EVERY_FUNCTION
def test_xarray_arguments_of_different_dims_broadcast_by_name(function: Function) -> None:
    middle = _middle(function)
    arrays = {name: xr.DataArray(np.full(2, v), dims=name) for name, v in middle.items()}
    result = function(**arrays)
    assert set(result.dims) == set(arrays)
    np.testing.assert_allclose(result, function(**middle), rtol=1e-12)


def test_pytensor_gives_the_numbers_that_floats_give() -> None:
    import pytensor.tensor as pt
    from pytensor.compile.mode import Mode

    in_python = Mode(linker="py", optimizer="None")
    for function in RANGES:
        arguments = _middle(function)
        symbolic = function(
            **{name: pt.as_tensor(np.float64(value)) for name, value in arguments.items()}
        )
        expected = function(**arguments)
        assert symbolic.eval(mode=in_python) == pytest.approx(expected, rel=1e-12), function


@QUICK
@given(active=_within(1e9, 1e11), total=_within(1e11, 1e13), share=_within(0, 0.9))
def test_a_batch_of_one_reads_the_active_parameters(
    active: float, total: float, share: float
) -> None:
    touched = physics.weight_bytes_touched(active, total, share, 1, 16)
    assert touched == pytest.approx(physics.weight_bytes(active, 16), rel=1e-9)


@QUICK
@given(active=_within(1e9, 1e11), total=_within(1e11, 1e13), share=_within(0.01, 0.9))
def test_an_endless_batch_reads_every_parameter(active: float, total: float, share: float) -> None:
    touched = physics.weight_bytes_touched(active, total, share, 1e6, 8)
    assert touched == pytest.approx(physics.weight_bytes(total, 8), rel=1e-9)


@QUICK
@given(batch=_within(1, 1e5))
def test_a_dense_model_is_read_once_whatever_the_batch(batch: float) -> None:
    assert physics.weight_bytes_touched(7e10, 7e10, 0, batch, 16) == pytest.approx(1.4e11)


def _step_time(batch: float) -> float:
    """Return the seconds of a GPT-4 step without KV cache where the slower resource sets it."""
    flop = batch * physics.weight_flop_per_token(GPT4_ACTIVE)
    read = physics.weight_bytes_touched(GPT4_ACTIVE, GPT4_TOTAL, 2 / 16, batch, GPT4_BITS)
    return float(
        max(physics.compute_time(flop, A100_FLOPS), physics.traffic_time(read, A100_BANDWIDTH))
    )


def test_a_batch_of_one_runs_at_the_lower_bound() -> None:
    assert 1 / _step_time(1) == pytest.approx(_gpt4_bounds()[1])


def test_an_endless_batch_without_kv_cache_runs_at_the_upper_bound() -> None:
    assert 1e9 / _step_time(1e9) == pytest.approx(_gpt4_bounds()[0])


@QUICK
@given(batch=_within(1, 1e9))
def test_every_batch_runs_between_the_bounds(batch: float) -> None:
    upper, lower = _gpt4_bounds()
    assert lower * (1 - 1e-9) <= batch / _step_time(batch) <= upper * (1 + 1e-9)


@QUICK
@given(share=_within(0, 1), batch=_within(1, 1e6))
def test_the_share_of_experts_touched_is_a_share(share: float, batch: float) -> None:
    assert 0 <= physics.share_of_experts_touched(batch, share) <= 1


@QUICK
@given(st.integers(2, 5), st.integers(1, 3), st.data())
def test_the_share_of_experts_touched_is_the_mean_over_every_routing(
    n_experts: int, batch: int, data: st.DataObject
) -> None:
    chosen = data.draw(st.integers(1, n_experts))
    routings = list(product(combinations(range(n_experts), chosen), repeat=batch))
    touched = sum(len(set().union(*routing)) for routing in routings)
    exact = Fraction(touched, len(routings) * n_experts)
    share = physics.share_of_experts_touched(batch, chosen / n_experts)
    assert share == pytest.approx(float(exact), rel=1e-9)


def test_the_share_of_experts_touched_is_what_random_routing_gives() -> None:
    rng = np.random.default_rng(2)
    n_experts, chosen, batch, trials = 256, 8, 64, 200
    order = rng.random((trials, batch, n_experts)).argsort(axis=-1)[..., :chosen]
    hit = np.array([len(np.unique(trial)) / n_experts for trial in order])
    error = hit.std() / np.sqrt(trials)
    expected = physics.share_of_experts_touched(batch, chosen / n_experts)
    assert abs(hit.mean() - expected) < 4 * error


@QUICK
@given(common=_within(0, 1e11), experts=_within(1e9, 1e13), share=_within(0, 0.9))
def test_experts_follow_from_active_and_total_parameters(
    common: float, experts: float, share: float
) -> None:
    found = physics.expert_params(common + share * experts, common + experts, share)
    assert found == pytest.approx(experts, rel=1e-6)


@QUICK
@given(first=_within(1e-5, 1), second=_within(1e-5, 1), sharpness=_within(1, 20))
def test_overlapped_times_lie_between_the_slower_and_the_sum(
    first: float, second: float, sharpness: float
) -> None:
    time = physics.overlapped(first, second, sharpness)
    assert max(first, second) * (1 - 1e-12) <= time <= (first + second) * (1 + 1e-12)


def test_sharpness_one_adds_times_and_a_great_one_takes_the_slower() -> None:
    assert physics.overlapped(0.2, 0.3, 1) == pytest.approx(0.5)
    assert physics.overlapped(0.2, 0.3, 100) == pytest.approx(0.3)


@QUICK
@given(first=_within(1e-5, 1), second=_within(1e-5, 1), sharpness=_within(1, 20))
def test_it_does_not_matter_which_resource_is_named_first(
    first: float, second: float, sharpness: float
) -> None:
    swapped = physics.overlapped(second, first, sharpness)
    assert physics.overlapped(first, second, sharpness) == pytest.approx(swapped, rel=1e-12)


def test_a_cache_at_8_bits_takes_half_of_one_at_16() -> None:
    assert physics.kv_bytes(327_680, 1000, 8) == pytest.approx(327_680 * 1000 / 2)


def test_no_sequence_fits_where_the_weights_do_not() -> None:
    assert physics.memory_limited_batch(80e9, 560e9, 1e9) < 0


@QUICK
@given(prefill=_within(0, 10))
def test_one_request_alone_waits_for_its_own_prompt(prefill: float) -> None:
    rate = physics.closed_loop_rate(1, 100, 0.02, prefill, 1)
    assert rate == pytest.approx(100 / (100 * 0.02 + prefill))


def test_without_prompts_a_closed_loop_decodes_its_batch_each_step() -> None:
    assert physics.closed_loop_rate(32, 500, 0.02, 0.0, 32) == pytest.approx(32 / 0.02)


@QUICK
@given(concurrency=_within(1, 1e6))
def test_no_concurrency_outruns_the_prompts(concurrency: float) -> None:
    rate = physics.closed_loop_rate(concurrency, 100, 0.01, 0.5, concurrency)
    assert rate <= 100 / 0.5


@QUICK
@given(price=_within(0.1, 100), rate=_within(0.1, 1e5))
def test_price_and_rate_undo_each_other(price: float, rate: float) -> None:
    cost = physics.cost_per_million_tokens(price, rate)
    assert physics.rate_from_cost(price, cost) == pytest.approx(rate)
