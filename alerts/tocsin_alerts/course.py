"""What a rule's own value was, slot by slot: the chart of a message whose rule is not one of quality."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import resources
from typing import Any, Final

from tocsin_alerts.first_line import OF_QUALITY
from tocsin_alerts.incidents import Member
from tocsin_alerts.message import Point
from tocsin_alerts.overlays import watched
from tocsin_alerts.ports import Query
from tocsin_alerts.rule import sample_hash
from tocsin_alerts.rules import RuleBook

_MOST_SLOTS: Final = 120  # five days of hours


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The alert whose value is drawn, and where its samples are."""

    fingerprint: str
    evaluator: str
    evaluator_hash: str  # with the rule's parameters
    labels: Mapping[str, str]
    every: timedelta


def subject_of(members: Sequence[Member], rules: RuleBook) -> Subject | None:
    """Pick the alert that is read first; None where accuracy by day says more, or its rule is gone."""
    lead = min(members, key=lambda member: not member.is_active, default=None)
    rule = rules.get(lead.fired.rule) if lead else None
    if lead is None or rule is None or rule.source.name in OF_QUALITY:
        return None
    return Subject(
        fingerprint=lead.fired.fingerprint,
        evaluator=rule.source.name,
        evaluator_hash=sample_hash(rule.source, rule.params),
        labels=watched(lead.fired.labels),
        every=rule.text.every,
    )


def course_of(query: Query, subject: Subject, *, project: str, use_case: str, slot: datetime) -> tuple[Point, ...]:
    """Read its last slots, from the first that is known to the last; those between that are not known are None.

    Args:
        query: The store; the caller bounds the time.
        subject: Which alert.
        project: Of the incident.
        use_case: Of the incident.
        slot: Nothing after it is looked at.
    """
    asked = {
        "project": project,
        "use_case": use_case,
        "evaluator": subject.evaluator,
        "since": slot - _MOST_SLOTS * subject.every,
        "slot": slot,
        "every_s": int(subject.every.total_seconds()),
        "names": list(subject.labels),
        "values": list(subject.labels.values()),
    }
    rows = [row for row in query.rows(_sql(), asked) if row["said"] is not None]
    of = _hash_of(rows, subject)
    known = {_utc(row["slot"]): float(row["said"]) for row in rows if row["evaluator_hash"] == of}
    if not known:
        return ()
    first, last = min(known), max(known)
    slots = (first + number * subject.every for number in range((last - first) // subject.every + 1))
    return tuple(Point(slot=at, value=known.get(at)) for at in slots)


def _hash_of(rows: Sequence[Mapping[str, Any]], subject: Subject) -> str:
    """Say under which parameters to read: the rule's, else the only ones (an evaluator asked for more by many use cases)."""
    hashes = {str(row["evaluator_hash"]) for row in rows}
    return hashes.pop() if len(hashes) == 1 else subject.evaluator_hash


def _utc(when: datetime) -> datetime:
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def _sql() -> str:
    return resources.files("tocsin_alerts").joinpath("evidence", "course.sql").read_text(encoding="utf-8")
