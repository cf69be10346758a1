"""What tests of the collector send, and how they wait."""

import time
from collections.abc import Callable
from typing import Any

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from tocsin_collector.collector import Collector
from tocsin_collector.receive.grpc_server import OUTCOME_SERVICE, TRACE_SERVICE
from tocsin_collector.store.database import Database
from tocsin_wire.v1.outcomes_pb2 import RecordOutcomesRequest, RecordOutcomesResponse

START_NS = 1_772_452_800_000_000_000  # 2026-03-02 12:00 UTC
PATIENCE_S = 40.0


def eventually(holds: Callable[[], Any]) -> None:
    """Wait until something holds; a slow machine gets the time it needs."""
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, "it never came to hold"
        time.sleep(0.01)


def pair(key: str, value: Any) -> KeyValue:
    """Make one attribute of the fitting type."""
    match value:
        case bool():
            return KeyValue(key=key, value=AnyValue(bool_value=value))
        case int():
            return KeyValue(key=key, value=AnyValue(int_value=value))
        case float():
            return KeyValue(key=key, value=AnyValue(double_value=value))
        case AnyValue():
            return KeyValue(key=key, value=value)
        case _:
            return KeyValue(key=key, value=AnyValue(string_value=value))


def trace_request(count: int = 1, *, number: int = 0, **attributes: Any) -> ExportTraceServiceRequest:
    """Make a request of AI-call spans; `number` makes its spans and bytes unlike another's."""
    request = ExportTraceServiceRequest()
    resource_spans = request.resource_spans.add()
    resource_spans.resource.attributes.append(pair("service.name", "triage"))
    scope_spans = resource_spans.scope_spans.add()
    scope_spans.scope.name, scope_spans.scope.version = "tests", "1"
    given = {"tocsin.use_case": "ticket-triage", **{k.replace("__", "."): v for k, v in attributes.items()}}
    for index in range(count):
        identity = number * 1_000_000 + index + 1
        start_ns = START_NS + identity * 1000
        scope_spans.spans.add(
            trace_id=identity.to_bytes(16),
            span_id=identity.to_bytes(8),
            name="predict",
            kind=1,
            start_time_unix_nano=start_ns,
            end_time_unix_nano=start_ns + 1_000_000,
            attributes=[pair(key, value) for key, value in given.items()],
        )
    return request


class Client:
    """A sender over real gRPC, on raw bytes."""

    def __init__(self, port: int) -> None:
        self.channel = grpc.insecure_channel(f"127.0.0.1:{port}", options=[("grpc.max_send_message_length", -1)])
        self._export = self.channel.unary_unary(f"/{TRACE_SERVICE}/Export")
        self._record = self.channel.unary_unary(f"/{OUTCOME_SERVICE}/Record")

    def export(self, request: ExportTraceServiceRequest | bytes) -> bytes:
        """Send spans; returns when they are acknowledged."""
        body = request if isinstance(request, bytes) else request.SerializeToString()
        answer: bytes = self._export(body, timeout=PATIENCE_S)
        return answer

    def refused(self, request: ExportTraceServiceRequest | bytes) -> grpc.RpcError:
        """Send spans that must be refused; returns the refusal."""
        with pytest.raises(grpc.RpcError) as refusal:
            self.export(request)
        return refusal.value

    def record(self, request: RecordOutcomesRequest) -> RecordOutcomesResponse:
        """Send outcomes."""
        return RecordOutcomesResponse.FromString(self._record(request.SerializeToString(), timeout=PATIENCE_S))


def loaded(collector: Collector) -> None:
    """Wait until nothing waits to be loaded."""

    def is_empty() -> bool:
        stats = collector.stats()
        return stats.waiting_requests == stats.waiting_outcomes == stats.waiting_logs == 0

    eventually(is_empty)


def count(database: Database, table: str, where: str = "1") -> int:
    """Count a table's rows."""
    return int(database.rows(f"SELECT count() AS n FROM {table} WHERE {where}")[0]["n"])
