"""What a rule's own value was is read from its own samples, and from no others."""

from datetime import datetime
from typing import Any

from tests.alerts.evaluators.store import HOUR, MONDAY, Store

from tocsin_alerts.course import Subject, course_of, subject_of
from tocsin_alerts.evaluator import load_evaluators
from tocsin_alerts.incidents import Member
from tocsin_alerts.records import AlertEvent
from tocsin_alerts.rules import RuleBook, load_rules

RULES = load_rules(evaluators=load_evaluators())


def member(rule: str, *, to: str = "firing", **labels: str) -> Member:
    """Make an alert of a shipped rule."""
    facts: dict[str, Any] = dict.fromkeys(AlertEvent.__dataclass_fields__, None)
    facts |= {"rule": rule, "labels": labels, "to_state": to, "fingerprint": rule, "slot": MONDAY}
    event = AlertEvent(**facts)
    return Member(fired=event, last=event, onset=MONDAY)


def test_its_own_slots_are_read_under_its_own_labels_and_parameters(store: Store) -> None:
    """Another field, another rule of the same evaluator, another grid: each would be another curve."""
    labels = {"field": "ink", "version": "7"}
    subject = Subject(fingerprint="f", evaluator="null_rate", evaluator_hash="mine", labels=labels, every=HOUR)

    def said(at: datetime, value: float | None, **changes: Any) -> None:
        row = {"evaluator": "null_rate", "evaluator_hash": "mine", "labels": {"version": "7", "field": "ink"}, "n": 9}
        store.insert("evaluations", [{**row, "slot": at, "value": value, "evaluated_at": at, **changes}])

    for hours, value in ((5, 0.1), (4, 0.2), (2, None), (1, 0.4), (0, 0.5), (-1, 0.9)):
        said(MONDAY - hours * HOUR, value)
    said(MONDAY - HOUR, 0.45, evaluated_at=MONDAY)
    said(MONDAY - 4.5 * HOUR, 0.7)
    said(MONDAY - 3 * HOUR, 0.7, evaluator_hash="another")
    said(MONDAY - 3 * HOUR, 0.7, labels={"field": "ink"})
    said(MONDAY - 3 * HOUR, 0.7, labels={"version": "7", "field": "age"})
    said(MONDAY - 3 * HOUR, 0.7, use_case="other")

    found = course_of(store.database, subject, project=store.project, use_case="triage", slot=MONDAY)

    assert [(MONDAY - point.slot) / HOUR for point in found] == [5, 4, 3, 2, 1, 0]
    assert [point.value for point in found] == [0.1, 0.2, None, None, 0.45, 0.5]
    assert course_of(store.database, subject, project=store.project, use_case="nobody", slot=MONDAY) == ()


def test_whose_value_is_drawn() -> None:
    """The first that still fires; accuracy by day says more of quality, and a rule that is gone has no value."""
    over, ink = member("latency", to="resolved"), member("null-rate", field="ink", overlay="no_data")

    found = subject_of([over, ink], RULES)

    assert found is not None
    assert (found.evaluator, found.labels, found.every) == ("null_rate", {"field": "ink"}, HOUR)
    assert subject_of([member("accuracy-below-floor"), ink], RULES) is None
    assert subject_of([ink], RuleBook({})) is None
    assert subject_of([], RULES) is None
