"""Evaluators, rules and templates as a configuration has them: the shipped ones, and the team's over them.

The folder of rules may hold evaluators (``.sql``) beside rules (``.yaml``).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tocsin_alerts.checks import run_tests, unknown_templates
from tocsin_alerts.documents import suggest
from tocsin_alerts.durations import format_duration
from tocsin_alerts.errors import EvaluatorError
from tocsin_alerts.evaluator import Evaluator, load_evaluators
from tocsin_alerts.ports import Query
from tocsin_alerts.rules import RuleBook, survey
from tocsin_alerts.template_check import check_named, check_templates
from tocsin_console.config import Config
from tocsin_console.errors import UsageProblem
from tocsin_console.sql_judge import Explaining, SqlJudge, named_fields
from tocsin_console.statements import statement


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a configuration's folders hold, and what cannot be meant."""

    evaluators: Mapping[str, Evaluator]
    book: RuleBook
    findings: tuple[str, ...]  # each with file and line
    warnings: tuple[str, ...] = ()  # what may be meant, and looks as if it were not

    def require_sound(self) -> None:
        """Refuse to go on with what cannot be meant.

        Raises:
            UsageProblem: with every finding.
        """
        if self.findings:
            raise UsageProblem("\n".join(self.findings))


def read(config: Config, *, with_tests: bool = False, query: Explaining | None = None) -> Reading:
    """Read evaluators, rules and templates, and list everything that is wrong with them.

    Args:
        config: Says where the team's folders are.
        with_tests: Whether to run the rules' own tests too.
        query: Where given, the engine is asked for the columns of inline SQL.
    """
    try:
        evaluators = load_evaluators(config.rules_dir)
    except EvaluatorError as error:
        return Reading(evaluators={}, book=RuleBook(), findings=(str(error),))
    judge = SqlJudge(query, database=config.store.database) if query else None
    refused = list(judge.evaluators(config.rules_dir, evaluators)) if judge else []
    book, wrong = survey(config.rules_dir, evaluators=evaluators, query=query, judge=judge)
    wrong = refused + wrong
    wrong += check_templates(config.templates_dir)
    wrong += unknown_templates(book, lambda name: check_named(config.templates_dir, name))
    if with_tests:
        wrong += run_tests(book, config.rules_dir)
    return Reading(
        evaluators=evaluators,
        book=book,
        findings=tuple(str(finding) for finding in wrong),
        warnings=tuple(_unknown_fields(book, query)) if query and not wrong else (),
    )


def has_sql(config: Config) -> bool:
    """Whether a team has written SQL of its own, which only an engine can judge."""
    book, _ = survey(config.rules_dir, evaluators={}, shipped=False)
    return any(config.rules_dir.glob("*.sql")) or any(rule.text.sql for rule in book)


def _unknown_fields(book: RuleBook, query: Query) -> Iterator[str]:
    """Name the rules on an input field that no call has ever had; nothing before the first call."""
    named = [(rule, named_fields(str(getattr(rule.source, "sql", "")), rule.text.params)) for rule in book]
    if any(names for _, names in named):
        fields = [str(row["field"]) for row in query.rows(statement("input_fields"))]
        for rule, names in named:
            for name in sorted(names.difference(fields) if fields else ()):
                yield f"{rule.path}: {rule.name}: no call has an input field {name!r}: {suggest(name, fields)}"


def listed(book: RuleBook) -> list[dict[str, Any]]:
    """Describe the rules in force."""
    return [
        {
            "rule": rule.name,
            "summary": rule.text.summary,
            "severity": rule.text.severity,
            "evaluator": rule.source.name,
            "every": format_duration(rule.text.every),
            "when": rule.text.when,
            "clear": rule.text.clear,
            "guard": rule.text.guard,
            "group": rule.text.group,
            "hash": rule.hash,
            "path": rule.path,
        }
        for rule in book
    ]
