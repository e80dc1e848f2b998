"""Throughput of a configuration from physics and the attainable shares of it.

Written once for NumPy (prediction) and PyTensor (fit): the numerical namespace ``xp`` is an
argument.
Rows carry what is known of a configuration (`forepass.blocks.serving.rows`), parameters what is
learned (priors/serving.toml). A field of a row that is zero where zero makes no sense is unstated,
and an elicited parameter stands in for it.
"""

from collections.abc import Mapping
from typing import Any

from forepass import physics

MICROSECOND = 1e-6
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
    """Return the sizes that follow from a row: tokens, context, bytes, FLOP, experts."""
    inputs = stated(rows["input_tokens"], p["unstated_input_tokens"], xp)
    outputs = stated(rows["output_tokens"], p["unstated_output_tokens"], xp)
    context = inputs + outputs / 2
    layers = stated(rows["n_layers"], p["unstated_layers"], xp)
    attending = stated(rows["attending_layers"], layers, xp)
    bits = xp.where(rows["weight_bits"] < 8, p["stored_bits_4bit"], rows["weight_bits"])
    width = physics.residual_width(rows["active_params"], layers)
    decode_width = xp.where(rows["latent_attention"] > 0, p["latent_decode_channels"], width)
    prefill_width = xp.where(rows["latent_attention"] > 0, p["latent_prefill_channels"], width)
    routed = xp.where(
        rows["share_routed"] < 0,
        p["unstated_routed_share"] * rows["active_params"] / rows["total_params"],
        rows["share_routed"],
    )
    experts = physics.expert_params(rows["active_params"], rows["total_params"], routed)
    kv_bits = stated(rows["kv_bits"], 8 + 8 * p["kv_16bit_share"], xp)
    kv = stated(rows["kv_bytes_per_token_16bit"], p["unstated_kv_bytes_per_token"], xp)
    per_token = physics.weight_flop_per_token(rows["active_params"])
    return {
        "inputs": inputs,
        "fresh_inputs": inputs * (1 - rows["cached_share"]),
        "outputs": outputs,
        "layers": layers,
        "bits": bits,
        "routed": routed,
        "mixture": xp.where(routed > 0, 1.0, 0.0),
        "experts": experts,
        "common": xp.maximum(rows["active_params"] - routed * experts, 0.0),
        "kv_held": physics.kv_bytes(kv, inputs + outputs, kv_bits),
        "kv_read": physics.kv_bytes(kv, xp.minimum(context, rows["most_tokens_read"]), kv_bits),
        "decode_flop": per_token
        + physics.attention_flop_per_token(
            xp.minimum(context, rows["most_tokens_read"]), attending, decode_width
        ),
        "prefill_flop": per_token
        + physics.attention_flop_per_token(inputs / 2, attending, prefill_width),
        # Two all-reduces in each layer, of one 16-bit vector for each token.
        "sent": xp.where(rows["width"] > 1, 4 * layers * width * 2, 0.0),
        "link": stated(rows["link_bandwidth"], p["unstated_link_bandwidth"], xp) * p["link_share"],
    }


def batch_in_flight(rows: Arrays, p: Arrays, s: Arrays, xp: Any) -> Array:  # noqa: ANN401 - a module
    """Return the sequences that a replica decodes together.

    A stated concurrency holds until memory is full. Without one the replica runs as many as fit, up
    to what schedulers allow for each chip; both limits are soft.
    """
    memory = rows["n_chips"] * rows["memory"] * p["memory_share"]
    weights = physics.weight_bytes(rows["total_params"], s["bits"])
    room = xp.maximum(memory - weights, LEAST_SEQUENCE_SHARE * memory)
    fits = physics.memory_limited_batch(room, 0.0, s["kv_held"])
    saturated = 1 / (1 / fits + 1 / (p["scheduler_batch_per_chip"] * rows["n_chips"]))
    asked = xp.maximum(rows["concurrency"], 1.0)
    held = (asked**-4 + fits**-4) ** -0.25
    return xp.where(rows["concurrency"] > 0, held, saturated)


def compute_rate(
    rows: Arrays,
    p: Arrays,
    s: Arrays,
    share: Array,
    xp: Any,  # noqa: ANN401 - a module
) -> Array:
    """Return the FLOP/s that all chips attain, given the ``share`` of their peak at 16 bit."""
    gain = by_bits(rows["compute_bits"], p["compute_gain_4bit"], p["compute_gain_8bit"], xp)
    experts = 1 + s["mixture"] * (p["compute_share_experts"] - 1)
    return rows["n_chips"] * rows["flops"] * share * gain * experts


def step_parts(
    rows: Arrays,
    p: Arrays,
    s: Arrays,
    batch: Array,
    xp: Any,  # noqa: ANN401 - a module
) -> dict[str, Array]:
    """Return the seconds of one decode step by resource: compute, weights, kv_cache, latency."""
    touched = s["experts"] * physics.share_of_experts_touched(batch, s["routed"])
    # What every token reads is copied to each group of chips as wide as the parallel width.
    weights = physics.weight_bytes(
        s["common"] / rows["width"] + touched / rows["n_chips"], s["bits"]
    )
    weights = weights / by_bits(
        rows["weight_bits"], p["traffic_gain_4bit"], p["traffic_gain_8bit"], xp
    )
    kv = batch * s["kv_read"] / rows["n_chips"] * p["kv_read_factor"]
    kv = kv * xp.where(rows["latent_attention"] > 0, p["latent_kv_factor"], 1.0)
    bandwidth = rows["bandwidth"] * p["bandwidth_share"]
    latency = s["layers"] * (
        p["layer_latency_us"]
        + p["collective_latency_us"] * xp.log2(rows["width"])
        + p["expert_latency_us"] * s["mixture"]
    )
    latency = latency + p["step_overhead_us"] + p["sequence_overhead_us"] * batch / rows["n_chips"]
    attained = compute_rate(rows, p, s, p["decode_compute_share"], xp)
    return {
        "compute": physics.compute_time(batch * s["decode_flop"], attained),
        "weights": physics.traffic_time(weights, bandwidth),
        "kv_cache": physics.traffic_time(kv, bandwidth),
        "latency": latency * MICROSECOND * p["latency_factor"]
        + physics.traffic_time(batch * s["sent"] / rows["n_chips"], s["link"]),
    }


def prefill_time(rows: Arrays, p: Arrays, s: Arrays, xp: Any) -> Array:  # noqa: ANN401 - a module
    """Return the seconds of a whole replica that one request's uncached input takes."""
    attained = compute_rate(rows, p, s, p["prefill_compute_share"], xp)
    return (
        physics.compute_time(s["fresh_inputs"] * s["prefill_flop"], attained)
        + physics.traffic_time(s["fresh_inputs"] * s["sent"] / rows["n_chips"], s["link"])
        + p["request_overhead_us"] * MICROSECOND / rows["n_chips"]
    )


def step_time(parts: Arrays, sharpness: Array) -> Array:
    """Return the seconds of a decode step: compute beside memory traffic, then latency."""
    memory = parts["weights"] + parts["kv_cache"]
    return physics.overlapped(parts["compute"], memory, sharpness) + parts["latency"]


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
    prefill = prefill_time(rows, p, s, xp)
    whole = physics.closed_loop_rate(batch, s["outputs"], step, prefill, 0.0)
    pool = xp.where(rows["decode_only"] > 0, batch / step, s["fresh_inputs"] / prefill)
    rate = xp.where(rows["decode_only"] + rows["prefill_only"] > 0, pool, whole)
    return rate / rows["n_chips"]
