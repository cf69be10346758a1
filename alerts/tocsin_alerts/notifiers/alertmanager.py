"""Alertmanager, API v2: every alert of an incident is an alert of theirs, posted to each replica, again and again while it fires.

Replicas tell each other of silences and of what was sent, not of alerts, and keep these in memory. One that took a post will
notify, so a message is delivered when one replica took it; the others get it with the next post. An alert whose posts stop
ends by itself after ``HOLDS`` of them: not sooner, since a restart of ours must not look like health.

Source: Alertmanager's OpenAPI of v2, "postAlerts"; its documentation, "Clients" and "High availability"; Prometheus' ``notifier``.
"""

import json
import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any, Final

import urllib3

from tocsin_alerts.channels import AlertmanagerChannel
from tocsin_alerts.errors import ChannelError, DeliveryFailed
from tocsin_alerts.notifiers.posting import Post, require_http
from tocsin_alerts.outbox import Notification
from tocsin_alerts.plain import one_line, without_links, without_mentions
from tocsin_alerts.standing import Standing
from tocsin_alerts.web_links import link_in

HOLDS: Final = 15  # posts that may be missed before Alertmanager takes an alert for ended; Prometheus allows four
_BATCH: Final = 100  # alerts in one request
_TEXT_CHARS: Final = 16_000  # of one message, over all its alerts
_MOMENT: Final = timedelta(milliseconds=1)
_log = logging.getLogger("tocsin.alerts")


class AlertmanagerNotifier:
    """Posts to the replicas of one Alertmanager."""

    def __init__(
        self,
        channel: AlertmanagerChannel,
        password: Callable[[], str],
        *,
        now: Callable[[], datetime],
        pool: urllib3.PoolManager | None = None,
    ) -> None:
        self.resend_s = channel.resend_s
        self.keep_s = HOLDS * channel.resend_s
        self._channel = channel
        self._password = password
        self._now = now
        self._missed: frozenset[str] = frozenset()
        self._replicas: list[tuple[str, Post]] = []
        for url in channel.urls:
            what = f"Alertmanager channel {channel.name!r}"
            require_http(what, url)
            post = Post(what, timeout_s=channel.timeout_s, now=now, pool=pool)
            self._replicas.append((url.rstrip("/") + "/api/v2/alerts", post))

    def send(self, notification: Notification) -> None:
        """Post the alerts of one message.

        Raises:
            DeliveryFailed: no replica took them.
        """
        self.resend([notification])

    def resend(self, standing: Sequence[Notification]) -> None:
        """Post the alerts of what was sent last of each incident: for as long as they fire, and a while after they ended.

        Raises:
            DeliveryFailed: no replica took them.
        """
        ends = self._now() + timedelta(seconds=self.keep_s)
        alerts = [made for each in standing for made in alerts_of(each, now=self._now(), ends=ends)]
        for begin in range(0, len(alerts) or 1, _BATCH):
            self._post(json.dumps(alerts[begin : begin + _BATCH], ensure_ascii=False).encode())

    def _post(self, body: bytes) -> None:
        headers = {}
        if self._channel.user:
            headers = urllib3.make_headers(basic_auth=f"{self._channel.user}:{self._password()}")

        def reach(replica: tuple[str, Post]) -> Exception | None:
            url, post = replica
            try:
                post.send(url, body, headers)
            except (DeliveryFailed, ChannelError) as error:
                return error
            return None

        with ThreadPoolExecutor(len(self._replicas), thread_name_prefix="tocsin-alertmanager") as pool:
            answers = list(pool.map(reach, self._replicas))  # side by side: one that hangs must not hold up the other
        failed = [error for error in answers if error is not None]
        if len(failed) == len(answers):
            raise failed[0]
        self._tell_of(frozenset(str(error) for error in failed))

    def _tell_of(self, missed: frozenset[str]) -> None:
        if missed and missed != self._missed:
            _log.warning("a replica did not take alerts that another took; it gets them again: %s", "; ".join(missed))
        self._missed = missed


def alerts_of(notification: Notification, *, now: datetime, ends: datetime) -> Iterator[dict[str, Any]]:
    """Write the alerts of one message: labels that say which, annotations that say what.

    Args:
        notification: With its alerts.
        now: The time of day; what has ended did so by then.
        ends: When Alertmanager is to take what still fires for ended, unless it is posted again.
    """
    message = notification.message
    link = str((message.data.get("runbook") or {}).get("link") or "")
    text = message.text[: _TEXT_CHARS // max(1, len(notification.alerts))]
    for alert in notification.alerts:
        began = min(alert.since, now - _MOMENT)
        ended = alert.until and min(max(alert.until, began + _MOMENT), now)
        yield {
            "labels": _labels(notification, alert),
            "annotations": _annotations(
                {
                    "summary": message.subject,
                    "description": without_mentions(without_links(one_line(alert.reason))),
                    "rule": alert.summary,
                    "message": text,
                    "incident": notification.incident,
                    "runbook_url": link,
                    "dashboard_url": link_in(message.data, "dashboard"),
                }
            ),
            "startsAt": _zulu(began),
            "endsAt": _zulu(ended or ends),
        }


def _labels(notification: Notification, alert: Standing) -> dict[str, str]:
    """Name one alert: what is empty is left out, as Alertmanager does, and names are what it takes for names."""
    labels = {
        "alertname": alert.rule,
        "project": notification.project,
        "use_case": notification.use_case,
        "severity": alert.severity,
    }
    for name, value in sorted(alert.labels.items()):
        kept = re.sub(r"^(?=\d)|[^a-zA-Z0-9_]", "_", name) or "_"
        while kept in labels:
            kept += "_"
        labels[kept] = value
    return {name: one_line(_valid(value)) or "?" for name, value in labels.items() if value}


def _annotations(said: Mapping[str, str]) -> dict[str, str]:
    return {name: _valid(text) for name, text in said.items() if text}


def _valid(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _zulu(when: datetime) -> str:
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")
