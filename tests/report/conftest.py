"""Evidence of a report, from draws of the priors run forward: what the fits of a user give."""

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from forepass.what_if.changed import Changed

ASKED = "world_tokens_per_s@2030"


@pytest.fixture(scope="session")
def evidence(found: "Changed") -> dict[str, Any]:
    from dataclasses import replace

    from forepass.evidence.gather import gathered
    from forepass.evidence.questions import read_questions
    from forepass.evidence.records import track_record
    from forepass.register.folder import recorded
    from forepass.rooms import room
    from forepass.settings import Settings
    from forepass.what_if.scenarios import load_scenario, plain

    settings = Settings()
    questions = replace(
        read_questions([room("reports/templates")]), sensitivity=(("world_tokens_per_s", 2030),)
    )
    scenarios = {
        name: (load_scenario(name, settings.priors), found)
        for name in ("baseline", "wall-returns", "power-bound")
    }
    frame = {"seed": 1, "as_of": "2026-11", "inputs": {"data": "0" * 64}}
    document = gathered(found, plain(), scenarios, questions, settings, frame=frame)
    assert date.fromisoformat(f"{document['as_of']}-01").year == document["base"]
    return document | {"track_record": track_record(), "register": recorded()}
