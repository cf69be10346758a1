"""The pages of alerts: what is open and was, silences, and one incident with the exact statement behind it."""

import json
import uuid
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from tests.console.conftest import NOW
from tests.console.test_acknowledging import fires
from tests.console.test_incident_page import ask
from tests.console.web.test_pages import get

from tocsin_console.web.exact_sql import runnable

HOSTILE = "\"><script>alert(1)</script>\u202e../x?y#z'; DROP"


@pytest.fixture
def use_case() -> str:
    """A use case of this test."""
    return f"u{uuid.uuid4().hex[:8]} {HOSTILE}"


@pytest.fixture
def incident(running: Any, use_case: str) -> str:
    """An open page of one alert."""
    name = uuid.uuid4().hex
    fires(running.database, name, rule="accuracy-drop", to_state="firing", use_case=use_case)
    return name


def listed(running: Any, use_case: str, **more: str) -> dict[str, Any]:
    """Read the list of one use case as a program does."""
    query = urlencode({"use_case": use_case, **more})
    return json.loads(get(running.address, f"/alerts.json?{query}")[2])


def test_an_open_page_is_first_and_counted(running: Any, incident: str, use_case: str) -> None:
    """On-call looks here first, and everywhere else sees that there is something."""
    page = get(running.address, "/alerts")[2]

    (open_one,) = listed(running, use_case)["open"]
    assert (open_one["incident"], open_one["severity"], open_one["acknowledged_by"]) == (incident, "page", "")
    assert f'href="/alerts/{incident}"' in page
    assert '<span class="count">' in page
    assert "<script>alert" not in page


def test_what_is_over_has_an_outcome_by_which_it_is_found(running: Any, incident: str, use_case: str) -> None:
    """Whether pages were worth it is asked once a week."""
    later = {"slot": NOW, "at": NOW + timedelta(minutes=1)}
    running.database.insert(
        "alert_events",
        [{"project": "default", "use_case": use_case, "rule": "accuracy-drop", "incident": incident, "severity": "page",
          "fingerprint": f"accuracy-drop {incident}", "event_id": uuid.uuid4().hex, "to_state": "resolved", **later}],
    )  # fmt: skip
    ask(running, f"/alerts/{incident}/verdict", {"verdict": "noise", "actor": "ana"})

    found, other = (listed(running, use_case, outcome=outcome) for outcome in ("noise", "actionable"))

    assert [(each["incident"], each["verdict"]) for each in found["past"]] == [(incident, "noise")]
    assert other["past"] == []


def test_a_silence_by_matchers_is_made_listed_and_ended_without_a_script(running: Any, incident: str) -> None:
    """A silence that nobody can end is a missed page."""
    form = {
        "matchers": "segment=device=a\r\nmodel_version=~7.*",
        "for": "2h",
        "because": f"known {incident}",
        "actor": "ana",
    }

    made, led, _ = ask(running, "/alerts/silences", form)
    (silence,) = [each for each in running.parts.silences.in_force() if each.reason == f"known {incident}"]
    page = get(running.address, led["location"])[2]
    ended, _, _ = ask(running, "/alerts/silences/expire", {"silence": silence.silence, "actor": "bo"})
    everything, _, said = ask(running, "/alerts/silences", {**form, "matchers": ""}, accept="text/html")

    assert (made, ended, everything) == (303, 303, 400)
    assert silence.silence in page
    assert [str(each) for each in silence.matchers] == ["segment=device=a", "model_version=~7.*"]
    assert silence.silence not in {each.silence for each in running.parts.silences.in_force()}
    assert "nobody may silence everything" in said


def test_an_incident_says_what_happened_in_order_and_what_was_delivered(
    running: Any, incident: str, use_case: str
) -> None:
    """After the fact people ask who knew what, and when."""
    row = {"notification": incident, "incident": incident, "project": "default", "use_case": use_case, "version": 1}
    row |= {"channel": "mail", "transition": "firing", "subject": HOSTILE, "body": "{}", "slot": NOW, "at": NOW}
    running.database.insert("notifications", [row | {"state": "dead", "attempts": 9, "error": "refused"}])
    ask(running, f"/alerts/{incident}/acknowledge", {"actor": "ana", "note": "on it"})

    document = json.loads(get(running.address, f"/alerts/{incident[:12]}.json")[2])
    page = get(running.address, f"/alerts/{incident}")[2]

    assert {(each["what"], each["of"]) for each in document["timeline"]} >= {
        ("not delivered", "mail"),
        ("acknowledged", "ana"),
    }
    assert document["timeline"][0]["what"] == "firing"
    assert document["deliveries"][0]["attempts"] == 9
    assert document["taken"][0]["by"] == "ana"
    assert "dead letter" in page
    assert "<script>alert" not in page
    assert "\u202e" not in page.partition("<h1>")[2].partition("</h1>")[0]


def test_the_statement_of_an_alert_runs_as_it_is_shown(running: Any, incident: str) -> None:
    """A value that nobody can check is an opinion."""
    document = json.loads(get(running.address, f"/alerts/{incident}.json")[2])
    (alert,) = document["alerts"]

    answer = running.parts.reader.ask(alert["ask"])

    assert alert["is_changed"]  # no rule's hash was written down
    assert alert["parameters"]["step_s"] == 86_400
    assert "value" in answer.columns


def test_names_in_a_statement_are_names() -> None:
    """A use case may be called anything, and is no SQL."""
    written = runnable("SELECT {since:DateTime64(3)} AS s\nSETTINGS x = 1", {"since": NOW}, {"use_case": "a'; -- \\"})

    assert written.startswith("SELECT *\nFROM\n(\nSELECT '2026-03-02 12:00:00'::DateTime64(3, 'UTC') AS s\n)")
    assert written.endswith("WHERE toString(use_case) = 'a\\'\\x3B -- \\\\'")


def test_what_was_asked_for_is_no_markup_in_the_answer(running: Any) -> None:
    """A link to an incident that there is not may hold anything, and a twin is opened by browsers too."""
    _, headers, text = get(running.address, "/alerts/%3Cimg%20src=x%3E.json")

    assert headers["content-type"] == "application/json"
    assert "<img" in json.loads(text)["error"]
