"""Conventions that fix what a quantity means, read from priors/definitions.toml.

A definition is chosen, not believed: it has no interval, and no data can prove it wrong.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from importlib.resources.abc import Traversable
from typing import Any

from forepass.errors import InputError
from forepass.inputs.dates import EARLIEST, LATEST, is_date
from forepass.inputs.toml_files import (
    check_fields,
    check_tables,
    number,
    read_tables,
    text_field,
)

FILE = "definitions.toml"
FIELDS = ("value", "unit", "rationale")


@dataclass(frozen=True, slots=True)
class Definitions:
    """Every convention by name; the file says what each means, in which unit, and why.

    Chips and models carry their names as in data/, dates are ISO texts.
    """

    reference_chip: str
    reference_vendor: str
    reference_model: str
    h100_equivalent_ops_per_s: float
    reference_input_tokens: float
    reference_output_tokens: float
    software_date: str
    copy_speed_tokens_per_s: float
    scenarios_only_fold: float
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


TYPES = {field.name: str(field.type) for field in fields(Definitions)}


def load_definitions(folder: Traversable | None = None) -> Definitions:
    """Return the conventions, from ``folder`` or the shipped priors/."""
    tables, file = read_tables(FILE, folder)
    check_tables(tables, TYPES, fields=FIELDS, unused="nothing uses it", file=file)
    definitions = Definitions(
        **{name: _value(name, tables[name], f"{file}: {name}") for name in TYPES}
    )
    if not definitions.first_year < definitions.last_year:
        raise InputError(
            f"{file}: first_year: value must be before last_year = {definitions.last_year}, "
            f"got {definitions.first_year}"
        )
    return definitions


def _value(name: str, table: dict[str, Any], where: str) -> Any:  # noqa: ANN401 - as in TYPES
    check_fields(table, required=FIELDS, where=where)
    for words in ("unit", "rationale"):
        text_field(table, words, where)
    if TYPES[name] == "str":
        words = text_field(table, "value", where)
        if name.endswith("_date") and not is_date(words):
            raise InputError(f'{where}: value must be a date such as "2026-05", got {words!r}')
        return words
    value = number(table["value"], "value", where)
    if not value > 0:
        raise InputError(f"{where}: value must be above 0, got {value:g}")
    if name.endswith("_year") and not EARLIEST <= value <= LATEST:
        raise InputError(
            f"{where}: value must be a year from {EARLIEST} to {LATEST}, got {value:g}"
        )
    if TYPES[name] == "int":
        if not isinstance(table["value"], int):
            raise InputError(f"{where}: value must be a whole number, got {value:g}")
        return int(value)
    return value
