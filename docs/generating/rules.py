"""The page of rules: what a rule may say, and what each shipped one does say."""

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Final

from generating.keys import key_tables, top_table
from generating.markdown import code, codes, page, prose, table
from tocsin_alerts.conditions import PLAN_NAMES, SAMPLE_NAMES, STRICT
from tocsin_alerts.durations import format_duration
from tocsin_alerts.rule import Rule
from tocsin_alerts.rules import RuleBook
from tocsin_console.schemas import schema

RUNBOOKS: Final = Path(__file__).resolve().parents[1] / "operations" / "runbooks"
_ITSELF: Final = "tocsin"
_GROUPS: Final = (
    ("page", "Rules that page"),
    ("ticket", "Rules that open a ticket"),
    ("log", "Rules that only stand in the journal"),
)


_NAMES: Final = {
    "value": "what the evaluator says",
    "lower": "the lower end of its interval of 95 %",
    "upper": "the upper end of it",
    "baseline": "what the value is in the reference",
    "n": "calls or labels behind it",
    "effect": "how large a change is, of evaluators whose value is evidence",
    "drop": "`baseline - value`",
    "z": "the change in standard errors: `value - baseline` over a quarter of the interval's width",
    "floor": "the plan's `quality.floor`",
    "budget_per_day": "the plan's `budget.per_day`, in the sample's currency",
    "strict": "nats by which thresholds rise with the number of use cases; 0 for a few",
}


def rules_page(book: RuleBook) -> str:
    """Write it."""
    return page(
        "Rules",
        "Every key that a rule may have, and every rule that tocsin ships, with its reasons and its runbook. What they look at is in [evaluators](evaluators.md), how to write your own in [rules as code](../rules.md).",
        *key_tables(schema("rule"), heading="Keys of a rule"),
        "## What a condition may name",
        _names(),
        "## Keys of a file of stories",
        "`NAME.test.yaml` beside the rules; its `tests` are those of a rule.",
        top_table(schema("rule-test")),
        *_shipped(book),
    )


def _names() -> str:
    if set(_NAMES) != {*SAMPLE_NAMES, *PLAN_NAMES, STRICT}:
        raise ValueError(f"expected what each name of a condition means, got {sorted(_NAMES)}: say it in {__name__}")
    return table(("Name", "Is"), ((code(name), prose(meaning)) for name, meaning in _NAMES.items()))


def _shipped(book: RuleBook) -> Iterator[str]:
    kinds: list[tuple[str, list[Rule]]] = [
        (heading, [rule for rule in book if rule.text.severity == severity and rule.text.group != _ITSELF])
        for severity, heading in _GROUPS
    ]
    kinds.append(("Rules on tocsin itself", [rule for rule in book if rule.text.group == _ITSELF]))
    for heading, rules in kinds:
        if rules:
            yield f"## {heading}"
            yield _overview(rules)
            for rule in rules:
                yield from _one(rule)


def _overview(rules: list[Rule]) -> str:
    return table(
        ("Rule", "Says", "Severity", "Every", "Guard", "Verdict"),
        (
            (
                f"[{rule.name}](#{rule.name})",
                prose(rule.text.summary),
                rule.text.severity,
                format_duration(rule.text.every),
                code(rule.text.guard or ""),
                rule.text.verdict,
            )
            for rule in rules
        ),
    )


def _one(rule: Rule) -> Iterator[str]:
    text = rule.text
    yield f"### {rule.name}"
    yield prose(_reasons(Path(rule.path).read_text(encoding="utf-8")))
    said: Mapping[str, str] = {
        "evaluator": f"[{rule.source.name}](evaluators.md#{rule.source.name})",
        "params": codes(f"{name}: {value}" for name, value in text.params.items()),
        "when": code(text.when),
        "clear": code(text.clear or f"not ({text.when})"),
        "for": _hold(text.hold),
        "keep_firing_for": _hold(text.keep_firing_for),
        "min_n": str(text.min_n or ""),
        "offset": format_duration(text.offset) if text.offset else "",
        "group": code(text.group),
        "runbook": _runbook(rule.name),
        "needs": codes(text.needs),
        "without": codes(text.without),
        "no_data": format_duration(text.no_data) if text.no_data else "",
        "false_pages_per_year": "" if text.false_pages_per_year is None else f"{text.false_pages_per_year:g} a stream",
    }
    yield table(("Key", "Says"), ((code(key), value) for key, value in said.items() if value))


def _hold(hold: int | timedelta | str) -> str:
    if isinstance(hold, timedelta):
        return format_duration(hold)
    return f"{hold} {'slot' if hold == 1 else 'slots'}" if isinstance(hold, int) and hold else code(hold or "")


def _reasons(text: str) -> str:
    """Give the comment that a file begins with."""
    found = re.match(r"(?:#[^\n]*\n)+", text)
    return " ".join(line.removeprefix("#").strip() for line in found[0].splitlines()) if found else ""


def _runbook(name: str) -> str:
    return f"[{name}](../operations/runbooks/{name}.md)" if (RUNBOOKS / f"{name}.md").is_file() else ""
