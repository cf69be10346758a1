"""Which evaluators are asked, and which have nothing to be asked about."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tocsin_alerts.jobs import Job, answer
from tocsin_alerts.records import Sample
from tocsin_alerts.slots import Schedule

SLOT = datetime(2026, 3, 2, tzinfo=UTC)


@dataclass
class Source:
    """An evaluator that names the outcomes it speaks of."""

    name: str
    outcomes: frozenset[str] = frozenset()
    params: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)
    hash: str = "h"


def ask(kinds: frozenset[str] | None) -> tuple[list[str], dict[str, Any]]:
    """Ask three evaluators over one slot; say which were asked, and what came."""
    asked: list[str] = []

    def evaluate(_query: Any, evaluator: Source, **_: Any) -> list[Sample]:
        asked.append(evaluator.name)
        labels = {"by": evaluator.name}
        given = {"value": 1.0, "lower": None, "upper": None, "baseline": None, "n": 1}
        return [Sample(project="p", use_case="u", labels=labels, slot=SLOT, **given)]

    sources = [
        Source("any"),
        Source("judged", frozenset({"judge"})),
        Source("people", frozenset({"review", "feedback"})),
    ]
    jobs = [Job(name=each.name, source=each, schedule=Schedule(every=timedelta(days=1))) for each in sources]
    due = {job.name: [SLOT] for job in jobs}
    return asked, answer([None], due, jobs, evaluate, kinds=kinds)  # type: ignore[list-item]


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        (frozenset(), ["any"]),
        (frozenset({"judge"}), ["any", "judged"]),
        (frozenset({"feedback", "support"}), ["any", "people"]),
        (None, ["any", "judged", "people"]),
    ],
)
def test_an_evaluator_of_outcomes_that_nobody_sent_is_not_asked(
    kinds: frozenset[str] | None, expected: list[str]
) -> None:
    """A plan for an empty answer costs as much as one for a full answer, at every slot, for ever."""
    asked, _ = ask(kinds)

    assert asked == expected


def test_its_slot_is_answered_all_the_same() -> None:
    """No rows and no error is what it would have said, so its slot is done."""
    _, answers = ask(frozenset())

    assert answers["judged"].by_slot == {}
    assert answers["judged"].error == ""
    assert [sample.labels["by"] for sample in answers["any"].by_slot[SLOT]] == ["any"]
