"""What a message may say: the names that templates can use, all of them plain records.

This is the documented context of ``templates/*.j2``; ``tocsin rules check`` refuses any other name.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tocsin_alerts.plain import Untrusted
from tocsin_alerts.records import GuardState, NotificationTransition, Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One figure now, and what it was in the reference window."""

    value: float | None
    lower: float | None = None  # 95 % interval
    upper: float | None = None
    baseline: float | None = None
    n: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One alert of the incident, as its last event left it."""

    rule: str
    summary: str  # the rule's one sentence
    evaluator: str
    unit: Untrusted  # share, PSI, calls/h, s, or a currency
    severity: Severity
    state: str
    measure: Measure
    threshold: float | None  # in the unit of the value; None: the rule's condition has none such
    reason: Untrusted  # "upper 0.884 < floor 0.9"
    labels: Mapping[Untrusted, Untrusted]
    since: datetime  # slot of the last transition
    is_new: bool  # not in an earlier message of this incident


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """One input that moved."""

    field: Untrusted
    psi: float
    detail: Untrusted  # "mean 0.31 → 0.44"; empty when there is none


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """The part of the traffic that is worst off."""

    name: Untrusted
    value: Untrusted
    measure: Measure
    is_estimate: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One call worth looking at."""

    call_id: Untrusted
    at: datetime | None
    inputs: Untrusted  # "ink=0.31 device=flatbed-2"
    answer: Untrusted
    confidence: float | None
    truth: Untrusted | None  # None: not known yet


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """Accuracy at one daily slot."""

    slot: datetime
    estimated: float | None
    labelled: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A value at one slot."""

    slot: datetime
    value: float | None  # None: not known


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What the value of one alert was at its rule's own slots."""

    rule: str
    labels: Mapping[Untrusted, Untrusted]
    unit: Untrusted
    threshold: float | None
    since: datetime  # slot at which the alert left "inactive"
    points: tuple[Point, ...]  # at most 120, oldest first

    @property
    def values(self) -> tuple[float | None, ...]:
        """The values alone."""
        return tuple(point.value for point in self.points)


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """The version that came last."""

    version: Untrusted  # "2026-02 with prompt p3"; empty: none came in the time that was looked at
    since: datetime | None  # its first hour
    share: float | None  # of the calls of the last seven days
    looked_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """What calls cost in one currency."""

    currency: Untrusted
    spent: float  # on the calls whose price is known
    unpriced: int  # calls without a price


@dataclass(frozen=True, slots=True, kw_only=True)
class Impact:
    """Whom it concerns and what it costs, from its beginning to this message."""

    since: datetime
    calls: int
    users: int | None  # of the last day, of calls that name one; None: none does
    money: tuple[Money, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Retraining:
    """What retraining was set off since it began."""

    state: str  # due, begun, done, failed, unclear, manual; empty: none was
    action: str
    slot: datetime | None
    said: Untrusted  # by whatever was started


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What the guard did, or in shadow would have done, about this incident."""

    state: GuardState
    applied: bool
    cause: Untrusted
    probe_share: float
    hold_until: datetime | None
    in_force: GuardState  # what is served now, whoever decided it


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """What waiting until people work again is estimated to cost."""

    until: datetime  # when they do
    wrong: float | None  # answers wrong until then beyond the reference; None: not known
    worth_waking: float | None  # more than so many are; None: the plan does not say
    wakes: bool  # whether people were told all the same


@dataclass(frozen=True, slots=True, kw_only=True)
class Runbook:
    """Where the steps are, and the first of them."""

    link: str  # the team's own; where they have none, the shipped page of the rule, if there is an address for it
    steps: tuple[str, ...]
    guide: str = (
        ""  # where the rule that leads is explained: an address, else a command; empty: it is not a shipped one
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Everything a template may name, at the top level."""

    transition: NotificationTransition
    severity: Severity
    project: Untrusted
    use_case: Untrusted
    incident: str
    do_now: str  # the first line
    command: str  # the command that the first line speaks of; empty when there is none
    changed: Untrusted  # "What changed: the data"; empty: not known
    opened: datetime  # slot of the first firing
    onset: datetime  # slot at which the first of its alerts left "inactive"
    slot: datetime  # slot that this message speaks of
    lead: Alert  # the alert to read first
    alerts: tuple[Alert, ...]
    more_alerts: int  # beyond those
    quality: Measure | None  # accuracy on labels
    estimated: Measure | None  # accuracy estimated without labels
    wrong_per_day: float | None
    calls_per_day: float | None
    history: tuple[float | None, ...]  # accuracy by day, labelled where known, oldest first
    drifted: tuple[Drift, ...]
    worst_segment: Segment | None
    examples: tuple[Example, ...]
    owner: str
    contact: str
    runbook: Runbook
    action: Action | None
    commands: tuple[str, ...]  # to take it, to silence it, and to see more
    explanation: tuple[Untrusted, ...] = ()  # when it began, what moved first, what accounts for it; a sentence each
    release: Release | None = None  # None: not known
    impact: Impact | None = None  # None: not known
    retraining: Retraining | None = None  # None: not known
    night: Night | None = None  # None: people work, or the plan does not say when
    days: tuple[Day, ...] = ()  # what history is made of, for a chart
    course: Course | None = None  # the rule's own value, for a chart; None: quality says more, or it is not known
    dashboard: str = ""  # address of a page with its figures; empty: there is none
    page: str = ""  # address of the incident's page, where it is acknowledged and silenced; empty: there is none


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A rendered notification: what a channel sends, and all that the outbox keeps of it."""

    subject: str
    text: str
    html: str
    data: Mapping[str, Any]  # JSON values only
    to: tuple[str, ...] = ()  # mail addresses beyond the channel's own
    alerts: tuple[str, ...] = ()  # fingerprints that it tells of
