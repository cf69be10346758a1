"""Sends the week by mail: when somebody asks, and when it is due, once, whatever restarts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from tocsin_alerts.channels import Channel, SmtpChannel
from tocsin_alerts.documents import suggest
from tocsin_alerts.outbox import Notification
from tocsin_alerts.report.sending import LATE, Timetable, letters
from tocsin_alerts.report.weekly import Week
from tocsin_console.errors import UsageProblem
from tocsin_console.sections.acting import ReportSection

Post = Callable[[Sequence[Notification]], Sequence[str]]


def timetable_of(said: ReportSection | None) -> Timetable | None:
    """Give the timetable of ``tocsin.yaml``; None: it is off."""
    return None if said is None else Timetable(day=said.day, at=said.time, zone=ZoneInfo(said.zone))


def mailboxes(channels: Sequence[Channel], said: ReportSection | None) -> list[SmtpChannel]:
    """Give the channels that the week goes to: those that are named, else all of mail.

    Raises:
        UsageProblem: one that is named is none of mail.
    """
    mail = [each for each in channels if isinstance(each, SmtpChannel)]
    names = [each.name for each in mail]
    for name in (said.channels if said else None) or ():
        if name not in names:
            raise UsageProblem(
                f"report.channels: expected a channel of type smtp, got {name!r}: {suggest(name, names)}"
            )
    return [each for each in mail if said is None or not said.channels or each.name in said.channels]


@dataclass(slots=True, kw_only=True)
class Postbox:
    """Where letters go in.

    Args:
        channels: Of mail.
        post: Keeps and sends messages, an id once; gives the ids that are new.
        now: The time of day.
        timetable: When it is due; None: only when somebody asks.
    """

    channels: Sequence[SmtpChannel]
    post: Post
    now: Callable[[], datetime]
    timetable: Timetable | None = None
    _done: datetime | None = field(default=None, init=False)

    def send(self, week: Week) -> list[str]:
        """Send the week now; gives the names of the channels that it goes to.

        Raises:
            UsageProblem: there is no channel of mail.
        """
        if not self.channels:
            raise UsageProblem("expected a channel of type smtp in tocsin.yaml to send the week to, found none")
        now = self.now()
        self.post(letters(week, self.channels, key=now.isoformat(), now=now))
        return [each.name for each in self.channels]

    def turn(self, week: Callable[[], Week]) -> bool:
        """Send the week if it is due and was not sent; says whether it was sent now.

        Raises:
            Exception: the store failed; take the turn again.
        """
        if self.timetable is None or not self.channels:
            return False
        now = self.now()
        due = self.timetable.last_due(now)
        if due == self._done or now - due > LATE:
            return False
        is_new = bool(self.post(letters(week(), self.channels, key=due.isoformat(), now=now)))
        self._done = due
        return is_new
