"""Serving: realised throughput of a configuration, learned from measurements."""

from forepass.blocks.serving.model import DRAWS, PRIORS, TABLES, TARGET_ACCEPT, build

__all__ = ["DRAWS", "PRIORS", "TABLES", "TARGET_ACCEPT", "build"]
