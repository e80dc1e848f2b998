"""What templates call: numbers, words that hang on them, tables and figures, all by name."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from forepass.errors import InputError
from forepass.inputs.text_files import suggest
from forepass.report import words
from forepass.report.markdown import Markdown, anchor, escaped, joined, link, table
from forepass.report.numbers import Number, Numbers
from forepass.tell.render import cell
from forepass.tell.rounding import scaled

__all__ = ["Telling", "vocabulary"]

TOLD_IN_PLACE = ("prior.", "posterior.", "learned.", "table.", "fit.", "theirs.", "ours.")
"""Families of numbers that stand in the table that says where they come from."""
FORMS = ("both", "median", "interval", "plain", "bare")


@dataclass(frozen=True, slots=True)
class Telling:
    """One report as it is being written.

    Attributes
    ----------
    cited
        Numbers told so far, by key.
    drawn
        Names of the figures shown so far, in order.
    """

    evidence: Mapping[str, Any]
    numbers: Numbers
    figures: Mapping[str, Any]
    cited: dict[str, Number] = field(default_factory=dict)
    drawn: list[str] = field(default_factory=list)


def vocabulary(telling: Telling) -> dict[str, Callable[..., Any]]:
    """Return the functions that a template may call, each bound to the report.

    ``n(NAME, YEAR, FORM)`` a number; ``likely``, ``moves``, ``changes``, ``sure``, ``covers`` the
    word that it earns, with the number; ``by_year`` a table; ``figure`` a figure with its caption
    and the numbers behind it; ``grid`` a table of cells; ``link`` and ``joined``.
    """

    def n(name: str, year: int | None = None, form: str = "both") -> Markdown:
        if form not in FORMS:
            raise InputError(f"no form {form!r} of a number; {suggest(form, FORMS)}")
        return _cited(telling, _key(name, year), form)

    def likely(name: str, year: int | None = None) -> Markdown:
        key = _key(name, year)
        return Markdown(f"{words.likely(_known(telling, key))} ({_cited(telling, key)})")

    def moves(name: str, year: int) -> Markdown:
        key = _key(f"{name}.rises", year)
        return Markdown(
            f"{words.moves(_known(telling, key))} (chance of a rise {_cited(telling, key)})"
        )

    def changes(name: str, year: int) -> Markdown:
        number = telling.numbers[_key(f"{name}.since", year)]
        said = words.changes(_known(telling, number.key))
        return Markdown(f"{said} ({_cited(telling, number.key, 'interval')})")

    def sure(name: str, year: int | None = None) -> str:
        number = telling.numbers[_key(name, year)]
        if number.low is None or number.high is None:
            raise InputError(f"{number.key} has no interval to be sure of")
        telling.cited[number.key] = number
        return words.sure(number.low, number.high)

    def covers(name: str, level: float) -> str:
        return words.covers(_known(telling, name), level)

    def figure(name: str) -> Markdown:
        return _figure(telling, name)

    def by_year(names: Sequence[str], years: Sequence[int] = ()) -> Markdown:
        return _by_year(telling.evidence, names, years or telling.evidence["report"]["years"])

    functions: tuple[Callable[..., Any], ...] = (
        *(n, likely, moves, changes, sure, covers, figure, by_year),
        *(link, joined, place),
    )
    named = {one.__name__: one for one in functions}
    return named | {"grid": table, "agrees": words.agrees}


def place(key: str) -> Markdown:
    """Return the key of a number as the place that links to it lead to."""
    return Markdown(f'<a id="{anchor(key)}"></a>{escaped(key)}')


def _key(name: str, year: int | None) -> str:
    return name if year is None else f"{name}@{year}"


def _known(telling: Telling, key: str) -> float:
    centre = telling.numbers[key].centre
    if centre is None:
        raise InputError(f"{key} has no value, so no word can hang on it")
    return centre


def _cited(telling: Telling, key: str, form: str = "both") -> Markdown:
    """Return a number's text, linked to where all is told of it."""
    number = telling.numbers[key]
    if key.startswith(TOLD_IN_PLACE):
        return escaped(getattr(number, form))
    telling.cited[key] = number
    return link(getattr(number, form), f"#{anchor(key)}")


def _by_year(evidence: Mapping[str, Any], names: Sequence[str], years: Sequence[int]) -> Markdown:
    """Return quantities down and years across, each row on one scale; a row for each label."""
    rows = []
    for name in names:
        entry = evidence["quantities"].get(name)
        if entry is None:
            raise InputError(
                f"no quantity {name!r} by year; {suggest(name, evidence['quantities'])}"
            )
        labels = next((entry[dim] for dim in entry.get("dims", ()) if dim != "year"), [None])
        for at, label in enumerate(labels):
            cells = [
                _cell(entry, evidence["years"].index(year), at if label else None) for year in years
            ]
            middles = [one.get("p50", one.get("value")) for one in cells]
            unit, factor = scaled(entry["unit"], middles)
            words = [entry["long_name"], label, "" if unit == "probability" else unit]
            rows.append([", ".join(filter(None, words)), *(cell(one, factor) for one in cells)])
    return table(["Median (80% interval)", *years], rows)


def _cell(entry: Mapping[str, Any], place: int, at: int | None) -> dict[str, Any]:
    """Return one year of a quantity, or of one label of it."""
    found: dict[str, Any] = {"unit": entry["unit"]}
    for key in ("p10", "p50", "p90", "value"):
        if key in entry:
            found[key] = entry[key][place] if at is None else entry[key][place][at]
    return found


def _figure(telling: Telling, name: str) -> Markdown:
    """Return a figure, its caption, and the numbers behind it folded away."""
    if name not in telling.figures:
        raise InputError(f"no figure {name!r}; {suggest(name, telling.figures)}")
    if name in telling.drawn:
        raise InputError(f"figure {name!r} is shown twice")
    telling.drawn.append(name)
    shown, number = telling.figures[name], len(telling.drawn)
    evidence = telling.evidence
    alt = escaped(shown.alt(evidence))
    lines = [
        f"![{alt}](figures/{name}.svg)",
        f"**Figure {number}.** {escaped(shown.title)}. {escaped(shown.caption)}",
    ]
    if shown.shown or shown.rows:
        years = evidence["report"]["years"]
        behind = (
            _by_year(evidence, shown.shown, years) if shown.shown else table(*shown.rows(evidence))
        )
        folded = f"<details><summary>Numbers behind figure {number}</summary>"
        lines += [folded, behind, "</details>"]
    return Markdown("\n\n".join(lines) + "\n")
