"""The page of guards."""

import json
import uuid
from datetime import timedelta
from typing import Any

import pytest
from tests.console.conftest import NOW
from tests.console.test_incident_page import ask
from tests.console.web.test_alerts import HOSTILE
from tests.console.web.test_pages import get

HALF = timedelta(minutes=30)


@pytest.fixture
def use_case(running: Any) -> str:
    """A use case that a rule put into fallback, held for a while."""
    name = f"u{uuid.uuid4().hex[:8]} {HOSTILE}"
    row = {"project": "default", "use_case": name, "version": 1, "state": "fallback", "mode": "automatic", "applied": 1}
    row |= {"cause": HOSTILE, "actor": "rule:x", "incident": "abc", "since": NOW - HALF, "at": NOW, "hold_until": NOW}
    running.database.insert("guard_events", [row | {"probe_share": 0.05}])
    return name


def test_a_guard_says_what_is_served_why_and_what_probes_show(running: Any, use_case: str) -> None:
    """Whoever releases a guard has to know how the model does meanwhile."""
    outcome = {"project": "default", "use_case": use_case, "kind": "label", "is_probe": 1, "started_at": NOW - HALF / 2}
    running.database.insert(
        "outcomes",
        [outcome | {"call_id": f"{use_case}{n}", "outcome_id": str(n), "correct": int(n < 3), "observed_at": NOW} for n in range(4)],
    )  # fmt: skip

    document = json.loads(get(running.address, "/guard.json")[2])
    page = get(running.address, "/guard")[2]

    (guard,) = [each for each in document["guards"] if each["use_case"] == use_case]
    assert (guard["state"], guard["set_by"], guard["mode"], guard["trips_this_hour"]) == (
        "fallback",
        "automatic",
        "shadow",
        1,
    )
    assert guard["hold_until"] is not None
    assert (guard["probes"]["value"], guard["probes"]["n"]) == (0.75, 4)
    assert guard["probes"]["lower"] < 0.75 < guard["probes"]["upper"]
    assert "<script>alert" not in page


def test_a_person_decides_and_says_why(running: Any, use_case: str) -> None:
    """An override without a name or a reason is a riddle the next morning."""
    form = {"use_case": use_case, "state": "off", "cause": "wrong answers", "for": "2h", "actor": "ana"}

    done, led, _ = ask(running, "/guard", form)
    released, back, _ = ask(running, "/guard", {**form, "state": "normal", "incident": "a/b"})
    unnamed, _, _ = ask(running, "/guard", {**form, "actor": ""})
    without, _, _ = ask(running, "/guard", {**form, "cause": ""})

    assert (done, released, unnamed, without) == (303, 303, 400, 400)
    assert led["location"] == "/guard?done=set"
    assert back["location"] == "/alerts/a%2Fb?done=guarded"
    assert [each[0] for each in running.guard.done] == ["set", "published", "release", "published"]
    assert running.guard.done[0][3:6] == ("off", "ana", "wrong answers")
