"""What stands at a receiver that forgets, and when it is due to be sent again."""

from collections.abc import Container, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

from tocsin_alerts.outbox import Notification


@runtime_checkable
class Resending(Protocol):
    """A way out to a receiver that forgets."""

    @property
    def resend_s(self) -> float:
        """How often what stands is sent again."""
        ...

    @property
    def keep_s(self) -> float:
        """How long the end of an incident is sent again."""
        ...

    def resend(self, standing: Sequence[Notification], /) -> None:
        """Send again what was sent last of each incident.

        Raises:
            DeliveryFailed: it was not taken.
        """
        ...


class Resends:
    """The last message of each incident that a receiver has taken.

    Args:
        notifier: The way out.
        standing: What it had taken before this process began.
        now: The time of day; everything is due at once, since the receiver may have been started anew too.
    """

    def __init__(self, notifier: Resending, standing: Iterable[Notification], *, now: datetime) -> None:
        self._notifier = notifier
        self._standing = {each.incident: each for each in standing}
        self._over: dict[str, datetime] = {}  # incident -> until when its end is repeated
        self._next = now

    def note(self, sent: Notification, *, now: datetime) -> None:
        """Take in what the receiver took."""
        if not sent.alerts:  # a report, say
            return
        if not self._standing:
            self._next = now + timedelta(seconds=self._notifier.resend_s)
        self._standing[sent.incident] = sent
        self._over.pop(sent.incident, None)
        if sent.transition == "resolved":
            self._over[sent.incident] = now + timedelta(seconds=self._notifier.keep_s)

    def due(self) -> datetime | None:
        """Say when something has to be sent again; None while nothing stands."""
        return self._next if self._standing else None

    def send(self, *, now: datetime, without: Container[str]) -> None:
        """Send again what stands, when that is due.

        Args:
            now: The time of day.
            without: Incidents of which something newer is on its way.

        Raises:
            DeliveryFailed: it was not taken.
        """
        if now < self._next:
            return
        self._next = now + timedelta(seconds=self._notifier.resend_s)
        for incident in [incident for incident, until in self._over.items() if until <= now]:
            del self._over[incident], self._standing[incident]
        if standing := [each for each in self._standing.values() if each.incident not in without]:
            self._notifier.resend(standing)
