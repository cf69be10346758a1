"""The week as a letter: when it is due, and what goes into the outbox. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Final, Literal, get_args

from tocsin_alerts.channels import SmtpChannel
from tocsin_alerts.message import Message
from tocsin_alerts.outbox import Notification, notification_id
from tocsin_alerts.report.letter import as_html, as_text, subject
from tocsin_alerts.report.weekly import Week

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
INCIDENT: Final = "weekly-report"  # what the outbox files it under
LATE: Final = timedelta(days=1)  # so long after it was due a report is still news


@dataclass(frozen=True, slots=True, kw_only=True)
class Timetable:
    """When the week is sent."""

    day: Weekday
    at: time
    zone: tzinfo = UTC

    def last_due(self, now: datetime) -> datetime:
        """Give the last instant at which it was due, now or before."""
        here = now.astimezone(self.zone)
        back = (here.weekday() - get_args(Weekday).index(self.day)) % 7
        due = datetime.combine(here.date() - timedelta(days=back), self.at, self.zone)
        if due > here:
            due = datetime.combine(due.date() - timedelta(days=7), self.at, self.zone)
        return due.astimezone(UTC)


def letters(week: Week, channels: Sequence[SmtpChannel], *, key: str, now: datetime) -> list[Notification]:
    """Write one message to each channel.

    Args:
        week: The report.
        channels: Of mail.
        key: What makes it this letter: the same key is the same one, and is sent once.
        now: The time of day.
    """
    message = Message(subject=subject(week), text=as_text(week), html=as_html(week), data={})
    return [
        Notification(
            id=notification_id(INCIDENT, "firing", channel.name, key),
            incident=f"{INCIDENT} {key}",
            project="",
            use_case="",
            transition="firing",
            channel=channel.name,
            severity="log",
            slot=week.until,
            message=message,
            created_at=now,
        )
        for channel in channels
    ]
