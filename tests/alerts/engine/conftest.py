"""Fakes that the engine's tests share: evaluators written by hand, and sinks that remember."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.databases import Databases, empty

from tocsin_alerts import documents
from tocsin_alerts.engine import Engine
from tocsin_alerts.plan import Plan, Plans
from tocsin_alerts.plan_parts import Quality
from tocsin_alerts.records import AlertEvent, Sample
from tocsin_alerts.rule import Rule
from tocsin_alerts.rules import RuleBook, compile_rule
from tocsin_collector.store.database import Database

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
DAY_0 = datetime(2026, 3, 1, tzinfo=UTC)

_RANGE = {"since": "DateTime64(3)", "until": "DateTime64(3)", "step_s": "UInt32"}
_COLUMNS = dict.fromkeys(("project", "use_case", "slot", "value", "lower", "upper", "baseline", "n"), "")


@dataclass(frozen=True)
class FakeEvaluator:
    """An evaluator by name; what it answers is the test's :class:`FakeWorld`."""

    name: str
    params: Mapping[str, str] = field(default_factory=lambda: dict(_RANGE))
    columns: Mapping[str, str] = field(default_factory=lambda: dict(_COLUMNS))
    hash: str = "fake"


EVALUATORS = {
    name: FakeEvaluator(name)
    for name in (
        "accuracy",
        "estimated_accuracy",
        "confidence_shift",
        "input_psi",
        "null_rate",
        "volume",
        "freshness",
        "cost_per_day",
        "reviewed_accuracy",
    )
}


def sample(slot: datetime, value: float | None = None, **given: Any) -> Sample:
    """Make a sample of the default use case."""
    facts: dict[str, Any] = {
        "project": "default",
        "use_case": "triage",
        "labels": {},
        "lower": None,
        "upper": None,
        "baseline": None,
        "n": 1000,
    }
    return Sample(slot=slot, value=value, **{**facts, **given})


@dataclass
class FakeWorld:
    """What evaluators say: a function from evaluator and slot to samples. Counts its calls."""

    says: Callable[[str, datetime], Sequence[Sample]]
    calls: list[tuple[str, datetime, datetime, int]] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)

    def __call__(
        self,
        query: object,
        evaluator: FakeEvaluator,
        *,
        since: datetime,
        until: datetime,
        step_s: int,
        extra: Mapping[str, Any],
    ) -> list[Sample]:
        """Answer as an evaluator's range query."""
        del query, extra
        self.calls.append((evaluator.name, since, until, step_s))
        if evaluator.name in self.broken:
            raise ValueError("DB::Exception: no such column")
        step = timedelta(seconds=step_s)
        slots = [since + step * k for k in range(1, (until - since) // step + 1)]
        return [each for slot in slots for each in self.says(evaluator.name, slot)]


@dataclass
class FakeSink:
    """A sink that remembers what it was told, in order."""

    told: list[tuple[datetime, bool, list[AlertEvent]]] = field(default_factory=list)
    fails: int = 0

    def handle(self, events: Sequence[AlertEvent], slot: datetime, *, live: bool) -> None:
        """Remember, or fail as often as the test asked for."""
        if self.fails:
            self.fails -= 1
            raise ConnectionError("the sink is down")
        self.told.append((slot, live, list(events)))

    def moves(self, *, live: bool | None = None) -> list[tuple[str, str]]:
        """List rule and state of every event told, or only of the live or noted ones."""
        return [(e.rule, e.to_state) for _, was, events in self.told if live in (None, was) for e in events]

    def incidents(self) -> set[str]:
        """List the incidents ever told live."""
        return {e.incident for _, live, events in self.told if live for e in events if e.incident}


def make_rule(text: str, **sources: Any) -> Rule:
    """Compile a rule from YAML text."""
    return compile_rule(documents.parse(text, path="rules/made.yaml"), evaluators={**EVALUATORS, **sources})


def make_book(*texts: str) -> RuleBook:
    """Make a book of rules from YAML texts."""
    rules = [make_rule(text) for text in texts]
    return RuleBook({rule.name: rule for rule in rules})


def make_plan(floor: float | None = 0.9, **given: Any) -> Plans:
    """Make the plan of the default use case."""
    return Plans.of(Plan(use_case="triage", quality=Quality(floor=floor), **given))


def make_engine(query: Any, book: RuleBook, world: FakeWorld, *sinks: FakeSink, **given: Any) -> Engine:
    """Make an engine over fakes, by default on the wall's clock and without references to keep."""
    facts: dict[str, Any] = {
        "plans": make_plan(),
        "epoch": 1,
        "clock_mode": "wall",
        "maintain": lambda _day: None,
        "evaluators": {},
    }
    facts.update(given)
    return Engine(query, book, facts.pop("evaluators"), facts.pop("plans"), handlers=sinks, evaluate=world, **facts)


def at(days: float) -> datetime:
    """Give an instant some days after the first."""
    return DAY_0 + timedelta(days=days)


def accuracy_by_day(*values: float | None) -> FakeWorld:
    """Say how accurate each day was from day 1; the upper end is a point above."""

    def says(evaluator: str, slot: datetime) -> list[Sample]:
        day = (slot - DAY_0).days
        if evaluator != "accuracy" or not 1 <= day <= len(values):
            return []
        value = values[day - 1]
        return [sample(slot, value, upper=None if value is None else value + 0.01)]

    return FakeWorld(says)


def write_hour(database: Database, hour: datetime) -> None:
    """Write an hour with calls: history begins there."""
    row = {"project": "default", "use_case": "triage", "hour": hour, "calls": 10, "segment_name": ""}
    database.insert("ai_calls_1h", [row])


FLOOR_RULE = """
rule: below-floor
summary: accuracy is below the floor
evaluator: accuracy
severity: page
when: upper < floor
clear: value >= floor
verdict: wrong
"""

DRIFT_RULE = """
rule: drift
summary: inputs moved
evaluator: input_psi
severity: ticket
when: value >= 0.1
"""

NULL_RULE = """
rule: nulls
summary: a field is missing
evaluator: null_rate
every: 1h
severity: page
when: value >= 0.01
for: 1
"""


@pytest.fixture(scope="session")
def engine_database(databases: Databases) -> Iterator[Database]:
    """One migrated database for all tests of this folder."""
    with databases.one() as lent:
        yield lent


@pytest.fixture
def database(engine_database: Database) -> Database:
    """An empty, migrated database."""
    empty(engine_database)
    return engine_database


@pytest.fixture
def kit() -> Any:
    """This module: tests cannot import a conftest by name."""
    import sys

    return sys.modules[__name__]
