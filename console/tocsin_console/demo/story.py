"""What happened, as the demo saw it, and whether it is the story that was promised. Pure: no clock, no I/O."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from tocsin_console.demo.receivers import Delivery
from tocsin_console.demo.schedule import REFERENCE_DAYS, Calendar

_WEEK = 7
_LEAST_FALL = 0.10  # of accuracy between the page and the bottom: it must come this early


@dataclass(frozen=True, slots=True, kw_only=True)
class DayReport:
    """What the service says of one day; truth is hidden from tocsin."""

    day: int
    date: str
    calls: int
    truth: float  # of every image of the day, whoever answered
    guard: str  # state at the end of the day
    asked: int  # rows that the model was asked about
    manual: int  # answers "manual review needed"
    spans_sent: int  # so far


@dataclass(frozen=True, slots=True, kw_only=True)
class Belief:
    """What tocsin says of the week before an instant."""

    evaluator: str
    day: int  # the last whole day before the instant
    value: float
    lower: float | None
    upper: float | None
    baseline: float | None
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardChange:
    """One applied row of the guard's book."""

    day: int
    state: str
    actor: str
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertChange:
    """One alert that began or ended."""

    day: int
    rule: str
    labels: str
    severity: str
    state: str  # firing or resolved
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One message that came, and the day the data's clock stood at."""

    day: int
    delivery: Delivery

    @property
    def transition(self) -> str:
        """What it tells of: firing, updated or resolved; empty when it does not say."""
        said = str(self.delivery.said("transition") or self.delivery.said("type") or "")
        if found := re.search(r"firing|updated|resolved", said, re.IGNORECASE):
            return found[0].lower()
        return "resolved" if re.search(r"\bresolved\b", self.delivery.subject, re.IGNORECASE) else "firing"


@dataclass(frozen=True, slots=True, order=True)
class Event:
    """One line of the story; within a day the causes come before what they led to."""

    day: int
    rank: Literal[0, 1, 2, 3, 4]  # hidden truth, alert, guard, message, person
    text: str = field(compare=False)


@dataclass(slots=True, kw_only=True)
class Story:
    """Everything that was seen, in order."""

    calendar: Calendar
    reports: list[DayReport] = field(default_factory=list)
    beliefs: list[Belief] = field(default_factory=list)
    changes: list[GuardChange] = field(default_factory=list)
    alerts: list[AlertChange] = field(default_factory=list)
    arrivals: list[Arrival] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    spans_sent: int = 0
    spans_stored: int = 0
    dropped: int = 0
    wall_s: float = 0.0

    def pages(self, channel: str) -> list[Arrival]:
        """The pages that reached a channel, each message counted once however often it was sent."""
        seen: dict[str, Arrival] = {}
        for arrival in self.arrivals:
            if arrival.delivery.channel == channel and arrival.transition == "firing":
                seen.setdefault(arrival.delivery.message_id or str(len(seen)), arrival)
        return list(seen.values())

    def resolves(self, channel: str) -> list[Arrival]:
        """The notices of resolution that reached a channel."""
        return [a for a in self.arrivals if a.delivery.channel == channel and a.transition == "resolved"]

    def truth(self, days: Iterable[int]) -> float | None:
        """True accuracy over some days; None when none of them has passed."""
        wanted = set(days)
        chosen = [report for report in self.reports if report.day in wanted]
        calls = sum(report.calls for report in chosen)
        return sum(report.truth * report.calls for report in chosen) / calls if calls else None

    def belief(self, evaluator: str, day: int) -> Belief | None:
        """What an evaluator said at the end of a day."""
        return next((b for b in self.beliefs if b.evaluator == evaluator and b.day == day), None)

    def latest(self, evaluator: str) -> Belief | None:
        """What an evaluator said last."""
        return max((b for b in self.beliefs if b.evaluator == evaluator), key=lambda b: b.day, default=None)

    def awaits_notices(self) -> bool:
        """Whether somebody still has to be told of something that has happened."""
        return self.calendar.decays and not (self.resolves("webhook") and self.resolves("mail"))

    def is_news(self, alert: AlertChange) -> bool:
        """Whether an alert is worth a line: pages always, of each ticket rule the first."""
        if alert.severity == "page":
            return True
        return alert.state == "firing" and alert == next(
            known for known in self.alerts if (known.rule, known.state) == (alert.rule, "firing")
        )

    @property
    def guard_states(self) -> list[str]:
        """The guard's states in order, from the normal one it starts in."""
        return ["normal", *(change.state for change in self.changes)]

    def figures(self) -> dict[str, Any]:
        """What ``--json`` writes."""
        page = next(iter(self.pages("webhook") or self.pages("mail")), None)
        bottom = range(self.calendar.replaced_on - _WEEK, self.calendar.replaced_on)
        resolved = next(iter(self.resolves("webhook") or self.resolves("mail")), None)
        return {
            "spans_sent": self.spans_sent,
            "spans_stored": self.spans_stored,
            "spans_dropped": self.dropped,
            "pages": len(self.pages("webhook")),
            "pages_mailed": len(self.pages("mail")),
            "resolved": bool(self.resolves("webhook") and self.resolves("mail")),
            "guard_transitions": [f"{a}→{b}" for a, b in zip(self.guard_states, self.guard_states[1:], strict=False)],
            "guard_log": [
                {"day": change.day, "state": change.state, "actor": change.actor, "cause": change.cause}
                for change in self.changes
            ],
            "accuracy_at_launch": _rounded(self.truth(range(REFERENCE_DAYS))),
            "accuracy_at_page": _rounded(self.truth([page.day])) if page else None,
            "accuracy_at_bottom": _rounded(self.truth(bottom)),
            "accuracy_at_end": _rounded(self.truth(range(self.calendar.days - _WEEK, self.calendar.days))),
            "decay_starts_day": REFERENCE_DAYS if self.calendar.decays else None,
            "page_day": page.day if page else None,
            "resolved_day": resolved.day if resolved else None,
            "days": len(self.reports),
            "wall_s": round(self.wall_s, 1),
            "page_text": page.delivery.text if page else "",
            "events": [{"day": event.day, "event": event.text} for event in sorted(self.events)],
        }

    def failures(self) -> list[str]:
        """Name everything that the story promised and that did not happen; empty when it did."""
        problems = [
            f"{a.delivery.channel} message {a.delivery.message_id}: {a.delivery.problem}"
            for a in self.arrivals
            if a.delivery.problem
        ]
        if len(self.reports) != self.calendar.days:
            problems.append(f"expected {self.calendar.days} days, saw {len(self.reports)}")
        if not self.spans_sent or self.spans_sent != self.spans_stored:
            problems.append(f"expected spans stored = spans sent, got {self.spans_stored:,} and {self.spans_sent:,}")
        return problems + (self._decay_failures() if self.calendar.decays else self._calm_failures())

    def _calm_failures(self) -> list[str]:
        problems = []
        if self.arrivals:
            subjects = ", ".join(f"day {a.day}: {a.delivery.subject!r}" for a in self.arrivals)
            problems.append(f"expected nobody to be told of anything, got {len(self.arrivals)} messages ({subjects})")
        if self.changes:
            problems.append(f"expected the guard to stay normal, got {' → '.join(self.guard_states)}")
        return problems

    def _decay_failures(self) -> list[str]:
        problems = []
        for channel in ("webhook", "mail"):
            if (pages := len(self.pages(channel))) != 1:
                problems.append(f"expected exactly one page by {channel}, got {pages}")
            if not self.resolves(channel):
                problems.append(f"expected the {channel} to be told that the incident is resolved")
        if self.guard_states != ["normal", "verify", "fallback", "normal"]:
            problems.append(
                f"expected the guard to go normal → verify → fallback → normal, got {' → '.join(self.guard_states)}"
            )
        figures = self.figures()
        at_page, at_bottom = figures["accuracy_at_page"], figures["accuracy_at_bottom"]
        if at_page is not None and at_bottom is not None and at_page - at_bottom < _LEAST_FALL:
            problems.append(
                f"expected the page at least {_LEAST_FALL * 100:.0f} points of accuracy above the bottom, "
                f"got {at_page:.3f} at the page and {at_bottom:.3f} at the bottom"
            )
        return problems


def weeks(days: int) -> Sequence[range]:
    """Cut the days of a story into weeks; the last may be short."""
    return [range(first, min(first + _WEEK, days)) for first in range(0, days, _WEEK)]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
