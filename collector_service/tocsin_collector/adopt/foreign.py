"""What somebody else's table is, and the SELECT that reads calls or outcomes from it. Pure: columns in, text out."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from string import Template
from typing import Final, Literal

from tocsin_collector.errors import AdoptionProblem
from tocsin_collector.store.statement import statement

Kind = Literal["traces", "logs"]

SEGMENT: Final = "adopted-"  # what every row read this way has its segment begin with: 0048 and SHARES know it
TARGET: Final[Mapping[Kind, str]] = {"traces": "spans_in", "logs": "logs_in"}
_TRACES: Final = ("Timestamp", "TraceId", "SpanId", "ParentSpanId", "SpanName", "ServiceName", "Duration", "StatusCode")
_LOGS: Final = ("Timestamp", "TraceId", "SpanId", "ServiceName", "LogAttributes")
_NAME: Final = re.compile(r"[A-Za-z_]\w*")
_OURS: Final = "'^(tocsin|gen_ai|llm|embedding|openinference|traceloop)[.]'"
_BOUNDS: Final = "Timestamp >= {since:DateTime('UTC')} AND Timestamp < {until:DateTime('UTC')}"
_LEVELS: Final = 6  # gen_ai.usage.cache_read.input_tokens has four


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A table by its name, and its columns' types."""

    database: str
    table: str
    engine: str
    columns: Mapping[str, str]

    @property
    def name(self) -> str:
        """As people write it."""
        return f"{self.database}.{self.table}"

    @property
    def quoted(self) -> str:
        """As statements have it."""
        return f"`{self.database}`.`{self.table}`"

    @property
    def short(self) -> str:
        """The same for every adoption of this table."""
        return hashlib.blake2b(self.name.encode(), digest_size=6).hexdigest()

    @property
    def segment(self) -> str:
        """What rows that were read from it have as their segment."""
        return f"{SEGMENT}{self.short}"

    @property
    def kind(self) -> Kind:
        """Say what it holds.

        Raises:
            AdoptionProblem: neither spans nor log records as the Collector's ClickHouse exporter writes them.
        """
        if not set(_LOGS) - set(self.columns):
            return "logs"
        missing = [name for name in (*_TRACES, "ResourceAttributes", "SpanAttributes") if name not in self.columns]
        if missing:
            raise AdoptionProblem(
                f"expected in {self.name} the columns that the OpenTelemetry Collector's ClickHouse exporter writes; "
                f"missing: {', '.join(missing)}"
            )
        return "traces"


def split(name: str) -> tuple[str, str]:
    """Take ``database.table`` apart.

    Raises:
        AdoptionProblem: it is not of that form.
    """
    database, dot, table = name.partition(".")
    if not dot or not _NAME.fullmatch(database) or not _NAME.fullmatch(table):
        raise AdoptionProblem(f"expected database.table, such as otel.otel_traces or default.otel_traces, got {name!r}")
    return database, table


def require_readable(source: Source) -> None:
    """Refuse what is no table, or what this version cannot read.

    Raises:
        AdoptionProblem: says what to name instead.
    """
    if not source.engine.endswith("MergeTree"):
        raise AdoptionProblem(
            f"expected a table of the MergeTree family, got {source.name} of {source.engine or 'no known engine'}: name the "
            f"table that the exporter's rows end in"
        )
    for column in ("ResourceAttributes", "SpanAttributes") if source.kind == "traces" else ("LogAttributes",):
        held = source.columns[column]
        if not held.startswith(("Map(", "JSON")):
            raise AdoptionProblem(f"expected {source.name}.{column} to be a Map or JSON, got {held}")


def hours(source: Source) -> str:
    """Write the SELECT that counts the rows of interest by hour, between ``since`` and ``until``."""
    return (
        f"SELECT toStartOfHour(Timestamp, 'UTC') AS hour, count() AS n FROM {source.quoted}"
        f" WHERE {_BOUNDS} AND {_chosen(source)} GROUP BY hour ORDER BY hour"
    )


def newly(source: Source) -> str:
    """Write the INSERT that names what has not been read yet as a batch."""
    given = {"table": source.quoted, "bounds": _BOUNDS, "chosen": _chosen(source), "key": _key(source)}
    if source.kind == "traces":
        given["response"] = _one(source, "SpanAttributes", "gen_ai.response.id")
    return Template(statement(f"adopt_new_{source.kind}")).substitute(given)


def reading(source: Source, *, project: str, batch: bool) -> str:
    """Write the SELECT that gives the columns of ``spans_in`` or ``logs_in``: of a batch, or of all that is there."""
    chosen = _chosen(source)
    if batch:
        chosen += f" AND {_key(source)} IN (SELECT key FROM adopted_rows WHERE source = {{source:String}} AND batch = {{batch:String}})"
    given = {
        "source": source.quoted,
        "project": project,
        "segment": source.segment,
        "bounds": _BOUNDS,
        "chosen": chosen,
    }
    if source.kind == "logs":
        attributes = _texts(source, "LogAttributes")
        return Template(statement("adopt_logs")).substitute(given, attributes=attributes, event=_event(source))
    return Template(statement("adopt_traces")).substitute(
        given, attributes=_texts(source, "SpanAttributes"), resource=_texts(source, "ResourceAttributes")
    )


def _key(source: Source) -> str:
    held = "" if source.kind == "traces" else ", Timestamp, toString(LogAttributes)"
    return f"cityHash64(TraceId, SpanId{held})"


def _chosen(source: Source) -> str:
    if source.kind == "logs":
        return f"{_event(source)} IN ('gen_ai.evaluation.result', 'tocsin.outcome')"
    return f"arrayExists(k -> match(k, {_OURS}), {_names(source, 'SpanAttributes')})"


def _event(source: Source) -> str:
    return "toString(EventName)" if "EventName" in source.columns else _one(source, "LogAttributes", "event.name")


def _one(source: Source, column: str, name: str) -> str:
    """Write one attribute's text; empty where it is not there."""
    if source.columns[column].startswith("JSON"):
        return f"ifNull(toString({column}.{name}), '')"
    return f"{column}['{name}']"


def spans_of(source: Source, *, project: str) -> str:
    """Write the SELECT that gives the columns of ``adopted_spans``."""
    return (
        "SELECT TraceId, SpanId, ParentSpanId, toString(SpanName) AS SpanName, toString(ServiceName) AS ServiceName, Timestamp,"
        " toUInt64(greatest(toInt64(Duration), 0)) AS Duration, toString(StatusCode) AS StatusCode, StatusMessage,"
        f" '{project}' AS project FROM {source.quoted}"
    )


def _names(source: Source, column: str) -> str:
    return f"JSONAllPaths({column})" if source.columns[column].startswith("JSON") else f"mapKeys({column})"


def _texts(source: Source, column: str) -> str:
    """Write a map of text by the attributes' own names: JSON takes names apart at their dots."""
    if not source.columns[column].startswith("JSON"):
        return column
    pairs = f"JSONExtractKeysAndValuesRaw(toString({column}))"
    for level in range(_LEVELS):
        p, q = f"p{level}", f"q{level}"
        inner = f"arrayMap({q} -> (concat({p}.1, '.', {q}.1), {q}.2), JSONExtractKeysAndValuesRaw({p}.2))"
        pairs = f"arrayFlatten(arrayMap({p} -> if(startsWith({p}.2, '{{'), {inner}, [{p}]), {pairs}))"
    return (
        f"arrayFold((held, pair) -> mapUpdate(held, map(pair.1, if(startsWith(pair.2, '\"'), JSONExtractString(pair.2), pair.2))),"
        f" {pairs}, CAST(map(), 'Map(String, String)'))"
    )
