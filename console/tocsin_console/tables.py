"""Plans and mappings from files into the tables that the collector's views and the evaluators read."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from tocsin_alerts.plan import Plan, Plans
from tocsin_console.sections.receiving import UseCaseMapping
from tocsin_console.statements import statement


class Query(Protocol):
    """The store as this module uses it."""

    def rows(self, sql: str, parameters: Mapping[str, Any] | None = None, /) -> list[dict[str, Any]]:
        """Run one SELECT."""
        ...

    def insert(self, table: str, rows: Sequence[Mapping[str, Any]], /, *, token: str | None = None) -> None:
        """Insert rows that share their keys."""
        ...


def sync_plans(query: Query, plans: Plans, *, now: datetime) -> None:
    """Make the ``plans`` table say what the files say; a plan that is gone leaves everything open again."""
    written = query.rows(statement("plans_written"))
    at = _after(now, written)
    gone = [
        Plan(project=row["project"], use_case=row["use_case"]).to_row(now=at) | {"plan": ""}
        for row in written
        if not plans.is_declared(row["project"], row["use_case"]) and not row["is_withdrawn"]
    ]
    query.insert("plans", plans.to_rows(now=at) + gone)


def sync_use_case_map(query: Query, entries: Sequence[UseCaseMapping], *, now: datetime) -> int:
    """Make the ``use_case_map`` table say what tocsin.yaml says, and return how many entries hold."""
    written = query.rows(statement("use_case_map_written"))
    at = _after(now, written)
    rows = [{"position": place, **entry.model_dump(), "updated_at": at} for place, entry in enumerate(entries)]
    held = {(row["project"], row["position"]) for row in rows}
    gone = [row for row in written if (row["project"], row["position"]) not in held and row["use_case"]]
    empty = dict.fromkeys(UseCaseMapping.model_fields, "")
    rows += [{**empty, "project": row["project"], "position": row["position"], "updated_at": at} for row in gone]
    query.insert("use_case_map", rows)
    return len(entries)


def _after(now: datetime, rows: Sequence[Mapping[str, Any]]) -> datetime:
    """Never write an older version than stands there, even when the clock was put back."""
    newest = max((row["updated_at"].astimezone(UTC) for row in rows), default=now)
    return max(now, newest + timedelta(milliseconds=1))
