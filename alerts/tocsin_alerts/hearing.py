"""What PagerDuty and Slack say of an incident, proven by their signatures: that somebody has it. Pure.

Source: PagerDuty's reference of webhooks v3, "Verifying signatures" and "incident.acknowledged"; Slack's "Verifying requests from
Slack" and "block_actions".
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import parse_qs

from tocsin_alerts.errors import HearingRefused
from tocsin_alerts.notifiers.chat import ACKNOWLEDGE
from tocsin_alerts.plain import one_line

_SLACK_OLDEST_S: Final = 300  # as Slack advises: what is older may be said again by somebody who has seen it
_NAME_CHARS: Final = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """Somebody took an incident in a service."""

    incident: str
    by: str  # the person, and where


def heard_of_pagerduty(body: bytes, headers: Mapping[str, str], *, secret: str) -> Taken | None:
    """Read what PagerDuty posts; None: it is of something else.

    Raises:
        HearingRefused: it is not signed by this secret, or no event.
    """
    expected = "v1=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    given = [each.strip() for each in headers.get("x-pagerduty-signature", "").split(",")]
    if not any(hmac.compare_digest(expected.encode(), each.encode()) for each in given):
        raise HearingRefused("expected a body signed by this channel's webhook_secret (X-PagerDuty-Signature)")
    event = _object(_object(_json(body)).get("event"))
    if event.get("event_type") != "incident.acknowledged":
        return None
    incident = _object(event.get("data")).get("incident_key")
    if not isinstance(incident, str) or not incident:
        return None  # an incident that somebody opened by hand
    return Taken(incident=incident, by=_person(_object(event.get("agent")).get("summary"), "PagerDuty"))


def heard_of_slack(body: bytes, headers: Mapping[str, str], *, secret: str, now: datetime) -> Taken | None:
    """Read what Slack posts when a button is pressed; None: it is of something else.

    Raises:
        HearingRefused: it is not signed by this secret, older than five minutes, or no interaction.
    """
    at = headers.get("x-slack-request-timestamp", "")
    if not at.isdecimal() or abs(now.timestamp() - int(at[:12])) > _SLACK_OLDEST_S:
        raise HearingRefused(
            "expected X-Slack-Request-Timestamp within five minutes of now: look at this machine's clock"
        )
    expected = "v0=" + hmac.new(secret.encode(), f"v0:{at}:".encode() + body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected.encode(), headers.get("x-slack-signature", "").encode()):
        raise HearingRefused("expected a body signed by this channel's signing_secret (X-Slack-Signature)")
    try:
        payload = parse_qs(body.decode(), max_num_fields=4)["payload"][-1]
    except (ValueError, KeyError) as error:
        raise HearingRefused("expected a form with a payload") from error
    said = _object(_json(payload))
    for action in said.get("actions") or []:
        pressed = _object(action)
        if pressed.get("action_id") == ACKNOWLEDGE and isinstance(pressed.get("value"), str):
            user = _object(said.get("user"))
            return Taken(
                incident=pressed["value"],
                by=_person(user.get("name") or user.get("username") or user.get("id"), "Slack"),
            )
    return None


def _person(name: object, where: str) -> str:
    said = one_line(name)[:_NAME_CHARS].strip() if isinstance(name, str) else ""
    return f"{said or 'somebody'} ({where})"


def _json(text: bytes | str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise HearingRefused("expected JSON") from error


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
