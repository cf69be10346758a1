"""`tocsin alerts silence | silences | expire`, over the API of a real store."""

import json
import uuid
from datetime import timedelta
from typing import Any

import pytest
from tests.console.conftest import NOW
from tests.console.test_acknowledging import fires
from tests.console.test_api import status

from tocsin_console.api.metrics import exposition
from tocsin_console.snapshot import snapshot


@pytest.fixture
def use_case(running: Any) -> str:
    """A use case with an alert that fires."""
    name = f"u{uuid.uuid4().hex[:8]}"
    running.statuses.append(status(NOW, use_case=name))
    fires(running.database, uuid.uuid4().hex, rule="a-rule", to_state="firing", use_case=name)
    return name


def test_a_silence_is_made_seen_and_ended(tocsin: Any, running: Any, use_case: str) -> None:
    """Who, why and until when: whoever finds it at night has nobody to ask."""
    made = json.loads(
        tocsin("alerts", "silence", use_case, "--for", "6h", "--because", "new scanner", "--by", "ana", "--json").stdout
    )
    [listed] = [each for each in json.loads(tocsin("alerts", "silences", "--json").stdout) if each == made]
    [alert] = json.loads(tocsin("alerts", "list", "--use-case", use_case, "--json").stdout)
    ended = tocsin("alerts", "expire", made["silence"][:6], "--by", "bo")

    assert (listed["use_case"], listed["rule"], listed["author"], listed["reason"]) == (
        use_case,
        "",
        "ana",
        "new scanner",
    )
    assert listed["until"] == alert["silenced_until"]
    assert (alert["state"], alert["silence"]) == ("firing", made["silence"])
    assert f"every alert of {use_case} is told again" in ended.stdout
    [after] = json.loads(tocsin("alerts", "list", "--use-case", use_case, "--json").stdout)
    assert after["silenced_until"] is None
    log = running.database.rows(
        "SELECT actor, action, detail FROM audit_log WHERE startsWith(detail, {silence:String}) ORDER BY action",
        {"silence": made["silence"]},
    )
    assert [(each["actor"], each["action"]) for each in log] == [("bo", "expire silence"), ("ana", "silence")]
    assert f"{NOW + timedelta(hours=6):%Y-%m-%d %H:%M}" in log[1]["detail"]


def test_tables_say_who_is_told_nothing(tocsin: Any, use_case: str) -> None:
    """An alert that fires and tells nobody has to look like one."""
    tocsin("alerts", "silence", use_case, "--rule", "a-rule", "--for", "1d", "--because", "known", "--by", "ana")

    alerts = tocsin("alerts", "list", "--use-case", use_case).stdout
    silences = tocsin("alerts", "silences").stdout

    assert "nobody: silent until" in alerts
    assert f"a-rule of {use_case}" in silences


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(("x-typo", "--for", "1h"), "expected a use case that there is, got 'x-typo'", id="no use case"),
        pytest.param(("", "--rule", "b-rule", "--for", "1h"), "did you mean 'a-rule'?", id="no rule"),
        pytest.param(("", "--for", "1h"), "nobody may silence everything", id="everything"),
        pytest.param(("", "--rule", "a-rule", "--for", "soon"), "expected a duration", id="no duration"),
        pytest.param(("", "--rule", "a-rule", "--for", "9w"), "at most 30 days", id="for ever"),
        pytest.param(("", "--rule", "a-rule"), "either --for or --until", id="no end"),
        pytest.param(("", "--match", "rule", "--for", "1h"), "expected a matcher", id="no matcher"),
        pytest.param(("", "--match", "rule=~.*", "--for", "1h"), "nobody may silence everything", id="every rule"),
        pytest.param(("", "--rule", "a-rule", "--from", "soon", "--for", "1h"), "'from' as a time", id="no time"),
    ],
)
def test_a_silence_with_a_slip_in_it_is_refused(tocsin: Any, use_case: str, words: Any, said: str) -> None:
    """It would silence nothing, and nobody would notice before the night."""
    del use_case

    refused = tocsin("alerts", "silence", *words, "--because", "x", "--by", "ana")

    assert refused.exit_code == 2
    assert said in refused.output


def test_what_is_not_in_force_cannot_end(tocsin: Any, running: Any) -> None:
    """The answer says where to look."""
    del running

    assert "see 'tocsin alerts silences'" in tocsin("alerts", "expire", "nothing").output


def test_channels_that_do_not_take_a_test_are_a_finding(tocsin: Any, running: Any) -> None:
    """In a deployment's script a channel that nobody hears has to stop it."""
    del running

    said = tocsin("alerts", "test-notify")

    assert said.exit_code == 1
    assert "taken, both" in said.stdout
    assert "refused" in said.stdout
    assert [each["channel"] for each in json.loads(tocsin("alerts", "test-notify", "--json").stdout)] == [
        "oncall",
        "mail",
    ]


def test_a_silence_of_matchers_begins_and_ends_when_it_is_said(tocsin: Any, use_case: str) -> None:
    """Tonight's migration, announced; UTC unless it says otherwise."""
    tomorrow = NOW + timedelta(days=1)
    words = ("--match", f"use_case={use_case}", "--match", "severity!=log", "--from", f"{tomorrow:%Y-%m-%dT%H:%M}")
    words += ("--until", f"{tomorrow + timedelta(hours=8):%Y-%m-%dT%H:%M}+00:00", "--because", "move", "--by", "ana")

    made = json.loads(tocsin("alerts", "silence", *words, "--json").stdout)
    listed = tocsin("alerts", "silences").stdout
    [alert] = json.loads(tocsin("alerts", "list", "--use-case", use_case, "--json").stdout)

    assert made["matchers"] == [f"use_case={use_case}", "severity!=log"]
    assert [made["since"][:16], made["until"][:16]] == [
        f"{tomorrow:%Y-%m-%dT%H:%M}",
        f"{tomorrow + timedelta(hours=8):%Y-%m-%dT%H:%M}",
    ]
    assert f"use_case={use_case}" in listed
    assert alert["silenced_until"] is None


def test_what_waits_for_the_morning_looks_like_it(tocsin: Any, running: Any, use_case: str) -> None:
    """Who looks at night sees that nobody was called, why, and until when; and a dashboard counts it."""
    before = json.loads(tocsin("status", "--json").stdout)["waiting"]
    [alert] = json.loads(tocsin("alerts", "list", "--use-case", use_case, "--json").stdout)
    row = {"incident": alert["incident"], "fingerprint": alert["fingerprint"], "project": "default", "at": NOW}
    why = {"why": "waiting", "detail": "about 3 wrong answers before then, below your limit of 50", "wrong": 3.0}
    running.database.insert("held_alerts", [{**row, **why, "use_case": use_case, "until": NOW + timedelta(hours=9)}])

    [said] = json.loads(tocsin("alerts", "list", "--use-case", use_case, "--json").stdout)
    table = " ".join(tocsin("alerts", "list", "--use-case", use_case).stdout.split())

    state = json.loads(tocsin("status", "--json").stdout)["waiting"]
    shown = " ".join(tocsin("status").stdout.split())

    assert (said["held"], said["wrong_until"]) == ("waiting", 3.0)
    assert state["pages"] == before["pages"] + 1
    assert state["until"] == min(each["until"] for each in state["incidents"])
    assert [each["wrong"] for each in state["incidents"] if each["use_case"] == use_case] == [3.0]
    assert f"wait{'s' * (state['pages'] == 1)} for people to work, the first until" in shown
    assert f"{use_case} (about 3 wrong answers by then)" in shown
    told = tocsin("alerts", "show", alert["incident"][:12]).stdout
    assert f"Nothing until {NOW + timedelta(hours=9):%Y-%m-%d %H:%M:%S} UTC: about 3 wrong answers before then" in told
    scraped = exposition(snapshot(running.parts))
    assert f"tocsin_pages_waiting {state['pages']}" in scraped
    assert "tocsin_pages_waiting_until_seconds " in scraped
    assert "nobody: waiting until" in table
