"""What PagerDuty and Slack post to the API: signed, it takes the incident; anything else changes nothing."""

import json
import urllib.request
import uuid
from dataclasses import replace
from typing import Any
from urllib.error import HTTPError

import pytest
from tests.alerts.delivery.test_hearing import EVENT, PRESSED, of_pagerduty, of_slack
from tests.console.conftest import HEARD, NOW
from tests.console.test_acknowledging import fires

from tocsin_console.config import Config
from tocsin_console.sections.channel import Channel

CHANNELS = (
    Channel(name="pd", type="pagerduty", routing_key="env:K", webhook_secret="env:PAGERDUTY_SECRET"),
    Channel(name="room", type="slack_bot", token="env:T", room="C7", signing_secret="env:SLACK_SECRET"),
    Channel(name="deaf", type="pagerduty", routing_key="env:K"),
)


@pytest.fixture
def config(config: Config) -> Config:
    """Two channels that are heard, and one that is not."""
    return replace(config, channels=CHANNELS)


@pytest.fixture
def incident(running: Any) -> str:
    """An open incident of one alert."""
    name = uuid.uuid4().hex
    fires(running.database, name, rule="accuracy-drop", to_state="firing")
    return name


def post(running: Any, channel: str, body: bytes, headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
    """Post as a service does; gives status and answer."""
    request = urllib.request.Request(f"http://{running.address}/hooks/{channel}", data=body, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except HTTPError as error:
        with error:
            return error.code, json.load(error)


def of(incident: str) -> dict[str, Any]:
    """PagerDuty's event about an incident."""
    event = EVENT["event"]
    return {"event": {**event, "data": {**event["data"], "incident_key": incident}}}


def taken_by(running: Any, incident: str) -> set[str]:
    """Who the audit log says took an incident."""
    sql = "SELECT actor FROM audit_log FINAL WHERE action = 'acknowledge' AND subject = {incident:String}"
    return {row["actor"] for row in running.database.rows(sql, {"incident": incident})}


def test_taking_it_in_pagerduty_or_slack_takes_it_here(running: Any, incident: str) -> None:
    """Who pressed the button on the phone at three must not be called again at five past."""
    pagerduty = of_pagerduty(of(incident), secret=HEARD["PAGERDUTY_SECRET"])
    pressed = {**PRESSED, "actions": [{**PRESSED["actions"][0], "value": incident}]}
    slack = of_slack(pressed, secret=HEARD["SLACK_SECRET"], at=NOW)

    first, again, other = (
        post(running, "pd", *pagerduty),
        post(running, "pd", *pagerduty),
        post(running, "room", *slack),
    )

    assert [status for status, _ in (first, again, other)] == [200, 200, 200]
    assert "Ana Ruiz (PagerDuty) has incident" in first[1]["heard"]
    assert "Ana Ruiz (PagerDuty) has incident" in other[1]["heard"], "the first has it"
    assert taken_by(running, incident) == {"Ana Ruiz (PagerDuty)", "ana (Slack)"}


@pytest.mark.parametrize(
    ("channel", "more", "status"),
    [
        ("pd", {"x-pagerduty-signature": "v1=0"}, 403),
        ("deaf", {}, 404),
        ("none", {}, 404),
        ("pd", {"origin": "http://x"}, 403),
    ],
)
def test_what_is_not_proven_takes_nothing(
    running: Any, incident: str, channel: str, more: dict[str, str], status: int
) -> None:
    """Anybody can find the address."""
    body, headers = of_pagerduty(of(incident), secret=HEARD["PAGERDUTY_SECRET"])

    answered, _ = post(running, channel, body, {**headers, **more})

    assert answered == status
    assert not taken_by(running, incident)


def test_an_incident_that_is_over_or_unknown_is_no_error(running: Any) -> None:
    """A service sends again what failed, for days, and then stops sending anything."""
    status, said = post(running, "pd", *of_pagerduty(of("nobody's"), secret=HEARD["PAGERDUTY_SECRET"]))

    assert status == 200
    assert "expected one incident" in said["heard"]


def test_a_body_without_an_end_is_not_read(running: Any) -> None:
    """Before a signature can be checked a body has to be held."""
    status, _ = post(running, "pd", b"x" * (65 << 10), {})

    assert status == 413
