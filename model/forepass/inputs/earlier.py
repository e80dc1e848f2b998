"""What a belief falls back to on a day before its source was published, from priors/earlier.toml.

Each fallback is stated in numbers of its own rather than worked out from the belief of today, so
that nothing stated later can reach an earlier day through it.
"""

from collections.abc import Mapping
from datetime import date
from importlib.resources.abc import Traversable
from typing import Any

from forepass.errors import InputError
from forepass.inputs.dates import is_date, last_day
from forepass.inputs.toml_files import check_fields, check_tables, number, read_tables, text_field

__all__ = ["FILE", "JUDGEMENT", "KINDS", "believed_by", "load_earlier"]

FILE = "earlier.toml"
JUDGEMENT = "judgement"
"""The source of a belief that no document states, and the table that says when these were made."""
KINDS = "kinds"
STATED = ("kind", "distribution")
QUANTILES = ("p05", "p10", "p25", "p50", "p75", "p90", "p95")
OWN = ("unit", "support")  # of the belief of today: what it is about, not what it says

type Tables = dict[str, dict[str, Any]]


def load_earlier(folder: Traversable | None = None) -> tuple[date, dict[str, Tables]]:
    """Return the last day of the judgements, and the fallbacks as tables by block and name.

    Raises
    ------
    InputError
        Naming file and key of what is missing, unknown or no kind.
    """
    tables, file = read_tables(FILE, folder)
    for name in (JUDGEMENT, KINDS):
        if name not in tables:
            raise InputError(f"{file}: {name} is missing; add [{name}]")
    made = tables.pop(JUDGEMENT)
    check_fields(made, required=("date", "rationale"), where=f"{file}: {JUDGEMENT}")
    day = text_field(made, "date", f"{file}: {JUDGEMENT}")
    if not is_date(day):
        raise InputError(f'{file}: {JUDGEMENT}: date must be such as "2026-11", got {day!r}')
    kinds = tables.pop(KINDS)
    for kind, table in kinds.items():
        where = f"{file}: {KINDS}.{kind}"
        if not isinstance(table, dict):
            raise InputError(f"{where}: must be a table with wider and rationale")
        check_fields(table, required=("wider", "rationale"), where=where)
        if not number(table["wider"], "wider", where) > 1:
            raise InputError(f"{where}: wider must be above 1, got {table['wider']:g}")
    return last_day(day), {
        block: {
            name: _fallback(table, kinds, f"{file}: {block}.{name}")
            for name, table in stated.items()
        }
        for block, stated in tables.items()
    }


def believed_by(
    day: date,
    priors: Mapping[str, Tables],
    fallbacks: tuple[date, Mapping[str, Tables]],
    sources: Mapping[str, str],
) -> dict[str, Tables]:
    """Return the tables of priors as a day would have had them, by block and name.

    Parameters
    ----------
    day
        A belief whose sources are all dated by then stays.
    priors
        Tables as their files hold them, by block.
    fallbacks
        As `load_earlier` returns them.
    sources
        Date of each source by key, empty where it has none.
    """
    judged, earlier = fallbacks
    believed = {}
    for block, tables in priors.items():
        unused = f"{block}.toml has no such belief"
        stated = earlier.get(block, {})
        check_tables(stated, tables, fields=(*STATED, "p10"), unused=unused, file=f"{FILE} {block}")
        believed[block] = {
            name: table
            if _dated(str(table.get("source", "")), sources, judged) <= day
            else {**stated[name], **{key: table[key] for key in OWN if key in table}}
            for name, table in tables.items()
        }
    return believed


def _fallback(table: Any, kinds: Mapping[str, Any], where: str) -> dict[str, Any]:  # noqa: ANN401
    if not isinstance(table, dict):
        raise InputError(f"{where}: must be a table with {', '.join(STATED)} and quantiles")
    check_fields(table, required=STATED, optional=(*QUANTILES, "rationale"), where=where)
    kind = text_field(table, "kind", where)
    if kind not in kinds:
        raise InputError(f"{where}: no kind {kind!r}; known: {', '.join(kinds)}")
    why = text_field({**kinds[kind], **table}, "rationale", where)
    own = {key: value for key, value in table.items() if key != "kind"}
    return {**own, "source": JUDGEMENT, "rationale": why}


def _dated(keys: str, sources: Mapping[str, str], judged: date) -> date:
    """Return the day by which all sources of a belief were out; what has no date never was."""

    def of(key: str) -> date:
        text = sources.get(key, "")
        return judged if key == JUDGEMENT else last_day(text) if is_date(text) else date.max

    return max(of(key.strip()) for key in keys.split(";"))
