"""``tocsin rules check``: every rule against its evaluator, and every rule's own tests through the real machine."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Final, TypeAlias

from tocsin_alerts.board import Batch, Board
from tocsin_alerts.errors import Finding
from tocsin_alerts.plan import Budget, Plan, Plans, Quality
from tocsin_alerts.ports import Query
from tocsin_alerts.records import Sample
from tocsin_alerts.rule import Rule, RuleTest, SampleSource, TestSample
from tocsin_alerts.rules import RuleBook, survey

_PROJECT: Final = "default"
_USE_CASE: Final = "test"
_START: Final = datetime(2026, 1, 1, tzinfo=UTC)

CheckTemplate: TypeAlias = Callable[[str], str]
"""Says what is wrong with the template of that name; empty when nothing is."""


def check(
    *folders: Path | str,
    evaluators: Mapping[str, SampleSource],
    query: Query | None = None,
    check_template: CheckTemplate | None = None,
    shipped: bool = True,
) -> list[Finding]:
    """List what is wrong with the shipped rules and those of further folders, their own tests included.

    Args:
        folders: The user's.
        evaluators: By name.
        query: Where given, inline SQL is described by the engine.
        check_template: Where given, the templates that rules name are checked with it.
        shipped: Whether to begin with the rules that come with tocsin.
    """
    book, findings = survey(*folders, evaluators=evaluators, query=query, shipped=shipped)
    if check_template:
        findings += unknown_templates(book, check_template)
    return findings + [finding for rule in book for finding in run_tests(rule)]


def unknown_templates(book: RuleBook, check_template: CheckTemplate) -> Iterator[Finding]:
    """Say which rules name a template that is none."""
    for rule in book:
        if rule.text.template and (wrong := check_template(rule.text.template)):
            yield Finding(path=rule.path, line=0, message=f"template: {wrong}")


def run_tests(rule: Rule) -> Iterator[Finding]:
    """Run a rule's own tests and say where the transitions differ from what was expected."""
    for test in rule.text.tests:
        expected = sorted((each.slot, _labels(each.labels), each.state) for each in test.expect)
        came = sorted(_play(rule, test))
        if came != expected:
            message = f"test {test.name!r}: expected {_list(expected)}, got {_list(came)}"
            yield Finding(path=rule.path, line=0, message=message)


def _play(rule: Rule, test: RuleTest) -> Iterator[tuple[int, str, str]]:
    board = Board((), book=RuleBook({rule.name: rule}), plans=Plans.of(_plan(test)))
    last = max([sample.slot for sample in test.samples] + [test.until or 0], default=0)
    for index in range(last + 1):
        slot = _START + index * rule.text.every
        samples = [_sample(given, slot) for given in test.samples if given.slot == index]
        for event in board.take(slot, [Batch(rule=rule, samples=samples)]):
            yield index, _labels(event.labels), event.to_state


def _plan(test: RuleTest) -> Plan:
    budget = test.plan.budget_per_day
    return Plan(
        use_case=_USE_CASE,
        project=_PROJECT,
        quality=Quality(floor=test.plan.floor, tolerate=test.plan.tolerate),
        budget=Budget(per_day=None if budget is None else Decimal(str(budget))),
    )


def _sample(given: TestSample, slot: datetime) -> Sample:
    return Sample(
        project=_PROJECT,
        use_case=_USE_CASE,
        labels=given.labels,
        slot=slot,
        value=given.value,
        lower=given.lower,
        upper=given.upper,
        baseline=given.baseline,
        n=given.n,
        effect=given.effect,
    )


def _labels(labels: Mapping[str, str]) -> str:
    return ",".join(f"{name}={value}" for name, value in sorted(labels.items()))


def _list(transitions: Sequence[tuple[int, str, str]]) -> str:
    shown = [f"{state} at slot {slot}" + (f" ({labels})" if labels else "") for slot, labels, state in transitions]
    return ", ".join(shown) or "no transition"
