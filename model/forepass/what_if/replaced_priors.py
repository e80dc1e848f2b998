"""A folder of priors in which a scenario's stand in place of some of the run's."""

import hashlib
import json
import re
from dataclasses import replace
from typing import Any

from forepass import atomic, limits
from forepass.errors import InputError
from forepass.inputs.priors import BLOCKS, check_sources, load_priors
from forepass.inputs.rows import read_rows
from forepass.inputs.text_files import read_text, suggest
from forepass.inputs.toml_files import as_toml
from forepass.settings import Settings
from forepass.what_if.scenarios import SUFFIX, Scenario


def overlaid(scenario: Scenario, settings: Settings) -> Settings:
    """Return settings whose priors are the run's with those that the scenario replaces.

    The files are written beside the cached fits, under the hash of what they hold; the blocks whose
    priors stay find the fits that they had.

    Raises
    ------
    InputError
        Where a prior is replaced that there is not, or its table is wrong.
    """
    if not scenario.priors():
        return settings
    texts = {
        path.name: read_text(path, path.name, most_bytes=limits.BELIEFS_BYTES)
        for path in settings.priors.iterdir()
        if path.name.endswith(SUFFIX)
    }
    where = {}
    for layer in scenario.layers:
        for block, tables in layer.priors.items():
            if block not in BLOCKS:
                raise InputError(
                    f"{layer.where}: priors: no block {block!r}; {suggest(block, BLOCKS)}"
                )
            where[block], file = f"{layer.where}: priors.{block}", f"{block}{SUFFIX}"
            if file not in texts:
                raise InputError(f"{where[block]}: {settings.priors / file}: no such file")
            for name, table in tables.items():
                texts[file] = _with_table(texts[file], name, table, where[block])
    content = json.dumps(texts, sort_keys=True)
    home = settings.cache / "priors" / hashlib.sha256(content.encode()).hexdigest()[:20]
    atomic.make_folder(home)
    for name, text in texts.items():
        atomic.write_text(home / name, text)
    sources = set(read_rows(settings.data / "sources.csv").column("source"))
    for block, stated in where.items():
        try:
            check_sources(load_priors(block, home).values(), sources)
        except InputError as error:
            # Said of the file that the user wrote, not of the one made here.
            raise InputError(str(error).replace(str(home / f"{block}{SUFFIX}"), stated)) from None
    return replace(settings, priors=home)


def _with_table(text: str, name: str, table: dict[str, Any], where: str) -> str:
    """Return the text of a file of priors with one table exchanged."""
    known = re.findall(r"(?m)^\[(\w+)\]", text)
    if name not in known:
        raise InputError(f"{where}: no prior {name!r}; {suggest(name, known)}")
    new = as_toml({name: table})
    return re.sub(rf"(?ms)^\[{name}\]\n.*?(?=^\[|\Z)", lambda _: new, text)
