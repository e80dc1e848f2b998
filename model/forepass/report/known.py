"""Every number that a report may tell, by key, found in its evidence."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from forepass.calibration.ranks import LEVEL
from forepass.report.numbers import Number, Numbers
from forepass.report.words import agrees
from forepass.tell.answers import tidy_rows
from forepass.tell.render import CENTRE, HIGH, LOW, date_text


def known_numbers(evidence: Mapping[str, Any]) -> Numbers:
    """Return every number that the evidence holds, by key.

    ``QUANTITY@YEAR`` and ``QUANTITY.LABEL@YEAR`` by year; ``QUANTITY.since@YEAR`` and
    ``.rises`` of it; ``when.NAME`` (a date) and ``when.NAME@YEAR`` of thresholds;
    ``post.QUANTITY.CASE`` and ``claim.NAME``; ``theirs.NAME`` and ``ours.NAME`` of published
    figures; ``SCENARIO.QUANTITY@YEAR`` and, beside the first scenario,
    ``SCENARIO.QUANTITY_ratio@YEAR``; ``share.QUANTITY@YEAR.BELIEF`` and
    ``worth.QUANTITY@YEAR.MEASUREMENT`` of sensitivity; ``backtest.TARGET.SCORE``,
    ``serving.KIND.NAME.SCORE`` of the track record; ``prior.BLOCK.NAME``, ``posterior.`` and
    ``learned.`` of it; ``fit.BLOCK.CHECK``, ``table.NAME.rows``, ``definition.NAME``.
    """
    return Numbers({number.key: number for number in _all(evidence)})


def _all(evidence: Mapping[str, Any]) -> Iterator[Number]:
    rests_on = evidence["rests_on"]
    every = tuple(one["block"] for one in evidence["fits"])

    def of(name: str) -> tuple[str, ...]:
        bare = name.partition(".")[0].removesuffix("_ratio").removesuffix("_difference")
        return tuple(rests_on.get(bare, every))

    years = evidence["years"]
    yield from _of_quantities(evidence, of)
    for name, entry in evidence["thresholds"].items():
        words, on = entry["long_name"], of(entry["quantity"])
        # In words where a date lies outside the years asked.
        ends = " to ".join(date_text(entry, end) for end in (LOW, HIGH))
        shown = (date_text(entry, CENTRE), ends)
        yield Number(f"when.{name}", words, "year", *_ends(entry), rests_on=on, shown=shown)
        unit, about = entry["threshold_unit"], f"Threshold: {words}"
        yield Number(f"limit.{name}", about, unit, entry["threshold"])
        for year, share in zip(years, entry["passed_by"], strict=True):
            about = f"Probability that it is passed by {year}: {words}"
            yield Number(f"when.{name}@{year}", about, "probability", share, rests_on=on)
    serving = ("serving",)
    yield from _of_quantities({"quantities": evidence["post"]}, lambda _: serving, "post.")
    judged = evidence["post"]["probability"]
    for name, share in zip(judged["claim"], judged["value"], strict=True):
        about = f"Probability: {evidence['claims'][name]['statement']}"
        yield Number(f"claim.{name}", about, "probability", share, rests_on=serving)
    for one in evidence["comparisons"]:
        name, unit, words = one["name"], one["unit"], f"{one['words']}, {one['date']}"
        yield Number(f"ours.{name}", words, unit, *_ends(one), of(one["quantity"]))
        point = one["point"] if one["point"] is not None else one["low"]
        theirs, about = (point, one["low"], one["high"]), f"{words}, by {one['by']}"
        yield Number(f"theirs.{name}", about, unit, *theirs, (one["source"],))
    compared = evidence["compared"]
    for row in tidy_rows(compared):
        name, year = row["quantity"], row["year"]
        scenario = row.get("scenario", row.get("compared"))
        words = f"{compared['quantities'][name]['long_name']} ({scenario}), {year}"
        key = f"{scenario}.{name}@{year}"
        yield Number(key, words, row["unit"], *_ends(row), of(name))
    for asked, document in evidence["sensitivity"].items():
        yield from _of_sensitivity(asked, document, of(asked.partition("@")[0]))
    yield from _of_the_record(evidence["track_record"])
    yield from _of_inputs(evidence)


def _ends(about: Mapping[str, Any]) -> tuple[float | None, float | None, float | None]:
    return about.get(CENTRE), about.get(LOW), about.get(HIGH)


def _of_quantities(
    document: Mapping[str, Any], of: Callable[[str], tuple[str, ...]], prefix: str = ""
) -> Iterator[Number]:
    """Yield the numbers of each quantity of a document: each year, each label of other dims."""
    for row in tidy_rows(document):
        name = row["quantity"]
        entry = document["quantities"][name]
        labels = [str(row[dim]) for dim in entry.get("dims", ()) if dim != "year"]
        year = [str(row["year"])] if "year" in row else []
        key = "@".join([".".join([prefix + name, *labels]), *year])
        words = ", ".join([entry["long_name"], *labels, *year])
        yield Number(key, words, entry["unit"], *_ends(row), of(name))


def _of_sensitivity(
    asked: str, document: Mapping[str, Any], on: tuple[str, ...]
) -> Iterator[Number]:
    """Yield shares of variance, and what measurements are worth."""
    about = document["quantity"]
    what = f"{about['long_name']}, {about['year']}"
    for part in ("kinds", "blocks", "groups", "beliefs"):
        for entry in document[part]:
            words = f"Share of the variance of {what}: {entry.get('words', entry['name'])}"
            ends = (entry["share"], max(entry["share_p05"], 0.0), entry["share_p95"])
            yield Number(f"share.{asked}.{entry['name']}", words, "share", *ends, rests_on=on)
    for entry in document.get("measurements", []):
        words = f"Share of the variance of {what} that measuring explains: {entry['words']}"
        gone, low, high = (entry[f"variance_explained{end}"] for end in ("", "_p05", "_p95"))
        key = f"worth.{asked}.{entry['name']}"
        yield Number(key, words, "share", gone, max(low, 0.0), high, on)


def _of_the_record(record: Mapping[str, Any]) -> Iterator[Number]:
    """Yield the published scores of past forecasts, of held-out rows, and of calibration."""
    files = {name: (f"reports/validation/{name}.csv",) for name in record}
    for row in record["backtest"]:
        horizon = row["horizon"]
        at = "" if horizon == "all" else f".{horizon:.0f}"
        words = f"{row['target']}, {'all horizons' if not at else f'{horizon:.0f} years ahead'}"
        for score, unit in _SCORES.items():
            if isinstance(row.get(score), float):
                key = f"backtest.{row['target']}.{score.replace(' ', '_')}{at}"
                about, on = f"Backtest, {score}: {words}", files["backtest"]
                yield Number(key, about, unit, row[score], rests_on=on)
    for row in record["serving"]:
        for score, unit in _SCORES.items():
            if isinstance(row.get(score), float):
                key = f"serving.{row['kind']}.{row['name']}.{score}"
                words = f"Held-out throughput, {score}: {row['kind']} {row['name']}"
                yield Number(key, words, unit, row[score], rests_on=files["serving"])
    ranked, on = record["calibration"], files["calibration"]
    short = float(sum(float(row["p_adjusted"]) < LEVEL for row in ranked))
    words = "Quantities tested by refits to simulated data"
    yield Number("calibration.tested", words, "count", float(len(ranked)), rests_on=on)
    words = "Quantities of them that fell short"
    yield Number("calibration.short", words, "count", short, rests_on=on)


_SCORES = {
    "rows": "count",
    **dict.fromkeys(("cover50", "cover80", "cover90"), "share"),
    **dict.fromkeys(("versus best", "crps", "fold50", "fold90"), "ratio"),
}


def _of_inputs(evidence: Mapping[str, Any]) -> Iterator[Number]:
    """Yield what was put in: definitions, priors beside their posteriors, tables; and the fits."""
    for name, value in evidence["definitions"].items():
        if isinstance(value, int | float):
            words = name.replace("_", " ")
            shown, file = (f"{value:,.6g}", ""), ("priors/definitions.toml",)
            key, number = f"definition.{name}", float(value)
            yield Number(key, words, "1", number, rests_on=file, shown=shown)
    for one in evidence["beliefs"]:
        at, on = f"{one['block']}.{one['name']}", (one["block"],)
        for when in ("prior", "posterior") if "posterior" in one else ("prior",):
            words = f"{one['words']} ({when})"
            yield Number(f"{when}.{at}", words, one["unit"], *_ends(one[when]), on)
        if "learned" in one:
            words = f"{one['words']}: share of the prior's variance that data took away"
            learned = max(one["learned"], 0.0)
            yield Number(f"learned.{at}", words, "probability", learned, rests_on=on)
    for fit in evidence["fits"]:
        for check in ("draws", "rhat", "ess_bulk", "ess_tail", "divergences"):
            unit = "R-hat" if check == "rhat" else "count"
            words = f"Fit of {fit['block']}: {check.replace('_', ' ')}"
            yield Number(f"fit.{fit['block']}.{check}", words, unit, float(fit[check]))
    for table in evidence["tables"]:
        for what in ("rows", "sources"):
            key, on = f"table.{table['table']}.{what}", (f"data/{table['table']}.csv",)
            words = f"{what.capitalize()} of data/{table['table']}.csv"
            yield Number(key, words, "count", float(table[what]), rests_on=on)
    unseen = [agrees(one["verdict"]) for one in evidence["comparisons"] if not one["seen"]]
    found = Counter(unseen)
    counts = {
        "unseen": (len(unseen), "compared"),
        "agrees": (found["agrees"] + found["a part"], "that agree or are a part of ours"),
        "overlap": (found["intervals overlap"], "whose range overlaps with ours"),
        "above": (found["above"], "above our interval"),
        "below": (found["below"], "below our interval"),
    }
    for name, (count, words) in counts.items():
        about = f"Published figures that no block is fitted to {words}"
        yield Number(f"published.{name}", about, "count", float(count))
