"""How each alert of an incident stands, for channels that are told of every one. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from tocsin_alerts.incidents import Member
from tocsin_alerts.records import Severity
from tocsin_alerts.rules import RuleBook


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One alert: what it is, since when it fires, and until when it did."""

    event: str  # the transition that brought it here
    rule: str
    labels: Mapping[str, str]
    severity: Severity
    summary: str  # the rule's one sentence
    reason: str
    since: datetime  # slot of its firing
    until: datetime | None  # slot at which it ended; None: it has not

    def to_json(self) -> dict[str, Any]:
        """Write it as JSON values."""
        until = self.until and self.until.isoformat()
        return {**asdict(self), "labels": dict(self.labels), "since": self.since.isoformat(), "until": until}

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> "Standing":
        """Read what :meth:`to_json` wrote."""
        until = said["until"] and datetime.fromisoformat(said["until"])
        return cls(**{**said, "since": datetime.fromisoformat(said["since"]), "until": until})


def standing(members: Iterable[Member], rules: RuleBook) -> tuple[Standing, ...]:
    """Say how some alerts stand."""
    return tuple(_stands(member, rules) for member in members)


def _stands(member: Member, rules: RuleBook) -> Standing:
    rule = rules.get(member.fired.rule)
    return Standing(
        event=member.last.event_id,
        rule=member.fired.rule,
        labels=dict(member.fired.labels),
        severity=member.fired.severity,
        summary=rule.text.summary if rule else "",
        reason=member.last.reason,
        since=member.fired.slot,
        until=None if member.is_active else member.last.slot,
    )
