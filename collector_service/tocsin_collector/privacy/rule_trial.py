"""Redaction rules tried on a text, by the engine that will apply them to every span."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from tocsin_collector.errors import RuleProblem, StoreRejected
from tocsin_collector.load.redacting import expression
from tocsin_collector.privacy.redaction import Redaction


class Query(Protocol):
    """The engine, as it is asked."""

    def rows(self, sql: str, parameters: Mapping[str, Any] | None = None, /) -> list[dict[str, Any]]:
        """Run one SELECT."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What became of a text."""

    text: str  # as it would be stored
    rules: Sequence[str]  # those that took something out, in their order


def tried(query: Query, rules: Sequence[Redaction], text: str, *, key: str | None = None) -> Trial:
    """Put a text through the rules as a segment's texts are.

    Args:
        query: The embedded engine.
        rules: In the order in which they are applied.
        text: The text.
        key: The attribute's key that it stands under; None for texts without one, such as a span's name.

    Raises:
        RuleProblem: the engine cannot run a rule; the message names it.
    """
    hit = []
    for rule in rules:
        after = _after(query, [rule], text, key)
        if after != text:
            hit.append(rule.name)
            text = after
    return Trial(text=text, rules=hit)


def require_runnable(query: Query, rules: Sequence[Redaction]) -> None:
    """Have the engine read every pattern: one that it refuses would stop every segment.

    Raises:
        RuleProblem: the engine cannot run a rule; the message names it.
    """
    for rule in rules:
        _after(query, [rule], "x", rule.fields[0].removesuffix("*") if rule.fields else None)


def _after(query: Query, rules: Sequence[Redaction], text: str, key: str | None) -> str:
    named = None if key is None else "{key:String}"
    sql = f"SELECT {expression('{text:String}', named, rules)} AS said"
    try:
        return str(query.rows(sql, {"text": text, **({"key": key} if key is not None else {})})[0]["said"])
    except StoreRejected as error:
        raise RuleProblem(
            f"expected a pattern that the engine reads in the redaction {rules[0].name}, got {rules[0].pattern}: {error}"
        ) from error
