"""What is believed of PagerDuty and Slack: what they signed, and no more than that somebody has an incident."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from tocsin_alerts.errors import HearingRefused
from tocsin_alerts.hearing import Taken, heard_of_pagerduty, heard_of_slack

NOW = datetime(2026, 4, 17, 12, tzinfo=UTC)
SECRET = "hush"
EVENT = {
    "event": {
        "event_type": "incident.acknowledged",
        "agent": {"type": "user_reference", "summary": "Ana\nRuiz"},
        "data": {"type": "incident", "id": "Q1", "incident_key": "incident-7"},
    }
}
PRESSED = {
    "type": "block_actions",
    "user": {"id": "U1", "name": "ana"},
    "actions": [{"action_id": "tocsin-acknowledge", "value": "incident-7"}],
}


def of_pagerduty(said: Any, *, secret: str = SECRET) -> tuple[bytes, dict[str, str]]:
    """A body and its headers, as PagerDuty signs them."""
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    return body, {"x-pagerduty-signature": "v1=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}


def of_slack(said: Any, *, secret: str = SECRET, at: datetime = NOW) -> tuple[bytes, dict[str, str]]:
    """A body and its headers, as Slack signs them."""
    body = said if isinstance(said, bytes) else urlencode({"payload": json.dumps(said)}).encode()
    stamp = str(int(at.timestamp()))
    signature = hmac.new(secret.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()
    return body, {"x-slack-request-timestamp": stamp, "x-slack-signature": f"v0={signature}"}


def slack(body: bytes, headers: Mapping[str, str]) -> Taken | None:
    """Hear Slack at noon."""
    return heard_of_slack(body, headers, secret=SECRET, now=NOW)


def test_who_acknowledges_there_has_it_here() -> None:
    """The key under which the incident was triggered comes back; a name is one line."""
    body, headers = of_pagerduty(EVENT)
    rotated = {"x-pagerduty-signature": f"v1={'0' * 64}, {headers['x-pagerduty-signature']}"}

    assert heard_of_pagerduty(body, headers, secret=SECRET) == Taken(incident="incident-7", by="Ana Ruiz (PagerDuty)")
    assert heard_of_pagerduty(body, rotated, secret=SECRET) is not None, "while a secret is changed there are two"
    assert slack(*of_slack(PRESSED)) == Taken(incident="incident-7", by="ana (Slack)")


@pytest.mark.parametrize(
    "said",
    [
        {"event": {**EVENT["event"], "event_type": "incident.triggered"}},
        {"event": {**EVENT["event"], "data": {"incident_key": None}}},
        {"event": {"event_type": "pagey.ping"}},
        {"event": "x"},
        [],
        7,
    ],
)
def test_what_is_of_something_else_takes_nothing(said: Any) -> None:
    """Whoever sets the webhook up sends all events, and PagerDuty pings."""
    assert heard_of_pagerduty(*of_pagerduty(said), secret=SECRET) is None


@pytest.mark.parametrize(
    "said",
    [{**PRESSED, "actions": [{"action_id": "other", "value": "i"}]}, {**PRESSED, "actions": None}, {"a": 1}, [1]],
)
def test_another_button_of_the_app_takes_nothing(said: Any) -> None:
    """The app may have other buttons."""
    assert slack(*of_slack(said)) is None


@pytest.mark.parametrize("at", [NOW - timedelta(minutes=6), NOW + timedelta(minutes=6)])
def test_what_was_said_long_ago_is_not_said_again(at: datetime) -> None:
    """Who has seen a request go by could send it again."""
    with pytest.raises(HearingRefused, match="five minutes"):
        slack(*of_slack(PRESSED, at=at))


def test_what_is_not_signed_is_not_heard() -> None:
    """An address is no secret: anybody could take every incident, and nobody would be woken again."""
    body, headers = of_pagerduty(EVENT)
    for wrong in (
        of_pagerduty(EVENT, secret="other")[1],
        {},
        {"x-pagerduty-signature": ""},
        {"x-pagerduty-signature": "v1=ü"},
    ):
        with pytest.raises(HearingRefused):
            heard_of_pagerduty(body, wrong, secret=SECRET)
    with pytest.raises(HearingRefused):
        heard_of_pagerduty(body + b" ", headers, secret=SECRET)
    body, headers = of_slack(PRESSED)
    for wrong in (
        of_slack(PRESSED, secret="other")[1],
        {},
        {**headers, "x-slack-signature": "v0="},
        {**headers, "x-slack-request-timestamp": "now"},
    ):
        with pytest.raises(HearingRefused):
            slack(body, wrong)
    with pytest.raises(HearingRefused):
        slack(body.replace(b"incident-7", b"incident-8"), headers)


@pytest.mark.parametrize("body", [b"payload=%", b"x=1", b"\xff", b"payload={"])
def test_what_cannot_be_read_is_refused_and_breaks_nothing(body: bytes) -> None:
    """Signed or not."""
    with pytest.raises(HearingRefused):
        slack(*of_slack(body))
    with pytest.raises(HearingRefused):
        heard_of_pagerduty(*of_pagerduty(body), secret=SECRET)
