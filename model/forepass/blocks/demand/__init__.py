"""Demand: tokens that the world processes, for what kinds of work, and a person's rate."""

from forepass.blocks.demand.model import (
    DRAWS,
    PRIORS,
    TABLES,
    TARGET_ACCEPT,
    build,
    log_world,
    project,
    token_reports,
)

__all__ = [
    "DRAWS",
    "PRIORS",
    "TABLES",
    "TARGET_ACCEPT",
    "build",
    "log_world",
    "project",
    "token_reports",
]
