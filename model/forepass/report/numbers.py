"""A number of a report: what it is, its text at the precision that it bears, what it rests on."""

from dataclasses import dataclass

from forepass.errors import InputError
from forepass.inputs.text_files import suggest
from forepass.tell.render import PROBABILITY
from forepass.tell.rounding import interval_text, number_text, scaled, times


@dataclass(frozen=True, slots=True)
class Number:
    """One number of a report: a median with its 80% interval, or what is exact.

    Attributes
    ----------
    key : how templates refer to it.
    words, unit : what it is, and of what.
    centre, low, high : in the unit; `low` and `high` are None where the number has no interval.
    rests_on : blocks whose priors and data it follows from, or files that hold it.
    shown
        Middle and interval as text, where they are more than numbers: dates that may never come.
    """

    key: str
    words: str
    unit: str
    centre: float | None
    low: float | None = None
    high: float | None = None
    rests_on: tuple[str, ...] = ()
    shown: tuple[str, str] | None = None

    @property
    def median(self) -> str:
        """Return the middle with its unit, rounded by what the interval can tell."""
        return self._with_unit(self._texts()[0])

    @property
    def interval(self) -> str:
        """Return the interval with its unit: low to high."""
        return self._with_unit(self._texts()[1] or self._texts()[0])

    @property
    def both(self) -> str:
        """Return the middle with its unit, and the interval in brackets."""
        centre, interval = self._texts()
        return self._with_unit(centre) + (f" ({interval})" if interval else "")

    @property
    def bare(self) -> str:
        """Return the middle and the interval as `both`, for a column that names the unit."""
        centre, interval = self._texts()
        return centre + (f" ({interval})" if interval else "")

    @property
    def plain(self) -> str:
        """Return the middle without its unit."""
        return self._texts()[0]

    def _texts(self) -> tuple[str, str]:
        if self.shown:
            return self.shown
        unit, factor = self._scale()
        if self.centre is None:
            return "none", ""
        if unit == "%" and self.low is None:
            return share_text(self.centre * factor), ""
        if self.unit in ("year", "count"):
            return f"{self.centre:,.0f}" if self.unit == "count" else f"{self.centre:.0f}", ""
        ends = (times(end, factor) for end in (self.centre, self.low, self.high))
        if self.low is None or self.high is None:
            return number_text(self.centre * factor), ""
        centre, _, rest = interval_text(*ends).partition(" (")
        return centre, rest.rstrip(")")

    def _with_unit(self, text: str) -> str:
        unit = self._scale()[0]
        if unit in ("", "year", "count"):
            return text
        if unit == "%":
            return f"{text}%"
        return f"${text}{unit.removeprefix('USD')}" if unit.startswith("USD") else f"{text} {unit}"

    def _scale(self) -> tuple[str, float]:
        if self.unit == PROBABILITY:
            return "%", 100.0
        return scaled(self.unit, [self.centre])


def share_text(percent: float) -> str:
    """Return a percentage without an interval: whole, but for the ends, which are bounds."""
    if 0 < percent < 1:
        return "under 1"
    return "over 99" if 99 < percent < 100 else f"{percent:.0f}"


class Numbers(dict[str, Number]):
    """Numbers by key; a key that is none of theirs is refused with the closest ones."""

    def __missing__(self, key: str) -> Number:
        """Refuse the key."""
        raise InputError(f"no number {key!r} in the report; {suggest(key, self)}")
