"""Streams of random numbers that belong to a name, so that a change of one leaves the others."""

import hashlib

import numpy as np


def block_rng(seed: int, name: str) -> np.random.Generator:
    """Return the stream of random numbers that belongs to ``name``."""
    digest = hashlib.sha256(name.encode()).digest()
    return np.random.default_rng([seed, int.from_bytes(digest[:4])])
