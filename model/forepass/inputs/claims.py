"""Claims that the posterior is asked about, read from priors/claims.toml.

A claim is a statement and the range of one quantity in which it holds; the range is a convention.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from typing import Any

from forepass.errors import InputError
from forepass.inputs.toml_files import check_fields, located, read_tables, suggest, text_field

__all__ = ["CLAIMS", "FILE", "Claim", "load_claims"]

FILE = "claims.toml"
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
    """Return the claims by name, in the order of `CLAIMS`.

    Parameters
    ----------
    folder
        Where to read instead of the package's own priors/.

    Raises
    ------
    InputError
        Naming the file and the key that is misspelt, missing or out of order.
    """
    file, label = located("priors", FILE, folder)
    tables = read_tables(file, label)
    for name in tables:
        if name not in CLAIMS:
            raise InputError(f"{label}: {name}: no such claim is judged; {suggest(name, CLAIMS)}")
    for name in CLAIMS:
        if name not in tables:
            raise InputError(f"{label}: {name} is missing; add [{name}] with statement, low, high")
    return {name: _claim(name, tables[name], f"{label}: {name}") for name in CLAIMS}


def _claim(name: str, table: dict[str, Any], where: str) -> Claim:
    required = ("statement", "unit", "rationale")
    check_fields(table, required=required, optional=("low", "high"), where=where)
    low, high = _end(table, "low", -math.inf, where), _end(table, "high", math.inf, where)
    if math.isinf(low) and math.isinf(high):
        raise InputError(f"{where}: low or high is missing; add one or both")
    if not low < high:
        raise InputError(f"{where}: low must be below high = {high:g}, got {low:g}")
    statement, unit, rationale = (text_field(table, field, where) for field in required)
    return Claim(name, statement, low, high, unit, rationale)


def _end(table: dict[str, Any], field: str, otherwise: float, where: str) -> float:
    value = table.get(field, otherwise)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or (field in table and not math.isfinite(value)):
        raise InputError(f"{where}: {field} must be a number without quotes, got {str(value)[:40]}")
    return float(value)
