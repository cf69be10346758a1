"""The book of rules: shipped defaults, a user's folder over them, each checked against its evaluator."""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from tocsin_alerts import documents
from tocsin_alerts.conditions import STRICT, Condition, ConditionError
from tocsin_alerts.documents import Document, suggest
from tocsin_alerts.errors import DocumentError, Finding, RuleError
from tocsin_alerts.inline_sql import InlineSource, JudgeSql, describe
from tocsin_alerts.ports import Query
from tocsin_alerts.rule import Rule, SampleSource
from tocsin_alerts.rule_text import RuleText

SHIPPED: Final = Path(__file__).parent / "rules"
RANGE_PARAMS: Final = frozenset({"since", "until", "step_s"})  # the engine gives these; a rule may not
_GIVEN: Final = RANGE_PARAMS | {STRICT}
TEST_FILES: Final = ("*.test.yaml", "*.test.yml")  # beside rules, and none themselves
KEY_COLUMNS: Final = frozenset({"project", "use_case", "slot"})

_Made = TypeVar("_Made")


@dataclass(frozen=True, slots=True)
class RuleBook:
    """The rules in force, by name."""

    rules: Mapping[str, Rule] = field(default_factory=dict)

    def get(self, name: str) -> Rule | None:
        """Give a rule, or None where there is none of that name."""
        return self.rules.get(name)

    def tightened(self, strict: float) -> "RuleBook":
        """Give the book of an installation that asks for so many nats more, where rules say how."""
        return RuleBook({name: replace(rule, strict=strict) for name, rule in self.rules.items()})

    def __iter__(self) -> Iterator[Rule]:
        return iter(self.rules.values())

    def __len__(self) -> int:
        return len(self.rules)


def load_rules(
    *folders: Path | str,
    evaluators: Mapping[str, SampleSource],
    query: Query | None = None,
    shipped: bool = True,
    judge: JudgeSql | None = None,
) -> RuleBook:
    """Read the shipped rules and those of further folders; a later rule replaces an earlier one of its name.

    Args:
        folders: The user's; one that does not exist holds no rules.
        evaluators: By name.
        query: Where given, the columns of inline SQL are asked of the engine.
        shipped: Whether to begin with the rules that come with tocsin.
        judge: Where given with a query, inline SQL is judged before it is described.

    Raises:
        RuleError: with every finding of every file.
    """
    book, findings = survey(*folders, evaluators=evaluators, query=query, shipped=shipped, judge=judge)
    if findings:
        raise RuleError(findings)
    return book


def survey(
    *folders: Path | str,
    evaluators: Mapping[str, SampleSource],
    query: Query | None = None,
    shipped: bool = True,
    judge: JudgeSql | None = None,
) -> tuple[RuleBook, list[Finding]]:
    """Read what can be read, as :func:`load_rules`, and list what cannot."""
    found: dict[str, Rule] = {}
    findings: list[Finding] = []
    for folder in ([SHIPPED] if shipped else []) + [Path(each) for each in folders]:
        here: dict[str, str] = {}
        tests = {path for kind in TEST_FILES for path in folder.glob(kind)}
        for path in sorted({*folder.glob("*.yaml"), *folder.glob("*.yml")} - tests):
            try:
                rule = compile_rule(documents.read(path), evaluators=evaluators, query=query, judge=judge)
            except DocumentError as error:
                findings.extend(error.findings)
                continue
            if rule.name in here:
                message = f"the rule {rule.name!r} stands in {here[rule.name]} too: keep one, or rename one"
                findings.append(Finding(path=str(path), line=0, message=message))
            here[rule.name] = str(path)
            found[rule.name] = rule
    return RuleBook({name: rule for name, rule in found.items() if rule.text.enabled}), findings


def compile_rule(
    document: Document,
    *,
    evaluators: Mapping[str, SampleSource],
    query: Query | None = None,
    judge: JudgeSql | None = None,
) -> Rule:
    """Check one rule against its evaluator.

    Raises:
        RuleError: it names an evaluator, column, parameter or name that does not exist.
        DocumentError: it does not fit the form of a rule.
    """
    text = document.into(RuleText)
    findings: list[Finding] = []

    def attempt(make: Callable[[], _Made], *where: str) -> _Made | None:
        try:
            return make()
        except (ConditionError, DocumentError) as error:
            inner = error.findings[0].message if isinstance(error, DocumentError) else str(error)
            findings.append(document.finding(f"{'.'.join(where)}: {inner}", *where))
            return None

    when = attempt(partial(Condition.parse, text.when), "when")
    clear = attempt(partial(Condition.parse, text.clear), "clear") if text.clear else None
    source = _source(document, text, evaluators, findings, query=query, judge=judge)
    if source:
        for key, condition in (("when", when), ("clear", clear)):
            findings += _missing_columns(document, key, condition, source)
        settable = sorted(set(source.params) - _GIVEN)
        findings += [
            document.finding(
                f"unknown parameter {name!r} of {source.name!r}: {suggest(name, settable)}", "params", name
            )
            for name in text.params
            if name not in settable
        ]
        findings += [
            document.finding(f"expected a value for the parameter {name!r} of {source.name!r}, got none", "params")
            for name in settable
            if name not in text.params
        ]
    if findings or source is None or when is None:
        raise RuleError(findings)
    said = text.model_dump_json(by_alias=True, exclude={"tests", "summary", "false_pages_per_year"})
    digest = hashlib.sha256(f"{said}\n{source.hash}".encode()).hexdigest()[:16]
    return Rule(text=text, source=source, when=when, clear=clear, hash=digest, path=document.path)


def _source(
    document: Document,
    text: RuleText,
    evaluators: Mapping[str, SampleSource],
    findings: list[Finding],
    *,
    query: Query | None,
    judge: JudgeSql | None,
) -> SampleSource | None:
    if text.sql is not None:
        source = InlineSource.of(text.rule, text.sql)
        missing = sorted(RANGE_PARAMS - set(source.params))
        if missing:
            placeholders = "{since:DateTime64(3)}, {until:DateTime64(3)} and {step_s:UInt32}"
            findings.append(document.finding(f"sql: expected {placeholders}, got no {missing[0]!r}", "sql"))
            return None
        if query is None:
            return source
        try:
            given = {STRICT: 0.0} if STRICT in source.params else {}
            return describe(source, query, {**text.params, **given}, judge=judge)
        except DocumentError as error:
            findings += [_in_sql(document, found) for found in error.findings]
            return None
    name = text.evaluator or ""
    if name not in evaluators:
        findings.append(document.finding(f"unknown evaluator {name!r}: {suggest(name, list(evaluators))}", "evaluator"))
        return None
    return evaluators[name]


def _in_sql(document: Document, found: Finding) -> Finding:
    """Place a finding of a rule's SQL in its file: a block's first line is the one below its key."""
    line = document.line("sql") + found.line
    return Finding(
        path=document.path, line=line if found.line else document.line("sql"), message=f"sql: {found.message}"
    )


def _missing_columns(
    document: Document, key: str, condition: Condition | None, source: SampleSource
) -> Iterator[Finding]:
    if condition is None or not source.columns:
        return
    for column in sorted(condition.columns() - set(source.columns)):
        reader = next(n for n in sorted(condition.names) if re.fullmatch(f"{column}|drop|z", n))
        given = [name for name in source.columns if name in ("value", "lower", "upper", "baseline", "effect", "n")]
        message = f"{key}: {reader!r} needs the column {column!r}, which {source.name!r} does not give: "
        yield document.finding(message + suggest(column, given), key)
