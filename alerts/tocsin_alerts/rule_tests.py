"""Stories that rules are tested with: samples at slots through the real machine, against the transitions they must cause."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Final, TypeAlias

from pydantic import BaseModel, ConfigDict

from tocsin_alerts import documents
from tocsin_alerts.board import Board
from tocsin_alerts.documents import suggest
from tocsin_alerts.errors import DocumentError, Finding
from tocsin_alerts.plan import Plan, Plans
from tocsin_alerts.plan_parts import Budget, Quality
from tocsin_alerts.records import Sample
from tocsin_alerts.rule import Rule
from tocsin_alerts.rule_text import RuleTest, TestSample
from tocsin_alerts.rules import TEST_FILES, RuleBook
from tocsin_alerts.series import Batch

Transition: TypeAlias = tuple[int, str, str]  # slot, labels, state

_PROJECT: Final = "default"
_USE_CASE: Final = "test"
_START: Final = datetime(2026, 1, 1, tzinfo=UTC)


class TestFile(BaseModel):
    """A ``NAME.test.yaml``: stories of one rule, the team's or a shipped one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rule: str
    """Name of the rule, the team's or a shipped one."""
    tests: list[RuleTest]
    """Stories: samples at slots, and the transitions they must cause."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TestResult:
    """What one story came to."""

    rule: str
    test: str
    path: str
    line: int
    as_expected: tuple[Transition, ...]
    missing: tuple[Transition, ...]  # expected, and did not come
    unexpected: tuple[tuple[Transition, str], ...]  # came, with the reason

    @property
    def passes(self) -> bool:
        """Whether exactly what was expected came."""
        return not self.missing and not self.unexpected

    def diff(self) -> list[str]:
        """Write it out slot by slot: ``-`` what did not come, ``+`` what came instead and why."""
        marked = [(each, " ", "") for each in self.as_expected]
        marked += [(each, "-", "") for each in self.missing]
        marked += [(each, "+", why) for each, why in self.unexpected]
        return [f"{mark} {spell(each)}{f': {why}' if why else ''}" for each, mark, why in sorted(marked)]


def run_stories(book: RuleBook, *folders: Path | str) -> tuple[list[TestResult], list[Finding]]:
    """Run the stories in the rules themselves and in the test files of some folders.

    Returns:
        What each came to, and the test files that cannot be meant.
    """
    results = [result for rule in book for result in own_results(rule)]
    findings: list[Finding] = []
    for path in sorted(file for folder in folders for kind in TEST_FILES for file in Path(folder).glob(kind)):
        try:
            document = documents.read(path)
            stories = document.into(TestFile)
        except DocumentError as error:
            findings.extend(error.findings)
            continue
        rule = book.get(stories.rule)
        if rule is None:
            names = sorted(book.rules)
            findings.append(document.finding(f"unknown rule {stories.rule!r}: {suggest(stories.rule, names)}", "rule"))
            continue
        results += [_run(rule, test, str(path), document.line("tests", at)) for at, test in enumerate(stories.tests)]
    return results, findings


def own_results(rule: Rule) -> Iterator[TestResult]:
    """Run a rule's own stories."""
    lines = _lines(rule)
    for at, test in enumerate(rule.text.tests):
        yield _run(rule, test, rule.path, lines.get(at, 0))


def spell(transition: Transition) -> str:
    """Write one transition out: ``slot 2 firing (field=ink)``."""
    slot, labels, state = transition
    return f"slot {slot} {state}" + (f" ({labels})" if labels else "")


def _lines(rule: Rule) -> Mapping[int, int]:
    if not rule.text.tests or not Path(rule.path).is_file():
        return {}
    document = documents.read(rule.path)
    return {at: document.line("tests", at) for at in range(len(rule.text.tests))}


def _run(rule: Rule, test: RuleTest, path: str, line: int) -> TestResult:
    expected = [(each.slot, _labels(each.labels), str(each.state)) for each in test.expect]
    came = dict(_play(rule, test))
    return TestResult(
        rule=rule.name,
        test=test.name,
        path=path,
        line=line,
        as_expected=tuple(sorted(each for each in expected if each in came)),
        missing=tuple(sorted(each for each in expected if each not in came)),
        unexpected=tuple(sorted((each, why) for each, why in came.items() if each not in expected)),
    )


def _play(rule: Rule, test: RuleTest) -> Iterator[tuple[Transition, str]]:
    board = Board((), book=RuleBook({rule.name: rule}), plans=Plans.of(_plan(test)))
    last = max([sample.slot for sample in test.samples] + [test.until or 0], default=0)
    for index in range(last + 1):
        slot = _START + index * rule.text.every
        samples = [_sample(given, slot) for given in test.samples if given.slot == index]
        for event in board.take(slot, [Batch(rule=rule, samples=samples)]):
            yield (index, _labels(event.labels), event.to_state), event.reason


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
