"""Test messages: whether each channel takes a message, and its end, said before the night in which it has to."""

import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from tocsin_alerts.channels import Channel, acts_on_mentions, shows_html
from tocsin_alerts.courier import Notifier
from tocsin_alerts.errors import AlertsError
from tocsin_alerts.message import View
from tocsin_alerts.outbox import Notification, notification_id
from tocsin_alerts.render import Templates
from tocsin_alerts.sample_views import FIRING, RESOLVED
from tocsin_alerts.standing import Standing

_MARK = "TEST, nothing is wrong: "


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What became of the test messages to one channel."""

    channel: str
    kind: str  # its class: WebhookChannel
    error: str  # empty: both were taken
    took_s: float


def try_channels(
    channels: Sequence[tuple[Channel, Notifier]],
    templates: Templates,
    *,
    now: Callable[[], datetime],
    views: Sequence[View] = (FIRING, RESOLVED),
    mark: str = _MARK,
    elapsed: Callable[[], float] = time.monotonic,
) -> list[Tried]:
    """Send a message that begins and one that ends an incident that is none, marked as such, past the outbox and without retries.

    Args:
        channels: Each with its way out; all of them, whatever severities they take.
        templates: Those of real messages.
        now: The time of day.
        views: What is said: a beginning, and its end.
        mark: What stands before it.
        elapsed: Seconds that never go back.
    """
    incident = f"test-{uuid.uuid4().hex[:12]}"
    tried = []
    for channel, notifier in channels:
        began, error = elapsed(), ""
        try:
            for view in views:
                marked = replace(view, incident=incident, do_now=mark + view.do_now)
                message = templates.compose(marked, chat=acts_on_mentions(channel), html=shows_html(channel))
                notifier.send(
                    Notification(
                        id=notification_id(incident, view.transition, channel.name),
                        incident=incident,
                        project=view.project,
                        use_case=view.use_case,
                        transition=view.transition,
                        channel=channel.name,
                        severity=view.severity,
                        slot=view.slot,
                        message=replace(message, subject=mark + message.subject),
                        created_at=now(),
                        alerts=(_alert(marked),),
                    )
                )
        except (AlertsError, OSError) as failed:
            error = str(failed) or type(failed).__name__
        kind = type(channel).__name__
        tried.append(Tried(channel=channel.name, kind=kind, error=error, took_s=elapsed() - began))
    return tried


def _alert(view: View) -> Standing:
    return Standing(
        event=view.transition,
        rule="TocsinTest",
        labels={"incident": view.incident},
        severity=view.severity,
        summary=view.do_now,
        reason=view.lead.reason,
        since=view.opened,
        until=view.slot if view.transition == "resolved" else None,
    )
