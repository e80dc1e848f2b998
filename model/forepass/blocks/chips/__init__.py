"""Chips: specifications, their trends and the memory wall, and what an hour of a chip costs."""

from forepass.blocks.chips.model import (
    CONVENTIONS,
    DRAWS,
    PRIORS,
    TABLES,
    TARGET_ACCEPT,
    VARIANTS,
    build,
    mixed,
    project,
)

__all__ = [
    "CONVENTIONS",
    "DRAWS",
    "PRIORS",
    "TABLES",
    "TARGET_ACCEPT",
    "VARIANTS",
    "build",
    "mixed",
    "project",
]
