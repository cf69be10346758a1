"""A trace, sent by OpenTelemetry's own exporter and read as Grafana's trace view reads it."""

import json
from pathlib import Path
from typing import Any

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState
from tests.collector.sending import loaded
from tests.console.clickhouse_http.conftest import Endpoint

from tocsin_collector.collector import Collector
from tocsin_collector.settings import CollectorSettings
from tocsin_collector.store.database import Database

_PAIRS = "arrayMap(key -> map('key', key, 'value', {0}[key]), mapKeys({0}))"
# What the plugin's generator makes of a trace id with OpenTelemetry's columns (sqlGenerator.ts, generateTraceIdQuery).
TRACE_VIEW = f"""WITH '{{id}}' as trace_id, (SELECT min(Start) FROM "{{db}}"."otel_traces_trace_id_ts" WHERE TraceId = trace_id) as trace_start,
(SELECT max(End) + 1 FROM "{{db}}"."otel_traces_trace_id_ts" WHERE TraceId = trace_id) as trace_end
SELECT "TraceId" as traceID, "SpanId" as spanID, "ParentSpanId" as parentSpanID, "ServiceName" as serviceName,
"SpanName" as operationName, multiply(toUnixTimestamp64Nano("Timestamp"), 0.000001) as startTime,
multiply("Duration", 0.000001) as duration,
{_PAIRS.format('"SpanAttributes"')} as tags,
{_PAIRS.format('"ResourceAttributes"')} as serviceTags,
if("StatusCode" IN ('Error', 'STATUS_CODE_ERROR'), 2, 0) as statusCode,
arrayMap((name, timestamp, attributes) -> tuple(name, toString(toUnixTimestamp64Milli(timestamp)),
{_PAIRS.format("attributes")})::Tuple(name String, timestamp String, fields Array(Map(String, String))),
"Events".Name, "Events".Timestamp, "Events".Attributes) AS logs,
arrayMap((traceID, spanID, attributes) -> tuple(traceID, spanID,
{_PAIRS.format("attributes")})::Tuple(traceID String, spanID String, tags Array(Map(String, String))),
"Links".TraceId, "Links".SpanId, "Links".Attributes) AS references,
"SpanKind" as kind, "StatusMessage" as statusMessage, "ScopeName" as instrumentationLibraryName,
"ScopeVersion" as instrumentationLibraryVersion, "TraceState" as traceState
FROM "{{db}}"."otel_traces" WHERE traceID = trace_id AND "Timestamp" >= trace_start AND "Timestamp" <= trace_end LIMIT 1000"""
START_NS = 1_772_452_800_123_456_789


def test_a_trace_comes_back_as_it_was_sent(endpoint: Endpoint, store: Database, tmp_path: Path) -> None:
    """Ids, times to the nanosecond, names, kinds, attributes, events, links and states."""
    sent = _send(store, tmp_path)

    rows = _rows(endpoint, TRACE_VIEW.format(id=f"{sent[0].context.trace_id:032x}", db=endpoint.database))

    assert {row["spanID"]: _normal(row) for row in rows} == {_hex(span): _expected(span) for span in sent}
    assert len(rows) == len(sent)


def test_times_keep_their_nanoseconds(endpoint: Endpoint, store: Database, tmp_path: Path) -> None:
    """The view shows milliseconds; the table holds what was sent."""
    sent = _send(store, tmp_path)

    rows = _rows(
        endpoint,
        "SELECT SpanId AS id, toString(toUnixTimestamp64Nano(Timestamp)) AS start, toString(Duration) AS duration, "
        f"arrayMap(t -> toUnixTimestamp64Nano(t), `Events.Timestamp`) AS events FROM otel_traces WHERE TraceId = '{sent[0].context.trace_id:032x}'",
    )

    assert {
        row["id"]: (int(row["start"]), int(row["duration"]), [int(at) for at in row["events"]]) for row in rows
    } == {
        _hex(span): (span.start_time, span.end_time - span.start_time, [event.timestamp for event in span.events])
        for span in sent
        if span.start_time and span.end_time
    }


def _send(store: Database, folder: Path) -> list[ReadableSpan]:
    """Record a trace of three spans, and send it to a collector over the same store."""
    kept = InMemorySpanExporter()
    provider = TracerProvider(
        resource=Resource({"service.name": "checkout", "service.version": "1.4", "host.name": "h 'x'"}),
        shutdown_on_exit=False,
    )
    provider.add_span_processor(SimpleSpanProcessor(kept))
    tracer = provider.get_tracer("tests", "2.1")
    elsewhere = SpanContext(
        0xABC, 0xDEF, is_remote=True, trace_flags=TraceFlags(1), trace_state=TraceState([("v", "1")])
    )
    root = tracer.start_span(
        "GET /pay", kind=SpanKind.SERVER, start_time=START_NS, attributes={"http.route": "/pay", "n": 7}
    )
    inside = trace.set_span_in_context(root)
    child = tracer.start_span(
        "classify", context=inside, kind=SpanKind.INTERNAL, start_time=START_NS + 1_000_001,
        attributes={"tocsin.use_case": "fraud", "tocsin.confidence": 0.91, "ok": True, "words": ["a", "b"], "quote": "it's \"so\"\n"},
    )  # fmt: skip
    child.add_event("cache miss", {"key": "k", "size": 3}, timestamp=START_NS + 1_500_000)
    child.add_event("asked", timestamp=START_NS + 1_600_007)
    child.end(START_NS + 9_000_000)
    failing = tracer.start_span(
        "POST bank",
        context=inside,
        kind=SpanKind.CLIENT,
        start_time=START_NS + 9_000_001,
        links=[Link(elsewhere, {"why": "retry"})],
    )
    failing.set_status(Status(StatusCode.ERROR, "timed out"))
    failing.end(START_NS + 20_000_000)
    root.end(START_NS + 25_000_000)
    spans = list(kept.get_finished_spans())
    collector = Collector(CollectorSettings(data_dir=folder, grpc_address="127.0.0.1:0"), store)
    collector.start()
    exporter = OTLPSpanExporter(endpoint=f"http://127.0.0.1:{collector.grpc_port}", insecure=True)
    try:
        assert exporter.export(spans) is SpanExportResult.SUCCESS
        loaded(collector)
    finally:
        exporter.shutdown()
        collector.stop()
        provider.shutdown()
    return spans


def _rows(endpoint: Endpoint, sql: str) -> list[dict[str, Any]]:
    answer = endpoint.ask(sql, default_format="JSONEachRow")
    assert answer.status == 200, answer.data.decode()
    return [json.loads(line) for line in answer.data.splitlines()]


def _hex(span: ReadableSpan) -> str:
    return f"{span.context.span_id:016x}"


def _normal(row: dict[str, Any]) -> dict[str, Any]:
    """Bring attributes, which have no order, into one."""
    row["tags"], row["serviceTags"] = _pairs(row["tags"]), _pairs(row["serviceTags"])
    row["logs"] = [(each["name"], each["timestamp"], _pairs(each["fields"])) for each in row["logs"]]
    row["references"] = [(each["traceID"], each["spanID"], _pairs(each["tags"])) for each in row["references"]]
    row["startTime"], row["duration"] = round(row["startTime"], 3), round(row["duration"], 6)
    return row


def _pairs(found: list[dict[str, str]]) -> dict[str, str]:
    return {each["key"]: each["value"] for each in found}


def _text(value: Any) -> str:
    """Write a value as the OpenTelemetry exporter for ClickHouse does."""
    return (
        value
        if isinstance(value, str)
        else json.dumps(list(value) if isinstance(value, tuple) else value, separators=(",", ":"))
    )


def _attributes(span: Any) -> dict[str, str]:
    return {key: _text(value) for key, value in (span.attributes or {}).items()}


def _expected(span: ReadableSpan) -> dict[str, Any]:
    assert span.start_time
    assert span.end_time
    assert span.instrumentation_scope
    return {
        "traceID": f"{span.context.trace_id:032x}",
        "spanID": _hex(span),
        "parentSpanID": f"{span.parent.span_id:016x}" if span.parent else "",
        "serviceName": "checkout",
        "operationName": span.name,
        "startTime": round(span.start_time / 1e6, 3),
        "duration": round((span.end_time - span.start_time) / 1e6, 6),
        "tags": _attributes(span),
        "serviceTags": _attributes(span.resource),
        "statusCode": 2 if span.status.status_code is StatusCode.ERROR else 0,
        "logs": [(event.name, str(event.timestamp // 1_000_000), _attributes(event)) for event in span.events],
        "references": [
            (f"{link.context.trace_id:032x}", f"{link.context.span_id:016x}", _attributes(link)) for link in span.links
        ],
        "kind": span.kind.name.capitalize(),
        "statusMessage": span.status.description or "",
        "instrumentationLibraryName": span.instrumentation_scope.name,
        "instrumentationLibraryVersion": span.instrumentation_scope.version,
        "traceState": "",
    }
