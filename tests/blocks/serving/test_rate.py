"""Throughput from physics: what cannot make it worse, and the same number told slowly."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from forepass.blocks.serving import rate
from forepass.blocks.serving.model import PARAMETERS
from forepass.blocks.serving.rows import FIELDS
from forepass.inputs.elicitation import sample
from forepass.inputs.priors import Prior

ROWS = 400
ROUNDING = 1 + 1e-9

type Columns = dict[str, NDArray[np.float64]]


@pytest.fixture(scope="module")
def parameters(beliefs: Mapping[str, Prior]) -> Columns:
    """Return a draw of the priors for each row."""
    rng = np.random.default_rng(2)
    drawn = {name: sample(beliefs[name], ROWS, rng) for name in PARAMETERS}
    return {**drawn, "latency_factor": np.exp(0.5 * rng.standard_normal(ROWS))}


@pytest.fixture(scope="module")
def rows() -> Columns:
    """Return random configurations of whole deployments, some of their sizes unstated."""
    return _random_rows(np.random.default_rng(3))


@pytest.fixture(scope="module")
def pools(rows: Columns) -> Columns:
    """Return the configurations with some of them pools that only decode or only prefill."""
    kind = np.random.default_rng(4).integers(0, 3, ROWS)
    return {**rows, "decode_only": (kind == 1) * 1.0, "prefill_only": (kind == 2) * 1.0}


def _random_rows(rng: np.random.Generator) -> Columns:
    def between(low: float, high: float) -> NDArray[np.float64]:
        return np.exp(rng.uniform(np.log(low), np.log(high), ROWS))

    def one_of(*values: float) -> NDArray[np.float64]:
        return rng.choice(np.array(values, dtype=float), ROWS)

    def or_unstated(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.where(rng.random(ROWS) < 0.2, 0.0, values)

    n_chips, active, mixture = one_of(1, 2, 4, 8, 16, 64), between(1e9, 4e11), one_of(0, 1)
    rows = {
        "n_chips": n_chips,
        "least_chips": np.minimum(n_chips, one_of(1, 2, 4, 8)),
        "split": one_of(0, 1),
        "concurrency": or_unstated(np.ceil(between(1, 3000))),
        "flops": between(1e14, 1e16),
        "compute_bits": one_of(4, 8, 16),
        "bandwidth": between(1e12, 2e13),
        "memory": between(4e10, 4e11),
        "link_bandwidth": or_unstated(between(3e10, 9e11)),
        "active_params": active,
        "total_params": active * np.where(mixture > 0, between(1.5, 30), 1),
        "share_routed": mixture * np.where(rng.random(ROWS) < 0.3, -1, between(0.01, 0.3)),
        "experts_per_token": mixture * or_unstated(one_of(1, 2, 4, 8)),
        "n_layers": or_unstated(one_of(32, 61, 80, 126)),
        "attending_layers": or_unstated(one_of(8, 61, 80)),
        "latent_attention": one_of(0, 1),
        "kv_bytes_per_token_16bit": or_unstated(between(3e4, 5e5)),
        "kv_bits": one_of(0, 8, 16),
        "most_tokens_read": one_of(2048, 1e12),
        "weight_bits": one_of(4, 8, 16),
        "input_tokens": or_unstated(np.ceil(between(50, 1e5))),
        "output_tokens": or_unstated(np.ceil(between(20, 1e4))),
        "beams": one_of(1, 4),
        "cached_share": one_of(0, 0.5, 0.9),
        "decode_only": np.zeros(ROWS),
        "prefill_only": np.zeros(ROWS),
    }
    assert rows.keys() == set(FIELDS)
    return rows


def _per_chip(rows: Columns, parameters: Columns) -> NDArray[np.float64]:
    return np.asarray(rate.tokens_per_s_per_chip(rows, parameters, np))


def _slow_rate(row: Mapping[str, float], p: Mapping[str, float]) -> float:
    """Return tokens/s per chip of one configuration, step by step in plain floats."""
    all_chips, active, beams = row["n_chips"], row["active_params"], row["beams"]
    chips = all_chips
    if row["split"]:
        chips = row["least_chips"] * (all_chips / row["least_chips"]) ** p["engine_width_exponent"]
    engines, width = all_chips / chips, min(chips, 8)
    inputs = row["input_tokens"] or p["unstated_input_tokens"]
    outputs = row["output_tokens"] or p["unstated_output_tokens"]
    layers = row["n_layers"] or p["unstated_layers"]
    attending = row["attending_layers"] or layers
    fresh = inputs * (1 - row["cached_share"])
    bits = p["stored_bits_4bit"] if row["weight_bits"] == 4 else row["weight_bits"]
    channels = math.sqrt(active / 12 / layers)
    latent = row["latent_attention"] == 1

    routed = row["share_routed"]
    if routed < 0:
        routed = p["unstated_routed_share"] * active / row["total_params"]
    mixture = routed > 0
    experts = (row["total_params"] - active) / (1 - routed)
    common = max(active - routed * experts, 0)

    kv_bits = row["kv_bits"] or 8 + 8 * p["kv_16bit_share"]
    kv_per_token = row["kv_bytes_per_token_16bit"] or p["unstated_kv_bytes_per_token"]
    kv_per_token *= kv_bits / 16
    read_tokens = min(inputs + outputs / 2, row["most_tokens_read"])

    memory = all_chips * row["memory"] * p["memory_share"]
    room = max(memory - engines * row["total_params"] * bits / 8, 0.05 * memory)
    fits = room / (kv_per_token * (inputs + beams * outputs))
    if row["concurrency"]:
        requests = (row["concurrency"] ** -4 + fits**-4) ** (-1 / 4)
    else:
        requests = 1 / (1 / fits + 1 / (all_chips * p["scheduler_batch_per_chip"]))
    on_engine = requests / engines
    if engines > 1:
        on_engine = max(on_engine, 1)
    batch = on_engine * beams

    of_bits = {4: p["compute_gain_4bit"], 8: p["compute_gain_8bit"], 16: 1}
    flops = chips * row["flops"] * of_bits[int(row["compute_bits"])]
    if mixture:
        taken = row["experts_per_token"] or p["unstated_experts_per_token"]
        flops *= p["compute_share_experts"] ** (math.log(1 + taken) / math.log(9))
    bandwidth = row["bandwidth"] * p["bandwidth_share"]
    link = (row["link_bandwidth"] or p["unstated_link_bandwidth"]) * p["link_share"]
    sent_per_token = 2 * 2 * 2 * layers * channels / chips if chips > 1 else 0

    decode_channels = p["latent_decode_channels"] if latent else channels
    decode_flop = 2 * active + 4 * read_tokens * attending * decode_channels
    compute = batch * decode_flop / (flops * p["decode_compute_share"])
    touched = experts * (1 - (1 - routed) ** batch)
    of_width = {4: p["traffic_gain_4bit"], 8: p["traffic_gain_8bit"], 16: 1}
    weights = (common / width + touched / chips) * bits / 8 / of_width[int(row["weight_bits"])]
    cache = batch * kv_per_token * read_tokens / chips * p["kv_read_factor"]
    if latent:
        cache *= p["latent_kv_factor"]
    memory_time = (weights + cache) / bandwidth
    sharp = p["overlap_sharpness"]
    microseconds = layers * (p["layer_latency_us"] + p["collective_latency_us"] * math.log2(width))
    if mixture:
        microseconds += layers * p["expert_latency_us"]
    microseconds += p["step_overhead_us"] + p["sequence_overhead_us"] * batch / chips
    step = (compute**sharp + memory_time**sharp) ** (1 / sharp)
    step += microseconds / 1e6 * p["latency_factor"] + batch * sent_per_token / link

    prefill_channels = p["latent_prefill_channels"] if latent else channels
    prefill_flop = 2 * active + 4 * inputs / 2 * attending * prefill_channels
    prefill = fresh * prefill_flop / (flops * p["prefill_compute_share"])
    prefill += fresh * sent_per_token / link + p["request_overhead_us"] / 1e6 / chips

    if row["decode_only"]:
        return requests / step / all_chips
    if row["prefill_only"]:
        return engines * fresh / prefill / all_chips
    return requests * outputs / (outputs * step + on_engine * prefill) / all_chips


def test_the_rate_is_what_a_slow_walk_through_each_row_gives(
    pools: Columns, parameters: Columns
) -> None:
    slow = [
        _slow_rate(
            {name: float(values[i]) for name, values in pools.items()},
            {name: float(values[i]) for name, values in parameters.items()},
        )
        for i in range(ROWS)
    ]
    np.testing.assert_allclose(_per_chip(pools, parameters), slow, rtol=1e-9)


def test_pytensor_gives_the_rates_that_numpy_gives(pools: Columns, parameters: Columns) -> None:
    import pytensor.tensor as pt
    from pytensor.compile.mode import Mode

    def symbolic(columns: Columns) -> dict[str, Any]:
        return {name: pt.as_tensor(values) for name, values in columns.items()}

    graph = rate.tokens_per_s_per_chip(symbolic(pools), symbolic(parameters), pt)
    found = graph.eval(mode=Mode(linker="py", optimizer="None"))
    np.testing.assert_allclose(found, _per_chip(pools, parameters), rtol=1e-9)


def test_every_configuration_has_a_finite_positive_rate(
    pools: Columns, parameters: Columns
) -> None:
    rates = _per_chip(pools, parameters)
    assert np.all(np.isfinite(rates) & (rates > 0))


@pytest.mark.parametrize("better", ["flops", "bandwidth", "memory", "link_bandwidth"])
def test_a_better_chip_is_never_slower(better: str, pools: Columns, parameters: Columns) -> None:
    improved = {**pools, better: pools[better] * 1.5}
    assert np.all(_per_chip(improved, parameters) * ROUNDING >= _per_chip(pools, parameters))


def test_more_bandwidth_speeds_up_decoding(rows: Columns, parameters: Columns) -> None:
    improved = {**rows, "bandwidth": rows["bandwidth"] * 1.5}
    assert np.all(_per_chip(improved, parameters) > _per_chip(rows, parameters))


def test_more_concurrency_never_lowers_total_throughput(rows: Columns, parameters: Columns) -> None:
    some = {**rows, "concurrency": np.maximum(rows["concurrency"], 1)}
    more = {**some, "concurrency": some["concurrency"] * 1.5}
    assert np.all(_per_chip(more, parameters) * ROUNDING >= _per_chip(some, parameters))


def test_more_concurrency_never_speeds_up_one_user(rows: Columns, parameters: Columns) -> None:
    some = {**rows, "concurrency": np.maximum(rows["concurrency"], 1)}
    shape = rate.shape(some, parameters, np)

    def step(batch: NDArray[np.float64]) -> NDArray[np.float64]:
        parts = rate.step_parts(some, parameters, shape, batch, np)
        return np.asarray(rate.step_time(parts, parameters["overlap_sharpness"]))

    assert np.all(step(some["concurrency"] * 1.5) * ROUNDING >= step(some["concurrency"]))


@pytest.mark.parametrize("pool", [False, True], ids=["deployment", "decode pool"])
def test_a_longer_input_is_never_faster_per_output_token(
    pool: bool, rows: Columns, parameters: Columns
) -> None:
    short = {**rows, "decode_only": np.full(ROWS, float(pool))}
    short["input_tokens"] = np.maximum(short["input_tokens"], 100)
    long = {**short, "input_tokens": 2 * short["input_tokens"]}
    assert np.all(_per_chip(long, parameters) <= _per_chip(short, parameters) * ROUNDING)


def test_a_cached_prompt_is_never_slower(rows: Columns, parameters: Columns) -> None:
    fresh, cached = ({**rows, "cached_share": np.full(ROWS, share)} for share in (0.2, 0.7))
    assert np.all(_per_chip(cached, parameters) * ROUNDING >= _per_chip(fresh, parameters))


def test_more_experts_are_never_faster_on_one_server_with_room(
    rows: Columns, parameters: Columns
) -> None:
    server = {"n_chips": np.full(ROWS, 8.0), "split": np.zeros(ROWS)}
    routed = np.where(rows["share_routed"] == 0, 0.0, 0.02)
    small = {**rows, **server, "memory": np.full(ROWS, 1e13), "share_routed": routed}
    large = {**small, "total_params": small["total_params"] * np.where(routed > 0, 1.3, 1)}
    assert np.all(_per_chip(large, parameters) <= _per_chip(small, parameters) * ROUNDING)


@pytest.mark.parametrize(
    "share", ["prefill_compute_share", "decode_compute_share", "bandwidth_share", "link_share"]
)
def test_a_larger_attained_share_is_never_slower(
    share: str, pools: Columns, parameters: Columns
) -> None:
    improved = {**parameters, share: parameters[share] * 1.2}
    assert np.all(_per_chip(pools, improved) * ROUNDING >= _per_chip(pools, parameters))


def test_a_stated_size_does_not_hear_what_is_believed_of_unstated_ones(
    rows: Columns, parameters: Columns
) -> None:
    unstated = [name for name in PARAMETERS if name.startswith("unstated_")]
    fields = ["input_tokens", "output_tokens", "n_layers", "kv_bytes_per_token_16bit"]
    filled = {**rows, **{name: np.maximum(rows[name], 61) for name in fields}}
    filled["experts_per_token"] = np.maximum(rows["experts_per_token"], 1)
    filled["link_bandwidth"] = np.maximum(rows["link_bandwidth"], 1e10)
    filled["share_routed"] = np.where(rows["share_routed"] < 0, 0.05, rows["share_routed"])
    moved = {**parameters, **{name: parameters[name] * 0.9 for name in unstated}}
    np.testing.assert_array_equal(_per_chip(filled, moved), _per_chip(filled, parameters))


@pytest.mark.parametrize(
    ("field", "value", "parameter"),
    [
        ("input_tokens", 0, "unstated_input_tokens"),
        ("output_tokens", 0, "unstated_output_tokens"),
        ("n_layers", 0, "unstated_layers"),
        ("kv_bytes_per_token_16bit", 0, "unstated_kv_bytes_per_token"),
        ("kv_bits", 0, "kv_16bit_share"),
    ],
)
def test_an_unstated_size_takes_what_is_believed_of_it(
    field: str, value: float, parameter: str, rows: Columns, parameters: Columns
) -> None:
    missing = {**rows, field: np.full(ROWS, float(value))}
    moved = {**parameters, parameter: parameters[parameter] * 0.9}
    assert np.all(_per_chip(missing, moved) != _per_chip(missing, parameters))


@pytest.mark.parametrize("pool", [False, True], ids=["deployment", "decode pool"])
def test_beams_are_decoded_and_thrown_away(pool: bool, rows: Columns, parameters: Columns) -> None:
    one = {**rows, "beams": np.ones(ROWS), "decode_only": np.full(ROWS, float(pool))}
    four = {**one, "beams": np.full(ROWS, 4.0)}
    assert np.all(_per_chip(four, parameters) < _per_chip(one, parameters))


def test_fewer_requests_than_engines_leave_engines_idle(rows: Columns, parameters: Columns) -> None:
    several = {**rows, "split": np.ones(ROWS), "n_chips": np.full(ROWS, 512.0)}
    several["least_chips"] = np.full(ROWS, 8.0)
    shape = rate.shape(several, parameters, np)
    one, two = (rate.output_rate(several, parameters, shape, np.full(ROWS, n), np) for n in (1, 2))
    room = shape["engines"] >= 2
    assert room.any()
    np.testing.assert_allclose(two[room], 2 * one[room])


def test_the_batch_is_what_was_asked_for_where_there_is_room(
    rows: Columns, parameters: Columns
) -> None:
    asked = np.maximum(rows["concurrency"], 1)
    roomy = {**rows, "concurrency": asked, "memory": rows["memory"] * 1e6}
    shape = rate.shape(roomy, parameters, np)
    batch = rate.batch_in_flight(roomy, parameters, shape, np)
    np.testing.assert_allclose(batch, asked, rtol=1e-3)


def test_the_caches_of_a_crowd_fit_beside_the_weights(rows: Columns, parameters: Columns) -> None:
    crowd = {**rows, "concurrency": np.full(ROWS, 1e9)}
    shape = rate.shape(crowd, parameters, np)
    memory = crowd["n_chips"] * crowd["memory"]
    weights = shape["engines"] * crowd["total_params"] * shape["bits"] / 8
    beside = memory - weights
    held = rate.batch_in_flight(crowd, parameters, shape, np) * shape["kv_held"]
    assert np.all(held <= np.maximum(beside, rate.LEAST_SEQUENCE_SHARE * memory) * ROUNDING)
