"""What a report asks beyond the forecast by year, read from the report.toml of its templates."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path

from forepass.errors import InputError
from forepass.forward.thresholds import Threshold, read_threshold
from forepass.inputs.toml_files import check_fields, read_tables

FILE = "report.toml"
FIELDS = ("years", "sensitivity", "measure", "scenarios", "thresholds")


@dataclass(frozen=True, slots=True)
class Questions:
    """What is asked of the posterior for a report.

    Attributes
    ----------
    years : that its tables show.
    sensitivity : quantities and years whose variance is traced to beliefs.
    measure : which of them measurements are ranked for.
    scenarios : names; the first is compared with.
    thresholds : by the name under which the templates refer to each.
    """

    years: tuple[int, ...]
    sensitivity: tuple[tuple[str, int], ...]
    measure: tuple[str, int]
    scenarios: tuple[str, ...]
    thresholds: dict[str, Threshold]


def read_questions(folders: Sequence[Traversable | Path]) -> Questions:
    """Return the questions that the first folder of templates asks that has a file of them."""
    folder = next(folder for folder in folders if (folder / FILE).is_file())
    tables, file = read_tables(FILE, folder)
    if "report" not in tables or len(tables) != 1:
        raise InputError(f"{file}: must hold [report] alone, got {', '.join(tables)}")
    table = tables["report"]
    where = f"{file}: report"
    check_fields(table, required=FIELDS, where=where)
    try:
        asked = tuple(_at(text, where) for text in table["sensitivity"])
        questions = Questions(
            years=tuple(int(year) for year in table["years"]),
            sensitivity=asked,
            measure=_at(table["measure"], where),
            scenarios=tuple(str(name) for name in table["scenarios"]),
            thresholds={
                str(name): read_threshold(str(words).split(), option=f"{where}: {name}")
                for name, words in table["thresholds"].items()
            },
        )
    except (TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{where}: {error}") from error
    if not questions.years or questions.measure not in asked:
        raise InputError(f"{where}: years must name one, and measure one of sensitivity")
    return questions


def _at(text: object, where: str) -> tuple[str, int]:
    """Return a quantity and a year written as QUANTITY@YEAR."""
    name, sign, year = str(text).partition("@")
    if not sign or not year.isdecimal():
        raise InputError(f"{where}: a quantity is written with its year, NAME@2030, got {text!r}")
    return name, int(year)
