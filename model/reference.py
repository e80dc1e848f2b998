"""Write API.md from the docstrings of what ``import forepass`` offers. Run by ``make pages``."""

import re
import textwrap
from pathlib import Path

import griffe

PAGE = Path(__file__).parent / "API.md"
RECORDS = (
    "forepass.settings.Settings",
    "forepass.inputs.priors.Prior",
    "forepass.forward.capacity.PassesRequest",
    "forepass.posterior.FitFailed",
    "forepass.errors.InputError",
)
HEAD = """\
# forepass as a library

Made from the docstrings by `make pages`; edit those. The functions come with `import forepass`.

"""
SECTION = re.compile(r"(?m)^(\w+)\n-{3,}\n")


def page() -> str:
    """Return the text of the page."""
    package = griffe.load("forepass", search_paths=[Path(__file__).parent], resolve_aliases=True)
    about = package["api"].docstring.value
    public = [package["api"][name] for name in package.exports or ()]
    records = [package[path.removeprefix("forepass.")] for path in RECORDS]
    entries = [_entry(found.final_target if found.is_alias else found) for found in public]
    told = [*entries, "## What they take, return and raise\n", *map(_entry, records)]
    return HEAD + about + "\n\n" + "\n".join(told)


def _entry(found: griffe.Object | griffe.Alias) -> str:
    """Return one function or record under its heading."""
    shown = found.path.removeprefix("forepass.api.").removeprefix("forepass.labelled.")
    lines = [f"### {shown}", ""]
    if isinstance(found, griffe.Function):
        lines += ["```python", _signature(found), "```", ""]
    summary, *sections = SECTION.split(found.docstring.value if found.docstring else "")
    lines += [summary.strip(), ""]
    for title, body in zip(sections[::2], sections[1::2], strict=True):
        lines += [f"**{title}**", "", _body(title, body), ""]
    return "\n".join(lines)


def _signature(found: griffe.Function) -> str:
    """Return a signature, a parameter to a line where it is long."""
    text = str(found.signature())
    if len(text) <= 100:
        return text
    inside, _, after = text.partition("(")[2].rpartition(")")
    parts = re.split(r", (?=\*{0,2}\w+:|\*,)", inside)
    return "\n".join([f"{found.name}(", *(f"    {part}," for part in parts), f"){after}"])


def _body(title: str, text: str) -> str:
    """Return the body of a section: a list where it names things, else its words."""
    if title == "Returns":
        return text.strip()
    items = re.findall(r"(?m)^(\S.*)\n((?:    .*\n?|\n)*)", text.strip() + "\n")
    lines = []
    for head, below in items:
        names, _, words = head.partition(" : ")
        words = " ".join([words, textwrap.dedent(below).strip()]).strip()
        lines.append(f"- `{names}`: {' '.join(words.split())}")
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
