"""The report as Markdown: templates with numbers put in, and a reference that fails is an error."""

import re
from collections.abc import Mapping
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError
from jinja2.loaders import FunctionLoader
from jinja2.sandbox import SandboxedEnvironment

from forepass import limits
from forepass.errors import InputError
from forepass.inputs.text_files import read_text
from forepass.report.markdown import escaped
from forepass.report.telling import Telling, vocabulary
from forepass.report.words import MOVES
from forepass.tell.render import INTERVAL

# What an expression of a template may raise, whoever wrote it.
OF_EXPRESSIONS = (
    *(ValueError, TypeError, LookupError, AttributeError),
    *(ArithmeticError, RecursionError),
)

type Folders = tuple[Traversable | Path, ...]


def written(telling: Telling, folders: Folders, audience: str, frame: Mapping[str, Any]) -> str:
    """Return a report as Markdown.

    Parameters
    ----------
    folders : of templates: a file is taken from the first that holds it.
    audience : which template is the whole: brief or full.
    frame : what templates may name besides the evidence: title and the like.

    Raises
    ------
    InputError
        Naming template and line of a reference that is none, or of a fault in the template.
    """
    environment = SandboxedEnvironment(
        loader=FunctionLoader(lambda name: (template(name, folders), name, None)),
        undefined=StrictUndefined,
        finalize=escaped,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals.update(vocabulary(telling))
    years = telling.evidence["report"]["years"]
    known = {
        "evidence": telling.evidence,
        "numbers": telling.numbers,
        "cited": telling.cited,
        "base": telling.evidence["base"],
        "soon": years[-2] if len(years) > 1 else years[-1],
        "late": years[-1],
        "years": years,
        "interval": INTERVAL.partition(" ")[0],
        "surely": MOVES,
        **frame,
    }
    try:
        text = environment.get_template(f"{audience}.md").render(known)
    except TemplateSyntaxError as error:
        raise InputError(f"{error.name} line {error.lineno}: {error.message}") from error
    except (TemplateError, InputError, *OF_EXPRESSIONS) as error:
        raise InputError(f"{_place(error)}: {error}") from error
    return _tidied(text)


def template(name: str, folders: Folders) -> str:
    """Return the text of a template, of the first folder that holds it.

    Raises
    ------
    InputError
        Where none does, or the file is too large or not UTF-8.
    """
    # Names come from templates, which may be anybody's: none may lead out of its folder.
    if not name.startswith("/") and ".." not in name.split("/"):
        for folder in folders:
            path = folder.joinpath(*name.split("/"))
            if path.is_file():
                return read_text(path, name, most_bytes=limits.BELIEFS_BYTES)
    raise InputError(f"no template {name} in the folder of templates")


def _place(error: BaseException) -> str:
    """Return template and line where an error arose, as the traceback names them."""
    place, trace = "a template", error.__traceback__
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if name.endswith(".md"):
            place = f"{name} line {trace.tb_lineno}"
        trace = trace.tb_next
    return place


def _tidied(text: str) -> str:
    """Return text without runs of empty lines, which conditions in templates leave."""
    trimmed = "\n".join(line.rstrip() for line in text.splitlines())
    return re.sub(r"\n{3,}", "\n\n", trimmed).strip() + "\n"
