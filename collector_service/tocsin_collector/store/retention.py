"""How long each table keeps its rows, counted from their arrival: as migrations say, unless somebody says otherwise."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Protocol

from tocsin_collector.errors import SchemaError

FOR_EVER: Final = "for ever"
_UNIT_DAYS: Final = {"d": 1, "day": 1, "week": 7, "month": 31, "year": 366}
_PERIOD: Final = re.compile(r"(\d+)\s*(d|day|week|month|year)s?")
_TTL: Final = re.compile(r"\bTTL toDateTime\(ingested_at\) \+ (?:INTERVAL (\d+) DAY|toIntervalDay\((\d+)\))")
# The one table with rows that expire otherwise: content of calls that were picked for review.
CONTENT: Final = "call_content"
EVIDENCE_KEPT: Final = timedelta(days=400)
_EVIDENCE_TTL: Final = re.compile(
    r" WHERE pick = '', toDateTime\(ingested_at\) \+ (?:INTERVAL (\d+) DAY|toIntervalDay\((\d+)\))"
)
_HAS_ARRIVAL: Final = """SELECT DISTINCT table FROM system.columns
WHERE database = {database:String} AND name = 'ingested_at'"""


class Store(Protocol):
    """The store, as far as this needs it."""

    def rows(self, sql: str, parameters: Mapping[str, Any] | None = None, /) -> list[dict[str, Any]]:
        """Run one SELECT."""
        ...

    def command(self, sql: str, /) -> None:
        """Run one statement that returns nothing."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """How long one table keeps its rows."""

    table: str
    days: int | None  # None: for ever
    evidence_days: int | None = None  # of call_content: rows of picked calls; None: for ever


def parse_period(text: str) -> timedelta | None:
    """Read a period such as ``30d``, ``13 months`` or ``for ever`` (None).

    Raises:
        ValueError: it is none.
    """
    said = text.strip().lower()
    if said in {FOR_EVER, "forever"}:
        return None
    found = _PERIOD.fullmatch(said)
    if found is None or not int(found[1]):
        raise ValueError(f"expected a period such as 30d, 13 months or for ever, got {text!r}")
    return timedelta(days=int(found[1]) * _UNIT_DAYS[found[2]])


def kept(store: Store, databases: tuple[str, ...]) -> list[Kept]:
    """List the tables that know when their rows arrived, and how long they keep them."""
    found: dict[str, Kept] = {}
    for database in databases:
        arrivals = {row["table"] for row in store.rows(_HAS_ARRIVAL, {"database": database})}
        sql = (
            "SELECT name, engine_full AS made FROM system.tables"
            " WHERE database = {database:String} AND engine LIKE '%MergeTree' ORDER BY name"
        )
        for row in store.rows(sql, {"database": database}):
            if row["name"] in arrivals:
                evidence_days = _evidence_days(row["made"]) if row["name"] == CONTENT else None
                found[row["name"]] = Kept(table=row["name"], days=_days(row["made"]), evidence_days=evidence_days)
    return [found[name] for name in sorted(found)]


def keep(
    store: Store,
    wanted: Mapping[str, timedelta | None],
    *,
    databases: tuple[str, ...],
    evidence: timedelta | None = EVIDENCE_KEPT,
) -> list[Kept]:
    """Make tables keep their rows as long as was asked; returns those that were changed.

    Parts whose rows are all older go with the next merges; nothing is rewritten for it, but of contents.

    Args:
        store: The store.
        wanted: Table to period; None: for ever.
        databases: Where the tables are.
        evidence: How long the content of picked calls waits for a review; at least as long as other content.

    Raises:
        SchemaError: no such table, or one whose rows do not expire by arrival.
    """
    present = {each.table: each for each in kept(store, databases)}
    changed = []
    for table, period in wanted.items():
        if table not in present:
            raise SchemaError(
                f"expected store.retention to name one of {', '.join(sorted(present))}, got {table!r}: mend tocsin.yaml"
            )
        days = _in_days(period)
        if table != CONTENT and present[table].days != days:
            act = "REMOVE TTL" if days is None else f"MODIFY TTL toDateTime(ingested_at) + INTERVAL {days} DAY"
            store.command(f"ALTER TABLE {table} {act}")
            changed.append(Kept(table=table, days=days))
    if CONTENT in present:
        days = _in_days(wanted[CONTENT]) if CONTENT in wanted else present[CONTENT].days
        asked = Kept(table=CONTENT, days=days, evidence_days=_longer(days, _in_days(evidence)))
        if asked != present[CONTENT]:
            store.command(f"ALTER TABLE {CONTENT} {_content_ttl(asked)}")
            changed.append(asked)
    return changed


def _content_ttl(asked: Kept) -> str:
    """Write both periods at once: with one of them alone, rows of the other would be gone before it is written."""
    if asked.days is None:
        return "REMOVE TTL"
    act = f"MODIFY TTL toDateTime(ingested_at) + INTERVAL {asked.days} DAY DELETE WHERE pick = ''"
    if asked.evidence_days is None:
        return act
    return f"{act}, toDateTime(ingested_at) + INTERVAL {asked.evidence_days} DAY"


def _in_days(period: timedelta | None) -> int | None:
    return None if period is None else period.days


def _longer(days: int | None, evidence_days: int | None) -> int | None:
    return None if days is None or evidence_days is None else max(days, evidence_days)


def _evidence_days(made: str) -> int | None:
    found = _EVIDENCE_TTL.search(made)
    return None if found is None else int(found[1] or found[2])


def _days(made: str) -> int | None:
    found = _TTL.search(made)
    return None if found is None else int(found[1] or found[2])
