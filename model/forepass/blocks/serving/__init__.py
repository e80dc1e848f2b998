"""Serving: realised throughput of a configuration, learned from measurements."""

from forepass.blocks.serving.model import DRAWS, PATH_DOUBLINGS, PRIORS, TABLES, build

__all__ = ["DRAWS", "PATH_DOUBLINGS", "PRIORS", "TABLES", "build"]
