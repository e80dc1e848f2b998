"""Named futures: what priors/scenarios/*.toml and ``--set`` ask to change, read with care.

Read here is the form of what is asked. Whether its names and values are possible is settled
against the priors by `forepass.what_if.intervention_names`, which takes the numerical libraries.
"""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from forepass.errors import InputError
from forepass.inputs.dates import is_date
from forepass.inputs.definitions import TYPES
from forepass.inputs.text_files import suggest
from forepass.inputs.toml_files import check_fields, number, read_tables, text_field
from forepass.rooms import room

FOLDER, SUFFIX, BASELINE, DATE = "scenarios", ".toml", "baseline", "_date"
NAME = re.compile(r"[a-z0-9][a-z0-9-]*")
ABOUT, TEXTS = "scenario", ("title", "story", "source")
TABLES = ("pins", "shifts", "priors", "definitions")
KINDS_OF_CHANGE = ("value", "times", "growth", "growth_times")
SHAPE_FITS = (
    *("first_year", "last_year", "reference_vendor", "chip_minimum_bandwidth_bytes_per_s"),
    *("chip_line_share", "frontier_window_factor", "frontier_window_years"),
)
"""Definitions that a fit or the span of years depends on: no scenario changes these."""

type Table = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """One thing to pin or to change: ends of an 80% interval, or twice one number.

    Attributes
    ----------
    how : of `KINDS_OF_CHANGE`.
    since : first year that changes; None for a belief, or for the first year after the record.
    """

    low: float
    high: float
    how: str = "value"
    since: int | None = None


@dataclass(frozen=True, slots=True)
class Layer:
    """What one file, or the command line, asks; later layers override earlier ones.

    Attributes
    ----------
    where : how messages name it.
    changes : by name as the user wrote it.
    priors : tables of priors by block and name.
    definitions : by name.
    """

    where: str
    changes: dict[str, Asked] = field(default_factory=dict)
    priors: dict[str, dict[str, Table]] = field(default_factory=dict)
    definitions: dict[str, Any] = field(default_factory=dict)

    def content(self) -> dict[str, Any]:
        """Return what is asked, as JSON has it."""
        changes = {
            name: [one.how, one.low, one.high, one.since] for name, one in self.changes.items()
        }
        priors = _finite(self.priors)
        return {"changes": changes, "priors": priors, "definitions": self.definitions}


@dataclass(frozen=True, slots=True)
class Scenario:
    """A named future, with what it inherits."""

    name: str
    title: str
    story: str
    source: str
    layers: tuple[Layer, ...]
    chain: tuple[str, ...]

    def content(self) -> dict[str, Any]:
        """Return all that an answer depends on, as JSON has it."""
        return {"name": self.name, "layers": [layer.content() for layer in self.layers]}

    def priors(self) -> dict[str, dict[str, Table]]:
        """Return the priors replaced by any layer, by block and name, the last word counting."""
        found: dict[str, dict[str, Table]] = {}
        for layer in self.layers:
            for block, tables in layer.priors.items():
                found.setdefault(block, {}).update(tables)
        return found

    def definitions(self) -> dict[str, Any]:
        """Return the definitions changed by any layer, the last word counting."""
        return {name: value for layer in self.layers for name, value in layer.definitions.items()}


def _finite(value: Any) -> Any:  # noqa: ANN401 - as TOML has it
    """Return tables with the words for numbers that JSON does not have, such as inf."""
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_finite(inner) for inner in value]
    return value if not isinstance(value, float) or math.isfinite(value) else str(value)


def plain() -> Scenario:
    """Return the scenario that changes nothing: what a command does unless asked otherwise."""
    return Scenario("as believed", "", "", "", (Layer("as believed"),), ())


def scenario_names(folder: Traversable) -> list[str]:
    """Return the names of the scenarios beside the priors in ``folder``, baseline first."""
    names = {entry.name.removesuffix(SUFFIX) for entry in _home(folder).iterdir()}
    found = sorted(name for name in names if NAME.fullmatch(name))
    return sorted(found, key=lambda name: name != BASELINE)


def check_compared(names: Sequence[str], what: str = "compare") -> None:
    """Refuse fewer than two scenarios, or one named twice; ``what`` is what takes them."""
    twice = next((name for name in names if names.count(name) > 1), None)
    if len(names) < 2 or twice:
        got = f"{twice} twice" if twice else " ".join([*names, "alone"])
        raise InputError(f"{what} takes two scenarios or more, each once; got {got}")


def load_scenario(name: str, folder: Traversable, below: tuple[str, ...] = ()) -> Scenario:
    """Return a scenario with what it inherits, by name, or by path where it ends in ``.toml``.

    ``below`` are the names of those that inherit it.

    Raises
    ------
    InputError
        Naming file and key; a loop of inheritance with its chain.
    """
    chain = (*below, name)
    if name in below:
        raise InputError(f"scenarios inherit in a loop: {' <- '.join(chain)}; break it")
    home, file_name = _home(folder), f"{name}{SUFFIX}"
    if name.endswith(SUFFIX):
        path = Path(name)
        home, file_name = path.parent, path.name
    elif name not in scenario_names(folder):
        by = f"{' <- '.join(below)} inherits it: " if below else ""
        raise InputError(f"{by}no scenario {name!r}; {suggest(name, scenario_names(folder))}")
    tables, file = read_tables(file_name, home)
    check_fields(tables, required=(ABOUT,), optional=TABLES, where=file)
    about = tables[ABOUT]
    check_fields(about, required=TEXTS, optional=("inherits",), where=f"{file}: {ABOUT}")
    words = {key: text_field(about, key, f"{file}: {ABOUT}") for key in TEXTS}
    before: tuple[Layer, ...] = ()
    parents: tuple[str, ...] = ()
    if "inherits" in about:
        # A name, never a path: no file of a user's reaches out to others.
        wanted = text_field(about, "inherits", f"{file}: {ABOUT}")
        if wanted.endswith(SUFFIX):
            raise InputError(
                f"{file}: {ABOUT}: inherits must be the name of a scenario beside priors, "
                f"got {wanted!r}; write it without {SUFFIX}"
            )
        parent = load_scenario(wanted, folder, chain)
        before, parents = parent.layers, parent.chain
    layer = Layer(
        file,
        _changes(tables.get("pins", {}), tables.get("shifts", {}), file),
        _priors(tables.get("priors", {}), file),
        {
            key: definition(key, value, f"{file}: definitions: {key}")
            for key, value in tables.get("definitions", {}).items()
        },
    )
    return Scenario(name, **words, layers=(*before, layer), chain=(name, *parents))


def _changes(pins: Table, shifts: Table, file: str) -> dict[str, Asked]:
    found = {name: _ends(value, f"{file}: pins: {name}") for name, value in _flat(pins).items()}
    for name, table in _flat(shifts, leaf=(*KINDS_OF_CHANGE, "from")).items():
        where = f"{file}: shifts: {name}"
        if name in found:
            raise InputError(f"{where}: pinned too, in [pins]; keep one of the two")
        if not isinstance(table, dict):
            raise InputError(f"{where}: write [shifts.{name}] with from = ... and times = ...")
        check_fields(table, required=("from",), optional=KINDS_OF_CHANGE, where=where)
        hows = [how for how in KINDS_OF_CHANGE if how in table]
        if len(hows) != 1:
            raise InputError(
                f"{where}: give one of {', '.join(KINDS_OF_CHANGE)}, got {' and '.join(hows) or 0}"
            )
        if not isinstance(table["from"], int) or isinstance(table["from"], bool):
            raise InputError(f"{where}: from must be a year, got {table['from']!r}")
        ends = _ends(table[hows[0]], f"{where}: {hows[0]}")
        found[name] = replace(ends, how=hows[0], since=table["from"])
    return found


def _flat(tables: Table, *, leaf: Sequence[str] = ()) -> Table:
    """Return nested tables by dotted name, as deep as to those that hold a field of ``leaf``."""
    found: Table = {}
    for key, value in tables.items():
        if isinstance(value, dict) and not (leaf and set(leaf) & set(value)):
            found |= {f"{key}.{below}": one for below, one in _flat(value, leaf=leaf).items()}
            if not value:
                found[key] = value
        else:
            found[key] = value
    return found


def _ends(value: object, where: str) -> Asked:
    """Return a number, or the ends of an interval given as two."""
    if not isinstance(value, list):
        one = number(value, "value", where)
        return Asked(one, one)
    if len(value) != 2:
        raise InputError(f"{where}: an interval has two ends, as in [0.3, 0.7]")
    low, high = (number(end, "each end", where) for end in value)
    return _rising(low, high, where)


def _rising(low: float, high: float, where: str) -> Asked:
    if not low < high:
        raise InputError(f"{where}: the interval {low:g} to {high:g} must rise; low end first")
    return Asked(low, high)


def _priors(tables: Table, file: str) -> dict[str, dict[str, Table]]:
    for block, priors in tables.items():
        for name, table in priors.items() if isinstance(priors, dict) else [("NAME", None)]:
            if not isinstance(table, dict):
                raise InputError(
                    f"{file}: priors: {block}: write [priors.{block}.{name}], fields below"
                )
    return tables


def definition(name: str, value: object, where: str) -> Any:  # noqa: ANN401 - as in TYPES
    """Return the value of a definition that a scenario may change."""
    if name not in TYPES:
        raise InputError(f"{where}: no definition {name!r}; {suggest(name, TYPES)}")
    if name in SHAPE_FITS:
        raise InputError(
            f"{where}: fits or the span of years depend on it; change it in a copy of priors/"
        )
    if TYPES[name] == "str":
        if not isinstance(value, str) or not value.strip():
            raise InputError(f"{where}: must be text in quotes, got {value!r}")
        if name.endswith(DATE) and not is_date(value):
            raise InputError(f"{where}: must be a date such as 2026-05, got {value!r}")
        return value
    found = number(value, "value", where)
    if not found > 0 or (TYPES[name] == "int" and found != int(found)):
        kind = "a whole number above 0" if TYPES[name] == "int" else "above 0"
        raise InputError(f"{where}: must be {kind}, got {found:g}")
    return int(found) if TYPES[name] == "int" else found


def as_asked(texts: Iterable[str], option: str = "--set") -> Layer:
    """Return what ``NAME=VALUE`` texts ask: a number, or an interval such as 0.3 to 0.7.

    ``NAME@YEAR`` changes a quantity by year from that year on; a definition is set.

    Raises
    ------
    InputError
        Where a text is not of that form, or a name is given twice.
    """
    changes: dict[str, Asked] = {}
    definitions: dict[str, Any] = {}
    for text in texts:
        where = f"{option} {text}"
        name, equals, value = (part.strip() for part in text.partition("="))
        name, at, year = (part.strip() for part in name.partition("@"))
        if not (name and equals and value) or (at and not year.isdecimal()):
            raise InputError(
                f"{where}: must be NAME=VALUE or NAME@YEAR=VALUE, as in duty_cycle=0.7 or "
                f'"inference_share@2028=0.3 to 0.7"'
            )
        if name in changes or name in definitions:
            raise InputError(f"{where}: {name} is set twice; keep one")
        if name in TYPES:
            if at or " to " in value:
                raise InputError(f"{where}: a definition has one value, for all years")
            stated = value if TYPES[name] == "str" else _number(value, where)
            definitions[name] = definition(name, stated, where)
            continue
        low, to, high = (part.strip() for part in value.partition(" to "))
        first = _number(low, where)
        ends = _rising(first, _number(high, where), where) if to else Asked(first, first)
        changes[name] = replace(ends, since=int(year) if at else None)
    return Layer(option, changes, definitions=definitions)


def _number(text: str, where: str) -> float:
    try:
        return number(float(text), "value", where)
    except ValueError:
        raise InputError(
            f'{where}: must be a number or an interval such as "0.3 to 0.7", got {text!r}'
        ) from None


def with_layer(scenario: Scenario, layer: Layer) -> Scenario:
    """Return a scenario that asks something more."""
    return replace(scenario, layers=(*scenario.layers, layer))


def _home(folder: Traversable) -> Traversable:
    """Return the folder of scenarios beside priors; the shipped one where there is none."""
    own = folder / FOLDER
    return own if own.is_dir() else room("priors") / FOLDER
