"""What each table of ``data/`` must hold: one pandera schema per table."""

from collections.abc import Sequence

import pandera.pandas as pa

from forepass.inputs.columns import (
    any_of,
    at_least_zero,
    at_most_one,
    bits,
    choice,
    count,
    dated,
    flag,
    in_order,
    key,
    not_above,
    number,
    once,
    positive,
    rising,
    share,
    text,
)

STATUSES = ("measured", "disclosed", "estimated", "announced")
PRICE_TYPES = ("purchase", "cloud_on_demand", "cloud_reserved", "cloud_spot")
SCENARIOS = (
    "closed_loop",
    "offline",
    "server",
    "interactive",
    "production",
    "decode_only",
    "prefill_only",
    "batch1",
    "estimate",
)
QUANTILES = ("p05", "p10", "p25", "p50", "p75", "p90", "p95")
INTERVAL = ("low", "central", "high")
RATES = (
    "flops_16bit_flop_per_s",
    "flops_fp8_flop_per_s",
    "flops_int8_op_per_s",
    "flops_4bit_flop_per_s",
)
SIZE_BOUNDS = (
    "active_params_low",
    "active_params_high",
    "total_params_low",
    "total_params_high",
)
IN_USD = "US dollars without sign or separators, as 30000"
IN_FLOP_PER_S = "dense operations per second, as 9.89e14"
IN_BYTES_PER_S = "bytes per second, as 3.35e12"
IN_TOKENS = "tokens, as 1024"
IN_TOKENS_PER_S = "tokens per second, as 550"

LINK = pa.Check(lambda cells: cells.str.match(r"https?://"), error="must be a web address")
PRICES = {f"{place}_usd": positive(IN_USD) for place in INTERVAL}
SERVED = ("output_tokens_per_s_per_chip", "total_tokens_per_s_per_chip")
STOCK = {
    "units": "chips, as 1.2e6",
    "h100e": "H100 equivalents, as 1.2e6",
    "power_w": "watts, as 4e9",
}
STOCK_EDGES = ("p05", "p50", "p95")
RANGE = ("range_low", "range_high")


def _table(
    name: str, columns: dict[str, pa.Column], *checks: pa.Check, origin: bool = True
) -> pa.DataFrameSchema:
    if origin:
        columns = columns | {
            "known": dated(),
            "status": choice(STATUSES),
            "source": text(mend="give keys of sources.csv, joined by ';'"),
            "note": text(required=False),
        }
    return pa.DataFrameSchema(columns, checks=list(checks), strict=True, name=name)


def _observed(name: str, *, actor: bool = False, mass: bool = False) -> pa.DataFrameSchema:
    inside = pa.Check(lambda values: values < 1, error="must be below 1")
    return _table(
        name,
        {
            "date": dated(),
            **({"actor": text()} if actor else {}),
            "quantity": text(),
            **{place: number("a number, as 1.5e6") for place in INTERVAL},
            **({"interval_mass": positive("a share, as 0.9", inside)} if mass else {}),
            "unit": text(),
        },
        rising(*INTERVAL),
        any_of(*INTERVAL),
    )


_SHIPPED = (
    _table(
        "sources",
        {
            "source": key(),
            "title": text(),
            "publisher": text(required=False),
            "date": dated(required=False),
            "url": text(LINK, required=False, mend="begin with https://"),
            "licence": text(required=False),
            "attribution": text(required=False),
        },
        origin=False,
    ),
    _table(
        "chips",
        {
            "chip": key(),
            "aliases": text(required=False),
            "vendor": text(),
            "generation": text(required=False),
            "release_date": dated(required=False),
            **{rate: positive(IN_FLOP_PER_S) for rate in RATES},
            "memory_bandwidth_bytes_per_s": positive(IN_BYTES_PER_S),
            "memory_capacity_bytes": positive("bytes, as 8e10"),
            "scale_up_bandwidth_bytes_per_s": positive(IN_BYTES_PER_S),
            "scale_up_chips": count("chips in one domain, as 8"),
            "power_w": positive("watts, as 700"),
            "shipped": flag(),
            "relative_error": at_least_zero("a share, as 0.1"),
        },
    ),
    _table(
        "chip_prices",
        {"chip": text(), "date": dated(), "price_type": choice(PRICE_TYPES), **PRICES},
        rising(*PRICES),
        any_of(*PRICES),
    ),
    _table(
        "language_models",
        {
            "model": key(),
            "aliases": text(required=False),
            "developer": text(),
            "release_date": dated(),
            "architecture": choice(("dense", "moe"), required=False),
            "total_params": positive("parameters, as 7e10"),
            "active_params": positive("parameters read for one token, as 3.7e10"),
            "n_experts": count("routed experts per layer, as 256"),
            "experts_per_token": count("routed experts per token, as 8"),
            "n_shared_experts": at_least_zero("shared experts per layer, as 1"),
            "n_layers": count("layers, as 61"),
            "kv_layers": count("layers with a KV cache, as 61"),
            "n_kv_heads": count("heads, as 8"),
            "head_dim": count("channels per head, as 128"),
            "attention": text(required=False),
            "kv_bytes_per_token_16bit": positive("bytes per token at 16 bits, as 327680"),
            "sparse_read_tokens": positive("tokens that sparse attention reads, as 2048"),
            "native_weight_bits": bits("weight"),
            "max_context_tokens": positive("tokens, as 131072"),
            **{bound: positive("parameters, as 5e10") for bound in SIZE_BOUNDS},
            "params_relative_error": at_least_zero("a share, as 0.3"),
        },
        not_above("active_params_low", "active_params_high"),
        not_above("total_params_low", "total_params_high"),
        not_above("active_params", "total_params"),
        not_above("experts_per_token", "n_experts"),
    ),
    _table(
        "training",
        {
            "model": text(),
            "developer": text(),
            "release_date": dated(),
            "training_flop": positive("FLOP, as 2.1e25"),
            "training_tokens": positive("tokens, as 1.5e13"),
            "chip": text(required=False),
            "n_chips": count("chips, as 16384"),
            "duration_days": positive("days, as 54"),
            "utilisation": share("a share of the dense 16-bit peak, as 0.38"),
            "relative_error": at_least_zero("a share, as 0.3"),
        },
    ),
    _table(
        "serving",
        {
            "id": key(),
            "date": dated(),
            "chip": text(),
            "n_chips": count("chips of one replica, as 8", required=True),
            "model": text(),
            "weight_bits": bits("weight", required=True),
            "activation_bits": bits("activation"),
            "kv_bits": bits("cached number"),
            "input_tokens": at_least_zero(IN_TOKENS),
            "output_tokens": at_least_zero(IN_TOKENS),
            "cached_share": at_least_zero("a share of the input tokens, as 0.5", at_most_one()),
            "concurrency": positive("requests in flight on the replica, as 64"),
            "disaggregated": flag(),
            "speculative": flag(),
            "beams": count("sequences kept for each request, as 4"),
            "tensor_parallel": count("chips that share a layer, as 8"),
            "scenario": choice(SCENARIOS),
            "software": text(required=False),
            **{rate: positive(IN_TOKENS_PER_S) for rate in SERVED},
            "speed_tokens_per_s_per_user": positive(IN_TOKENS_PER_S),
            "campaign": text(),
        },
        any_of(*SERVED),
        not_above(*SERVED),
    ),
    _table(
        "chip_stock",
        {
            "quarter_end": dated(day=True),
            "since": dated(day=True),
            "designer": text(),
            "chip": text(),
            **{
                f"{thing}_{edge}": at_least_zero(m)
                for thing, m in STOCK.items()
                for edge in STOCK_EDGES
            },
        },
        in_order("since", "quarter_end"),
        *(rising(*(f"{thing}_{edge}" for edge in STOCK_EDGES)) for thing in STOCK),
    ),
    _table(
        "stock_revisions",
        {
            "date": dated(),
            "designer": text(),
            "earlier": positive("the figure of the earlier version, as 2.5e6"),
            "later": positive("the figure of the later version, as 1.4e6"),
            "unit": text(),
        },
    ),
    _observed("fleet", mass=True),
    _observed("demand", actor=True),
    _observed("published_trends", mass=True),
    _table(
        "expert_forecasts",
        {
            "made_date": dated(),
            "forecaster": text(),
            "quantity": text(),
            "target_date": text(required=False),  # a date, or the event that it hangs on
            **{edge: number("a number, as 1.5e6") for edge in (*QUANTILES, *RANGE)},
            "unit": text(),
        },
        rising(*QUANTILES),
        rising(*RANGE),
        any_of(*QUANTILES, *RANGE),
    ),
)
SCHEMAS: dict[str, pa.DataFrameSchema] = {str(schema.name): schema for schema in _SHIPPED}
"""Schemas by table name, with the columns in the order in which the files hold them."""


def _own(kind: str, required: Sequence[str], *checks: pa.Check) -> pa.DataFrameSchema:
    """Return the schema of a user's own rows: their spelling of the name, and little required."""
    shipped = SCHEMAS[kind]
    changes: dict[str, dict[str, object]] = {
        column: {"nullable": column not in required} for column in shipped.columns
    }
    changes[required[0]]["checks"] = [once()]
    own = shipped.update_columns(changes)
    return pa.DataFrameSchema(
        own.columns, checks=[*shipped.checks, *checks], strict=True, name=f"own {kind}"
    )


OWN_SCHEMAS: dict[str, pa.DataFrameSchema] = {
    "chips": _own(
        "chips", ("chip", "memory_bandwidth_bytes_per_s", "memory_capacity_bytes"), any_of(*RATES)
    ),
    "language_models": _own("language_models", ("model", "total_params", "active_params")),
}
"""Schemas of the tables that a user adds, by the table that they add to."""
