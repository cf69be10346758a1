"""The SQL that a team writes into rules and evaluators: one SELECT over this store's tables, judged before it is ever described.

As a person's question it is judged by the engine's own parser; it runs with the engine's rights, at every slot.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Protocol

from tocsin_alerts.errors import Finding
from tocsin_alerts.evaluator import Evaluator
from tocsin_alerts.inline_sql import SqlProblem
from tocsin_alerts.ports import Query
from tocsin_alerts.sample_columns import wrong_columns
from tocsin_console import sql_gate
from tocsin_console.errors import SqlRefused
from tocsin_wire import TocsinError

# With these the shipped evaluators end; they change how a query is compiled, and nothing that it reads.
_SETTINGS: Final = frozenset(
    {
        "compile_expressions",
        "compile_aggregate_expressions",
        "query_plan_merge_expressions",
        "short_circuit_function_evaluation",
        "do_not_merge_across_partitions_select_final",
    }
)
_CLAUSE: Final = re.compile(r"\bSETTINGS\s+((?:\w+\s*=\s*(?:'\w*'|\d+)\s*,?\s*)+)\Z", re.IGNORECASE)
_AT: Final = re.compile(r"\(line (\d+), col \d+\)")
_NAMED: Final = re.compile(r"(?:identifier|column|table|function|expression)s?:? [`']([\w.]+)[`']", re.IGNORECASE)


class Explaining(Query, Protocol):
    """The store, as far as SQL is judged by it."""

    def raw(self, sql: str, *, fmt: str, parameters: Mapping[str, Any] | None = None) -> bytes:
        """Run one SELECT and give its bytes in a format."""
        ...


class SqlJudge:
    """Judges SQL over one client of the store.

    Args:
        query: The client.
        database: The only one whose tables may be read.
    """

    def __init__(self, query: Explaining, *, database: str) -> None:
        self._query = query
        self._database = database

    def __call__(self, sql: str, params: Mapping[str, Any]) -> SqlProblem | None:
        """Say what is wrong with a statement, and on which of its lines; None when nothing is."""
        try:
            text = sql_gate.first_check(sql)
            if re.match(r"[\s(]*(SELECT|WITH)\b", text, re.IGNORECASE) is None:
                raise SqlRefused(f"expected one SELECT, got {text.split()[0]!r}")
            # As text: a server gives a format to the inner query, whose explanation then comes in the default one, which this is.
            body = self._query.raw(f"EXPLAIN AST {without_settings(text)}", fmt="TabSeparated", parameters=params)
            tree = body.decode(errors="replace").splitlines()
            if not tree or not tree[0].startswith("SelectWithUnionQuery"):
                raise SqlRefused(f"expected one SELECT, got {tree[0].split()[0] if tree else 'nothing'}")
            sql_gate.second_check(tree, database=self._database)
            self._query.rows(f"DESCRIBE ({sql}\n)", params)  # names that do not exist
        except TocsinError as error:
            return problem_of(error, sql)
        return None

    def evaluators(self, folder: Path, known: Mapping[str, Evaluator]) -> Iterator[Finding]:
        """Judge the evaluators of a team's folder, and compare what they give with what their headers say."""
        for path in sorted(folder.glob("*.sql")):
            evaluator = known[path.stem]
            first = path.read_text(encoding="utf-8").count("\n", 0, _begins(path, evaluator.sql))
            given = {name: _any(kind) for name, kind in evaluator.params.items()}
            wrong = self(evaluator.sql, given) or self._describe(evaluator, given)
            if wrong:
                yield Finding(path=str(path), line=first + wrong.line, message=wrong.message)

    def _describe(self, evaluator: Evaluator, given: Mapping[str, Any]) -> SqlProblem | None:
        try:
            rows = self._query.rows(f"DESCRIBE ({evaluator.sql}\n)", given)
        except TocsinError as error:
            return problem_of(error, evaluator.sql)
        came = {str(row["name"]): str(row["type"]) for row in rows}
        other = [name for name in evaluator.columns if name not in came]
        message = wrong_columns(came)
        if message is None and other:
            message = f"expected the column {other[0]!r} of the header, got {', '.join(came)}"
        return SqlProblem(message=message, line=1) if message else None


def without_settings(sql: str) -> str:
    """Take the settings off that the shipped evaluators end with; others stay, and are refused."""
    found = _CLAUSE.search(sql)
    names = re.findall(r"(\w+)\s*=", found[1]) if found else []
    return sql[: found.start()].rstrip() if found and _SETTINGS.issuperset(names) else sql


def problem_of(error: TocsinError, sql: str) -> SqlProblem:
    """Find the line that an error speaks of."""
    said = str(error).strip()
    first = said.splitlines()[0][:500]
    at, named = _AT.search(said), _NAMED.search(said)
    if at:
        return SqlProblem(message=first, line=int(at[1]))
    where = sql.find(named[1].rpartition(".")[2]) if named else -1
    return SqlProblem(message=first, line=sql.count("\n", 0, where) + 1 if where >= 0 else 1)


def named_fields(sql: str, params: Mapping[str, Any]) -> set[str]:
    """List the input fields that some SQL and its parameters name."""
    found = set(re.findall(r"\bfield\s*=\s*'([^']+)'", sql))
    return found | {params["field"]} if isinstance(params.get("field"), str) else found


def _begins(path: Path, sql: str) -> int:
    text = path.read_text(encoding="utf-8")
    return max(0, text.find(sql.splitlines()[0])) if sql else 0


def _any(kind: str) -> Any:
    """Give a value of a type: what a statement gives does not depend on it."""
    if kind.startswith("DateTime"):
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=1)
    if "Int" in kind or "Float" in kind:
        return 86_400
    return [] if kind.startswith("Array") else "x"
