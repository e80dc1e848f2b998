"""One file with nothing in it that a text could break, and that overwrites none but its own."""

import re
from pathlib import Path
from typing import Any

import pytest

from forepass.errors import InputError
from forepass.explorer.page_file import check_overwritten, page_text

HOSTILE = "</script><script>document.title='broken'</script><!-- &amp; \"'"


def small(**more: object) -> dict[str, Any]:
    return {"packed": "AAAA", "priors": [{"title": HOSTILE}], **more}


def test_the_same_contents_make_the_same_page() -> None:
    one, other = {"a": 1, "b": 2}, {"b": 2, "a": 1}
    assert page_text(small(**one), "T") == page_text(small(**other), "T")


def test_no_text_ends_its_element() -> None:
    plain, hostile = page_text(small(priors=[]), "T"), page_text(small(), HOSTILE)
    for tag in ("<script", "</script", "<!--", "<h1"):
        assert hostile.count(tag) == plain.count(tag)
    assert "&lt;/script&gt;" in hostile


def test_every_slot_is_filled_once_and_what_fills_it_is_left_alone() -> None:
    text = page_text(small(), "<!--SCRIPTS-->")
    assert not re.findall(r"<!--[A-Z]+-->", text)
    assert "Permission is hereby granted" in text
    assert text.count("<title>&lt;!--SCRIPTS--&gt;</title>") == 1


def test_the_policy_lets_nothing_be_fetched_and_only_these_scripts_run() -> None:
    text = page_text(small(), "T")
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert policy.count("sha256-") == text.count("<script>") + text.count("<style>")


def test_only_a_page_of_ours_is_written_over(tmp_path: Path) -> None:
    ours, other, empty = (tmp_path / name for name in ("ours.html", "other.html", "empty.html"))
    ours.write_text(page_text(small(), "T"), encoding="utf-8")
    other.write_text("<p>mine</p>", encoding="utf-8")
    empty.touch()
    for path in (ours, empty, tmp_path / "new.html"):
        check_overwritten(path, force=False)
    with pytest.raises(InputError, match=r"other\.html is not a page that forepass made"):
        check_overwritten(other, force=False)
    check_overwritten(other, force=True)
