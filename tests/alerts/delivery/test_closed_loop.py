"""Engine, guard and delivery together: figures fall, somebody is told once, the feature falls back, it ends."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tocsin_alerts.channels import EVERYTHING, LogChannel
from tocsin_alerts.delivery import Delivery
from tocsin_alerts.engine import Engine
from tocsin_alerts.errors import DeliveryFailed
from tocsin_alerts.evaluator import load_evaluators
from tocsin_alerts.guard import GuardBook
from tocsin_alerts.plan import Plan, Plans
from tocsin_alerts.records import Sample
from tocsin_alerts.silences import Silences
from tocsin_collector.store.database import Database

DAY = timedelta(days=1)
PLAN = {"use_case": "digit-reader", "quality": {"floor": 0.9}, "guard": {"mode": "automatic"}, "owner": "vision-team"}
#      estimated accuracy and labelled accuracy of each day
STORY = [(0.94, 0.94), (0.92, 0.93), (0.91, 0.92), (0.90, 0.87), (0.89, 0.86), (0.94, 0.93), (0.94, 0.94), (0.94, 0.94)]


@dataclass
class Loop:
    """Everything that ticks, over one store; made anew it is a restart."""

    database: Database
    rules: Any
    receiver: Any
    detective: Any
    first: datetime
    broken: frozenset[str] = frozenset()  # evaluators
    plans: Plans = field(default_factory=lambda: Plans.of(Plan.model_validate(PLAN)))

    def __post_init__(self) -> None:
        self.guard = GuardBook(self.database, self.plans, self.rules, clock=lambda: self.first)
        self.delivery = Delivery(
            self.database,
            [(LogChannel(name="oncall", severities=EVERYTHING), self.receiver)],
            plans=self.plans,
            rules=self.rules,
            investigator=self.detective,
            guard=self.guard,
        )
        self.engine = Engine(
            self.database,
            self.rules,
            load_evaluators(),
            self.plans,
            epoch=1,
            clock_mode="data",
            handlers=(self.guard, self.delivery),
            evaluate=self._evaluate,
            maintain=lambda _: None,
        )

    def live_through(self, day: int) -> None:
        """Let one day end."""
        end = self.first + day * DAY
        while self.engine.tick(end, end).has_more:
            pass
        self.delivery.pump()

    def try_at(self, now: datetime) -> None:
        """Tick until whatever rests after failures has been tried."""
        for _ in range(20):
            self.engine.tick(now, now)
        self.delivery.pump()

    def _evaluate(self, _query: Any, evaluator: Any, **asked: Any) -> Iterator[Sample]:
        if evaluator.name in self.broken:
            raise DeliveryFailed("expected a column, got none")
        for number, (estimated, labelled) in enumerate(STORY, start=1):
            slot = self.first + number * DAY
            value = {"estimated_accuracy": estimated, "accuracy": labelled}.get(evaluator.name)
            if value is not None and asked["since"] < slot <= asked["until"]:
                yield Sample(
                    project="default",
                    use_case="digit-reader",
                    labels={"model_version": "1"},
                    slot=slot,
                    value=value,
                    lower=value - 0.004,
                    upper=value + 0.004,
                    baseline=0.94,
                    n=14_000,
                )


@pytest.fixture
def first(database: Database, event: Any) -> datetime:
    """The day before the first; there are calls from then on."""
    begin: datetime = event().slot
    row = {"project": "default", "use_case": "digit-reader", "hour": begin, "calls": 100}
    database.insert("ai_calls_1h", [row])
    return begin


def test_one_page_two_trips_one_end(
    database: Database, rules: Any, receiver: Any, detective: Any, first: datetime
) -> None:
    """Ten messages would be nine too many."""
    loop = Loop(database, rules, receiver, detective, first)

    for day in range(1, len(STORY) + 1):
        loop.live_through(day)

    assert receiver.transitions == ["firing", "updated", "resolved"]
    assert [(row.state, row.since) for row in loop.guard.history("digit-reader")] == [
        ("verify", first + 3 * DAY),
        ("fallback", first + 4 * DAY),
    ]
    firing, updated, resolved = (each.message.text for each in receiver.taken)
    assert firing.startswith("Look today, answers are being verified: ")
    assert "Guard        now in verify" in firing
    assert updated.startswith("Nothing until morning: the fallback is serving.")
    assert resolved.startswith("It is over, and the guard is still at fallback. To release it:")
    assert loop.delivery.stats().pages == 1
    assert loop.delivery.stats().template_errors == 0


def test_a_rule_that_cannot_be_evaluated_is_told_as_it_is_itself(
    database: Database, rules: Any, receiver: Any, detective: Any, first: datetime
) -> None:
    """To the owner of the use case, once, until it is mended; not of the rule that somebody has silenced to mend it; nothing trips."""
    loop = Loop(database, rules, receiver, detective, first)
    loop.live_through(1)
    silenced = {"project": "default", "use_case": "digit-reader", "rule": "accuracy-drop"}
    Silences(database, now=lambda: datetime.now(UTC)).add(
        timedelta(hours=6), by="ana", because="mended today", **silenced
    )
    loop.broken = frozenset({"accuracy"})

    for hours in (24, 26, 30):
        loop.try_at(first + DAY + timedelta(hours=hours))
    loop.broken = frozenset()
    loop.try_at(first + DAY + timedelta(hours=31))

    assert [each.transition for each in receiver.taken] == ["firing", "resolved"]
    firing = " ".join(receiver.taken[0].message.text.split())
    assert receiver.taken[0].severity == "ticket"
    assert firing.startswith("Look at it in working hours: accuracy-below-floor cannot be judged")
    assert "its evaluator has failed since" in firing
    assert "expected a column, got none" in firing
    assert "Owner vision-team" in firing
    assert loop.guard.rows() == []


def test_restarting_every_day_with_a_receiver_that_fails_changes_nothing(
    database: Database, rules: Any, receiver: Any, detective: Any, first: datetime
) -> None:
    """Ids and rows follow from the figures, not from who was alive."""
    for day in range(1, len(STORY) + 1):
        loop = Loop(database, rules, receiver, detective, first)
        receiver.failures = [DeliveryFailed("down")]
        loop.live_through(day)
        receiver.failures = []
        Loop(database, rules, receiver, detective, first).live_through(day)

    assert receiver.transitions == ["firing", "updated", "resolved"]
    assert len({each.id for each in receiver.taken}) == 3
    guard = GuardBook(database, loop.plans, rules)
    assert [row.state for row in guard.history("digit-reader")] == ["verify", "fallback"]
