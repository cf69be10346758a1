"""What rules would do: now, or over stored history. Nothing is journalled, nobody is told, no state is kept.

The shipped evaluators, conditions and machine run as they do live. A backtest begins with nothing firing, and compares with
the references that are frozen at present.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Final

from tocsin_alerts import machine
from tocsin_alerts.board import Board
from tocsin_alerts.evaluator import evaluate
from tocsin_alerts.jobs import Evaluate
from tocsin_alerts.plan import Plans
from tocsin_alerts.ports import Query
from tocsin_alerts.records import AlertEvent, Sample
from tocsin_alerts.rule import Rule
from tocsin_alerts.rules import RuleBook
from tocsin_alerts.series import Batch

_MOST_SLOTS: Final = 500  # of one query
_FLAP: Final = timedelta(days=7)  # fired again so soon, an alert has flapped
_ACTIVE: Final = ("firing", "recovering")
_SAYS: Final = {"firing": "fires", "pending": "waits"}
_YEAR: Final = timedelta(days=365.25)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What one rule says of one series now, as if it had never been looked at."""

    rule: str
    severity: str
    sample: Sample
    says: str  # fires, waits, quiet, insufficient data, not asked
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What one rule would have done to one series."""

    project: str
    use_case: str
    labels: Mapping[str, str]
    spans: tuple[tuple[datetime, datetime | None], ...]  # from firing to resolved; None: at the end still
    slots: int  # judged
    slots_without_evidence: int

    @property
    def fired(self) -> int:
        """How often."""
        return len(self.spans)

    @property
    def flapped(self) -> int:
        """How often within a week of having resolved."""
        return sum(ended is not None and begun - ended <= _FLAP for (_, ended), (begun, _) in pairwise(self.spans))


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """What one rule would have done over a stretch of history."""

    rule: str
    severity: str
    since: datetime
    until: datetime
    every: timedelta
    series: tuple[Past, ...]
    incidents: int  # alerts of one group and use case that overlap are one
    allowed_per_stream_year: float | None  # the rule's false_pages_per_year

    @property
    def fired(self) -> int:
        """How often, over all series."""
        return sum(each.fired for each in self.series)

    @property
    def flapped(self) -> int:
        """How often it fired again within a week of having resolved."""
        return sum(each.flapped for each in self.series)

    @property
    def firing_s(self) -> float:
        """For how long, over all series."""
        spans = [span for each in self.series for span in each.spans]
        return sum(((ended or self.until) - begun).total_seconds() for begun, ended in spans)

    def most_incidents(self) -> float | None:
        """Say how many incidents would be as many as were measured on healthy streams, at least one; None: not measured."""
        if self.allowed_per_stream_year is None:
            return None
        streams = len({(each.project, each.use_case) for each in self.series})
        return max(1.0, self.allowed_per_stream_year * streams * ((self.until - self.since) / _YEAR))


def dry_run(
    query: Query, rules: Sequence[Rule], plans: Plans, *, now: datetime, run: Evaluate = evaluate
) -> Iterator[Judged]:
    """Evaluate rules at their newest slot and say what each would do.

    Raises:
        TocsinError: an evaluator's SQL is refused by the store.
    """
    for rule in rules:
        slot = rule.schedule.floor(now)
        for sample in _samples(query, rule, slot - rule.text.every, slot, run):
            yield _judge(rule, sample, plans)


def backtest(
    query: Query,
    rule: Rule,
    plans: Plans,
    *,
    since: datetime,
    until: datetime,
    run: Evaluate = evaluate,
    progress: Callable[[float], object] = lambda _share: None,
) -> Backtest:
    """Step one rule's alerts over every slot with since < slot <= until.

    Args:
        query: The store.
        rule: Which.
        plans: Of the use cases.
        since: From here.
        until: To here.
        run: Runs its evaluator, some hundred slots a query.
        progress: Told the share that is done.
    """
    every = rule.text.every
    first, last = rule.schedule.floor(since), rule.schedule.floor(until)
    board = Board((), book=RuleBook({rule.name: rule}), plans=plans)
    events: list[AlertEvent] = []
    judged: dict[str, list[int]] = {}
    begin = first
    while begin < last:
        end = min(last, begin + _MOST_SLOTS * every)
        by_slot: dict[datetime, list[Sample]] = {}
        for sample in _samples(query, rule, begin, end, run):
            by_slot.setdefault(sample.slot, []).append(sample)
        for at in range((end - begin) // every):
            slot = begin + (at + 1) * every
            events += board.take(slot, [Batch(rule=rule, samples=by_slot.get(slot, ()))])
            for key, each in board.series.items():
                if each.seen == slot:
                    counts = judged.setdefault(key, [0, 0])
                    counts[bool(each.status.overlay)] += 1
        begin = end
        progress((begin - first) / (last - first))
    return Backtest(
        rule=rule.name,
        severity=rule.text.severity,
        since=first,
        until=last,
        every=every,
        series=tuple(_past(board, key, counts, events) for key, counts in sorted(judged.items())),
        incidents=len({event.incident for event in events if event.incident}),
        allowed_per_stream_year=rule.text.false_pages_per_year if rule.text.severity == "page" else None,
    )


def _samples(query: Query, rule: Rule, since: datetime, until: datetime, run: Evaluate) -> Sequence[Sample]:
    params: Mapping[str, Any] = dict(rule.params)
    step_s = int(rule.text.every.total_seconds())
    return run(query, rule.source, since=since, until=until, step_s=step_s, extra=params)


def _judge(rule: Rule, sample: Sample, plans: Plans) -> Judged:
    plan = plans.get(sample.project, sample.use_case)
    seen = rule.observe(sample, plan)
    status = machine.step(None, seen, rule.timing(plan), sample.slot)
    if not rule.applies_to(plan):
        says, why = "not asked", "its plan does not ask for this rule"
    elif seen.overlay:
        says, why = "insufficient data", f"n = {sample.n:,}" + ("" if sample.value is not None else ", no value")
    else:
        says = "insufficient data" if seen.holds is None else _SAYS.get(status.state, "quiet")
        why = rule.explain(sample, plan)
    return Judged(rule=rule.name, severity=rule.text.severity, sample=sample, says=says, why=why)


def _past(board: Board, key: str, counts: Sequence[int], events: Sequence[AlertEvent]) -> Past:
    series = board.series[key]
    spans: list[tuple[datetime, datetime | None]] = []
    for event in (each for each in events if each.fingerprint == key):
        if event.to_state == "firing" and event.from_state not in _ACTIVE:
            spans.append((event.slot, None))
        elif event.to_state == "resolved" and spans:
            spans[-1] = (spans[-1][0], event.slot)
    return Past(
        project=series.project,
        use_case=series.use_case,
        labels=series.labels,
        spans=tuple(spans),
        slots=sum(counts),
        slots_without_evidence=counts[1],
    )
