"""Throughput of a configuration from physics and the attainable shares of it.

Written once for NumPy (prediction) and PyTensor (fit): the numerical namespace ``xp`` is an
argument.
Rows carry what is known of a configuration (`forepass.blocks.serving.rows`), parameters what is
learned (priors/serving.toml). A field of a row that is zero where zero makes no sense is unstated,
and an elicited parameter stands in for it.
"""

import math
from collections.abc import Mapping
from typing import Any

from forepass import physics

MICROSECOND = 1e-6
WIDEST_GROUP = 8
"""Chips of one server: tensor parallelism seldom goes wider."""
EXPERTS_OF_REFERENCE = 8
"""Experts that a token takes in the mixtures which `compute_share_experts` is elicited for."""
LEAST_SEQUENCE_SHARE = 0.05
"""Of the memory kept for the KV cache where weights nearly fill it: swapping, not refusal."""

type Array = Any
"""A NumPy array or PyTensor variable."""
type Arrays = Mapping[str, Array]


def stated(value: Array, otherwise: Array, xp: Any) -> Array:  # noqa: ANN401 - a module
    """Return ``value`` where it is stated, else what is believed of it."""
    return xp.where(value > 0, value, otherwise)


def by_bits(bits: Array, four: Array, eight: Array, xp: Any) -> Array:  # noqa: ANN401 - a module
    """Return the value for 4, 8 or 16 bits, where 16 bits is the unit."""
    return xp.where(bits < 8, four, xp.where(bits < 16, eight, 1.0))


def shape(rows: Arrays, p: Arrays, xp: Any) -> dict[str, Array]:  # noqa: ANN401 - a module
    """Return the sizes that follow from a row: tokens, engines, bytes, FLOP, experts."""
    inputs = stated(rows["input_tokens"], p["unstated_input_tokens"], xp)
    outputs = stated(rows["output_tokens"], p["unstated_output_tokens"], xp)
    read = xp.minimum(inputs + outputs / 2, rows["most_tokens_read"])
    layers = stated(rows["n_layers"], p["unstated_layers"], xp)
    attending = stated(rows["attending_layers"], layers, xp)
    channels = physics.residual_width(rows["active_params"], layers)
    latent = rows["latent_attention"] > 0
    decode_channels = xp.where(latent, p["latent_decode_channels"], channels)
    prefill_channels = xp.where(latent, p["latent_prefill_channels"], channels)
    kv = physics.kv_bytes(
        stated(rows["kv_bytes_per_token_16bit"], p["unstated_kv_bytes_per_token"], xp),
        1.0,
        stated(rows["kv_bits"], 8 + 8 * p["kv_16bit_share"], xp),
    )
    per_token = physics.weight_flop_per_token(rows["active_params"])
    return {
        "fresh_inputs": inputs * (1 - rows["cached_share"]),
        "outputs": outputs,
        "layers": layers,
        "bits": xp.where(rows["weight_bits"] < 8, p["stored_bits_4bit"], rows["weight_bits"]),
        **_experts(rows, p, xp),
        **_engines(rows, p, xp),
        # Beams share the prompt's cache and part over what they write.
        "kv_held": kv * (inputs + rows["beams"] * outputs),
        "kv_read": kv * read,
        "decode_flop": per_token
        + physics.attention_flop_per_token(read, attending, decode_channels),
        "prefill_flop": per_token
        + physics.attention_flop_per_token(inputs / 2, attending, prefill_channels),
        # Two all-reduces in each layer, of one 16-bit vector for each token.
        "sent": 4 * layers * channels * 2,
        "link": stated(rows["link_bandwidth"], p["unstated_link_bandwidth"], xp) * p["link_share"],
    }


def _experts(rows: Arrays, p: Arrays, xp: Any) -> dict[str, Array]:  # noqa: ANN401 - a module
    """Return what stands in routed experts, and the compute that cutting layers into them leaves.

    A token's work is spread over the experts that it takes: the more of them, the thinner the
    matrices and the more its vectors are copied about.
    """
    routed = xp.where(
        rows["share_routed"] < 0,
        p["unstated_routed_share"] * rows["active_params"] / rows["total_params"],
        rows["share_routed"],
    )
    experts = physics.expert_params(rows["active_params"], rows["total_params"], routed)
    mixture = xp.where(routed > 0, 1.0, 0.0)
    taken = stated(rows["experts_per_token"], p["unstated_experts_per_token"], xp)
    thinness = xp.log(1 + taken) / math.log(1 + EXPERTS_OF_REFERENCE)
    return {
        "routed": routed,
        "mixture": mixture,
        "experts": experts,
        "common": xp.maximum(rows["active_params"] - routed * experts, 0.0),
        "expert_share": p["compute_share_experts"] ** (mixture * thinness),
    }


def _engines(rows: Arrays, p: Arrays, xp: Any) -> dict[str, Array]:  # noqa: ANN401 - a module
    """Return the chips of an engine, how many engines there are, and their parallel width.

    One engine has all chips of a deployment in one server or rack. One that is split over pools or
    servers runs several, each between the least chips that it could have and all of them.
    """
    spare = rows["n_chips"] / rows["least_chips"]
    several = rows["least_chips"] * spare ** p["engine_width_exponent"]
    chips = xp.where(rows["split"] > 0, several, rows["n_chips"])
    return {
        "engine_chips": chips,
        "engines": rows["n_chips"] / chips,
        "width": xp.minimum(chips, WIDEST_GROUP),
    }


def batch_in_flight(rows: Arrays, p: Arrays, s: Arrays, xp: Any) -> Array:  # noqa: ANN401 - a module
    """Return the sequences that a deployment decodes together, over all its engines.

    A stated concurrency holds until memory is full. Without one it runs as many as fit, up to what
    schedulers allow for each chip; both limits are soft.
    """
    memory = rows["n_chips"] * rows["memory"] * p["memory_share"]
    weights = s["engines"] * physics.weight_bytes(rows["total_params"], s["bits"])
    room = xp.maximum(memory - weights, LEAST_SEQUENCE_SHARE * memory)
    fits = physics.memory_limited_batch(room, 0.0, s["kv_held"])
    saturated = 1 / (1 / fits + 1 / (p["scheduler_batch_per_chip"] * rows["n_chips"]))
    asked = xp.maximum(rows["concurrency"], 1.0)
    held = (asked**-4 + fits**-4) ** -0.25
    return xp.where(rows["concurrency"] > 0, held, saturated)


def sharing(s: Arrays, batch: Array, xp: Any) -> Array:  # noqa: ANN401 - a module
    """Return the requests on one engine; with fewer requests than engines some engines idle."""
    return xp.where(s["engines"] > 1, xp.maximum(batch / s["engines"], 1.0), batch)


def compute_rate(
    rows: Arrays,
    p: Arrays,
    s: Arrays,
    share: Array,
    xp: Any,  # noqa: ANN401 - a module
) -> Array:
    """Return the FLOP/s that an engine attains, given the ``share`` of its peak at 16 bit."""
    gain = by_bits(rows["compute_bits"], p["compute_gain_4bit"], p["compute_gain_8bit"], xp)
    return s["engine_chips"] * rows["flops"] * share * gain * s["expert_share"]


def step_parts(
    rows: Arrays,
    p: Arrays,
    s: Arrays,
    batch: Array,
    xp: Any,  # noqa: ANN401 - a module
) -> dict[str, Array]:
    """Return the seconds of one decode step by resource: compute, weights, kv_cache, latency.

    ``batch`` is of the whole deployment, as `batch_in_flight` gives it.
    """
    chips = s["engine_chips"]
    sequences = sharing(s, batch, xp) * rows["beams"]
    touched = s["experts"] * physics.share_of_experts_touched(sequences, s["routed"])
    # What every token reads is copied to each group of chips as wide as the parallel width.
    weights = physics.weight_bytes(s["common"] / s["width"] + touched / chips, s["bits"])
    weights = weights / by_bits(
        rows["weight_bits"], p["traffic_gain_4bit"], p["traffic_gain_8bit"], xp
    )
    kv = sequences * s["kv_read"] / chips * p["kv_read_factor"]
    kv = kv * xp.where(rows["latent_attention"] > 0, p["latent_kv_factor"], 1.0)
    bandwidth = rows["bandwidth"] * p["bandwidth_share"]
    latency = s["layers"] * (
        p["layer_latency_us"]
        + p["collective_latency_us"] * xp.log2(s["width"])
        + p["expert_latency_us"] * s["mixture"]
    )
    latency = latency + p["step_overhead_us"] + p["sequence_overhead_us"] * sequences / chips
    attained = compute_rate(rows, p, s, p["decode_compute_share"], xp)
    return {
        "compute": physics.compute_time(sequences * s["decode_flop"], attained),
        "weights": physics.traffic_time(weights, bandwidth),
        "kv_cache": physics.traffic_time(kv, bandwidth),
        "latency": latency * MICROSECOND * p["latency_factor"] + _sent(sequences, s, xp),
    }


def prefill_time(rows: Arrays, p: Arrays, s: Arrays, xp: Any) -> Array:  # noqa: ANN401 - a module
    """Return the seconds of a whole engine that one request's uncached input takes."""
    attained = compute_rate(rows, p, s, p["prefill_compute_share"], xp)
    return (
        physics.compute_time(s["fresh_inputs"] * s["prefill_flop"], attained)
        + _sent(s["fresh_inputs"], s, xp)
        + p["request_overhead_us"] * MICROSECOND / s["engine_chips"]
    )


def _sent(tokens: Array, s: Arrays, xp: Any) -> Array:  # noqa: ANN401 - a module
    """Return the seconds in which an engine's chips talk about ``tokens``; one alone does not."""
    alone = s["engine_chips"] <= 1
    return xp.where(
        alone, 0.0, physics.traffic_time(tokens * s["sent"] / s["engine_chips"], s["link"])
    )


def step_time(parts: Arrays, sharpness: Array) -> Array:
    """Return the seconds of a decode step: compute beside memory traffic, then latency."""
    memory = parts["weights"] + parts["kv_cache"]
    return physics.overlapped(parts["compute"], memory, sharpness) + parts["latency"]


def output_rate(rows: Arrays, p: Arrays, s: Arrays, batch: Array, xp: Any) -> Array:  # noqa: ANN401 - a module
    """Return output tokens per second of a deployment that holds ``batch`` requests."""
    step = step_time(step_parts(rows, p, s, batch, xp), p["overlap_sharpness"])
    prefill = prefill_time(rows, p, s, xp)
    return physics.closed_loop_rate(batch, s["outputs"], step, prefill, sharing(s, batch, xp))


def tokens_per_s_per_chip(rows: Arrays, p: Arrays, xp: Any) -> Array:  # noqa: ANN401 - a module
    """Return tokens per second per chip, before effects of groups and tuning.

    Output tokens for whole deployments and decode pools, input tokens for prefill pools.

    Parameters
    ----------
    rows
        Arrays by field of `forepass.blocks.serving.rows.FIELDS`, dims (obs).
    p
        Parameters by name, broadcasting against rows.
    xp
        ``numpy`` or ``pytensor.tensor``.
    """
    s = shape(rows, p, xp)
    batch = batch_in_flight(rows, p, s, xp)
    step = step_time(step_parts(rows, p, s, batch, xp), p["overlap_sharpness"])
    filled = s["engines"] * s["fresh_inputs"] / prefill_time(rows, p, s, xp)
    pool = xp.where(rows["decode_only"] > 0, batch / step, filled)
    whole = output_rate(rows, p, s, batch, xp)
    return xp.where(rows["decode_only"] + rows["prefill_only"] > 0, pool, whole) / rows["n_chips"]
