"""Tables as the OpenTelemetry Collector's ClickHouse exporter makes them, in the variants that are about, and rows as it writes them."""

import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

from tocsin_collector.store.database import Database

MAP: Final = "Map(LowCardinality(String), String)"
# What differs: types of attributes and of durations, and how kinds and codes are spelled.
VARIANTS: Final[Mapping[str, Mapping[str, str]]] = {
    "maps": {"held": MAP, "duration": "UInt64", "error": "Error", "kind": "Client"},
    "json": {"held": "JSON", "duration": "UInt64", "error": "Error", "kind": "Client"},
    "of old": {"held": MAP, "duration": "Int64", "error": "STATUS_CODE_ERROR", "kind": "SPAN_KIND_CLIENT"},
}


class Exported:
    """One database of the exporter's, beside ours on the same server."""

    def __init__(self, database: Database, name: str, variant: str = "maps") -> None:
        self.name = name
        self._database = database
        self._how = VARIANTS[variant]
        held, duration = self._how["held"], self._how["duration"]
        self._command(f"CREATE DATABASE `{name}`")
        self._command(f"""CREATE TABLE {name}.otel_traces (
            Timestamp DateTime64(9) CODEC(Delta(8), ZSTD(1)), TraceId String, SpanId String, ParentSpanId String,
            TraceState String, SpanName LowCardinality(String), SpanKind LowCardinality(String), ServiceName LowCardinality(String),
            ResourceAttributes {held}, ScopeName String, ScopeVersion String, SpanAttributes {held}, Duration {duration},
            StatusCode LowCardinality(String), StatusMessage String,
            Events Nested (Timestamp DateTime64(9), Name LowCardinality(String), Attributes {held}),
            Links Nested (TraceId String, SpanId String, TraceState String, Attributes {held})
        ) ENGINE = MergeTree PARTITION BY toDate(Timestamp) ORDER BY (ServiceName, SpanName, toDateTime(Timestamp), Timestamp)""")
        self._command(f"""CREATE TABLE {name}.otel_logs (
            Timestamp DateTime64(9), TimestampTime DateTime DEFAULT toDateTime(Timestamp), TraceId String, SpanId String,
            TraceFlags UInt8, SeverityText LowCardinality(String), SeverityNumber UInt8, ServiceName LowCardinality(String),
            Body String, ResourceSchemaUrl LowCardinality(String), ResourceAttributes {held},
            ScopeSchemaUrl LowCardinality(String), ScopeName String, ScopeVersion LowCardinality(String), ScopeAttributes {held},
            LogAttributes {held}{", EventName String" if self._how["error"] == "Error" else ""}
        ) ENGINE = MergeTree PARTITION BY toDate(TimestampTime) ORDER BY (ServiceName, TimestampTime, Timestamp)""")

    @property
    def traces(self) -> str:
        """The table of spans."""
        return f"{self.name}.otel_traces"

    @property
    def logs(self) -> str:
        """The table of log records."""
        return f"{self.name}.otel_logs"

    def span(
        self, number: int, at: datetime, *, name: str = "chat", failed: bool = False, **said: Any
    ) -> dict[str, Any]:
        """Make one row; `said` are attributes, with two underscores for a dot."""
        return {
            "Timestamp": f"{at:%Y-%m-%d %H:%M:%S.%f}000",
            "TraceId": f"{number:032x}",
            "SpanId": f"{number:016x}",
            "SpanName": name,
            "SpanKind": self._how["kind"],
            "ServiceName": "shop",
            "ResourceAttributes": self._held({"service.name": "shop", "deployment.environment.name": "live"}),
            "SpanAttributes": self._held({key.replace("__", "."): value for key, value in said.items()}),
            "Duration": 1_500_000_000,
            "StatusCode": self._how["error"] if failed else "Unset",
        }

    def outcome(self, number: int, at: datetime, **said: Any) -> dict[str, Any]:
        """Make one log record that says what was true of a call."""
        attributes = {key.replace("__", "."): value for key, value in said.items()}
        named = {"EventName": "tocsin.outcome"} if self._how["error"] == "Error" else {}
        if not named:
            attributes["event.name"] = "tocsin.outcome"
        return {
            "Timestamp": f"{at:%Y-%m-%d %H:%M:%S.%f}000",
            "TraceId": f"{number:032x}",
            "SpanId": f"{number:016x}",
            "ServiceName": "shop",
            "LogAttributes": self._held(attributes),
            **named,
        }

    def insert(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert rows as one block."""
        text = "\n".join(json.dumps(row) for row in rows)
        self._command(f"INSERT INTO {table} FORMAT JSONEachRow {text}")

    def _held(self, attributes: Mapping[str, Any]) -> Mapping[str, Any]:
        if self._how["held"] == "JSON":
            return attributes
        return {key: value if isinstance(value, str) else json.dumps(value) for key, value in attributes.items()}

    def _command(self, sql: str) -> None:
        self._database.command(sql, settings={"allow_experimental_json_type": 1})


@contextmanager
def exported(database: Database, variant: str = "maps") -> Iterator[Exported]:
    """Make the exporter's tables, and drop them in the end."""
    name = f"otel_{uuid.uuid4().hex[:8]}"
    yield Exported(database, name, variant)
    database.command(f"DROP DATABASE `{name}`")
