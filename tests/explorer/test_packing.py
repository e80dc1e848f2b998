"""Draws come out of their text as they went in, to the precision that is kept."""

import base64
import zlib

import numpy as np

from forepass.explorer.packing import KEPT_BITS, pack, rounded


def test_rounding_is_to_half_of_the_last_bit_kept() -> None:
    values = np.exp(np.random.default_rng(0).normal(0, 20, 10_000))
    off = np.abs(rounded(values) / values - 1)
    assert off.max() <= 2.0 ** -(KEPT_BITS + 1) * 1.001
    assert off.max() < 1e-4
    assert off.max() > 2.0 ** -(KEPT_BITS + 2)


def test_nothing_and_no_number_stay_what_they_are() -> None:
    found = rounded(np.array([0.0, np.nan, np.inf, -2.0]))
    np.testing.assert_array_equal(found, np.array([0.0, np.nan, np.inf, -2.0], dtype=np.float32))


def test_arrays_are_found_at_their_places() -> None:
    arrays = {"one": np.arange(6.0).reshape(2, 3), "two": np.array([0.1, 1e20])}
    text, places = pack(arrays)
    ranks = np.frombuffer(zlib.decompress(base64.b64decode(text)), dtype=np.uint8).reshape(4, -1)
    flat = ranks.T.copy().view("<f4").ravel()
    for name, values in arrays.items():
        start, *shape = places[name]
        got = flat[start : start + values.size].reshape(shape)
        np.testing.assert_allclose(got, values, rtol=1e-4)
