"""Arrays of draws as text that a page can hold: rounded, shuffled by byte, deflated, in base64."""

import base64
import zlib
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

KEPT_BITS = 13
"""Bits of a number's mantissa that stay: it is right to a 16,000th part of itself, less than what
separates neighbouring draws, and the zeros that follow pack to nothing."""
SCORE_BITS, LEVEL_BITS = 11, 12
"""Of scores, of which each weight takes one and each quantile all; and of levels of a lever."""
MANTISSA = 23

type Floats = NDArray[np.float64]


def rounded(values: Floats, bits: int = KEPT_BITS) -> NDArray[np.float32]:
    """Return single-precision values, of whose mantissa so many bits stay."""
    with np.errstate(over="ignore"):  # beyond single precision is as good as infinite
        single = np.ascontiguousarray(values, dtype=np.float32)
    gone = MANTISSA - bits
    whole = single.view(np.uint32) + np.uint32(1 << (gone - 1))
    near = (whole >> np.uint32(gone) << np.uint32(gone)).view(np.float32)
    return np.where(np.isfinite(single), near, single).astype(np.float32)


def pack(arrays: Mapping[str, Floats]) -> tuple[str, dict[str, list[int]]]:
    """Return arrays as one text, and where each begins with its shape, as the page finds them.

    Bytes of one rank stand together, lowest first: exponents repeat, and deflate well.
    """
    places: dict[str, list[int]] = {}
    start = 0
    for name, values in arrays.items():
        places[name] = [start, *values.shape]
        start += values.size
    flat = np.concatenate([rounded(one, _bits(name)).ravel() for name, one in arrays.items()])
    ranks = flat.astype("<f4").view(np.uint8).reshape(-1, 4).T
    packed = zlib.compress(np.ascontiguousarray(ranks).tobytes(), 9)
    return base64.b64encode(packed).decode("ascii"), places


def _bits(name: str) -> int:
    return SCORE_BITS if name == "scores" else LEVEL_BITS if "|" in name else KEPT_BITS
