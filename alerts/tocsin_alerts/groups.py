"""Ids that survive a replay, and the incidents that alerts share.

Page rules of one group in one use case are one incident: the first to fire opens it, it closes when every alert in it is
resolved, and the next firing after that opens another. A ticket's incident is its rule's, so ten drifted fields are one.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeAlias

from tocsin_alerts.records import AlertEvent, Severity

GroupKey: TypeAlias = tuple[str, str, str]  # project, use case, group


def fingerprint(project: str, use_case: str, rule: str, labels: Mapping[str, str]) -> str:
    """Name one alert: the same rule over the same labels, whatever the rule's text."""
    return _digest("alert", project, use_case, rule, sorted(labels.items()))


def event_id(alert: str, slot: datetime, to_state: str) -> str:
    """Name one transition of one alert."""
    return _digest("event", alert, _instant(slot), to_state)


def incident_id(key: GroupKey, opening: datetime) -> str:
    """Name an incident by its group and the slot that opened it: the receivers' dedup key."""
    return _digest("incident", *key, _instant(opening))


def group_key(project: str, use_case: str, *, rule: str, severity: Severity, group: str) -> GroupKey:
    """Say which incident an alert belongs to."""
    return (project, use_case, f"page:{group}" if severity == "page" else f"{severity}:{rule}")


def opens(event: AlertEvent, group: str) -> bool:
    """Whether this transition is the one that opened its incident."""
    key = group_key(event.project, event.use_case, rule=event.rule, severity=event.severity, group=group)
    return event.to_state == "firing" and event.incident == incident_id(key, event.slot)


@dataclass(slots=True)
class Incidents:
    """Which incidents are open, and which alerts hold them open."""

    _open: dict[GroupKey, dict[str, str]] = field(default_factory=dict)  # per group: alert -> incident

    @classmethod
    def of(cls, active: Iterable[tuple[GroupKey, str, str]]) -> "Incidents":
        """Gather from active alerts: group, alert, incident."""
        made = cls()
        for key, alert, incident in active:
            made._open.setdefault(key, {})[alert] = incident
        return made

    def join(self, key: GroupKey, alert: str, slot: datetime) -> str:
        """Add a firing alert to its group's open incident, or open one; give the incident."""
        held = self._open.setdefault(key, {})
        # Should a group ever hold two (a rule has changed its group), the smaller id wins on every replay.
        held[alert] = min(held.values()) if held else incident_id(key, slot)
        return held[alert]

    def leave(self, key: GroupKey, alert: str) -> None:
        """Take a resolved alert out; the last one closes the incident."""
        self._open.get(key, {}).pop(alert, None)


def _digest(*parts: object) -> str:
    text = json.dumps(parts, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _instant(slot: datetime) -> str:
    return slot.astimezone(UTC).isoformat(timespec="milliseconds")
