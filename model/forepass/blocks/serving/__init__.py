"""Serving: realised throughput of a configuration, learned from measurements."""

from forepass.blocks.serving.model import PRIORS, TABLES, build

__all__ = ["PRIORS", "TABLES", "build"]
