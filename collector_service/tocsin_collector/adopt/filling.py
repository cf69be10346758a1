"""Reads what is new in a table of somebody else's, each row once, whatever is interrupted, and never in the way of who writes it.

A batch is named before it is read: the keys of its rows are written down, then exactly those rows are read under the batch's name as
the deduplication token, then the key 0 says that they are stored. What was interrupted in between is read again under the same name.
"""

import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from tocsin_collector.adopt.foreign import TARGET, Source, hours, newly, reading
from tocsin_collector.correct.corrections import one_block
from tocsin_collector.store.database import Database

_AT_ONCE: Final = 100_000  # rows of interest, unless one hour has more
_HOUR: Final = timedelta(hours=1)
_COLUMNS: Final = {
    "traces": "Timestamp, TraceId, SpanId, ParentSpanId, SpanName, ServiceName, ResourceAttributes, SpanAttributes, InputNumbers,"
    " InputStrings, OutputProbabilities, Duration, StatusCode, project, received_at, ingested_at, segment",
    "logs": "Timestamp, TraceId, SpanId, ServiceName, LogAttributes, EventName, project, received_at, ingested_at, segment",
}

# A token is forgotten after ten thousand blocks: what was stored long ago must be known by its ids.
_NOT_THERE: Final = {
    "traces": "WHERE (TraceId, SpanId) NOT IN (SELECT trace_id, span_id FROM ai_calls WHERE project = {project:String}"
    " AND started_at >= {since:DateTime('UTC')} AND started_at < {until:DateTime('UTC')})",
    "logs": "",  # the same outcome is one by its id
}


def fresh_batch() -> str:
    """Draw a name for a batch."""
    return uuid.uuid4().hex


class Filling:
    """Reads one table. From one thread; one process at a time."""

    def __init__(
        self,
        database: Database,
        source: Source,
        *,
        project: str,
        begun_at: datetime,
        fresh: Callable[[], str] = fresh_batch,
    ) -> None:
        self._database = database
        self._source = source
        self._fresh = fresh
        self._project = project
        self._known = {"source": source.name, "project": project, "begun_at": begun_at}
        self._is_sure = False  # that the last batch was read whole

    def fill(self, since: datetime, until: datetime) -> Iterator[tuple[datetime, int]]:
        """Read what is new between two instants: gives to where, and how many rows.

        Raises:
            StoreUnavailable: go on from where it had come.
        """
        if not self._is_sure:
            self._finish()
        for start, end in self._stretches(since, until):
            yield end, self._read(start, end)

    def _stretches(self, since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Take as many hours at once as hold few rows: a statement takes a while, however little it reads."""
        start, rows = since, 0
        for each in self._database.rows(hours(self._source), {"since": since, "until": until}):
            if rows and rows + each["n"] > _AT_ONCE:
                yield start, each["hour"]
                start, rows = each["hour"], 0
            rows += each["n"]
        if rows:
            yield start, until

    def _read(self, since: datetime, until: datetime) -> int:
        batch = self._fresh()
        named = {**self._known, "batch": batch, "since": since, "until": until}
        self._is_sure = False
        self._database.command(newly(self._source), parameters=named, settings={"max_insert_threads": 1})
        [found] = self._database.rows(
            "SELECT count() AS n FROM adopted_rows WHERE source = {source:String} AND batch = {batch:String}", named
        )
        if found["n"]:
            self._insert(batch, since, until)
            self._mark(batch)
        self._is_sure = True
        return int(found["n"])

    def _finish(self) -> None:
        """Read the last batch again where nobody knows whether it was stored."""
        last = self._database.rows(
            "SELECT batch, countIf(key = 0) AS marks, minIf(happened_at, key != 0) AS first, maxIf(happened_at, key != 0) AS last"
            " FROM adopted_rows WHERE source = {source:String} GROUP BY batch ORDER BY max(ingested_at) DESC LIMIT 1",
            self._known,
        )
        for each in last:
            if not each["marks"]:
                since = each["first"].astimezone(UTC).replace(microsecond=0)
                until = each["last"].astimezone(UTC).replace(microsecond=0) + _HOUR
                self._insert(each["batch"], since, until, where=_NOT_THERE[self._source.kind])
                self._mark(each["batch"])
        self._is_sure = True

    def _insert(self, batch: str, since: datetime, until: datetime, *, where: str = "") -> None:
        kind = self._source.kind
        select = reading(self._source, project=self._project, batch=True)
        self._database.command(
            f"INSERT INTO {TARGET[kind]} ({_COLUMNS[kind]}) SELECT {_COLUMNS[kind]} FROM ({select}) {where}"
            f" ORDER BY Timestamp, TraceId, SpanId",
            parameters={**self._known, "batch": batch, "since": since, "until": until},
            settings=one_block(self._database, f"adopted-{batch}"),
        )

    def _mark(self, batch: str) -> None:
        now = datetime.now(UTC)
        row = {"source": self._source.name, "batch": batch, "key": 0, "happened_at": now, "ingested_at": now}
        self._database.insert("adopted_rows", [row])
