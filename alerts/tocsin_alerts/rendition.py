"""What each kind of channel would be sent, and whether it fits. Pure.

Source: Slack's reference of Block Kit; PagerDuty's of Events API v2; Microsoft's of workflows for Teams; RFC 5322, 2.1.1.
"""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final, Literal, TypeAlias, get_args

from tocsin_alerts.channels import AppriseChannel, Channel, ChatChannel, SlackBotChannel, SmtpChannel
from tocsin_alerts.notifiers.alertmanager import alerts_of
from tocsin_alerts.notifiers.chat import CUT, image_of, slack, teams
from tocsin_alerts.notifiers.envelope import envelope
from tocsin_alerts.notifiers.pagerduty import event
from tocsin_alerts.notifiers.smtp import compose
from tocsin_alerts.outbox import Notification

Kind: TypeAlias = Literal["log", "webhook", "pagerduty", "slack", "teams", "smtp", "alertmanager", "apprise"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

_MAIL: Final = SmtpChannel(name="mail", host="", sender="tocsin@example.com", recipients=("oncall@example.com",))
_SLACK_BLOCKS, _SLACK_BLOCK_CHARS, _SLACK_HEADER_CHARS = 50, 3_000, 150
_PAGERDUTY_SUMMARY_CHARS, _PAGERDUTY_BYTES = 1_024, 512 * 1024
_TEAMS_BYTES: Final = 28 * 1024
_MAIL_LINE_OCTETS: Final = 998
_MAIL_HTML_BYTES: Final = 102 * 1024  # Gmail cuts there
_SUBJECT_CHARS: Final = 160


def kind_of(channel: Channel) -> Kind:
    """Say of which kind a channel is."""
    if isinstance(channel, ChatChannel):
        return channel.app
    if isinstance(channel, SlackBotChannel):
        return "slack"
    if isinstance(channel, SlackBotChannel):
        return "slack"
    if isinstance(channel, AppriseChannel):
        return "log"  # its text is what is sent
    name = type(channel).__name__.removesuffix("Channel").lower()
    return next(kind for kind in KINDS if kind == name)


def rendition(kind: Kind, notification: Notification, *, chart: bytes | None = None) -> bytes:
    """Write what a channel of a kind would be sent: JSON, indented, or a mail.

    Args:
        kind: Of channel.
        notification: The message.
        chart: A PNG, for a mail.
    """
    if kind == "smtp":
        return compose(_MAIL, notification, chart=chart).as_bytes()
    return (json.dumps(_body(kind, notification), ensure_ascii=False, indent=2) + "\n").encode()


def misfits(kind: Kind, notification: Notification) -> Iterator[str]:
    """Say what of a message a channel of a kind would refuse or cut."""
    if len(notification.message.subject) >= _SUBJECT_CHARS:
        yield f"the subject is cut at {_SUBJECT_CHARS} characters"
    match kind:
        case "slack":
            yield from _slack(slack(notification))
        case "teams":
            yield from _teams(teams(notification))
        case "pagerduty":
            yield from _pagerduty(notification)
        case "smtp":
            yield from _mail(notification)


def _body(kind: Kind, notification: Notification) -> Any:
    match kind:
        case "slack":
            return slack(notification, image=image_of(notification))
        case "teams":
            return teams(notification, image=image_of(notification))
        case "pagerduty":
            return {"routing_key": "…", **event(notification)}
        case "alertmanager":
            now = notification.created_at
            return list(alerts_of(notification, now=now, ends=now + timedelta(minutes=15)))
        case "apprise":  # which writes it as each service wants it
            return {"title": notification.message.subject, "body": notification.message.text, "body_format": "text"}
    return envelope(notification)


def _slack(body: dict[str, Any]) -> Iterator[str]:
    blocks = body["blocks"]
    if len(blocks) > _SLACK_BLOCKS:
        yield f"Slack takes {_SLACK_BLOCKS} blocks, got {len(blocks)}"
    texts = [element["text"] for block in blocks for part in block.get("elements", ()) for element in part["elements"]]
    if any(len(text) > _SLACK_BLOCK_CHARS for text in texts):
        yield f"Slack takes {_SLACK_BLOCK_CHARS} characters a block, got {max(map(len, texts))}"
    if len(blocks[0]["text"]["text"]) >= _SLACK_HEADER_CHARS:
        yield f"Slack cuts the subject at {_SLACK_HEADER_CHARS} characters"
    if CUT in texts:
        yield "Slack shows the beginning alone: print less"


def _teams(body: dict[str, Any]) -> Iterator[str]:
    size = len(json.dumps(body, ensure_ascii=False).encode())
    if size > _TEAMS_BYTES:
        yield f"Teams takes {_TEAMS_BYTES} bytes, got {size}"
    if CUT in json.dumps(body, ensure_ascii=False):
        yield "Teams shows the beginning alone: print less"


def _pagerduty(notification: Notification) -> Iterator[str]:
    body = event(notification)
    size = len(json.dumps(body, ensure_ascii=False).encode())
    if size > _PAGERDUTY_BYTES:
        yield f"PagerDuty takes {_PAGERDUTY_BYTES} bytes, got {size}"
    payload = body.get("payload", {})
    if len(payload.get("summary", "")) > _PAGERDUTY_SUMMARY_CHARS:
        yield f"PagerDuty takes {_PAGERDUTY_SUMMARY_CHARS} characters of summary, got {len(payload['summary'])}"
    said = payload.get("custom_details", {}).get("message", notification.message.text)
    if len(said) < len(notification.message.text):
        yield "PagerDuty shows the beginning alone: print less"


def _mail(notification: Notification) -> Iterator[str]:
    raw = compose(_MAIL, notification).as_bytes()
    longest = max(map(len, raw.split(b"\r\n")))
    if longest > _MAIL_LINE_OCTETS:
        yield f"mail has lines of at most {_MAIL_LINE_OCTETS} octets, got one of {longest}"
    size = len(notification.message.html.encode())
    if size > _MAIL_HTML_BYTES:
        yield f"mail programs show {_MAIL_HTML_BYTES} bytes of HTML, got {size}: print less"
