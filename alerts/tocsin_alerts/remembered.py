"""What has been said of each incident, and to whom: what keeps anything from being said twice."""

from collections.abc import Container
from datetime import datetime

from tocsin_alerts.acknowledging import is_taken
from tocsin_alerts.outbox import Notification, Said
from tocsin_alerts.ports import Query
from tocsin_alerts.telling import Told


class Remembered:
    """The outbox as delivery needs it, in memory.

    Args:
        query: For acknowledgements.
    """

    def __init__(self, query: Query) -> None:
        self._query = query
        self._told: dict[tuple[str, str], Told] = {}
        self._said: set[str] = set()  # notifications
        self._paged: dict[str, datetime] = {}  # incidents, and when people were told first
        self._taken: set[str] = set()  # incidents that somebody acknowledged

    @property
    def said(self) -> Container[str]:
        """The ids of every notification that there was."""
        return self._said

    def restore(self, said: Said) -> None:
        """Take in what was said before this process began."""
        self._said.add(said.id)
        self._of(said.incident, said.channel).note(said.transition, said.alerts, said.events, at=said.created_at)
        if said.transition == "firing" and said.severity == "page":
            self._page(said.incident, said.created_at)

    def note(self, said: Notification) -> None:
        """Take in what is being said."""
        self._said.add(said.id)
        events = [alert.event for alert in said.alerts]
        told = self._of(said.incident, said.channel)
        told.note(said.transition, said.message.alerts, events, at=said.created_at)
        if said.transition == "firing" and said.severity == "page":
            self._page(said.incident, said.created_at)

    def told(self, incident: str, channel: str) -> Told:
        """Say what a channel knows of an incident."""
        return self._told.get((incident, channel)) or Told()

    def awaits_end(self, incident: str) -> bool:
        """Whether a channel knows of an incident, and not that it is over."""
        told = [each.transitions for (of, _), each in self._told.items() if of == incident]
        return any("firing" in each and "resolved" not in each for each in told)

    def paged(self, incident: str) -> datetime | None:
        """Say when people were first told of a page; None: nobody was."""
        return self._paged.get(incident)

    def is_taken(self, incident: str) -> bool:
        """Whether somebody has acknowledged an incident; asks the store until somebody has.

        Raises:
            Exception: the store failed.
        """
        if incident not in self._taken and is_taken(self._query, incident):
            self._taken.add(incident)
        return incident in self._taken

    def known_as_taken(self, incident: str) -> bool:
        """Whether it was when last asked."""
        return incident in self._taken

    def _of(self, incident: str, channel: str) -> Told:
        return self._told.setdefault((incident, channel), Told())

    def _page(self, incident: str, at: datetime) -> None:
        self._paged[incident] = min(at, self._paged.get(incident, at))
