"""A report built from its evidence: text, page, figures and numbers in one folder."""

import mimetypes
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from forepass import atomic, limits
from forepass.errors import InputError
from forepass.report import exports, page, pdf
from forepass.report.figures import FIGURES
from forepass.report.folder import write_manifest
from forepass.report.known import known_numbers
from forepass.report.telling import Telling
from forepass.report.writing import Folders, template, written
from forepass.tell.figures import save_figure

LARGEST_SVG = 400_000
"""Bytes above which the page holds a picture as PNG; the folder has both."""
LOGOS = {"image/png", "image/jpeg", "image/svg+xml", "image/gif", "image/webp"}
LARGEST_LOGO = 2_000_000


def build(
    folder: Path,
    evidence: Mapping[str, Any],
    *,
    title: str,
    audience: str,
    logo: str,
    templates: Folders,
    write_draws: Callable[[Path], None] | None,
) -> dict[str, Any]:
    """Write the report into an empty folder, and return what there is to say of it.

    Parameters
    ----------
    audience : brief or full.
    logo : a picture as a data address; empty for none.
    templates : folders of templates; the first that holds a file counts.
    write_draws : writes the posterior to a path; None leaves it out.

    Raises
    ------
    InputError
        Where a template refers to what there is not.
    """
    telling = Telling(evidence, known_numbers(evidence))
    text = written(telling, templates, audience, {"title": title})
    (folder / "figures").mkdir()
    for name in telling.drawn:
        shown = FIGURES[name]
        save_figure(shown.draw(evidence), folder / "figures", name, evidence, dpi=shown.dpi)
    atomic.write_text(folder / "report.md", text)
    whole = page.page(
        text,
        frame=template("page.html", templates),
        style=template("page.css", templates),
        title=title,
        logo=logo,
        picture=lambda source: _picture(folder, source),
    )
    atomic.write_text(folder / "report.html", whole)
    atomic.write_text(folder / "numbers.json", exports.as_json(evidence, telling.cited))
    exports.write_csv(folder / "numbers.csv", evidence)
    years = evidence["report"]["years"]
    atomic.write_text(folder / "numbers.tex", exports.as_tex(telling.numbers, telling.cited, years))
    if write_draws is not None:
        write_draws(folder / "posterior.nc")
    unprinted = pdf.printed(folder / "report.html", folder / "report.pdf")
    about = {key: evidence[key] for key in ("forepass", "seed", "as_of", "inputs", "scenario")}
    about |= {"audience": audience, "title": title}
    write_manifest(folder, about | {"left_out": [unprinted] if unprinted else []})
    return {
        "numbers": len(telling.cited),
        "figures": len(telling.drawn),
        "html_bytes": len(whole.encode()),
        "pdf": unprinted is None,
        "without_pdf_because": unprinted,
    }


def logo_address(path: Path) -> str:
    """Return a picture as a data address.

    Raises
    ------
    InputError
        Where the file is no picture that a page can show, or is too large for a logo.
    """
    kind = mimetypes.guess_type(path.name)[0]
    if kind not in LOGOS:
        raise InputError(f"--logo: {path} is no picture (png, jpeg, svg, gif or webp)")
    try:
        content = limits.read_whole(path, LARGEST_LOGO)
    except OSError as error:
        raise InputError(f"--logo: {path}: {error.strerror}") from error
    except ValueError:
        raise InputError(
            f"--logo: {path} is larger than {LARGEST_LOGO / 1e6:g} MB; make it smaller"
        ) from None
    return page.data_address(kind, content)


def _picture(folder: Path, source: str) -> tuple[str, bytes]:
    """Return a figure as the page shows it, SVG unless that is too large."""
    path = folder / source
    if path.parent != folder / "figures" or not path.is_file():
        raise InputError(f"the report shows {source}, which is none of its figures")
    content = path.read_bytes()
    if len(content) <= LARGEST_SVG:
        return "image/svg+xml", content
    return "image/png", path.with_suffix(".png").read_bytes()
