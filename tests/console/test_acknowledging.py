"""`tocsin alerts ack`: a person takes an incident, over the API of a real store."""

import json
import uuid
from datetime import timedelta
from typing import Any

import pytest
from tests.console.conftest import NOW


@pytest.fixture
def incident(running: Any) -> str:
    """An incident of two alerts, of which one is over."""
    name = uuid.uuid4().hex
    fires(running.database, name, rule="accuracy-drop", to_state="firing")
    fires(running.database, name, rule="input-drift", to_state="resolved")
    return name


def fires(store: Any, incident: str, *, rule: str, to_state: str, use_case: str = "triage") -> None:
    """Write down an alert's transition, and where it stands."""
    said = {"project": "default", "use_case": use_case, "rule": rule, "incident": incident, "severity": "page"}
    said |= {"fingerprint": f"{rule} {incident}", "slot": NOW - timedelta(hours=1), "at": NOW}
    store.insert("alert_events", [{**said, "event_id": f"{rule} {to_state} {incident}", "to_state": to_state}])
    store.insert("alert_state", [{**said, "state": to_state, "since": NOW}])


def test_the_first_to_take_an_incident_has_it(tocsin: Any, running: Any, incident: str) -> None:
    """Two people who are both told that they have it, or neither, is how pages are lost."""
    first = tocsin("alerts", "ack", incident[:10], "--by", "ana", "--note", "retraining", "--json")
    again = tocsin("alerts", "ack", incident[:10], "--by", "ana", "--json")
    second = tocsin("alerts", "ack", incident, "--by", "bo")

    taken = json.loads(first.stdout)
    assert (taken["incident"], taken["by"], taken["note"], taken["is_new"]) == (incident, "ana", "retraining", True)
    assert json.loads(again.stdout) == {**taken, "is_new": False}
    assert "is already ana's" in second.stdout
    log = {"action": "acknowledge", "subject": incident}
    rows = running.database.rows(
        "SELECT actor FROM audit_log WHERE action = {action:String} AND subject = {subject:String} ORDER BY actor", log
    )
    assert [row["actor"] for row in rows] == ["ana", "bo"]


def test_everybody_sees_who_has_it(tocsin: Any, incident: str) -> None:
    """Whoever is woken second goes back to sleep."""
    before = json.loads(tocsin("alerts", "list", "--json").stdout)
    tocsin("alerts", "ack", incident, "--by", "ana")

    after = json.loads(tocsin("alerts", "list", "--json").stdout)

    said = {when: {each["incident"]: each for each in found} for when, found in (("before", before), ("after", after))}
    assert (said["before"][incident]["acknowledged_by"], said["before"][incident]["acknowledged_at"]) == ("", None)
    assert said["after"][incident]["acknowledged_by"] == "ana"
    assert said["after"][incident]["acknowledged_at"] == said["after"][incident]["since"]
    assert "ana" in tocsin("alerts", "list").stdout


@pytest.mark.parametrize(
    ("given", "said"),
    [
        pytest.param("nothing like it", "'tocsin alerts list' names those that are open", id="unknown"),
        pytest.param("over", "is over", id="over"),
        pytest.param("two", "expected one incident", id="two begin like it"),
    ],
)
def test_what_cannot_be_taken_says_why(tocsin: Any, running: Any, given: str, said: str) -> None:
    """At three in the morning the answer has to say what to type instead."""
    name = uuid.uuid4().hex
    fires(running.database, f"over{name}", rule="r", to_state="resolved")
    fires(running.database, f"two{name}a", rule="r", to_state="firing")
    fires(running.database, f"two{name}b", rule="r", to_state="recovering", use_case="other")

    refused = tocsin("alerts", "ack", f"{given}{name}", "--by", "ana")

    assert refused.exit_code == 2
    assert said in refused.output


def test_history_says_what_became_of_each_incident(tocsin: Any, running: Any, incident: str) -> None:
    """Who comes back from a holiday, or asks whether a rule was ever worth it, reads it in one list."""
    over = uuid.uuid4().hex
    fires(running.database, over, rule="latency", to_state="resolved", use_case="past")
    told = {"incident": over, "project": "default", "use_case": "past", "slot": NOW, "at": NOW, "version": 2}
    running.database.insert(
        "notifications",
        [
            {**told, "notification": f"{over} 1", "channel": "oncall", "state": "sent"},
            {**told, "notification": f"{over} 2", "channel": "mail", "state": "dead"},
        ],
    )
    tocsin("alerts", "ack", incident, "--by", "ana")
    tocsin("alerts", "ack", over, "--by", "bo", "--verdict", "noise")

    found = {each["incident"]: each for each in json.loads(tocsin("alerts", "history", "--json").stdout)}

    assert set(found) >= {incident, over}
    assert (found[incident]["acknowledged_by"], found[incident]["until"], found[incident]["verdict"]) == (
        "ana",
        None,
        "",
    )
    assert sorted(found[incident]["rules"]) == ["accuracy-drop", "input-drift"]
    assert (found[over]["severity"], found[over]["until"], found[over]["verdict"]) == (
        "page",
        found[over]["since"],
        "noise",
    )
    assert (found[over]["told"], found[over]["not_told"]) == (["oncall"], ["mail"])
    only = tocsin("alerts", "history", "past", "--rule", "latency")
    assert over[:12] in only.stdout
    assert incident[:12] not in only.stdout
    assert "not mail" in only.stdout
    assert "no incidents in the last 1d" in tocsin("alerts", "history", "nobody", "--for", "1d").stdout
    assert tocsin("alerts", "history", "--for", "soon").exit_code == 2
