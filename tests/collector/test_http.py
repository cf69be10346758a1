"""OTLP over HTTP, through a real server: what senders get for what they send."""

import gzip
import json
import socket
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import pytest
import urllib3
from google.rpc import status_pb2
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from tests.collector.conftest import Run
from tests.collector.sending import START_NS, count, eventually, loaded, pair, trace_request

from tocsin_collector.collector import Collector
from tocsin_collector.store.database import Database

PROTOBUF, JSON = "application/x-protobuf", "application/json"


class Poster:
    """A sender over HTTP."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.pool = urllib3.HTTPConnectionPool("127.0.0.1", port, retries=False, timeout=40)

    def post(
        self, body: bytes, path: str = "/v1/traces", kind: str = PROTOBUF, method: str = "POST", **headers: str
    ) -> urllib3.BaseHTTPResponse:
        """Send a body; return the answer."""
        given = {"content-type": kind, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return self.pool.request(method, path, body=body, headers=given)


@pytest.fixture
def over_http(run: Run) -> Iterator[Any]:
    """Start collectors; each comes with a sender over HTTP."""
    posters: list[Poster] = []

    def start(**settings: Any) -> tuple[Collector, Poster]:
        collector, _ = run(**settings)
        posters.append(Poster(collector.http_port))
        return collector, posters[-1]

    yield start
    for poster in posters:
        poster.pool.close()


def log_request(body: str = "hello") -> ExportLogsServiceRequest:
    """Make a request of one log record."""
    request = ExportLogsServiceRequest()
    record = request.resource_logs.add().scope_logs.add().log_records.add(time_unix_nano=START_NS)
    record.body.string_value = body
    record.attributes.append(pair("k", 1))
    return request


def said(answer: urllib3.BaseHTTPResponse) -> tuple[int, str]:
    """Read a refusal in protobuf."""
    assert answer.headers["content-type"] == PROTOBUF
    return answer.status, status_pb2.Status.FromString(answer.data).message


def test_protobuf_spans_become_rows(over_http: Any, database: Database) -> None:
    """The stock exporters' default over HTTP."""
    collector, sender = over_http()

    answer = sender.post(trace_request(3).SerializeToString())
    loaded(collector)

    assert (answer.status, answer.data, answer.headers["content-type"]) == (200, b"", PROTOBUF)
    assert count(database, "otel_traces") == 3


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_packed_bodies_are_unpacked(over_http: Any, encoding: str, pack: Any) -> None:
    """Most exporters in production compress."""
    collector, sender = over_http()

    answer = sender.post(pack(trace_request(3).SerializeToString()), content_encoding=encoding)

    assert answer.status == 200
    assert collector.stats().received_spans == 3


def test_logs_are_taken(over_http: Any, database: Database) -> None:
    """Evaluation results and message content come as log events."""
    collector, sender = over_http()

    answer = sender.post(log_request().SerializeToString(), "/v1/logs")
    loaded(collector)

    assert answer.status == 200
    assert count(database, "otel_logs") == 1


def test_same_request_over_both_transports_is_stored_once(run: Run) -> None:
    """A sender that changes its protocol while it retries must not double its spans."""
    collector, client = run()
    sender = Poster(collector.http_port)
    body = trace_request(3).SerializeToString()

    client.export(body)
    sender.post(body)
    sender.post(gzip.compress(body), content_encoding="gzip")
    sender.pool.close()

    assert collector.stats().duplicate_spans == 6


def test_empty_request_succeeds(over_http: Any) -> None:
    """OTLP: an empty request is a success; some exporters probe with one."""
    collector, sender = over_http()

    answers = [sender.post(b""), sender.post(b"{}", kind=JSON), sender.post(b"", "/v1/logs")]

    assert [(answer.status, answer.data) for answer in answers] == [(200, b""), (200, b"{}"), (200, b"")]
    assert collector.stats().received_requests == 0


def test_json_becomes_the_same_rows(over_http: Any, database: Database) -> None:
    """Browsers and Node send JSON: hexadecimal ids, numbers as strings, enums as numbers, keys of tomorrow's version."""
    collector, sender = over_http()
    span = {
        "traceId": "5b8efff798038103d269b633813fc60c",
        "spanId": "EEE19B7EC3C1B174",
        "name": "predict",
        "kind": 3,
        "startTimeUnixNano": str(START_NS),
        "endTimeUnixNano": START_NS + 5,
        "inventedLater": {"a": [1]},
        "attributes": [
            {"key": "tocsin.use_case", "value": {"stringValue": "ticket-triage"}},
            {"key": "n", "value": {"intValue": "42"}},
            {"key": "l", "value": {"arrayValue": {"values": [{"doubleValue": 0.5}, {"boolValue": True}]}}},
        ],
    }
    request = {"resourceSpans": [{"resource": {}, "scopeSpans": [{"spans": [span]}]}]}

    answer = sender.post(json.dumps(request).encode(), kind=f"{JSON}; charset=utf-8")
    loaded(collector)

    [row] = database.rows("SELECT TraceId, SpanId, SpanKind, SpanAttributes FROM otel_traces")
    assert (answer.status, answer.data, answer.headers["content-type"]) == (200, b"{}", JSON)
    assert (row["TraceId"], row["SpanId"]) == ("5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174")
    assert row["SpanKind"] == "Client"
    assert row["SpanAttributes"] == {"tocsin.use_case": "ticket-triage", "n": "42", "l": "[0.5,true]"}


@pytest.mark.parametrize(
    ("path", "kind", "method", "headers", "code"),
    [
        ("/v1/metrics", PROTOBUF, "POST", {}, 404),
        ("/v1/traces/", PROTOBUF, "POST", {}, 404),
        ("/v1/traces", PROTOBUF, "GET", {}, 405),
        ("/v1/traces", "text/plain", "POST", {}, 415),
        ("/v1/traces", PROTOBUF, "POST", {"content_encoding": "br"}, 415),
        ("/v1/traces", PROTOBUF, "POST", {"x_tocsin_key": "tk_nobody"}, 401),
        ("/v1/logs", PROTOBUF, "POST", {"content_encoding": "gzip"}, 400),
    ],
)
def test_refusals_have_the_status_that_exporters_know(
    *, over_http: Any, path: str, kind: str, method: str, headers: Mapping[str, str], code: int
) -> None:
    """Each must be final: an exporter that retried would hold its queue for nothing."""
    _, sender = over_http()

    assert sender.post(b"\xff", path, kind, method, **headers).status == code


def test_refusal_speaks_the_senders_encoding(over_http: Any) -> None:
    """The sentence is of use only where the exporter can read it."""
    collector, sender = over_http()

    in_protobuf = sender.post(b"\xff\xff")
    in_json = sender.post(b'{"resourceSpans": 3}', kind=JSON)

    assert said(in_protobuf)[0] == 400
    assert "ExportTraceServiceRequest" in said(in_protobuf)[1]
    assert (in_json.status, in_json.headers["content-type"]) == (400, JSON)
    assert json.loads(in_json.data) == {"code": 3, "message": "expected a list in resourceSpans, got 3"}
    assert collector.stats().refused_requests == 2


def test_too_large_is_413_packed_or_not(over_http: Any) -> None:
    """Final, and the sentence says what to do."""
    _, sender = over_http(max_request_bytes=10_000)

    plain = sender.post(bytes(10_001))
    bomb = sender.post(gzip.compress(bytes(20_000_000)), content_encoding="gzip")

    assert said(plain)[0] == said(bomb)[0] == 413
    assert "smaller batches" in said(bomb)[1]


def test_overload_is_503_with_retry_after(over_http: Any) -> None:
    """Python's exporter tries again on 503 and on nothing else; others read Retry-After."""
    collector, sender = over_http(max_bytes_in_flight=1_000)

    answer = sender.post(trace_request(50).SerializeToString())

    assert (said(answer)[0], answer.headers["retry-after"]) == (503, "1")
    assert sender.post(trace_request(1).SerializeToString()).status == 200
    eventually(lambda: collector.stats().bytes_in_flight == 0)


def test_what_was_cut_is_told_with_nothing_rejected(over_http: Any, database: Database) -> None:
    """A warning, not a loss: the span is stored, with the mark where its value was cut."""
    collector, sender = over_http(max_value_bytes=1_024)

    answer = sender.post(trace_request(2, tocsin__output__text="é" * 1_000).SerializeToString())
    loaded(collector)

    partial = ExportTraceServiceResponse.FromString(answer.data).partial_success
    [row] = database.rows("SELECT DISTINCT SpanAttributes['tocsin.output.text'] AS t FROM otel_traces")
    assert (answer.status, partial.rejected_spans) == (200, 0)
    assert "2 values of more than 1024 bytes were cut" in partial.error_message
    assert row["t"].endswith("é…[cut at 1024 bytes]")
    assert len(row["t"].encode()) <= 1_024
    assert collector.stats().values_cut == 2


def test_slow_senders_are_let_go_and_hold_nothing(over_http: Any) -> None:
    """A connection that never finishes its head, or its body, would otherwise be held for ever."""
    collector, sender = over_http(head_timeout_s=0.2, body_timeout_s=0.2)
    head = b"POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\ncontent-length: 9\r\n\r\n"

    answers = []
    for slow in (b"", head[:30], head + b"\x0a"):
        with socket.create_connection(("127.0.0.1", sender.port), timeout=40) as connection:
            connection.sendall(slow)
            try:
                answers.append(connection.recv(1000))
            except ConnectionResetError:
                answers.append(b"")

    assert answers[:2] == [b"", b""]
    assert answers[2].startswith(b"HTTP/1.1 408 ")
    assert collector.stats().bytes_in_flight == 0
    assert sender.post(trace_request(1).SerializeToString()).status == 200


def test_more_connections_than_allowed_close_the_longest_idle(over_http: Any) -> None:
    """A thousand forgotten connections must not keep the next sender out, nor throw a living one out."""
    _, sender = over_http(max_connections=5)
    idle = [socket.create_connection(("127.0.0.1", sender.port), timeout=40) for _ in range(20)]

    answer = sender.post(trace_request(1).SerializeToString())
    with suppress(ConnectionResetError):
        assert idle[0].recv(1) == b""
    idle[-1].sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")

    assert answer.status == 200
    assert idle[-1].recv(12) == b"HTTP/1.1 404"
    for connection in idle:
        connection.close()
