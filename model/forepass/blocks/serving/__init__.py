"""Serving: realised throughput of a configuration, learned from measurements."""

from forepass.blocks.serving.model import DRAWS, PRIORS, TABLES, build

__all__ = ["DRAWS", "PRIORS", "TABLES", "build"]
