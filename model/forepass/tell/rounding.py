"""Numbers as people read them: one scale per row, and no more figures than the interval bears."""

import math
from collections.abc import Sequence

type Numbers = Sequence[float | None]

MISSING = "-"

# What a power of a thousand is called: before a unit of measure, and before things one counts.
PREFIXES = {0: "", 3: "k", 6: "M", 9: "G", 12: "T", 15: "P", 18: "E", 21: "Z", 24: "Y"}
WORDS = {0: "", 3: "thousand", 6: "million", 9: "billion", 12: "trillion", 15: "quadrillion"}
MEASURED = {"bytes": "B", "bytes/s": "B/s"} | {unit: unit for unit in ("FLOP", "FLOP/s", "W", "J")}
UNSCALED = frozenset({"bits", "1", "ratio", "FLOP/byte", "FLOP per byte"})


def scaled(unit: str, values: Numbers) -> tuple[str, float]:
    """Return the unit to show and the factor that the values of one row are multiplied by.

    The scale suits the middle of their range of magnitudes.
    """
    if unit == "share":
        return "%", 100.0
    logs = [math.log10(abs(value)) for value in values if value]
    if unit in UNSCALED or unit.startswith("USD") or not logs:
        return ("" if unit in {"1", "ratio"} else unit), 1.0
    names, base = (PREFIXES, MEASURED[unit]) if unit in MEASURED else (WORDS, unit)
    middle = (min(logs) + max(logs)) / 2
    # Up to 9,999 a count needs no word: "1,230 tokens/s", not "1.23 thousand tokens/s".
    power = 0 if names is WORDS and middle < 4 else 3 * math.floor(middle / 3)
    power = min(max(power, 0), max(names))
    shown = f"{names[power]}{base}" if names is PREFIXES else f"{names[power]} {base}".strip()
    return shown, 10.0**-power


def number_text(value: float | None, step: float | None = None) -> str:
    """Return a number rounded to ``step``, or to three figures where none is given."""
    if value is None:
        return MISSING
    if step is None:
        step = _step(value, 3)
    places = max(0, -math.floor(math.log10(step) + 1e-9))
    rounded = round(value / step) * step
    # Too small for digits after the point to be readable.
    if rounded and abs(rounded) < 1e-4:
        return f"{rounded:.1e}"
    return f"{rounded:,.{places}f}"


def interval_text(centre: float | None, low: float | None, high: float | None) -> str:
    """Return ``median (low to high)``, rounded by what the width of the interval can tell.

    Each number has two figures, or as many as it takes to see a fifth of the interval; counts
    such as bits stay whole.
    """
    if centre is None or low is None or high is None:
        return MISSING
    shown = (centre, low, high)
    if low == high:
        return number_text(centre)
    if all(value == round(value) and abs(value) < 100 for value in shown):
        texts = [f"{value:.0f}" for value in shown]
    else:
        fifth = 10.0 ** math.floor(math.log10(abs(high - low) / 5) + 1e-9)
        texts = [number_text(value, min(fifth, _step(value, 2))) for value in shown]
    return f"{texts[0]} ({texts[1]} to {texts[2]})"


def named(words: str, unit: str) -> str:
    """Return words with the unit after them, where there is one."""
    return f"{words}, {unit}" if unit else words


def times(value: float | None, factor: float) -> float | None:
    """Return the product, or None where the value is missing."""
    return None if value is None else value * factor


def month(date: float) -> str:
    """Return the month, as 2030-06, in which a decimal date falls; a month's end is in it."""
    months = math.ceil(round(date * 12, 6)) - 1
    return f"{months // 12}-{months % 12 + 1:02}"


def _step(value: float, figures: int) -> float:
    """Return the step that shows ``value`` with so many significant figures."""
    if not value:
        return 1.0
    return 10.0 ** (math.floor(math.log10(abs(value)) + 1e-9) - figures + 1)
