"""A rule's own SQL, read as a header-less evaluator: the engine is asked for its columns."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol

from tocsin_alerts.errors import Finding, RuleError
from tocsin_alerts.ports import Query
from tocsin_alerts.sample_columns import wrong_columns
from tocsin_wire import TocsinError

_PLACEHOLDER: Final = re.compile(r"\{(\w+)\s*:\s*([^{}]+)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class InlineSource:
    """An evaluator that stands in a rule. Its columns are empty until :func:`describe` has asked."""

    name: str
    sql: str
    params: Mapping[str, str]
    columns: Mapping[str, str] = field(default_factory=dict)
    hash: str
    summary: str = ""
    unit: str = ""

    @classmethod
    def of(cls, rule: str, sql: str) -> "InlineSource":
        """Read the SQL of a rule; its samples are stored under ``rule:NAME``."""
        text = sql.strip().rstrip(";")
        params = {name: kind.strip() for name, kind in _PLACEHOLDER.findall(text)}
        return cls(name=f"rule:{rule}", sql=text, params=params, hash=hashlib.sha256(text.encode()).hexdigest()[:16])


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlProblem:
    """What is wrong with some SQL, and on which of its lines, from 1."""

    message: str
    line: int


class JudgeSql(Protocol):
    """Says what is wrong with a statement before it is described; None when nothing is."""

    def __call__(self, sql: str, params: Mapping[str, Any], /) -> SqlProblem | None:
        """Judge one statement with its parameters."""
        ...


def describe(
    source: InlineSource, query: Query, params: Mapping[str, Any] | None = None, *, judge: JudgeSql | None = None
) -> InlineSource:
    """Ask the engine for the columns, without running the SQL.

    Raises:
        RuleError: the judge or the engine refuses it, or a column that every sample needs is missing or of a wrong type; the
            finding's line is the SQL's own, 0 where that is not known.
    """
    since = datetime(2026, 1, 1, tzinfo=UTC)
    given = {"since": since, "until": since + timedelta(days=1), "step_s": 86_400, **(params or {})}
    wrong = judge(source.sql, given) if judge else None
    if wrong:
        raise RuleError([Finding(path=source.name, line=wrong.line, message=wrong.message)])
    try:
        rows = query.rows(f"DESCRIBE (\n{source.sql}\n)", given)
    except TocsinError as error:
        first = str(error).strip().splitlines()[0][:500]
        raise RuleError([Finding(path=source.name, line=0, message=f"the engine refuses it: {first}")]) from error
    columns = {str(row["name"]): str(row["type"]) for row in rows}
    message = wrong_columns(columns)
    if message:
        raise RuleError([Finding(path=source.name, line=0, message=message)])
    return replace(source, columns=columns)
