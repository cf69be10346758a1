"""The JSON that the log and webhooks carry."""

from datetime import datetime
from typing import Any

from tocsin_alerts.outbox import Notification


def envelope(notification: Notification) -> dict[str, Any]:
    """Wrap a notification as Standard Webhooks asks: type, timestamp, data.

    Source: Standard Webhooks specification, "Payload structure".
    """
    message = notification.message
    return {
        "type": f"alert.{notification.transition}",
        "timestamp": _zulu(notification.created_at),
        "data": {
            **message.data,
            "notification": notification.id,
            "dedup_key": notification.incident,
            "severity": notification.severity,
            "subject": message.subject,
            "text": message.text,
        },
    }


def _zulu(when: datetime) -> str:
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")
