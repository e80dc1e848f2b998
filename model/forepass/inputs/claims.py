"""Claims that the posterior is asked about, read from priors/claims.toml.

A claim is a statement and the range of one quantity in which it holds; the range is a convention.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from typing import Any

from forepass.errors import InputError
from forepass.inputs.toml_files import (
    check_fields,
    check_tables,
    number,
    read_tables,
    text_field,
)

FILE = "claims.toml"
FIELDS = ("statement", "unit", "rationale")
CLAIMS = (
    "tenth_of_upper_bound",
    "fifteen_times_lower_bound",
    "twentyfold_in_five_years",
    "faster_than_flops",
    "eight_bits_double",
    "half_at_most",
    "tenth_of_parameters",
    "less_than_linear",
    "tokens_add",
)
"""What the model judges, in the order of the post: the file must hold these and no others."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One statement and the range, ends included, in which it holds; an open end is infinite."""

    name: str
    statement: str
    low: float
    high: float
    unit: str
    rationale: str


def load_claims(folder: Traversable | None = None) -> dict[str, Claim]:
    """Return the claims by name, ordered as `CLAIMS`, from ``folder`` or the shipped priors/."""
    tables, file = read_tables(FILE, folder)
    check_tables(tables, CLAIMS, fields=FIELDS, unused="no such claim is judged", file=file)
    return {name: _claim(name, tables[name], f"{file}: {name}") for name in CLAIMS}


def _claim(name: str, table: dict[str, Any], where: str) -> Claim:
    check_fields(table, required=FIELDS, optional=("low", "high"), where=where)
    ends = {end: number(table[end], end, where) for end in ("low", "high") if end in table}
    if not ends:
        raise InputError(f"{where}: low or high is missing; add one or both")
    low, high = ends.get("low", -math.inf), ends.get("high", math.inf)
    if not low < high:
        raise InputError(f"{where}: low must be below high = {high:g}, got {low:g}")
    statement, unit, rationale = (text_field(table, field, where) for field in FIELDS)
    return Claim(name, statement, low, high, unit, rationale)
