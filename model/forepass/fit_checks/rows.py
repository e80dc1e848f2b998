"""What is known of the rows that a block was fitted to, and its residuals should not depend on."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from forepass.blocks import training
from forepass.blocks.chips.records import chips_on_record
from forepass.blocks.chips.rents import rent_quotes
from forepass.blocks.demand.model import token_reports
from forepass.blocks.fleet.shipments import quarterly_record
from forepass.blocks.language_models.records import Sized, published_gains, releases_on_record
from forepass.blocks.serving.model import measured
from forepass.blocks.serving.rows import make_rows
from forepass.blocks.trends import times
from forepass.inputs.definitions import Definitions, load_definitions
from forepass.settings import Settings

type Tables = Mapping[str, pd.DataFrame]
type About = dict[str, dict[str, Any]]
"""By observed variable, what is known of its rows; ``known`` tells where there is a value."""


def about_rows(block: str, tables: Tables, settings: Settings) -> About:
    """Return what residuals of a block should not depend on, by observed variable and name.

    Numbers and texts with one entry for each row; ``known``, which may have a further dim, is
    false where the model has no value of its own to be held against.
    """
    return ABOUT[block](tables, load_definitions(settings.priors))


def _chips(tables: Tables, definitions: Definitions) -> About:
    records = chips_on_record(tables, definitions)
    quotes = rent_quotes(tables["chips"], tables["chip_prices"], definitions.reference_vendor)
    return {
        "log_specs": {
            "known": records.present,
            "when": records.when,
            "vendor": np.array(records.vendors)[records.vendor],
            "announced": records.announced.astype(str),
        },
        "log_rents": {
            "age": quotes.age,
            "half year": quotes.half_year,
            "contract": quotes.contract.astype(str),
        },
    }


def _language_models(tables: Tables, definitions: Definitions) -> About:
    records = releases_on_record(tables, definitions)
    gains = published_gains(tables["published_trends"])

    def sized(of: Sized) -> dict[str, Any]:
        return {
            "known": of.low == of.high,
            "when": of.when,
            "developer": np.array(records.developers)[of.developer],
        }

    return {
        "fraction_seen": {**sized(records.fraction), "known": True},
        "context_seen": {"when": records.context.when},
        "active_seen": sized(records.active),
        "total_seen": sized(records.total),
        "moe_seen": {"when": records.mixture_when},
        "kv_seen": {
            "when": records.kv_when,
            "log active": records.kv_log_active,
            "kind": records.kv_kind.astype(str),
        },
        "layers_seen": {"log active": records.layers_log_active},
        "kind_seen": {"when": records.kind_when},
        "bits_seen": {"when": records.bits_when},
        "gains_seen": {"of a price": gains.price, "of parameters": gains.parameters},
    }


def _serving(tables: Tables, _: Definitions) -> About:
    table, _measured = measured(tables)
    rows = make_rows(table, tables)
    asked, chips = table["concurrency"].to_numpy(dtype=float), table["n_chips"].to_numpy(float)
    engine = np.where(rows.levels["engine"] == "", "unstated", rows.levels["engine"])
    return {
        "y": {
            "concurrency_per_chip": asked / chips,
            "input_tokens": table["input_tokens"].to_numpy(dtype=float),
            "output_tokens": table["output_tokens"].to_numpy(dtype=float),
            "weight_bits": rows.fields["weight_bits"],
            "engine": engine,
            "when": times(table["date"]),
        }
    }


def _fleet(tables: Tables, _: Definitions) -> About:
    record = quarterly_record(tables["chip_stock"], tables["chips"])
    found: About = {}
    for name, logs in record.log_walked.items():
        designer, quarter = np.nonzero(~np.isnan(np.diff(logs, axis=1)))
        found[f"{name}_rises"] = {
            "quarter": quarter,
            "designer": np.array(record.designers)[designer],
        }
    return found


def _training(tables: Tables, _: Definitions) -> About:
    runs = tables["training"]
    large = training.large_runs(runs)
    seen = {
        "records_seen": training.record_runs(runs),
        "overtraining_seen": large[large["training_tokens"].notna()],
        "days_seen": large[large["duration_days"].notna()],
        "utilisation_seen": runs[runs["utilisation"].notna()],
    }
    return {name: {"when": times(rows["release_date"])} for name, rows in seen.items()}


def _demand(tables: Tables, _: Definitions) -> About:
    reports = token_reports(tables["demand"])
    return {
        "tokens_seen": {
            "when": reports.when,
            "estimated": reports.third_party.astype(str),
            "words": reports.words.astype(str),
        }
    }


ABOUT: Mapping[str, Callable[[Tables, Definitions], About]] = {
    "chips": _chips,
    "language_models": _language_models,
    "serving": _serving,
    "fleet": _fleet,
    "training": _training,
    "demand": _demand,
}
