"""``tocsin rules check``: every rule against its evaluator, and every rule's own tests through the real machine."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

from tocsin_alerts.errors import Finding
from tocsin_alerts.ports import Query
from tocsin_alerts.rule import SampleSource
from tocsin_alerts.rule_tests import run_stories
from tocsin_alerts.rules import RuleBook, survey

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
    return findings + run_tests(book, *folders)


def unknown_templates(book: RuleBook, check_template: CheckTemplate) -> Iterator[Finding]:
    """Say which rules name a template that is none."""
    for rule in book:
        if rule.text.template and (wrong := check_template(rule.text.template)):
            yield Finding(path=rule.path, line=0, message=f"template: {wrong}")


def run_tests(book: RuleBook, *folders: Path | str) -> list[Finding]:
    """Run the rules' own tests and those of test files, and say where transitions differ from what was expected."""
    results, findings = run_stories(book, *folders)
    for each in results:
        if not each.passes:
            message = f"test {each.test!r} of {each.rule}: {'; '.join(each.diff())}"
            findings.append(Finding(path=each.path, line=each.line, message=message))
    return findings
