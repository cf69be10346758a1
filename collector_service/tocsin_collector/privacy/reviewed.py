"""Content of calls goes a while after somebody has reviewed them; what nobody has reviewed stays as long as its table keeps it."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any, Final

from tocsin_collector.privacy.letters import LetterStore
from tocsin_collector.store.statement import statement

KEPT_AFTER_REVIEW: Final = timedelta(days=30)
_EVER: Final = datetime(1970, 1, 1, tzinfo=UTC)
_WIDE_EVERY: Final = timedelta(days=1)  # content may arrive after its review: everything is looked at this often
_AT_ONCE: Final = {"mutations_sync": 2}  # return when it is gone, on every replica
_SOME: Final = 5_000  # calls in one statement: 250 KB of ids, and as much of spans
_DAY: Final = timedelta(days=1)

# Keys under which instrumentations put content on spans and log records; what call_content is made of, and what lies beside it.
_KEYS: Final = (
    "^(gen_ai[.](input|output)[.]messages|gen_ai[.]system_instructions|gen_ai[.](prompt|completion)[.]|gen_ai[.]tool[.]"
    "|tocsin[.]output[.]text|(input|output)[.]value|llm[.](input|output)_messages[.])"
)
_OF_SPANS: Final = "project = {project:String} AND TraceId IN {traces:Array(String)} AND concat(TraceId, SpanId) IN {spans:Array(String)}"
_OF_CALLS: Final = "project = {project:String} AND call_id IN {calls:Array(String)}"


def _without(column: str) -> str:
    return f"mapFilter((k, v) -> NOT match(k, '{_KEYS}'), {column})"


def _has(column: str) -> str:
    return f"arrayExists(k -> match(k, '{_KEYS}'), mapKeys({column}))"


@dataclass(frozen=True, slots=True)
class _Place:
    """A table that may hold content of a call: which rows do, and what becomes of them."""

    table: str
    where: str
    act: str


# By the last two the others are found again, were this interrupted.
_PLACES: Final = (
    _Place(
        "otel_traces",
        f"{_OF_SPANS} AND {_has('SpanAttributes')}",
        f"UPDATE SpanAttributes = {_without('SpanAttributes')}",
    ),
    _Place(
        "otel_logs",
        f"{_OF_SPANS} AND startsWith(EventName, 'gen_ai.') AND (Body != '' OR {_has('LogAttributes')})",
        f"UPDATE Body = '', LogAttributes = {_without('LogAttributes')}",
    ),
    _Place("ai_calls", f"{_OF_CALLS} AND output_text != ''", "UPDATE output_text = ''"),
    _Place("call_content", _OF_CALLS, "DELETE"),
)


class ReviewedContent:
    """Deletes content whose time has come. One process at a time."""

    def __init__(self, store: LetterStore, *, after: timedelta | None, now: Callable[[], datetime]) -> None:
        """Prepare.

        Args:
            store: A client of its own.
            after: How long after the review it is kept; None: as long as its tables keep it.
            now: The time of day, by which outcomes arrive.
        """
        self._store = store
        self._after = after
        self._now = now
        self._done_to = self._looked_wide_at = _EVER

    def turn(self) -> int:
        """Delete what is due; says of how many calls.

        Raises:
            StoreUnavailable: call it again.
        """
        if self._after is None:
            return 0
        now = self._now()
        wide = now - self._looked_wide_at >= _WIDE_EVERY
        before = now - self._after
        done = delete_reviewed(self._store, since=_EVER if wide else self._done_to, before=before, now=now)
        self._done_to = before
        self._looked_wide_at = now if wide else self._looked_wide_at
        return done


def delete_reviewed(store: LetterStore, *, since: datetime, before: datetime, now: datetime) -> int:
    """Delete the content of calls of which a review or a ground truth arrived within a while; says of how many calls.

    A judge's verdict, a thumb and minutes of support are no reviews: people may still want to read what they speak of.
    Interrupted at any point, it can be run again and ends the same.

    Raises:
        StoreUnavailable: run it again.
    """
    done = 0
    for calls in _due(store, since, before):
        for project, rows in groupby(calls, key=lambda row: str(row["project"])):
            for some in _pieces(list(rows)):
                _delete(store, project, some)
                done += len({row["call_id"] for row in some})
    if done:
        _audit(store, done, before=before, now=now)
    return done


def _due(store: LetterStore, since: datetime, before: datetime) -> Iterator[Sequence[Mapping[str, Any]]]:
    """Find the calls, by days of arrival: all reviews of a year at once would not fit in memory."""
    for day in store.rows(statement("reviewed_days"), {"since": since, "before": before}):
        begins = max(day["day"].replace(tzinfo=UTC), since)
        ends = min(day["day"].replace(tzinfo=UTC) + _DAY, before)
        about = {"since": begins, "before": ends, "earliest": day["earliest"], "latest": day["latest"]}
        found = store.rows(statement("reviewed_contents"), about)
        if found:
            yield found


def _delete(store: LetterStore, project: str, rows: Sequence[Mapping[str, Any]]) -> None:
    about = {
        "project": project,
        "calls": sorted({row["call_id"] for row in rows}),
        "traces": sorted({row["trace_id"] for row in rows if row["trace_id"]}),
        "spans": sorted({row["trace_id"] + row["span_id"] for row in rows if row["trace_id"]}),
    }
    for place in _PLACES:
        named = {name: value for name, value in about.items() if f"{{{name}:" in place.where}
        if store.rows(f"SELECT 1 AS one FROM {place.table} WHERE {place.where} LIMIT 1", named):
            store.command(
                f"ALTER TABLE {place.table} {place.act} WHERE {place.where}", parameters=named, settings=_AT_ONCE
            )


def _audit(store: LetterStore, done: int, *, before: datetime, now: datetime) -> None:
    entry = {
        "id": hashlib.blake2b(f"reviewed/{now.isoformat()}".encode(), digest_size=16).hexdigest(),
        "at": now,
        "actor": "retention",
        "action": "delete reviewed content",
        "subject": "call_content",
        "detail": f"content of {done} calls that were reviewed before {before.isoformat(timespec='seconds')}",
    }
    store.insert("audit_log", [entry])


def _pieces(rows: Sequence[Mapping[str, Any]]) -> Iterator[Sequence[Mapping[str, Any]]]:
    for at in range(0, len(rows), _SOME):
        yield rows[at : at + _SOME]
