"""The places where a person's data can be: what of a table is theirs, how much of it there is, and taking it away."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, Self

# Where instrumentations write who a user is.
USER_KEYS: Final = (
    "user.id",
    "enduser.id",
    "enduser.pseudo.id",
    "langfuse.user.id",
    "traceloop.association.properties.user_id",
)
_CHUNK: Final = 2_000  # ids in one statement: 100 KB of it
_SHOWN: Final = 60  # characters of a call's id that a message shows whole
_GONE: Final = "This message showed a call that somebody has asked us to forget."
_AT_ONCE: Final = {"mutations_sync": 2}  # return when the rows are gone, on every replica
_LAST: Final = ("ai_calls", "otel_traces")  # by which everything else is found again, were this interrupted


class Store(Protocol):
    """The store as it is searched and erased from."""

    def rows(self, sql: str, parameters: Mapping[str, Any] | None = None, /) -> list[dict[str, Any]]:
        """Run one SELECT."""
        ...

    def command(
        self, sql: str, *, parameters: Mapping[str, Any] | None = None, settings: Mapping[str, Any] | None = None
    ) -> None:
        """Run one statement that returns nothing."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """By what a person's rows are known."""

    project: str
    user: str | None
    spans: frozenset[tuple[str, str]] = frozenset()  # trace id, span id
    calls: frozenset[str] = frozenset()  # call ids
    cells: frozenset[tuple[str, str, str, str]] = frozenset()  # use case, kind, field, value that nobody else has


@dataclass(frozen=True, slots=True)
class Clause:
    """One condition on a table, with its values."""

    where: str
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One table, and the rows in it that are theirs: under any of the clauses, of which no two hold for one row."""

    table: str
    clauses: Sequence[Clause]
    update: str = ""  # what becomes of such a row where it cannot go; empty: it goes

    @classmethod
    def of_traces(cls, traces: Sequence[str]) -> Self:
        """Name the table of traces' times, which knows no project."""
        clauses = [Clause("TraceId IN {traces:Array(String)}", {"traces": list(traces)})] if traces else []
        return cls(table="otel_traces_trace_id_ts", clauses=clauses)

    def count(self, store: Store) -> int:
        """Count what is there."""
        found = 0
        for clause in self.clauses:
            sql = f"SELECT count() AS n FROM {self.table} WHERE {clause.where}"
            found += int(store.rows(sql, clause.values)[0]["n"])
        return found

    def erase(self, store: Store) -> None:
        """Take it away from the disk, not only from view; the parts without it stay as they are."""
        act = f"UPDATE {self.update}" if self.update else "DELETE"
        for clause in self.clauses:
            store.command(
                f"ALTER TABLE {self.table} {act} WHERE {clause.where}", parameters=clause.values, settings=_AT_ONCE
            )


def places(store: Store, marks: Marks) -> list[Place]:
    """Find every table whose columns say that it can hold something of theirs, in the order of erasing.

    By columns and not by name, so that a table of a later version is not forgotten: ``call_id``; ``TraceId`` and
    ``SpanId``; ``user_id``, ``author`` and attribute maps.
    """
    columns = {
        row["table"]: frozenset(row["names"])
        for row in store.rows(
            "SELECT table, groupArray(name) AS names FROM system.columns WHERE database = currentDatabase() AND table IN"
            " (SELECT name FROM system.tables WHERE database = currentDatabase() AND (engine LIKE '%MergeTree' OR engine = 'Distributed'))"
            " GROUP BY table ORDER BY table"
        )
    }
    found = [Place(table=table, clauses=list(_clauses(names, marks))) for table, names in columns.items()]
    found += [Place(table=table, clauses=list(_cells(marks))) for table in ("input_histogram_1h", "reference_windows")]
    found.append(
        Place(table="notifications", clauses=list(_messages(marks)), update=f"body = '{_GONE}', subject = '{_GONE}'")
    )
    return sorted(
        (place for place in found if place.clauses),
        key=lambda place: (_LAST.index(place.table) + 1 if place.table in _LAST else 0, place.table),
    )


def names_user(column: str) -> str:
    """Write the condition that a map of attributes names the user; its first half is what the skip indexes know."""
    named = " OR ".join(f"{column}['{key}'] = {{user:String}}" for key in USER_KEYS)
    return f"(has(mapValues({column}), {{user:String}}) AND ({named}))"


def chunks(ids: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Cut a long list of ids into statements' worth."""
    for start in range(0, len(ids), _CHUNK):
        yield ids[start : start + _CHUNK]


def _clauses(names: frozenset[str], marks: Marks) -> Iterator[Clause]:
    said = [
        names_user(column) for column in ("SpanAttributes", "LogAttributes", "ResourceAttributes") if column in names
    ]
    said += [f"{column} = {{user:String}}" for column in ("user_id", "author") if column in names]
    by_call, by_span = "call_id" in names, {"TraceId", "SpanId"} <= names or {"trace_id", "span_id"} <= names
    if "project" not in names or not (by_call or by_span):
        return
    values = {"project": marks.project, **({"user": marks.user} if marks.user is not None else {})}
    mine, named, beside = "project = {project:String}", "", ""
    if marks.user is not None and said:
        named = f"({' OR '.join(said)})"
        beside = f" AND NOT {named}"
    for ids, where in _by_call(marks) if by_call else _by_span(marks, names):
        yield Clause(f"{mine} AND {where}{beside}", {**values, **ids})
    if beside:  # last: by these the others are found again
        yield Clause(f"{mine} AND {named}", values)


def _by_call(marks: Marks) -> Iterator[tuple[Mapping[str, Any], str]]:
    for some in chunks(sorted(marks.calls)):
        yield {"calls": list(some)}, "call_id IN {calls:Array(String)}"


def _by_span(marks: Marks, names: frozenset[str]) -> Iterator[tuple[Mapping[str, Any], str]]:
    trace, span = ("TraceId", "SpanId") if "TraceId" in names else ("trace_id", "span_id")
    for some in chunks(sorted(marks.spans)):
        ids = {"traces": sorted({trace for trace, _ in some}), "spans": [trace + span for trace, span in some]}
        yield ids, f"{trace} IN {{traces:Array(String)}} AND concat({trace}, {span}) IN {{spans:Array(String)}}"


def _cells(marks: Marks) -> Iterator[Clause]:
    values: dict[tuple[str, str, str], list[str]] = {}
    for use_case, kind, name, value in sorted(marks.cells):
        values.setdefault((use_case, kind, name), []).append(value)
    for (use_case, kind, name), known in values.items():
        for some in chunks(known):
            yield Clause(
                "project = {project:String} AND use_case = {use_case:String} AND kind = {kind:String}"
                " AND field = {field:String} AND category IN {values:Array(String)}",
                {"project": marks.project, "use_case": use_case, "kind": kind, "field": name, "values": list(some)},
            )


def _messages(marks: Marks) -> Iterator[Clause]:
    for some in chunks(sorted({call[:_SHOWN] for call in marks.calls})):
        shows = "arrayExists(i -> position(body, i) > 0, {calls:Array(String)})"
        yield Clause(f"project = {{project:String}} AND {shows}", {"project": marks.project, "calls": list(some)})
