"""The pages of rules: how each fares, and one of them tried."""

import json
import uuid
from datetime import timedelta
from typing import Any

from tests.console.conftest import NOW
from tests.console.test_acknowledging import fires
from tests.console.test_incident_page import ask
from tests.console.web.test_alerts import HOSTILE
from tests.console.web.test_pages import get

from tocsin_console.web.rule_words import in_words


def test_every_rule_says_how_it_fares_and_what_fails_first(running: Any) -> None:
    """A rule that cannot be evaluated looks like one with nothing to say."""
    failed = {"rule": "volume", "slot": NOW, "at": NOW, "state": "failed", "error": HOSTILE}
    running.database.insert("rule_runs", [failed])

    document = json.loads(get(running.address, "/rules.json")[2])
    page = get(running.address, "/rules")[2]

    assert {each["rule"] for each in document["rules"]} == set(running.parts.rule_book.rules)
    assert (document["rules"][0]["rule"], document["rules"][0]["did"]) == ("volume", "failed")
    assert document["rules"][0]["source"] == "shipped"
    assert "1 cannot be evaluated" in page
    assert "<script>alert" not in page


def test_a_rule_that_people_call_noise_is_called_noisy(running: Any) -> None:
    """Whoever tunes rules begins with those that wake people for nothing."""
    for _ in range(2):
        incident = uuid.uuid4().hex
        fires(running.database, incident, rule="latency", to_state="firing")
        ask(running, f"/alerts/{incident}/verdict", {"verdict": "noise", "actor": "ana"})

    document = json.loads(get(running.address, "/rules/latency.json")[2])

    assert "noisy" in document["notes"]
    assert len(document["incidents"]) == document["noise"] == 2


def test_a_rule_runs_its_own_tests_and_shows_what_it_would_say(running: Any) -> None:
    """Before a rule is changed somebody wants to see what it does now."""
    rule = running.parts.rule_book.rules["accuracy-drop"]

    tried = json.loads(get(running.address, "/rules/accuracy-drop.json?show=tests")[2])
    said = json.loads(get(running.address, "/rules/accuracy-drop.json?show=messages")[2])
    page = get(running.address, "/rules/accuracy-drop?show=messages")[2]

    assert [each["passes"] for each in tried["stories"]] == [True] * len(rule.text.tests)
    assert {each["fixture"] for each in said["messages"]["messages"]} >= {"firing", "resolved"}
    assert said["messages"]["findings"] == []
    assert "upper &lt; baseline - 0.02" in page
    assert "rule: accuracy-drop" in page


def test_history_is_run_over_as_on_the_command_line(running: Any) -> None:
    """One desk: what the page draws is what a pull request shows."""
    since = NOW - timedelta(days=10)

    document = json.loads(get(running.address, f"/rules/volume.json?since={since:%Y-%m-%d}")[2])
    drawn = get(running.address, f"/rules/volume/backtest.svg?since={since:%Y-%m-%d}")[0]
    refused = get(running.address, "/rules/volume?since=soon")[0]
    missing = get(running.address, "/rules/volumes")

    by_command = running.parts.rehearsal.past("volume", since=since.replace(hour=0))
    assert (document["backtest"]["fired"], len(document["backtest"]["series"])) == (
        by_command["fired"],
        len(by_command["series"]),
    )
    assert drawn == 404  # nothing would have fired: there is nothing to draw
    assert (refused, missing[0]) == (400, 404)
    assert "volume" in missing[2]


def test_a_rule_is_said_in_words(running: Any) -> None:
    """Conditions are read by people who did not write them."""
    said = dict(in_words(running.parts.rule_book.rules["accuracy-drop"]))

    assert said["Fires when"] == "upper < baseline - 0.02, at 2 slots in a row"
    assert said["Then"] == "a page, and the guard goes to fallback"
    assert said["Of use cases"] == "whose plan does not say floor"
