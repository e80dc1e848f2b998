"""Beliefs: names in words, what data took away, what they rest on, and how they are found."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from forepass.errors import InputError
from forepass.inputs.elicitation import quantile
from forepass.inputs.priors import Prior, load_all
from forepass.sensitivities import beliefs as b


def belief(block: str, name: str, *, shrink: float = 1.0) -> b.Belief:
    """Return a belief whose draws are its prior's, or nearer to its middle in normal scores."""
    from scipy import special

    prior = load_all()[block][name]
    scores = np.random.default_rng(1).standard_normal(4000) * shrink
    return b.Belief(block, name, "", None, quantile(prior, special.ndtr(scores)), prior)


@pytest.mark.parametrize(("shrink", "known"), [(1.0, 0.0), (0.5, 0.75), (0.1, 0.99)])
def test_contraction_is_the_variance_that_data_took_away(shrink: float, known: float) -> None:
    for name in ("pue", "duty_cycle", "shipment_growth", "source_error"):
        assert b.contraction(belief("fleet", name, shrink=shrink)) == pytest.approx(known, abs=0.05)


def test_a_belief_rests_on_judgement_sources_data_or_structure() -> None:
    judged = belief("fleet", "failure_rate")
    assert b.kind(replace(judged, prior=_with_source(judged, "judgement"))) == "judgement"
    assert b.kind(replace(judged, prior=_with_source(judged, "epoch-db;judgement"))) == "published"
    narrowed = belief("fleet", "failure_rate", shrink=0.5)
    assert b.kind(replace(narrowed, prior=_with_source(narrowed, "judgement"))) == "data"
    assert b.kind(replace(judged, prior=None)) == "data"
    assert b.kind(belief("language_models", "active_saturating")) == "structure"


def _with_source(one: b.Belief, source: str) -> Prior:
    assert one.prior is not None
    return replace(one.prior, source=source)


def test_every_elicited_belief_has_a_subject_and_words(beliefs: list[b.Belief]) -> None:
    elicited = [one for one in beliefs if one.prior is not None]
    assert len({one.variable for one in elicited}) > 200
    for one in elicited:
        assert one.subject
        assert "_" not in one.words
    assert belief("chips", "wall_reversion_chance").subject == "memory wall"
    assert belief("fleet", "packaging_limit").subject == "supply limits"
    assert belief("demand", "agents_share_2030").subject == "workload mix"


def test_every_title_belongs_to_a_variable(posteriors: Mapping[str, xr.Dataset]) -> None:
    assert set(b.TITLES) <= {str(name) for draws in posteriors.values() for name in draws}


def test_structures_taken_by_lot_are_beliefs() -> None:
    priors = load_all()
    for block, weight in b.CHOICES:
        assert weight in priors[block]


def test_a_belief_is_found_by_variable_or_key(beliefs: list[b.Belief]) -> None:
    assert b.find("pue", beliefs).key == "fleet.pue"
    assert b.find("fleet.pue", beliefs).key == "fleet.pue"
    found = b.find("language_models.active_scatter[saturating]", beliefs)
    assert (found.variable, found.place) == ("active_scatter", 1)
    with pytest.raises(InputError, match=r"active_scatter\[drifting\]"):
        b.find("active_scatter", beliefs)


def test_an_unknown_belief_is_refused_with_the_closest() -> None:
    b.check_name("duty_cycle", load_all())
    b.check_name("language_models.active_scatter[drifting]", load_all())
    with pytest.raises(InputError, match="did you mean duty_cycle"):
        b.check_name("duty_cycel", load_all())
    with pytest.raises(InputError, match="priors list"):
        b.check_name("xyzzyx", load_all())
