"""PagerDuty's Events API v2: an incident of ours is an alert of theirs, triggered (again with what is new), acknowledged, resolved.

Source: PagerDuty's reference of the Events API v2, "Send an event to PagerDuty" and "PD-CEF".
"""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

import urllib3

from tocsin_alerts.channels import PagerDutyChannel
from tocsin_alerts.notifiers.posting import Post, require_http
from tocsin_alerts.outbox import Notification
from tocsin_alerts.plain import one_line, without_links, without_mentions
from tocsin_alerts.records import Severity
from tocsin_alerts.telling import TAKEN
from tocsin_alerts.web_links import link_in

_SEVERITIES: Final[Mapping[Severity, str]] = {"page": "critical", "ticket": "warning", "log": "info"}
_SUMMARY_CHARS: Final = 1_024
_TEXT_CHARS: Final = 60_000  # of 512 KB that an event may have


class PagerDutyNotifier:
    """Sends events to one integration."""

    def __init__(
        self,
        channel: PagerDutyChannel,
        routing_key: Callable[[], str],
        *,
        now: Callable[[], datetime],
        pool: urllib3.PoolManager | None = None,
    ) -> None:
        what = f"PagerDuty channel {channel.name!r}"
        require_http(what, channel.url)
        self._url = channel.url
        self._routing_key = routing_key
        self._post = Post(what, timeout_s=channel.timeout_s, now=now, pool=pool)

    def send(self, notification: Notification) -> None:
        """Send one event.

        Raises:
            DeliveryFailed: it was not taken.
        """
        body = {"routing_key": self._routing_key(), **event(notification)}
        self._post.send(self._url, json.dumps(body, ensure_ascii=False).encode())


def event(notification: Notification) -> dict[str, Any]:
    """Write what PagerDuty is told, but for the key of the integration; the incident is the key under which it merges."""
    made = {"dedup_key": notification.incident, "client": "tocsin"}
    if notification.transition == "resolved":
        return {**made, "event_action": "resolve"}
    if notification.message.data.get("again") == TAKEN:
        return {**made, "event_action": "acknowledge"}
    message, link = notification.message, str((notification.message.data.get("runbook") or {}).get("link") or "")
    lead = notification.message.data.get("lead") or {}
    payload = {
        "summary": message.subject[:_SUMMARY_CHARS],
        "source": _shown(f"{notification.project}/{notification.use_case}"),
        "severity": _SEVERITIES[notification.severity],
        "timestamp": notification.slot.isoformat(),
        "component": _shown(notification.use_case),
        "group": _shown(notification.project),
        "class": str(lead.get("rule") or ""),
        "custom_details": {"message": message.text[:_TEXT_CHARS], "notification": notification.id},
    }
    said = (
        (link, "Runbook"),
        (link_in(message.data, "dashboard"), "Dashboard"),
        (str(message.data.get("page") or ""), "Acknowledge or silence"),
    )
    links = [{"href": href, "text": text} for href, text in said if href.startswith(("https://", "http://"))]
    return {**made, "event_action": "trigger", "payload": payload, "links": links}


def _shown(name: str) -> str:
    """Give a name as people are shown it: callers choose names, too."""
    return without_mentions(without_links(one_line(name)))
