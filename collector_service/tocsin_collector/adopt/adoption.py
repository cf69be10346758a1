"""Tables of somebody else's that calls are read from: which they are, what is in them, and the turns in which they are read.

No span is copied: calls and sums are derived rows. Nothing of ours hangs on their tables, so whoever writes them never waits for us, nor
fails with us. A span that comes both ways is one call: before it is read where the calls are searched, else when calls are settled
(corrections.SHARES).
"""

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from tocsin_collector.adopt.filling import Filling
from tocsin_collector.adopt.foreign import Kind, Source, reading, require_readable, spans_of, split
from tocsin_collector.errors import AdoptionProblem, CollectorError
from tocsin_collector.store.database import Database

_SKEW: Final = timedelta(days=1)  # clocks of senders may be ahead
_LATE: Final = timedelta(minutes=15)  # spans come in this long after they began
_VERY_LATE: Final = timedelta(days=1)  # or, after an outage of the exporter, this long: looked at every hour
_WIDE_EVERY: Final = timedelta(hours=1)
_PROJECT: Final = re.compile(r"[\w.-]{1,64}")
_NO_ADOPTED_SPANS: Final = (
    "SELECT TraceId, SpanId, ParentSpanId, SpanName, ServiceName, Timestamp, Duration, StatusCode, StatusMessage, project"
    " FROM otel_traces WHERE false"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Adoption:
    """A table that is read, or was."""

    source: str
    kind: Kind
    project: str
    since: datetime  # what is older was left out
    filled_to: datetime
    rows: int  # AI calls, or outcomes, read so far
    begun_at: datetime
    by: str
    is_undone: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What an adoption would do."""

    source: str
    kind: Kind
    project: str
    since: datetime
    until: datetime  # of what is there
    rows: int  # spans that may be AI calls, or outcomes, since then


class Adopter:
    """Adopts tables of one server. From one thread; one process reads at a time."""

    def __init__(self, database: Database, *, now: Callable[[], datetime]) -> None:
        """Prepare.

        Raises:
            AdoptionProblem: the store is the embedded engine, which has no other tables, or a cluster.
        """
        if database.address.is_embedded:
            raise AdoptionProblem(
                "expected a ClickHouse server, where the table to adopt is: set store.url in tocsin.yaml to that server"
            )
        if database.address.cluster:
            raise AdoptionProblem(
                f"expected one ClickHouse server, got the cluster {database.address.cluster}: adopting on a cluster is not built; "
                f"have the OpenTelemetry Collector send to tocsin as well"
            )
        self._database = database
        self._now = now
        self._fillings: dict[str, Filling] = {}
        self._looked_wide_at: dict[str, datetime] = {}

    def adoptions(self) -> list[Adoption]:
        """List what was ever adopted."""
        rows = self._database.rows(
            "SELECT source, kind, project, since, filled_to, rows, begun_at, by, is_undone FROM adoptions FINAL ORDER BY source"
        )
        return [Adoption(**{**row, "is_undone": bool(row["is_undone"])}) for row in rows]

    def plan(self, name: str, *, project: str, since: datetime | None) -> Plan:
        """Look, and change nothing.

        Raises:
            AdoptionProblem: it cannot be adopted; the sentence says why.
            StoreUnavailable: try again.
        """
        source = self._source(name)
        self._require_project(source, project)
        first, last = self._extent(source)
        start = max(first, since) if since else first
        [found] = self._database.rows(
            f"SELECT count() AS n FROM ({reading(source, project=project, batch=False)})",
            {"since": start, "until": last + timedelta(seconds=1)},
        )
        return Plan(source=source.name, kind=source.kind, project=project, since=start, until=last, rows=found["n"])

    def adopt(self, plan: Plan, *, by: str) -> Iterator[tuple[datetime, int]]:
        """Read what is there, then have :meth:`turn` read what comes: gives to where that is done, and how many rows it had.

        The same again, or after a crash, goes on where it stopped. With an earlier start, what lies before is read too. Turns begin
        when all is read, so that two processes do not read the same.

        Raises:
            StoreUnavailable: run it again.
        """
        known = self._known().get(plan.source)
        begun_at = known.begun_at if known else self._now()
        adoption = Adoption(
            source=plan.source, kind=plan.kind, project=plan.project, by=by, is_undone=True, begun_at=begun_at,
            since=min(plan.since, known.since) if known else plan.since,
            filled_to=known.filled_to if known else plan.since,
            rows=known.rows if known else 0,
        )  # fmt: skip
        self._write(adoption)
        if known:
            for until, rows in self._filling(adoption).fill(plan.since, known.since):
                adoption = replace(adoption, rows=adoption.rows + rows)
                yield until, rows
        start = max(adoption.since, adoption.filled_to - _VERY_LATE)
        for until, rows in self._filling(adoption).fill(start, self._now() + _SKEW):
            adoption = replace(adoption, rows=adoption.rows + rows, filled_to=min(until, self._now()))
            self._write(adoption)
            yield until, rows
        self._write(replace(adoption, is_undone=False, filled_to=self._now()))
        self._show_spans()

    def turn(self) -> int:
        """Read what has come into every adopted table since the last turn; says how many calls and outcomes.

        Raises:
            AdoptionProblem: a table is gone, or may not be read any more; the others have been read.
            StoreUnavailable: try again.
        """
        rows, problem = 0, None
        for each in self.adoptions():
            try:
                rows += 0 if each.is_undone else self._catch_up(each)
            except CollectorError as error:
                self._fillings.pop(each.source, None)  # its columns may have changed
                if isinstance(error, AdoptionProblem):
                    self._show_spans()  # without it, or no call's page could be read
                problem = problem or error
        if problem:
            raise problem
        return rows

    def undo(self, name: str, *, by: str) -> Adoption:
        """Read no more of it. The calls that were read stay, as those of a collector do.

        Raises:
            AdoptionProblem: it is not adopted.
        """
        standing = {each.source: each for each in self.adoptions() if not each.is_undone}
        if name not in standing:
            listed = ", ".join(standing) or "none"
            raise AdoptionProblem(f"expected a table that is adopted ({listed}), got {name!r}")
        undone = replace(standing[name], by=by, is_undone=True)
        self._write(undone)
        self._show_spans()
        return undone

    def _catch_up(self, adoption: Adoption) -> int:
        now = self._now()
        wide = now - self._looked_wide_at.get(adoption.source, now - _WIDE_EVERY) >= _WIDE_EVERY
        since = max(adoption.since, min(adoption.filled_to, now) - (_VERY_LATE if wide else _LATE))
        rows = sum(count for _, count in self._filling(adoption).fill(since, now + _SKEW))
        if rows or now - adoption.filled_to > _LATE:
            self._write(replace(adoption, rows=adoption.rows + rows, filled_to=now))
        if wide:
            self._looked_wide_at[adoption.source] = now
        return rows

    def _filling(self, adoption: Adoption) -> Filling:
        if adoption.source not in self._fillings:
            source = self._source(adoption.source)
            self._fillings[adoption.source] = Filling(
                self._database, source, project=adoption.project, begun_at=adoption.begun_at
            )
        return self._fillings[adoption.source]

    def _source(self, name: str) -> Source:
        database, table = split(name)
        if database == self._database.address.database:
            raise AdoptionProblem(f"expected a table of somebody else's, got {name}, which is tocsin's own database")
        where = {"database": database, "table": table}
        engines = self._database.rows(
            "SELECT engine FROM system.tables WHERE database = {database:String} AND name = {table:String}", where
        )
        if not engines:
            raise AdoptionProblem(
                f"expected a table that is there and that tocsin's user may read, got {name}: GRANT SELECT ON {name} TO that user"
            )
        columns = self._database.rows(
            "SELECT name, type FROM system.columns WHERE database = {database:String} AND table = {table:String}", where
        )
        source = Source(
            database=database,
            table=table,
            engine=engines[0]["engine"],
            columns={row["name"]: row["type"] for row in columns},
        )
        require_readable(source)
        return source

    def _known(self) -> dict[str, Adoption]:
        return {each.source: each for each in self.adoptions()}

    def _require_project(self, source: Source, project: str) -> None:
        if not _PROJECT.fullmatch(project):
            raise AdoptionProblem(f"expected a project of letters, digits, '.', '_' and '-', got {project!r}")
        known = self._known().get(source.name)
        if known and known.project != project:
            raise AdoptionProblem(
                f"expected project {known.project!r}, under which calls of {source.name} are already here, got {project!r}"
            )

    def _extent(self, source: Source) -> tuple[datetime, datetime]:
        [row] = self._database.rows(
            f"SELECT count() AS n, toDateTime(min(Timestamp), 'UTC') AS first, toDateTime(max(Timestamp), 'UTC') AS last FROM {source.quoted}"
        )
        return (row["first"], row["last"]) if row["n"] else (self._now() - _VERY_LATE, self._now())

    def _write(self, adoption: Adoption) -> None:
        columns = (
            "source", "kind", "project", "since", "filled_to", "rows", "begun_at", "by", "is_undone",
        )  # fmt: skip
        row = {name: getattr(adoption, name) for name in columns}
        self._database.insert("adoptions", [{**row, "is_undone": int(adoption.is_undone), "at": self._now()}])

    def _show_spans(self) -> None:
        """Have pages find the spans where they are."""
        selects = []
        for each in self.adoptions():
            if each.kind == "traces" and not each.is_undone:
                with suppress(AdoptionProblem):
                    selects.append(spans_of(self._source(each.source), project=each.project))
        text = " UNION ALL ".join(selects or [_NO_ADOPTED_SPANS])
        self._database.command(f"CREATE OR REPLACE VIEW adopted_spans AS {text}")
