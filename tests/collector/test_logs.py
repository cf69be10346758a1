"""Log records: the same spool, the same one transform, the OpenTelemetry exporter's columns."""

from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue
from tests.collector.sending import START_NS, pair

from tocsin_collector.load.stores import EmbeddedStore, ServerStore
from tocsin_collector.spool.contents import contents_of
from tocsin_collector.spool.frames import Envelope, Frame, digest
from tocsin_collector.spool.segments import Segment, describe, write
from tocsin_collector.store.database import Database

TRACE_ID, SPAN_ID = bytes(range(16)), bytes(range(8))


def logs_request(body: Any = "it went well", *, event: str = "", at_ns: int = START_NS, **attributes: Any) -> bytes:
    """Make a request of one log record."""
    request = ExportLogsServiceRequest()
    resource_logs = request.resource_logs.add()
    resource_logs.resource.attributes.append(pair("service.name", "triage"))
    scope_logs = resource_logs.scope_logs.add()
    scope_logs.scope.name, scope_logs.scope.version = "tests", "1"
    scope_logs.log_records.add(
        time_unix_nano=at_ns,
        severity_number=9,  # type: ignore[arg-type] # INFO
        severity_text="INFO",
        body=pair("", body).value,
        attributes=[pair(key.replace("__", "."), value) for key, value in attributes.items()],
        flags=1,
        trace_id=TRACE_ID,
        span_id=SPAN_ID,
        event_name=event,
    )
    return request.SerializeToString()


def logs_segment(folder: Path, *bodies: bytes, project: str = "") -> Segment:
    """Seal requests as the spool does."""
    frames = [
        Frame(body=body, envelope=Envelope(project=project, received_ns=START_NS, digest=digest(body)))
        for body in bodies
    ]
    path = folder / "000001.seg"
    size = write(path, frames)
    return describe("logs", path, frames, size, contents_of("logs"))


def test_log_segment_is_loaded_once(database: Database, tmp_path: Path) -> None:
    """Evaluation results and message content arrive as logs: a retry of a segment must not double them."""
    listed = AnyValue(array_value=ArrayValue(values=[AnyValue(int_value=1), AnyValue(string_value="b")]))
    segment = logs_segment(
        tmp_path, logs_request(event="gen_ai.evaluation.result", count=3, listed=listed), logs_request(AnyValue())
    )
    store = EmbeddedStore(database)

    store.insert(segment)
    store.insert(segment)

    named, bare = database.rows("SELECT * FROM otel_logs ORDER BY EventName DESC")
    assert (named["EventName"], named["Body"], named["SeverityText"]) == (
        "gen_ai.evaluation.result",
        "it went well",
        "INFO",
    )
    assert named["LogAttributes"] == {"count": "3", "listed": '[1,"b"]'}
    assert (named["TraceId"], named["SpanId"], named["TraceFlags"]) == (TRACE_ID.hex(), SPAN_ID.hex(), 1)
    assert (named["ServiceName"], named["project"], named["segment"]) == ("triage", "default", segment.hash)
    assert bare["Body"] == ""


def test_log_record_without_a_time_has_the_one_of_its_arrival(database: Database, tmp_path: Path) -> None:
    """OTLP lets a record have no time: 1970 would put it where nobody looks and retention strikes first."""
    EmbeddedStore(database).insert(logs_segment(tmp_path, logs_request(at_ns=0)))

    [row] = database.rows("SELECT toUnixTimestamp64Nano(Timestamp) AS at_ns FROM otel_logs")
    assert row["at_ns"] == START_NS


@pytest.mark.server
def test_log_segment_reaches_a_server(database: Database, server_database: Database, tmp_path: Path) -> None:
    """Embedded and server are one transform, for logs too."""
    segment = logs_segment(tmp_path, logs_request(event="x", count=3), project="shop")
    store = ServerStore(server_database, database)

    store.insert(segment)
    store.insert(segment)

    sql = "SELECT EventName, LogAttributes, project FROM otel_logs"
    assert server_database.rows(sql) == [{"EventName": "x", "LogAttributes": {"count": "3"}, "project": "shop"}]
