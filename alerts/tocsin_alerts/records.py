"""The records that pass between evaluators, rules, state, journal, delivery and guard."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

Severity: TypeAlias = Literal["page", "ticket", "log"]
AlertState: TypeAlias = Literal["inactive", "pending", "firing", "recovering", "resolved"]
Overlay: TypeAlias = Literal["", "no_data", "error", "low_n", "calendar"]
GuardState: TypeAlias = Literal["normal", "verify", "fallback", "off"]
GuardMode: TypeAlias = Literal["shadow", "automatic"]
NotificationTransition: TypeAlias = Literal["firing", "updated", "resolved"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One series of one evaluator at one instant."""

    project: str
    use_case: str
    labels: Mapping[str, str]  # beyond project and use case: field, model_version, segment, …
    slot: datetime  # end of the window it speaks of, aware UTC
    value: float | None  # None: not enough evidence to say
    lower: float | None  # 95 % interval; None when the evaluator gives none
    upper: float | None
    baseline: float | None
    n: int  # calls or labels behind the value
    effect: float | None = (
        None  # of a value that is evidence: how large what it speaks of is, in the unit people care for
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertEvent:
    """One transition of one alert: a row of ``alert_events``."""

    event_id: str  # hash(fingerprint, slot, to_state)
    project: str
    use_case: str
    rule: str
    labels: Mapping[str, str]
    fingerprint: str  # hash(project, use case, rule id, labels): never the rule's text
    incident: str  # hash(project, use case, group, opening slot); empty below firing
    severity: Severity
    from_state: AlertState
    to_state: AlertState
    slot: datetime
    value: float | None
    lower: float | None
    upper: float | None
    baseline: float | None
    n: int
    reason: str  # why, in a few words: "upper 0.884 < floor 0.9"
    rule_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardRow:
    """The guard of one use case at one version: a row of ``guard_events``."""

    project: str
    use_case: str
    version: int  # one more than the last
    state: GuardState
    mode: Literal["shadow", "automatic", "manual"]
    applied: bool  # False: shadow, "would have tripped"
    cause: str
    actor: str  # "rule:NAME" or a person
    incident: str
    probe_share: float  # of calls that still reach the model in fallback
    hold_until: datetime | None
    expires_at: datetime | None
    since: datetime  # logical time
