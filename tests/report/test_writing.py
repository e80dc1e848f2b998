"""Templates hold words and references; a reference that fails stops the build, and says where."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from forepass.errors import InputError
from forepass.report.known import known_numbers
from forepass.report.markdown import anchor
from forepass.report.page import page
from forepass.report.telling import Telling
from forepass.report.writing import written
from forepass.rooms import room

SHIPPED = room("reports/templates")
NAMES = ("GPT-4", "A100", "H100", "a post of 2024", "80, 50 and 90%", "should hold 50%")
"""What holds figures in its name, or says what an interval is of."""
HOSTILE = '<script>alert("x")</script> [a](javascript:alert(1)) | *b*'

type Write = Callable[..., tuple[str, Telling]]


@pytest.fixture(scope="module")
def write(evidence: dict[str, Any]) -> Write:
    known = known_numbers(evidence)

    def run(
        *folders: Path, audience: str = "full", changed: dict[str, Any] | None = None
    ) -> tuple[str, Telling]:
        found = evidence | (changed or {})
        telling = Telling(found, known if changed is None else known_numbers(found))
        text = written(telling, (*folders, SHIPPED), audience, {"title": "A title"})
        return text, telling

    return run


def _templates() -> list[Path]:
    folder = Path(str(SHIPPED))
    return sorted([*folder.glob("*.md"), *folder.glob("sections/*.md")])


@pytest.mark.parametrize("path", _templates(), ids=lambda path: path.name)
def test_no_number_is_typed_by_hand(path: Path) -> None:
    words = re.sub(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", "", path.read_text(encoding="utf-8"))
    for name in NAMES:
        words = words.replace(name, "")
    assert not re.findall(r"[^\n]*\d[^\n]*", words)


@pytest.mark.parametrize("audience", ["brief", "full"])
def test_each_number_leads_to_where_it_is_explained(write: Write, audience: str) -> None:
    text, telling = write(audience=audience)
    links = set(re.findall(r"\]\(#(n-[^)]+)\)", text))
    told = {anchor(key) for key in telling.cited}  # words such as "closely known" hang on some
    assert links <= told
    for name in told:
        assert text.count(f'<a id="{name}"></a>') == 1
    assert len(telling.cited) > 40


def test_the_full_report_tells_every_prior_and_source(
    write: Write, evidence: dict[str, Any]
) -> None:
    text, telling = write()
    for one in evidence["sources"]:
        assert f"**{one['source'].replace('_', chr(92) + '_')}**" in text
    assert text.count("\n## ") > 15
    assert [f"beliefs_{one['block']}" in telling.drawn for one in evidence["fits"]] == [True] * 6


def test_the_text_has_no_cell_for_code_and_no_hole(write: Write) -> None:
    text, _ = write()
    assert "{{" not in text
    assert "{%" not in text
    assert not re.search(r"\bNone\b|\bnan\b|Undefined", text)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            "x\n{{ n('fleet_powr', 2030) }}",
            r"brief\.md line 2: no number 'fleet_powr@2030'.*did you",
        ),
        ("{{ nothing_such }}", r"brief\.md line 1: 'nothing_such' is undefined"),
        ("{{ figure('worlds') }}", r"brief\.md line 1: no figure 'worlds'; did you mean"),
        ("{{ figure('world') }}{{ figure('world') }}", "figure 'world' is shown twice"),
        ("{{ n('fleet_power', 2030, 'wide') }}", "no form 'wide' of a number"),
        ("{{ by_year(['fleet_powr']) }}", "no quantity 'fleet_powr' by year; did you mean"),
        ("{{ sure('shortage', 2030) }}", "has no interval to be sure of"),
        ("a\n\n{% if %}", r"brief\.md line 3: "),
        ("{% include 'sections/none.md' %}", r"no template sections/none\.md"),
        ("{% include '../../pyproject.toml' %}", "no template"),
        ("{% include '/etc/hostname' %}", "no template"),
        ("{{ title.__class__.__mro__ }}", "unsafe"),
        ("x\n{{ 1 // 0 }}", r"brief\.md line 2: .*by zero"),
        ("{{ range(10000000) }}", r"brief\.md line 1: Range too big"),
        ("{% include 'brief.md' %}", r"brief\.md line 1: .*recursion"),
    ],
)
def test_what_does_not_resolve_stops_the_build(
    words: str, said: str, write: Write, tmp_path: Path
) -> None:
    (tmp_path / "brief.md").write_text(words, encoding="utf-8")
    with pytest.raises(InputError, match=said) as raised:
        write(tmp_path, audience="brief")
    assert "\n" not in str(raised.value)


def test_a_template_of_ones_own_takes_the_place_of_the_shipped(
    write: Write, tmp_path: Path
) -> None:
    (tmp_path / "sections").mkdir()
    (tmp_path / "sections" / "limits.md").write_text("## Our own limits\n", encoding="utf-8")
    text, _ = write(tmp_path, audience="brief")
    assert "## Our own limits" in text
    assert "## In one page" in text


def test_hostile_data_is_shown_and_not_obeyed(write: Write, evidence: dict[str, Any]) -> None:
    beliefs = [one | {"words": HOSTILE, "rationale": HOSTILE} for one in evidence["beliefs"]]
    told = evidence["sources"][0] | {"title": HOSTILE, "url": "javascript:alert(1)"}
    changed = {
        "beliefs": beliefs,
        "sources": [told, *evidence["sources"][1:]],
        "scenario": {"name": "x", "title": HOSTILE, "story": HOSTILE},
        "scenarios": [one | {"title": HOSTILE, "story": HOSTILE} for one in evidence["scenarios"]],
        "notes": [HOSTILE],
        "register": [{"entry": HOSTILE, "created": "2026", "reason": HOSTILE}],
    }
    text, _ = write(changed=changed)
    frame = (SHIPPED / "page.html").read_text(encoding="utf-8")
    made = page(text, frame=frame, style="", title=HOSTILE, picture=lambda _: ("image/png", b""))
    assert "<script" not in made
    assert "&lt;script&gt;" in made
    assert not re.search(r"(?:href|src)=[\"']?javascript", made)
    assert HOSTILE.replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;") in made


def test_a_fit_that_failed_is_told_first(write: Write) -> None:
    mark = "FAILED CHECKS: the fit of block fleet did not converge"
    text, _ = write(audience="brief", changed={"failed_checks": [mark]})
    assert text.index(mark) < text.index("## In one page")
