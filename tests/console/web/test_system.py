"""The page of tocsin itself, and the five questions of each use case."""

import json
import uuid
from typing import Any

from tests.console.conftest import NOW
from tests.console.test_incident_page import ask
from tests.console.web.test_alerts import HOSTILE
from tests.console.web.test_pages import get


def test_what_is_wrong_comes_first_in_words(running: Any) -> None:
    """A table of zeros is no answer to "is it well?"."""
    rule = f"r{uuid.uuid4().hex[:8]}"
    running.database.insert(
        "rule_runs", [{"rule": rule, "slot": NOW, "at": _now(running), "state": "failed", "error": HOSTILE}]
    )

    document = json.loads(get(running.address, "/system.json")[2])
    page = get(running.address, "/system")[2]

    assert f"rule {rule}" in {each["what"] for each in document["reasons"]}
    assert all(each["said"] and each["do"] for each in document["reasons"])
    assert document["ledger"]["kinds"]["spans"]["since_start"]["received"] == 3
    assert document["ledger_in_words"]
    assert "<script>alert" not in page


def test_changes_are_found_by_who_made_them_and_of_what(running: Any) -> None:
    """After the fact somebody asks who silenced it."""
    who = uuid.uuid4().hex
    row = {"at": NOW, "actor": who, "action": "silence", "subject": "default/x"}
    running.database.insert("audit_log", [row | {"id": f"{who}{n}", "detail": f"{HOSTILE} {n}"} for n in range(2)])

    every, one = (
        json.loads(get(running.address, f"/system.json?actor={who}{more}")[2])["audit"]
        for more in ("", "&about=DROP+1")
    )

    assert len(every) == 2
    assert [each["detail"] for each in one] == [f"{HOSTILE} 1"]


def test_a_channel_that_does_not_take_a_test_says_why(running: Any) -> None:
    """A button that always says yes is no test."""
    good, led, _ = ask(running, "/system/test-channel", {"channel": "oncall"})
    bad, _, said = ask(running, "/system/test-channel", {"channel": "mail"}, accept="text/html")

    assert (good, led["location"]) == (303, "/system?done=tested#channels")
    assert (bad, "mail &#39;mail&#39; refused" in said) == (400, True)


def test_the_questions_are_answered_as_on_the_command_line(running: Any) -> None:
    """One reading: what CI blocks on is what a person sees."""
    by_command = running.parts.report.readiness()

    matrix = json.loads(get(running.address, "/readiness.json")[2])["use_cases"]
    one = json.loads(get(running.address, "/readiness/default/planned.json")[2])
    page = get(running.address, "/readiness/default/planned")
    missing = get(running.address, "/readiness/default/none")[0]

    assert [each["questions"][0]["evidence"] for each in matrix] == [
        each["questions"][0]["evidence"] for each in by_command
    ]
    assert {question["word"] for question in one["questions"]} <= {"green", "unproven", "unanswered"}
    assert (page[0], missing) == (200, 404)
    assert all(question["command"] in page[2] for question in one["questions"] if "'" not in question["command"])


def test_a_past_week_ends_with_the_day_that_was_chosen(running: Any) -> None:
    """The chooser names the last day of a week, and shows it again."""
    document = json.loads(get(running.address, "/report.json?until=2026-02-20")[2])
    wrong = get(running.address, "/report?until=soon")[0]

    assert document["week"]["until"] == "2026-02-21T00:00:00+00:00"
    assert (document["last_day"], document["is_past"]) == ("2026-02-20", True)
    assert wrong == 400


def _now(running: Any) -> Any:
    """Rule runs are looked at by the store's own clock."""
    return running.database.rows("SELECT now64(3) AS at")[0]["at"]
