"""Arithmetic of a forward pass: FLOP, bytes, bounds, step time.

Every function uses arithmetic operators alone, so it works alike on floats, NumPy and xarray arrays
and PyTensor variables, and broadcasts as they do. Quantities are in FLOP, bytes, seconds, tokens;
rates are dense and per package. Nothing else in the package multiplies parameters by bytes.

References
----------
.. [1] B. Todd, "How much AI inference can we do?", 2024.
.. [2] J. Kaplan et al., "Scaling Laws for Neural Language Models", arXiv:2001.08361, 2020
   (FLOP per token).
.. [3] R. Pope et al., "Efficiently Scaling Transformer Inference", arXiv:2211.05102, 2022 (weight,
   KV and compute time of a decode step).
.. [4] S. Williams et al., "Roofline", CACM 52(4), 2009 (the slower resource sets the time).
"""

from typing import Any

BITS_PER_BYTE = 8
SECONDS_PER_HOUR = 3600.0
HOURS_PER_YEAR = 8766.0
TOKENS_PER_PRICE_UNIT = 1e6
FLOP_PER_PARAMETER = 2
"""One multiply and one add for each active parameter and token [2]_."""
FLOP_PER_TRAINED_PARAMETER = 6
"""A forward pass, and a backward one of twice its work, for each parameter and token [2]_."""
FLOP_PER_KEY = 4
"""A multiply and an add in the score, and again in the weighted sum, for each key and channel."""

type Quantity = Any
"""A float, NumPy or xarray array, or PyTensor variable: whatever knows the arithmetic operators."""


def weight_flop_per_token(active_params: Quantity) -> Quantity:
    """Return the FLOP of one token in the weights alone: two for each active parameter [2]_."""
    return FLOP_PER_PARAMETER * active_params


def training_tokens_per_parameter(flop: Quantity, tokens: Quantity) -> Quantity:
    """Return tokens over active parameters of a run, whose FLOP are six for each of both [2]_."""
    return FLOP_PER_TRAINED_PARAMETER * tokens**2 / flop


def training_tokens(flop: Quantity, tokens_per_parameter: Quantity) -> Quantity:
    """Return the tokens of a run of ``flop`` with so many tokens for each active parameter."""
    return (flop * tokens_per_parameter / FLOP_PER_TRAINED_PARAMETER) ** 0.5


def attention_flop_per_token(context: Quantity, n_layers: Quantity, width: Quantity) -> Quantity:
    """Return the FLOP that one token spends on attention over ``context`` keys.

    Parameters
    ----------
    context
        Tokens attended to.
    n_layers
        Layers whose attention spans the context.
    width
        Heads times head size, in channels.
    """
    return FLOP_PER_KEY * context * n_layers * width


def residual_width(active_params: Quantity, n_layers: Quantity) -> Quantity:
    """Return the channels of a transformer: active = 12 x layers x width squared [2]_."""
    return (active_params / (12 * n_layers)) ** 0.5


def expert_params(
    active_params: Quantity, total_params: Quantity, share_routed: Quantity
) -> Quantity:
    """Return the parameters that stand in routed experts.

    Total = common + experts and active = common + share x experts, solved for experts.

    Parameters
    ----------
    share_routed
        Experts chosen for a token over experts present, in [0, 1); 0 for a dense model.
    """
    return (total_params - active_params) / (1 - share_routed)


def share_of_experts_touched(batch: Quantity, share_routed: Quantity) -> Quantity:
    """Return the expected share of experts that a batch of tokens reaches, routing evenly.

    One token reaches ``share_routed`` of them; each further token misses an expert with probability
    ``1 - share_routed``. In [0, 1], rising in both arguments.
    """
    return 1 - (1 - share_routed) ** batch


def weight_bytes(params: Quantity, bits: Quantity) -> Quantity:
    """Return the bytes that ``params`` parameters take at ``bits`` bits each."""
    return params * bits / BITS_PER_BYTE


def weight_bytes_touched(
    active_params: Quantity,
    total_params: Quantity,
    share_routed: Quantity,
    batch: Quantity,
    bits: Quantity,
) -> Quantity:
    """Return the bytes of weights that a decode step of ``batch`` tokens reads.

    A batch of one reads the active parameters; a large one reads them all.
    """
    experts = expert_params(active_params, total_params, share_routed)
    common = active_params - share_routed * experts
    touched = share_of_experts_touched(batch, share_routed)
    return weight_bytes(common + experts * touched, bits)


def kv_bytes(kv_bytes_per_token: Quantity, context: Quantity, kv_bits: Quantity) -> Quantity:
    """Return the bytes of one sequence's KV cache.

    Parameters
    ----------
    kv_bytes_per_token
        Bytes per token at 16 bit, as the data tables give it.
    context
        Tokens held (or read).
    kv_bits
        Bits per cached number as served.
    """
    return kv_bytes_per_token * context * kv_bits / 16


def upper_bound(flops: Quantity, flop_per_pass: Quantity) -> Quantity:
    """Return the passes per second if every FLOP of the sheet were used: the upper bound [1]_."""
    return flops / flop_per_pass


def lower_bound(bandwidth: Quantity, bytes_per_pass: Quantity) -> Quantity:
    """Return the passes per second of one unbatched chip: the lower bound [1]_.

    A replica that holds fewer requests than chips falls below it.
    """
    return bandwidth / bytes_per_pass


def memory_limited_batch(
    memory: Quantity, weights: Quantity, kv_bytes_per_sequence: Quantity
) -> Quantity:
    """Return how many sequences fit beside the weights; negative where the weights do not fit."""
    return (memory - weights) / kv_bytes_per_sequence


def compute_time(flop: Quantity, flops: Quantity) -> Quantity:
    """Return the seconds that ``flop`` takes at ``flops`` FLOP/s."""
    return flop / flops


def traffic_time(n_bytes: Quantity, bandwidth: Quantity) -> Quantity:
    """Return the seconds that moving ``n_bytes`` takes at ``bandwidth`` bytes/s."""
    return n_bytes / bandwidth


def overlapped(first: Quantity, second: Quantity, sharpness: Quantity) -> Quantity:
    """Return the time of two resources used at once: their power mean sum.

    Sharpness 1 adds them (no overlap); a large one takes the slower (the roofline [4]_).
    """
    return (first**sharpness + second**sharpness) ** (1 / sharpness)


def closed_loop_rate(
    concurrency: Quantity,
    output_tokens: Quantity,
    step_time: Quantity,
    prefill_time: Quantity,
    sharing: Quantity,
) -> Quantity:
    """Return output tokens per second of a deployment that always holds ``concurrency`` requests.

    In the time one request lives it decodes ``output_tokens`` steps while it and each of the others
    on its engine prefill once.

    Parameters
    ----------
    sharing
        Requests on one engine, itself among them; all of ``concurrency`` where one engine serves.
    """
    lifetime = output_tokens * step_time + sharing * prefill_time
    return concurrency * output_tokens / lifetime


def cost_per_million_tokens(
    price_per_chip_hour: Quantity, tokens_per_s_per_chip: Quantity
) -> Quantity:
    """Return USD per million tokens of a chip at ``price_per_chip_hour`` USD."""
    return price_per_chip_hour / SECONDS_PER_HOUR / tokens_per_s_per_chip * TOKENS_PER_PRICE_UNIT


def rate_from_cost(price_per_chip_hour: Quantity, usd_per_million_tokens: Quantity) -> Quantity:
    """Return tokens per second per chip from a price: from $4.9 to 57 passes/s in [1]_."""
    return price_per_chip_hour / SECONDS_PER_HOUR / usd_per_million_tokens * TOKENS_PER_PRICE_UNIT
