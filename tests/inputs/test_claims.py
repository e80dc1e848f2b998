"""Claims: the shipped ones load in the post's order, faulty ones are refused by file and key."""

import math
from pathlib import Path

import pytest

from forepass.errors import InputError
from forepass.inputs.claims import CLAIMS, FILE, load_claims
from forepass.rooms import room


def test_the_shipped_claims_have_a_statement_a_range_and_a_reason() -> None:
    claims = load_claims()
    assert tuple(claims) == CLAIMS
    assert all(claim.statement and claim.rationale for claim in claims.values())
    assert all(claim.low < claim.high for claim in claims.values())
    assert claims["half_at_most"].low == -math.inf


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[tokens_add]", "[token_add]", "token_add: no such claim is judged; did you mean tokens"),
        ("high = 0.2", "hihg = 0.2", "tenth_of_upper_bound: unknown field 'hihg'; did you mean"),
        ("high = 0.2", "high = 0.01", "tenth_of_upper_bound: low must be below high = 0.01, got"),
        (
            "low = 0.05",
            'low = "5%"',
            "tenth_of_upper_bound: low must be a finite number without quotes",
        ),
        ("low = 0.05", "low = nan", "tenth_of_upper_bound: low must be a finite number"),
        ("low = 0.05", "low = true", "tenth_of_upper_bound: low must be a finite number"),
        ("high = 0.5", "", "half_at_most: low or high is missing; add one or both"),
        ('unit = "share"', "", "tenth_of_upper_bound: unit is missing"),
    ],
)
def test_a_faulty_claim_is_refused_by_file_and_key(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    text = (room("priors") / FILE).read_text(encoding="utf-8")
    assert old in text
    (tmp_path / FILE).write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InputError) as refusal:
        load_claims(tmp_path)
    assert str(refusal.value).startswith(f"{tmp_path / FILE}: {message}")


def test_a_missing_claim_is_named(tmp_path: Path) -> None:
    text = (room("priors") / FILE).read_text(encoding="utf-8")
    (tmp_path / FILE).write_text(text[: text.index("[tokens_add]")], encoding="utf-8")
    with pytest.raises(InputError, match="tokens_add is missing; add"):
        load_claims(tmp_path)
