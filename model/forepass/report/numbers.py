"""Every number that a report may tell, by key, and which of them it has told."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from itertools import product
from operator import getitem
from typing import Any

from forepass.errors import InputError
from forepass.inputs.text_files import suggest
from forepass.tell.rounding import interval_text, number_text, scaled, times

__all__ = ["Number", "known_numbers"]

PROBABILITY = ("probability",)
CENTRE, LOW, HIGH = "p50", "p10", "p90"


@dataclass(frozen=True, slots=True)
class Number:
    """One number of a report: a median with its 80% interval, or what is exact.

    Attributes
    ----------
    key
        How templates refer to it.
    words, unit
        What it is, and of what.
    centre, low, high
        In the unit; `low` and `high` are None where the number has no interval.
    rests_on
        Blocks whose priors and data it follows from, or files that hold it.
    """

    key: str
    words: str
    unit: str
    centre: float | None
    low: float | None = None
    high: float | None = None
    rests_on: tuple[str, ...] = ()

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
    def plain(self) -> str:
        """Return the middle without its unit."""
        return self._texts()[0]

    def _texts(self) -> tuple[str, str]:
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
        if self.unit in PROBABILITY:
            return "%", 100.0
        return scaled(self.unit, [self.centre])


def share_text(percent: float) -> str:
    """Return a percentage without an interval: whole, but for the ends, which are bounds."""
    if 0 < percent < 1:
        return "under 1"
    return "over 99" if 99 < percent < 100 else f"{percent:.0f}"


def known_numbers(evidence: Mapping[str, Any]) -> "Numbers":
    """Return every number that the evidence holds, by key.

    ``QUANTITY@YEAR`` and ``QUANTITY.LABEL@YEAR`` by year; ``QUANTITY.since@YEAR``, ``.grows`` and
    ``.rises`` of it; ``when.NAME`` (a date) and ``when.NAME@YEAR`` of thresholds;
    ``post.QUANTITY.CASE`` and ``claim.NAME``; ``theirs.NAME`` and ``ours.NAME`` of published
    figures; ``SCENARIO.QUANTITY@YEAR`` and, beside the first scenario,
    ``SCENARIO.QUANTITY_ratio@YEAR``; ``share.QUANTITY@YEAR.BELIEF`` and
    ``worth.QUANTITY@YEAR.MEASUREMENT`` of sensitivity; ``backtest.TARGET.SCORE``,
    ``serving.KIND.NAME.SCORE`` of the track record.
    """
    return Numbers({number.key: number for number in _all(evidence)})


class Numbers(Mapping[str, Number]):
    """Numbers by key; a key that is none of theirs is refused with the closest ones."""

    def __init__(self, numbers: Mapping[str, Number]) -> None:
        """Hold the numbers."""
        self._numbers = dict(numbers)

    def __getitem__(self, key: str) -> Number:
        """Return a number, or refuse the key."""
        if key not in self._numbers:
            raise InputError(f"no number {key!r} in the report; {suggest(key, self._numbers)}")
        return self._numbers[key]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the keys."""
        return iter(self._numbers)

    def __len__(self) -> int:
        """Return how many numbers there are."""
        return len(self._numbers)


def _all(evidence: Mapping[str, Any]) -> Iterator[Number]:
    rests_on = evidence["rests_on"]
    every = tuple(one["block"] for one in evidence["fits"])

    def of(name: str) -> tuple[str, ...]:
        bare = name.partition(".")[0].removesuffix("_ratio").removesuffix("_difference")
        return tuple(rests_on.get(bare, every))

    years = evidence["years"]
    for name, entry in evidence["quantities"].items():
        yield from _of_entry(name, entry, years, of(name))
    for name, entry in evidence["thresholds"].items():
        words, on = entry["long_name"], of(entry["quantity"])
        date = Number(f"when.{name}", words, "year", entry[CENTRE], entry[LOW], entry[HIGH], on)
        yield date
        limit = Number(
            f"limit.{name}", f"Threshold: {words}", entry["threshold_unit"], entry["threshold"]
        )
        yield limit
        for year, share in zip(years, entry["passed_by"], strict=True):
            about = f"Probability that it is passed by {year}: {words}"
            yield Number(f"when.{name}@{year}", about, "probability", share, rests_on=on)
    serving = ("serving",)
    for name, entry in evidence["post"].items():
        yield from _of_entry(f"post.{name}", entry, [], serving)
    judged = evidence["post"]["probability"]
    for name, share in zip(judged["claim"], judged["value"], strict=True):
        words = evidence["claims"][name]["statement"]
        yield Number(
            f"claim.{name}", f"Probability: {words}", "probability", share, rests_on=serving
        )
    for one in evidence["comparisons"]:
        words, on = f"{one['words']}, {one['date']}", of(one["quantity"])
        yield Number(
            f"ours.{one['name']}", words, one["unit"], one["p50"], one["p10"], one["p90"], on
        )
        point = one["point"] if one["point"] is not None else one["low"]
        about = f"{words}, by {one['by']}"
        yield Number(
            f"theirs.{one['name']}",
            about,
            one["unit"],
            point,
            one["low"],
            one["high"],
            (one["source"],),
        )
    compared = evidence["compared"]
    for name, entry in compared["quantities"].items():
        label = next(dim for dim in entry["dims"] if dim != "year")
        for at, scenario in enumerate(entry[label]):
            columns = {key: [row[at] for row in entry[key]] for key in entry if key in _KEPT}
            words = {"unit": entry["unit"], "long_name": f"{entry['long_name']} ({scenario})"}
            yield from _of_entry(f"{scenario}.{name}", words | columns, compared["years"], of(name))
    for asked, document in evidence["sensitivity"].items():
        yield from _of_sensitivity(asked, document, of(asked.partition("@")[0]))
    yield from _of_the_record(evidence["track_record"])


_KEPT = (CENTRE, LOW, HIGH, "value")


def _of_entry(
    name: str, entry: Mapping[str, Any], years: list[int], on: tuple[str, ...]
) -> Iterator[Number]:
    """Yield the numbers of one quantity of a document: each year, each label of other dims."""
    columns = {key: entry[key] for key in _KEPT if key in entry}
    by_year = any(isinstance(value, list) for value in columns.values()) and "dims" not in entry
    dims = entry.get("dims", ["year"] if by_year else [])
    labels = [years if dim == "year" else entry[dim] for dim in dims]
    for at in product(*map(enumerate, labels)):
        cells = {
            key: reduce(getitem, (index for index, _ in at), value)
            for key, value in columns.items()
        }
        year = next(
            (f"@{label}" for dim, (_, label) in zip(dims, at, strict=True) if dim == "year"), ""
        )
        rest = [str(label) for dim, (_, label) in zip(dims, at, strict=True) if dim != "year"]
        words = ", ".join([entry["long_name"], *rest, *([year[1:]] if year else [])])
        centre = cells.get(CENTRE, cells.get("value"))
        key = ".".join([name, *rest]) + year
        yield Number(key, words, entry["unit"], centre, cells.get(LOW), cells.get(HIGH), on)


def _of_sensitivity(
    asked: str, document: Mapping[str, Any], on: tuple[str, ...]
) -> Iterator[Number]:
    """Yield shares of variance, what beliefs do to the median, what measurements are worth."""
    about = document["quantity"]
    what = f"{about['long_name']}, {about['year']}"
    for part in ("kinds", "blocks", "groups", "beliefs"):
        for entry in document[part]:
            words = f"Share of the variance of {what}: {entry.get('words', entry['name'])}"
            ends = (entry["share"], max(entry["share_p05"], 0.0), entry["share_p95"])
            yield Number(f"share.{asked}.{entry['name']}", words, "share", *ends, rests_on=on)
    for entry in document["beliefs"]:
        for end in ("low", "high") if entry.get("acts_forward") else ():
            words = f"{what}: median where {entry['words']} is {end}"
            yield Number(
                f"{end}.{asked}.{entry['name']}",
                words,
                about["unit"],
                entry[f"at_{end}"],
                rests_on=on,
            )
    for entry in document.get("measurements", []):
        words = f"Share of the variance of {what} that measuring explains: {entry['words']}"
        ends = (
            entry["variance_explained"],
            max(entry["variance_explained_p05"], 0.0),
            entry["variance_explained_p95"],
        )
        yield Number(f"worth.{asked}.{entry['name']}", words, "share", *ends, rests_on=on)


def _of_the_record(record: Mapping[str, Any]) -> Iterator[Number]:
    """Yield the published scores of past forecasts, of held-out rows, and of calibration."""
    for row in record["backtest"]:
        horizon = row["horizon"]
        at = "" if horizon == "all" else f".{horizon:.0f}"
        words = f"{row['target']}, {'all horizons' if not at else f'{horizon:.0f} years ahead'}"
        for score, unit in _SCORES.items():
            if isinstance(row.get(score), float):
                key = f"backtest.{row['target']}.{score.replace(' ', '_')}{at}"
                yield Number(
                    key,
                    f"Backtest, {score}: {words}",
                    unit,
                    row[score],
                    rests_on=("reports/validation/backtest.csv",),
                )
    for row in record["serving"]:
        for score, unit in _HELD_OUT.items():
            key = f"serving.{row['kind']}.{row['name']}.{score}"
            words = f"Held-out throughput, {score}: {row['kind']} {row['name']}"
            yield Number(key, words, unit, row[score], rests_on=("reports/validation/serving.csv",))
    short = sum(float(row["p_adjusted"]) < 0.05 for row in record["calibration"])
    on = ("reports/validation/calibration.csv",)
    yield Number(
        "calibration.tested",
        "Quantities tested by refits to simulated data",
        "count",
        float(len(record["calibration"])),
        rests_on=on,
    )
    yield Number(
        "calibration.short",
        "Quantities of them that fell short",
        "count",
        float(short),
        rests_on=on,
    )


_SCORES = {
    "rows": "count",
    "cover50": "share",
    "cover80": "share",
    "cover90": "share",
    "versus best": "ratio",
    "crps": "ratio",
}
_HELD_OUT = {
    "rows": "count",
    "fold50": "ratio",
    "fold90": "ratio",
    "cover50": "share",
    "cover80": "share",
}
