"""Which alerts belong to which incident, as told by their transitions. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from tocsin_alerts.records import AlertEvent, AlertState, Severity

_ACTIVE: Final[tuple[AlertState, ...]] = ("firing", "recovering")
_RANK: Final[Mapping[Severity, int]] = {"page": 0, "ticket": 1, "log": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One alert of an incident: what it fired with, and where it stands."""

    fired: AlertEvent  # its first firing in this incident
    last: AlertEvent
    onset: datetime  # slot at which it left "inactive"

    @property
    def is_active(self) -> bool:
        """Whether it is not over yet."""
        return self.last.to_state in _ACTIVE

    def demoted(self) -> "Member":
        """Give the same as a ticket."""
        return replace(self, fired=replace(self.fired, severity="ticket"))


@dataclass(slots=True)
class Incident:
    """Alerts of one use case that are one trouble."""

    id: str
    project: str
    use_case: str
    members: dict[str, Member] = field(default_factory=dict)  # by fingerprint, in order of firing

    def of(self, severities: Iterable[Severity]) -> list[Member]:
        """List the alerts of some severities, in order of firing."""
        wanted = frozenset(severities)
        return [member for member in self.members.values() if member.fired.severity in wanted]

    @property
    def opened(self) -> datetime:
        """Slot of the first firing."""
        return min(member.fired.slot for member in self.members.values())

    @property
    def is_open(self) -> bool:
        """Whether any of its alerts is not over."""
        return any(member.is_active for member in self.members.values())


class Incidents:
    """Every incident that has not been forgotten, from the transitions taken in."""

    def __init__(self) -> None:
        self._by_id: dict[str, Incident] = {}
        self._of_alert: dict[str, str] = {}
        self._pending: dict[str, datetime] = {}

    def take(self, events: Sequence[AlertEvent]) -> list[Incident]:
        """Take in transitions and return the incidents that they touch; a transition taken in again changes nothing."""
        touched: dict[str, Incident] = {}
        for event in events:
            if incident := self._take(event):
                touched[incident.id] = incident
        return list(touched.values())

    def forget(self, incident: Incident) -> None:
        """Drop an incident that is over and of which everybody has been told."""
        self._by_id.pop(incident.id, None)
        for fingerprint in incident.members:
            if self._of_alert.get(fingerprint) == incident.id:
                del self._of_alert[fingerprint]

    def __iter__(self) -> Iterator[Incident]:
        return iter(tuple(self._by_id.values()))

    def _take(self, event: AlertEvent) -> Incident | None:
        if event.to_state == "pending":
            self._pending[event.fingerprint] = event.slot
            return None
        if event.to_state == "inactive":
            self._pending.pop(event.fingerprint, None)
            return None
        incident_id = event.incident or self._of_alert.get(event.fingerprint, "")
        incident = self._by_id.get(incident_id)
        if incident is None:
            if event.to_state != "firing" or not incident_id:
                return None  # the end of something never heard of
            incident = Incident(incident_id, event.project, event.use_case)
            self._by_id[incident_id] = incident
        self._join(incident, event)
        return incident

    def _join(self, incident: Incident, event: AlertEvent) -> None:
        known = incident.members.get(event.fingerprint)
        if known is not None:
            if event.slot >= known.last.slot:
                incident.members[event.fingerprint] = replace(known, last=event)
        elif event.to_state == "firing":
            onset = self._pending.get(event.fingerprint, event.slot)
            incident.members[event.fingerprint] = Member(fired=event, last=event, onset=min(onset, event.slot))
            self._of_alert[event.fingerprint] = incident.id


def most_severe(members: Iterable[Member]) -> Severity:
    """Give the most severe of some alerts' severities."""
    return min((member.fired.severity for member in members), key=_RANK.__getitem__)
