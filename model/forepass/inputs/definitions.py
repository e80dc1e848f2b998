"""Conventions that fix what a quantity means, read from priors/definitions.toml.

A definition is chosen, not believed: it has no interval, and no data can prove it wrong.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from importlib.resources.abc import Traversable
from typing import Any

from forepass.errors import InputError
from forepass.inputs.toml_files import check_fields, located, read_tables, suggest, text_field

FILE = "definitions.toml"


@dataclass(frozen=True, slots=True)
class Definition:
    """One convention as the file states it."""

    name: str
    value: str | float
    unit: str
    rationale: str


@dataclass(frozen=True, slots=True)
class Definitions:
    """Every convention by name.

    Attributes
    ----------
    reference_chip, reference_vendor, reference_model
        Names as in data/: the yardsticks that fixed-workload quantities use.
    h100_equivalent_ops_per_s
        Dense operations per second that count as one H100.
    reference_input_tokens, reference_output_tokens
        Tokens per request where a command or a forecast names none.
    software_date
        Date (ISO) of the serving software where a question names none.
    copy_speed_tokens_per_s
        Output tokens per second at which one copy of a model runs.
    interval_mass
        Probability between the ends of an interval unless asked otherwise.
    first_year, last_year
        Calendar years that can be projected.
    frontier_window_factor, frontier_window_years
        A release is at the frontier when its total parameters are within the factor of the
        largest of the years before it.
    chip_minimum_bandwidth_bytes_per_s, chip_line_share
        A chip counts towards the trend of specs when its memory bandwidth reaches the minimum,
        and its bandwidth and rates this share of its vendor's earlier best.
    post_price_usd_per_chip_hour
        Chip-hour price of the worked example with A100s.
    post_chips, post_input_tokens, post_output_tokens
        Its chips and the load of its requests.
    post_short_input_tokens, post_short_output_tokens
        Load at which the highest share of the upper bound is looked for.
    records
        Each definition with its unit and rationale.
    """

    reference_chip: str
    reference_vendor: str
    reference_model: str
    h100_equivalent_ops_per_s: float
    reference_input_tokens: float
    reference_output_tokens: float
    software_date: str
    copy_speed_tokens_per_s: float
    interval_mass: float
    first_year: int
    last_year: int
    frontier_window_factor: float
    frontier_window_years: float
    chip_minimum_bandwidth_bytes_per_s: float
    chip_line_share: float
    post_price_usd_per_chip_hour: float
    post_chips: int
    post_input_tokens: float
    post_output_tokens: float
    post_short_input_tokens: float
    post_short_output_tokens: float
    records: Mapping[str, Definition]


TYPES = {field.name: str(field.type) for field in fields(Definitions) if field.name != "records"}


def load_definitions(folder: Traversable | None = None) -> Definitions:
    """Return the conventions.

    Parameters
    ----------
    folder
        Where to read instead of the package's own priors/.

    Raises
    ------
    InputError
        Naming the file and the key that is misspelt, missing or of the wrong kind.
    """
    file, label = located("priors", FILE, folder)
    tables = read_tables(file, label)
    for name in tables:
        if name not in TYPES:
            raise InputError(f"{label}: {name}: nothing uses it; {suggest(name, TYPES)}")
    for name in TYPES:
        if name not in tables:
            raise InputError(
                f"{label}: {name} is missing; add [{name}] with value, unit, rationale"
            )
    records = {name: _definition(name, table, label) for name, table in tables.items()}
    values: dict[str, Any] = {name: record.value for name, record in records.items()}
    definitions = Definitions(**values, records=records)
    _check_together(definitions, label)
    return definitions


def _definition(name: str, table: dict[str, Any], label: str) -> Definition:
    where = f"{label}: {name}"
    check_fields(table, required=("value", "unit", "rationale"), optional=(), where=where)
    return Definition(
        name=name,
        value=_value(name, table, where),
        unit=text_field(table, "unit", where),
        rationale=text_field(table, "rationale", where),
    )


def _value(name: str, table: dict[str, Any], where: str) -> str | float:
    value = table["value"]
    match TYPES[name]:
        case "str":
            return text_field(table, "value", where)
        case "int" if isinstance(value, int) and not isinstance(value, bool):
            return value
        case "float" if isinstance(value, int | float) and not isinstance(value, bool):
            if 0 < value < math.inf:
                return float(value)
    kind = "a whole number" if TYPES[name] == "int" else "a number above 0"
    raise InputError(f"{where}: value must be {kind} without quotes, got {str(value)[:40]!r}")


def _check_together(definitions: Definitions, label: str) -> None:
    if not definitions.interval_mass < 1:
        raise InputError(
            f"{label}: interval_mass: value must be below 1, got {definitions.interval_mass:g}"
        )
    if not definitions.first_year < definitions.last_year:
        raise InputError(
            f"{label}: first_year: value must be before last_year = {definitions.last_year}, "
            f"got {definitions.first_year}"
        )
