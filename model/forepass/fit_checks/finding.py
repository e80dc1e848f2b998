"""What a check found of a block, against its limit."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Finding:
    """One check of one block, or of the forecast that all blocks make together.

    Attributes
    ----------
    block, check : whose, and which.
    passed : whether the limit holds.
    found, limit : in words: what was found, and what was asked.
    short : a line for each thing that falls short.
    values : all that was computed, as JSON has it.
    """

    block: str
    check: str
    passed: bool
    found: str
    limit: str
    short: list[str] = field(default_factory=list)
    values: Mapping[str, Any] = field(default_factory=dict)


def as_rows(findings: Iterable[Mapping[str, Any]]) -> list[list[str]]:
    """Return a row of text for each finding: block, check, verdict, what was found."""
    return [
        [
            one["block"].replace("_", " "),
            one["check"],
            "pass" if one["passed"] else "SHORT",
            one["found"],
        ]
        for one in findings
    ]
