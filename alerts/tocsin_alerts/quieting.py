"""Which alerts of an incident are not told at present, and why: inhibited, then silenced. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, TypeAlias

from tocsin_alerts.incidents import Incident, Member
from tocsin_alerts.inhibitions import Inhibition, inhibited_by
from tocsin_alerts.matchers import matchable
from tocsin_alerts.overlays import overlay_of
from tocsin_alerts.records import GuardState
from tocsin_alerts.rules import RuleBook
from tocsin_alerts.silences import Silence, covering

Why: TypeAlias = Literal["inhibited", "silenced", "waiting", "ticket"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiet:
    """Why an alert is not told, or told less loudly."""

    why: Why
    detail: str  # the silence, what explains it, or the estimate
    until: datetime | None = None  # None: until something else changes
    wrong: float | None = None  # answers estimated wrong until then


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What decides over every incident of one turn."""

    at: datetime
    silences: Sequence[Silence] = ()
    inhibitions: Sequence[Inhibition] = ()
    active: Sequence[Mapping[str, str]] = ()  # what each firing alert is matched by

    def quiet(self, incident: Incident) -> dict[str, Quiet]:
        """Say which of its alerts are not told, by fingerprint."""
        found = {key: self._quiet(labels_of(member)) for key, member in incident.members.items()}
        return {key: quiet for key, quiet in found.items() if quiet is not None}

    def _quiet(self, labels: Mapping[str, str]) -> Quiet | None:
        if source := inhibited_by(labels, self.active, self.inhibitions):
            return Quiet(why="inhibited", detail=f"while {source['rule']} of {source['use_case']} fires")
        if silence := covering(self.silences, labels, at=self.at):
            return Quiet(why="silenced", detail=silence.silence, until=silence.until)
        return None


def labels_of(member: Member) -> dict[str, str]:
    """Give what an alert is matched by."""
    fired = member.fired
    return matchable(
        project=fired.project, use_case=fired.use_case, rule=fired.rule, severity=fired.severity, labels=fired.labels
    )


def active(incidents: Iterable[Incident]) -> list[Mapping[str, str]]:
    """Give what every firing alert is matched by."""
    return [labels_of(member) for each in incidents for member in each.members.values() if member.is_active]


_OF_TRAFFIC: Final = frozenset({"freshness", "volume"})  # evaluators


def suspended(member: Member, in_force: GuardState, rules: RuleBook) -> Quiet | None:
    """Say why an alert that there are no calls, or nothing to judge, is no news: the guard has seen to that."""
    rule = rules.get(member.fired.rule)
    is_of_traffic = rule is not None and rule.source.name in _OF_TRAFFIC
    is_absence = overlay_of(member.fired.labels) == "no_data"
    if (in_force == "off" and is_of_traffic) or (in_force in ("off", "fallback") and is_absence):
        return Quiet(why="inhibited", detail=f"while the guard is at {in_force}")
    return None
