"""Settings as of an earlier day: folders of what could be read then, and of what was believed.

What a day had not seen is left out of the files themselves, which whatever reads ``data`` or
``priors`` then sees in place of the run's own; fits and answers, kept under the content of their
files, are those of what was visible, whatever is published later.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from importlib.resources.abc import Traversable
from pathlib import Path

from forepass import atomic, limits
from forepass.errors import InputError
from forepass.inputs.dates import is_date, last_day
from forepass.inputs.earlier import FILE, believed_by, load_earlier
from forepass.inputs.known import KNOWN, SOURCES, as_csv, first_known, newest, seen_by
from forepass.inputs.rows import Rows, read_rows
from forepass.inputs.text_files import read_text
from forepass.inputs.toml_files import as_toml, read_tables
from forepass.settings import Settings

DEFINED = "definitions"
REPORTING_LAG = timedelta(days=90)
"""By when a count that was made again later is taken to have been made at the time."""

__all__ = ["refuse_unseen", "seen_as_of"]


def seen_as_of(
    settings: Settings, day: date, *, again: Mapping[str, str] | None = None
) -> Settings:
    """Return settings whose data and priors are those of a day.

    Rows, versions of rows and sources that came later are left out, and a belief whose source came
    later, or which is a judgement of today, falls back to what priors/earlier.toml states. The
    files lie beside the cached fits, under the hash of what they hold. A day by which all was
    known leaves the folders as they are.

    Parameters
    ----------
    settings
        Of all that is known.
    day
        Its knowledge.
    again
        Tables that were reconstructed later, each with the column that dates what a row describes:
        its rows count as known `REPORTING_LAG` after that, as if counted at the time. None: all
        that was not known is left out.

    Raises
    ------
    InputError
        Where no table has a row yet, or a table, a prior or its fallback is wrong.
    """
    rows = _tables(settings.data)
    rows |= {name: _reported(rows[name], column) for name, column in (again or {}).items()}
    seen = seen_by(rows, day)
    observed = [name for name in rows if KNOWN in rows[name].header]
    unseen = tuple((name, first_known(rows[name])) for name in observed if not seen[name].cells)
    if len(unseen) == len(observed):
        raise InputError(_unseen_words(unseen, day))
    sources = dict(zip(*(rows[SOURCES].column(name) for name in ("source", "date")), strict=True))
    beliefs = _believed(settings.priors, day, sources)
    hidden = any(_fewer(seen[name], newest(table, name), name) for name, table in rows.items())
    data = {f"{name}.csv": as_csv(table) for name, table in seen.items()}
    return replace(
        settings,
        data=_written(settings.cache, data) if hidden else settings.data,
        priors=_written(settings.cache, beliefs) if beliefs else settings.priors,
        as_of=day,
        unseen=unseen,
    )


def refuse_unseen(tables: Iterable[str], settings: Settings) -> None:
    """Refuse to go on without the rows of tables that had none yet, naming them all.

    Raises
    ------
    InputError
        Naming the tables, and from when on each has rows.
    """
    needed = set(tables)
    if settings.as_of and (missing := [(n, d) for n, d in settings.unseen if n in needed]):
        raise InputError(_unseen_words(missing, settings.as_of))


def _unseen_words(unseen: Iterable[tuple[str, str]], day: date) -> str:
    words = [f"{name}.csv ({f'from {since}' if since else 'no dates'})" for name, since in unseen]
    return f"--as-of {day}: no row was known then of {', '.join(words)}; give a later date"


def _tables(folder: Traversable) -> dict[str, Rows]:
    # That of the sources is needed, and asked for whether or not it is there.
    files = {f"{SOURCES}.csv"} | {path.name for path in folder.iterdir()}
    return {
        name.removesuffix(".csv"): read_rows(folder / name, may_be_empty=True)
        for name in sorted(files)
        if name.endswith(".csv")
    }


def _reported(rows: Rows, described: str) -> Rows:
    """Return rows known a lag after the date that they describe, where not known earlier."""
    at, dated = rows.header.index(KNOWN), rows.header.index(described)

    def known(row: tuple[str, ...]) -> str:
        soon = last_day(row[dated]) + REPORTING_LAG
        return row[at] if last_day(row[at]) <= soon else soon.isoformat()

    cells = [(*row[:at], known(row), *row[at + 1 :]) for row in rows.cells]
    return replace(rows, cells=cells)


def _fewer(seen: Rows, all_rows: Rows, name: str) -> bool:
    """Return whether a day hides rows or what they cite; `seen_by` adds one source of its own."""
    return seen.cells[: -1 if name == SOURCES else None] != all_rows.cells


def _believed(folder: Traversable, day: date, sources: Mapping[str, str]) -> dict[str, str]:
    """Return the files of priors as of a day, empty where they are what they are now."""
    fallbacks = load_earlier(folder)
    now = {block: read_tables(f"{block}.toml", folder)[0] for block in fallbacks[1]}
    then = believed_by(day, now, fallbacks, sources)
    now[DEFINED], then[DEFINED] = (read_tables(f"{DEFINED}.toml", folder)[0] for _ in range(2))
    software = then[DEFINED].get("software_date", {})
    # Software of a day to come would be a forecast, not a convention.
    if is_date(software.get("value")) and last_day(software["value"]) > day:
        software["value"] = day.isoformat()
    if then == now:
        return {}
    kept = {
        path.name: read_text(path, path.name, most_bytes=limits.BELIEFS_BYTES)
        for path in folder.iterdir()
        if path.name.endswith(".toml") and path.name != FILE
    }
    changed = {block for block in then if then[block] != now[block]}
    return kept | {f"{block}.toml": as_toml(then[block]) for block in changed}


def _written(cache: Path, texts: Mapping[str, str]) -> Path:
    """Return the folder that holds these files, made under the hash of them."""
    content = json.dumps(dict(texts), sort_keys=True)
    home = cache / "as_of" / hashlib.sha256(content.encode()).hexdigest()[:20]
    try:
        atomic.make_folder(home)
        for name, text in texts.items():
            if not _holds(home / name, text):
                atomic.write_text(home / name, text)
    except OSError as error:
        raise InputError(
            f"{home}: cannot be written ({error.strerror}); --as-of keeps what was known there, "
            "so set FOREPASS_CACHE to a folder that can be"
        ) from None
    return home


def _holds(path: Path, text: str) -> bool:
    """Return whether a file is as it was written."""
    try:
        return limits.read_whole(path, limits.TABLE_BYTES) == text.encode()
    except (OSError, ValueError):
        return False
