"""What templates call: numbers, words that hang on them, tables and figures, all by name."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from forepass.errors import InputError
from forepass.inputs.text_files import suggest
from forepass.report import words
from forepass.report.figures import FIGURES
from forepass.report.markdown import Markdown, anchor, escaped, joined, link, table
from forepass.report.numbers import Number, Numbers
from forepass.tell.render import rows_by_time

TOLD_IN_PLACE = ("prior.", "posterior.", "learned.", "table.", "fit.", "theirs.", "ours.")
"""Families of numbers that stand in the table that says where they come from."""
FORMS = ("both", "median", "interval", "plain", "bare")


@dataclass(frozen=True, slots=True)
class Telling:
    """One report as it is being written, with what its templates call.

    Attributes
    ----------
    cited : numbers told so far, by key.
    drawn : names of the figures shown so far, in order.
    """

    evidence: Mapping[str, Any]
    numbers: Numbers
    cited: dict[str, Number] = field(default_factory=dict)
    drawn: list[str] = field(default_factory=list)

    def n(self, name: str, year: int | None = None, form: str = "both") -> Markdown:
        """Return a number in a form of `FORMS`."""
        if form not in FORMS:
            raise InputError(f"no form {form!r} of a number; {suggest(form, FORMS)}")
        return self._cited(_key(name, year), form)

    def likely(self, name: str, year: int | None = None) -> Markdown:
        """Return the word for a probability, with the number."""
        key = _key(name, year)
        return Markdown(f"{words.likely(self._known(key))} ({self._cited(key)})")

    def moves(self, name: str, year: int) -> Markdown:
        """Return whether a quantity rises, with the chance of it."""
        key = _key(f"{name}.rises", year)
        return Markdown(f"{words.moves(self._known(key))} (chance of a rise {self._cited(key)})")

    def changes(self, name: str, year: int) -> Markdown:
        """Return how a quantity changes, with its interval."""
        key = _key(f"{name}.since", year)
        return Markdown(f"{words.changes(self._known(key))} ({self._cited(key, 'interval')})")

    def sure(self, name: str, year: int | None = None) -> str:
        """Return how well a number is known."""
        number = self.numbers[_key(name, year)]
        if number.low is None or number.high is None:
            raise InputError(f"{number.key} has no interval to be sure of")
        self.cited[number.key] = number
        return words.sure(number.low, number.high)

    def covers(self, name: str, level: float) -> str:
        """Return whether intervals of a level hold what they should."""
        return words.covers(self._known(name), level)

    def by_year(self, names: Sequence[str], years: Sequence[int] = ()) -> Markdown:
        """Return quantities down and years across, each row on one scale; a row for each label."""
        quantities = self.evidence["quantities"]
        for name in names:
            if name not in quantities:
                raise InputError(f"no quantity {name!r} by year; {suggest(name, quantities)}")
        shown = {**self.evidence, "quantities": {name: quantities[name] for name in names}}
        years = years or self.evidence["report"]["years"]
        return table(["Median (80% interval)", *years], rows_by_time(shown, years))

    def figure(self, name: str) -> Markdown:
        """Return a figure, its caption, and the numbers behind it folded away."""
        if name not in FIGURES:
            raise InputError(f"no figure {name!r}; {suggest(name, FIGURES)}")
        if name in self.drawn:
            raise InputError(f"figure {name!r} is shown twice")
        self.drawn.append(name)
        shown, number = FIGURES[name], len(self.drawn)
        lines = [
            f"![{escaped(shown.alt(self.evidence))}](figures/{name}.svg)",
            f"**Figure {number}.** {escaped(shown.title)}. {escaped(shown.caption)}",
        ]
        if shown.shown or shown.rows:
            folded = f"<details><summary>Numbers behind figure {number}</summary>"
            behind = table(*shown.rows(self.evidence)) if shown.rows else self.by_year(shown.shown)
            lines += [folded, behind, "</details>"]
        return Markdown("\n\n".join(lines) + "\n")

    def _known(self, key: str) -> float:
        centre = self.numbers[key].centre
        if centre is None:
            raise InputError(f"{key} has no value, so no word can hang on it")
        return centre

    def _cited(self, key: str, form: str = "both") -> Markdown:
        """Return a number's text, linked to where all is told of it."""
        number = self.numbers[key]
        if key.startswith(TOLD_IN_PLACE):
            return escaped(getattr(number, form))
        self.cited[key] = number
        return link(getattr(number, form), f"#{anchor(key)}")


def vocabulary(telling: Telling) -> dict[str, Callable[..., Any]]:
    """Return the functions that a template may call, each bound to the report."""
    names = ("n", "likely", "moves", "changes", "sure", "covers", "figure", "by_year")
    others = {"link": link, "joined": joined, "place": place, "grid": table, "agrees": words.agrees}
    return {name: getattr(telling, name) for name in names} | others


def place(key: str) -> Markdown:
    """Return the key of a number as the place that links to it lead to."""
    return Markdown(f'<a id="{anchor(key)}"></a>{escaped(key)}')


def _key(name: str, year: int | None) -> str:
    return name if year is None else f"{name}@{year}"
