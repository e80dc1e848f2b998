"""The post revisited: its bounds to the digit, its claims as shares of draws."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from forepass import posterior
from forepass.cli import main
from forepass.forward.post import outside_bounds, revisit
from forepass.inputs.claims import CLAIMS, load_claims
from forepass.inputs.definitions import load_definitions
from forepass.posterior import Fit

type Tables = Mapping[str, pd.DataFrame]
type Fits = Mapping[str, Fit]

CELL = ("a100-sxm-80gb, 16 bits", "h100-sxm, 16 bits")


@pytest.fixture(scope="module")
def revisited(prior_fits: Fits, question_tables: Tables) -> xr.Dataset:
    return revisit(prior_fits, question_tables, load_definitions(), load_claims())


def test_the_bounds_are_the_posts(revisited: xr.Dataset) -> None:
    a100 = revisited.sel(case=CELL[0])
    assert float(a100["passes_upper_per_chip"]) == pytest.approx(557, rel=0.002)
    assert float(a100["passes_lower_per_chip"]) == pytest.approx(3.6, rel=0.02)
    assert float(a100["passes_published"]) == pytest.approx(56.7, rel=0.001)


def test_shares_and_multiples_follow_from_the_bounds_in_every_draw(revisited: xr.Dataset) -> None:
    rate = revisited["passes_realised_per_chip"]
    upper, lower = revisited["passes_upper_per_chip"], revisited["passes_lower_per_chip"]
    np.testing.assert_allclose(revisited["share_of_upper_bound"], rate / upper)
    np.testing.assert_allclose(revisited["times_lower_bound"], rate / lower)
    assert np.all(revisited["share_of_upper_bound"] <= 1)


def test_eight_bits_raise_the_bounds_twofold_and_never_lower_the_rate(
    revisited: xr.Dataset,
) -> None:
    whole, half = (revisited.sel(case=f"h100-sxm, {bits} bits") for bits in (16, 8))
    for name in ("passes_upper_per_chip", "passes_lower_per_chip"):
        assert float(half[name] / whole[name]) == pytest.approx(2, rel=1e-3)
    assert np.median(half["passes_realised_per_chip"] / whole["passes_realised_per_chip"]) > 1


def test_a_probability_is_the_share_of_draws_in_the_claims_range(revisited: xr.Dataset) -> None:
    claims = load_claims()
    for name in CLAIMS:
        drawn = revisited[f"claim_{name}"].values
        inside = np.mean((drawn >= claims[name].low) & (drawn <= claims[name].high))
        assert float(revisited["probability"].sel(claim=name)) == inside
    share = revisited["share_of_upper_bound"].sel(case=CELL[0]).values
    np.testing.assert_array_equal(revisited["claim_tenth_of_upper_bound"].values, share)


def test_a_smaller_model_is_faster_but_not_by_much_more_than_it_is_smaller(
    revisited: xr.Dataset,
) -> None:
    gain = revisited["claim_tenth_of_parameters"].values
    assert np.all(gain > 1)
    assert np.median(gain) < 11
    # The freed memory holds more requests, so single draws may gain more than tenfold: under the
    # priors, where the model's own effect differs too, a tenth of them by more than 1.5 times that.
    assert np.quantile(gain, 0.9) < 18


def test_wider_ranges_hold_more_often(prior_fits: Fits, question_tables: Tables) -> None:
    claims = load_claims()
    wide = claims | {"tokens_add": replace(claims["tokens_add"], low=-np.inf, high=np.inf)}
    out = revisit(prior_fits, question_tables, load_definitions(), wide)
    assert float(out["probability"].sel(claim="tokens_add")) == 1


def test_later_software_changes_what_is_realised_and_no_bound(
    revisited: xr.Dataset, prior_fits: Fits, question_tables: Tables
) -> None:
    early = revisit(prior_fits, question_tables, load_definitions(), load_claims(), date="2024-05")
    xr.testing.assert_equal(early["passes_upper_per_chip"], revisited["passes_upper_per_chip"])
    name = "claim_tenth_of_upper_bound"
    assert not np.allclose(early[name], revisited[name])


def test_rows_outside_the_bounds_are_counted_once_each_with_a_reason(
    question_tables: Tables,
) -> None:
    found = outside_bounds(question_tables)
    assert found["above the upper bound"] == 0
    assert found["below the lower bound: fewer requests than chips"] > 0
    assert 0.05 < sum(found.values()) < 0.4


@pytest.fixture
def from_priors(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, prior_fits: Fits) -> None:
    monkeypatch.setattr(posterior, "fitted", lambda *_, **__: prior_fits)
    monkeypatch.setenv("FOREPASS_CACHE", str(tmp_path / "cache"))


@pytest.mark.usefixtures("from_priors")
def test_the_command_prints_the_table_the_claims_and_the_rows_outside(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["post"]) == 0
    printed = capsys.readouterr().out
    a100 = next(line for line in printed.splitlines() if line.startswith(CELL[0]))
    assert a100.split()[3:5] == ["557", "3.64"]
    assert a100.split()[-1] == "56.7"
    assert "From A100 to B200, throughput grew about 20-fold" in printed
    assert "up to 50%" in printed
    assert "1 or more" in printed
    assert "below the lower bound: fewer requests than chips" in printed


@pytest.mark.usefixtures("from_priors")
def test_json_holds_a_probability_for_each_claim(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["post", "--json", "--date", "2024-05"]) == 0
    document = json.loads(capsys.readouterr().out)
    judged = document["quantities"]["probability"]
    assert judged["claim"] == list(CLAIMS)
    assert all(0 <= value <= 1 for value in judged["value"])
    assert document["quantities"]["claim_tokens_add"]["unit"] == "ratio"
    assert document["request"]["date"] == "2024-05"
