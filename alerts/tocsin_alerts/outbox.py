"""What has been said to whom, and what is still to be said: the ``notifications`` table.

A row is written pending before anything is sent, and becomes sent only when the receiver said so. A crash in between
sends the same id again; the receiver's dedup key removes the second.
"""

import hashlib
import json
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Final, Literal, TypeAlias

from tocsin_alerts.journal_sql import statement
from tocsin_alerts.message import Message
from tocsin_alerts.ports import Query
from tocsin_alerts.records import NotificationTransition, Severity
from tocsin_alerts.standing import Standing

State: TypeAlias = Literal["pending", "sent", "dead"]

_TABLE: Final = "notifications"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """One message to one channel, and how far it has got."""

    id: str
    incident: str
    project: str
    use_case: str
    transition: NotificationTransition
    channel: str
    severity: Severity
    slot: datetime
    message: Message
    created_at: datetime
    alerts: tuple[Standing, ...] = ()  # each as it stands, for channels that are told of every one
    state: State = "pending"
    attempts: int = 0
    error: str = ""
    version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What the outbox remembers of a notification, whatever became of it."""

    id: str
    incident: str
    transition: NotificationTransition
    channel: str
    state: State
    severity: Severity
    created_at: datetime
    alerts: tuple[str, ...]
    events: tuple[str, ...] = ()  # the transitions that it told of, where it was told of every one


def notification_id(incident: str, transition: str, channel: str, repeat: str = "") -> str:
    """Derive the id that survives any crash and replay; receivers deduplicate by it."""
    return hashlib.sha256(f"{incident}\x1f{transition}\x1f{channel}\x1f{repeat}".encode()).hexdigest()[:32]


class Outbox:
    """The durable part of delivery. Safe to use from several threads."""

    def __init__(self, query: Query) -> None:
        self._query = query
        self._lock = threading.Lock()

    def known(self) -> list[Said]:
        """List every notification there ever was, without its message."""
        with self._lock:
            rows = self._query.rows(statement("said"))
        return [
            Said(
                id=row["notification"],
                incident=row["incident"],
                transition=row["transition"],
                channel=row["channel"],
                state=row["state"],
                severity=row["severity"],
                created_at=datetime.fromisoformat(row["created_at"]),
                alerts=tuple(row["alerts"]),
                events=tuple(row["events"]),
            )
            for row in rows
        ]

    def has(self, notification: str) -> bool:
        """Whether one of this id was ever kept."""
        with self._lock:
            return bool(self._query.rows(statement("kept"), {"notification": notification}))

    def pending(self) -> list[Notification]:
        """Read what was not sent before the last end of the process, oldest first."""
        with self._lock:
            waiting = [_read(row) for row in self._query.rows(statement("unsent"))]
        return sorted(waiting, key=lambda each: each.created_at)

    def standing(self, channel: str) -> list[Notification]:
        """Read what a channel was told last of each incident that is not over for it."""
        with self._lock:
            return [_read(row) for row in self._query.rows(statement("standing"), {"channel": channel})]

    def add(self, notifications: Sequence[Notification], *, now: datetime) -> None:
        """Keep new notifications; the same id again changes nothing that matters."""
        self._write([replace(notification, version=1) for notification in notifications], now)

    def settle(
        self, notification: Notification, state: State, *, attempts: int, error: str, now: datetime
    ) -> Notification:
        """Keep what became of an attempt and return the notification as it is now."""
        settled = replace(
            notification, state=state, attempts=attempts, error=error[:2000], version=notification.version + 1
        )
        self._write([settled], now)
        return settled

    def _write(self, notifications: Sequence[Notification], now: datetime) -> None:
        with self._lock:
            self._query.insert(_TABLE, [_row(notification, now) for notification in notifications])


def _row(notification: Notification, now: datetime) -> dict[str, Any]:
    body = {
        "message": asdict(notification.message),
        "created_at": notification.created_at.isoformat(),
        "alerts": [alert.to_json() for alert in notification.alerts],
    }
    return {
        "notification": notification.id,
        "incident": notification.incident,
        "project": notification.project,
        "use_case": notification.use_case,
        "transition": notification.transition,
        "channel": notification.channel,
        "state": notification.state,
        "attempts": notification.attempts,
        "severity": notification.severity,
        "subject": notification.message.subject,
        "body": json.dumps(body, ensure_ascii=False),
        "error": notification.error,
        "slot": notification.slot,
        "version": max(1, notification.version),
        "at": now,
    }


def _read(row: dict[str, Any]) -> Notification:
    body = json.loads(row["body"])
    message = body["message"]
    return Notification(
        id=row["notification"],
        incident=row["incident"],
        project=row["project"],
        use_case=row["use_case"],
        transition=row["transition"],
        channel=row["channel"],
        severity=row["severity"],
        slot=row["slot"],
        message=Message(**{**message, "to": tuple(message["to"]), "alerts": tuple(message["alerts"])}),
        created_at=datetime.fromisoformat(body["created_at"]),
        alerts=tuple(Standing.from_json(said) for said in body.get("alerts", ())),
        state=row["state"],
        attempts=row["attempts"],
        error=row["error"],
        version=row["version"],
    )
