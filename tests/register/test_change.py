"""Changes between entries, and their causes, against what can be reckoned by hand."""

import math
from typing import Any

import pytest

from forepass.register.change import attributed, changed_files, changes, differing


def document(median: float, *, seed: int = 1, **inputs: str) -> dict[str, Any]:
    made = {"data": "d", "priors": "p", "code": "c", "scenario": ""} | inputs
    return {
        **{"seed": seed, "years": [2030], "scenario": {"name": "as believed"}},
        "inputs": {kind: {f"{kind}.file": text} for kind, text in made.items()},
        "quantities": {
            "fleet": {
                **{"unit": "chips", "long_name": "Fleet", "p10": [median / 2]},
                **{"p50": [median], "p90": [median * 2], "p50_error": [0.03 * median]},
            }
        },
    }


def test_what_differs_is_told_by_kind_and_file() -> None:
    one = document(1.0)
    assert differing(one, document(1.0)) == []
    assert differing(one, document(1.0, seed=2, priors="q", code="e")) == ["priors", "seed", "code"]
    assert changed_files(one, document(1.0, priors="q"), "priors") == ["priors.file"]


def test_a_change_is_a_ratio_with_its_error() -> None:
    [record] = changes(document(4.0), document(6.0))
    assert record["change"] == pytest.approx(1.5)
    assert record["error"] == pytest.approx(1.5 * 0.03 * math.sqrt(2))
    assert record["of_width"] == pytest.approx(2 / 3)


def test_a_change_from_nothing_is_a_difference() -> None:
    [record] = changes(document(0.0), document(6.0))
    assert (record["measure"], record["change"]) == ("difference", 6.0)


@pytest.mark.parametrize("kind", ["data", "priors", "seed", "code"])
def test_one_kind_alone_bears_the_whole_change(kind: str) -> None:
    records = changes(document(4.0), document(6.0))
    [record] = attributed(records, [kind])
    assert record["parts"] == {kind: pytest.approx(1.5)}


def test_kinds_that_multiply_get_what_each_multiplies_by_and_code_the_rest() -> None:
    def run(second: frozenset[str]) -> dict[tuple[str, int], float]:
        return {("fleet", 2030): 4.0 * (3 if "data" in second else 1) * 0.5 ** ("seed" in second)}

    records = changes(document(4.0), document(9.0))
    [record] = attributed(records, ["data", "seed", "code"], run)
    assert record["parts"] == {
        "data": pytest.approx(3),
        "seed": pytest.approx(0.5),
        "code": pytest.approx(1.5),
    }
    assert math.prod(record["parts"].values()) == pytest.approx(record["change"])


def test_kinds_that_need_each_other_share_what_they_do_together() -> None:
    def run(second: frozenset[str]) -> dict[tuple[str, int], float]:
        worth = 3.0 * (len(second) == 2) + ("data" in second)
        return {("fleet", 2030): worth}

    records = changes(document(0.0), document(4.0))
    [record] = attributed(records, ["data", "seed"], run, rest=None)
    assert record["parts"] == {"data": pytest.approx(2.5), "seed": pytest.approx(1.5)}


def test_what_cannot_be_run_has_no_parts() -> None:
    records = changes(document(4.0), document(9.0))
    [record] = attributed(records, ["data", "priors"], lambda _: {})
    assert record["parts"] is None
