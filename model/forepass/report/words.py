"""Words that hang on numbers, each from thresholds that are stated here and tested at their edges.

References
----------
.. [1] M. D. Mastrandrea et al., "Guidance Note for Lead Authors of the IPCC Fifth Assessment
   Report on Consistent Treatment of Uncertainties", IPCC, 2010, table 1.
"""

import math

LIKELY = (
    (0.99, "virtually certain"),
    (0.90, "very likely"),
    (0.66, "likely"),
    (0.33, "about as likely as not"),
    (0.10, "unlikely"),
    (0.01, "very unlikely"),
)
"""The least probability of each word; of two words at an edge, the surer [1]_."""
MOVES, FALLS = 0.66, 0.34
"""Probability of a rise from which a quantity is said to rise, and up to which to fall."""
SAME = 1.1
"""A ratio closer to one than this is no change worth a word."""
DOUBLE = 2.0
SURE = (
    (1.5, "closely known"),
    (4.0, "known within a factor of about two either way"),
    (10.0, "known to an order of magnitude"),
    (100.0, "uncertain by more than an order of magnitude"),
)
"""The greatest p90 over p10 of each."""
COVER_BAND = 0.1
"""How far from its own level the share that an interval holds may lie and still be right."""


def likely(p: float) -> str:
    """Return the word for a probability [1]_."""
    _check_share(p)
    return next((word for least, word in LIKELY if p >= least), "exceptionally unlikely")


def moves(p_rises: float) -> str:
    """Return whether a quantity rises, by the probability that it is above what it was."""
    _check_share(p_rises)
    if p_rises >= MOVES:
        return "rises"
    return "falls" if p_rises <= FALLS else "is about as likely to rise as to fall"


def changes(ratio: float) -> str:
    """Return how a quantity changes, by the median of its ratio to what it was."""
    if not 0 < ratio < math.inf:
        raise ValueError(f"a ratio must be above 0, got {ratio:g}")
    if 1 / SAME < ratio < SAME:
        return "hardly changes"
    if ratio >= DOUBLE:
        return f"grows {times(ratio)}"
    if ratio > 1:
        return f"grows by {100 * (ratio - 1):.0f}%"
    if ratio > 1 / DOUBLE:
        return f"falls by {100 * (1 - ratio):.0f}%"
    return f"falls {times(1 / ratio)}"


def times(ratio: float) -> str:
    """Return a ratio of one or more as the number of times, to two figures."""
    if ratio < 1.95:
        return f"{ratio:.1f}-fold"
    if ratio < 9.95:
        return f"{ratio:.2g}-fold"
    return f"{float(f'{ratio:.2g}'):,.0f}-fold"


def sure(low: float, high: float) -> str:
    """Return how well a quantity is known, by the p10 and p90 of an amount above 0."""
    if not 0 < low <= high:
        raise ValueError(f"p10 must be above 0 and p90 no less, got {low:g} and {high:g}")
    fold = high / low
    return next((word for most, word in SURE if fold <= most), "fit for scenarios only")


def covers(share: float, level: float) -> str:
    """Return whether intervals of a level hold what they should, by the share that they held."""
    _check_share(share)
    if share < level - COVER_BAND:
        return "too narrow"
    return "too wide" if share > level + COVER_BAND else "about right"


def agrees(verdict: str) -> str:
    """Return in which of four groups a verdict on a published figure falls."""
    known = ("agrees", "a part", "intervals overlap", "above", "below")
    return next(word for word in known if verdict.startswith(word))


def _check_share(p: float) -> None:
    if not 0 <= p <= 1:
        raise ValueError(f"a probability must be in [0, 1], got {p:g}")
