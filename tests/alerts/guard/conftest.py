"""Transitions and plans for the guard."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tocsin_alerts.evaluator import load_evaluators
from tocsin_alerts.plan import Plan, Plans
from tocsin_alerts.records import AlertEvent
from tocsin_alerts.rules import RuleBook, load_rules


class Books:
    """A store of the guard's two tables, in memory: opening a database takes longer than a test."""

    def __init__(self) -> None:
        self.tables: dict[str, list[Mapping[str, Any]]] = {"guard_events": [], "audit_log": []}
        self.is_away = False
        self.answered = 0  # calls of the model since the trip
        self.is_open = True  # the incident

    def rows(self, sql: str, _parameters: Mapping[str, Any] | None = None, /) -> list[dict[str, Any]]:
        """Give the guard's rows back, and what a release is measured on."""
        if "AS answered" in sql:
            return [{"answered": self.answered}]
        if "AS is_open" in sql:
            return [{"incident": "incident-1", "is_open": int(self.is_open)}]
        return [{name: value for name, value in row.items() if name != "at"} for row in self.tables["guard_events"]]

    def insert(self, table: str, rows: Sequence[Mapping[str, Any]], /, *, token: str | None = None) -> None:
        """Keep rows."""
        del token
        if self.is_away:
            raise ConnectionError("the store is away")
        self.tables[table].extend(rows)


SLOT = datetime(2026, 4, 17, tzinfo=UTC)


def make_event(rule: str = "accuracy-below-floor", to: str = "firing", **changes: Any) -> AlertEvent:
    """Make one transition; by default a page fires at midnight."""
    slot = changes.get("slot", SLOT)
    incident = changes.get("incident", "incident-1")
    fields: dict[str, Any] = {
        "event_id": f"{rule}/{incident}/{slot.isoformat()}/{to}",
        "project": "default",
        "use_case": "digit-reader",
        "rule": rule,
        "labels": {},
        "fingerprint": f"print-{rule}",
        "incident": incident,
        "severity": "page",
        "from_state": "inactive",
        "to_state": to,
        "slot": slot,
        "value": 0.88,
        "lower": 0.86,
        "upper": 0.896,
        "baseline": 0.94,
        "n": 2034,
        "reason": "upper 0.896 < floor 0.9",
        "rule_hash": "h",
    }
    return AlertEvent(**{**fields, **changes})


@pytest.fixture
def event() -> Callable[..., AlertEvent]:
    """Makes transitions."""
    return make_event


@pytest.fixture
def slot() -> datetime:
    """The midnight of every transition, unless it says otherwise."""
    return SLOT


@pytest.fixture
def plan() -> Plan:
    """Of a team that lets the guard act."""
    return make_plan("automatic")


def make_plan(mode: str, use_case: str = "digit-reader") -> Plan:
    """Make a plan with a guard."""
    guard = {"mode": mode, "probe_share": 0.1, "hold": "6h"}
    return Plan.model_validate({"use_case": use_case, "guard": guard})


@pytest.fixture
def plans(plan: Plan) -> Plans:
    """One automatic, one in shadow, as is the default."""
    return Plans.of(plan, make_plan("shadow", "mail-sorter"))


@pytest.fixture(scope="session")
def rules() -> RuleBook:
    """The shipped rules."""
    return load_rules(evaluators=load_evaluators())


@pytest.fixture
def later() -> Callable[..., datetime]:
    """Gives a time after the slot."""
    return lambda **span: SLOT + timedelta(**span)


@pytest.fixture
def books() -> Books:
    """A store of the guard's tables."""
    return Books()
