"""What a sender is told, in the encoding it speaks. Source: OTLP specification, "OTLP/HTTP Response" and "Partial Success"."""

import json
from typing import Any, Final

from google.rpc import status_pb2
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsPartialSuccess, ExportLogsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)

from tocsin_collector.receive.intake import Taken
from tocsin_collector.receive.requests import Signal

INVALID_ARGUMENT: Final = 3  # google.rpc.Code
RESOURCE_EXHAUSTED: Final = 8
UNAVAILABLE: Final = 14
UNAUTHENTICATED: Final = 16

_RESPONSES: Final[dict[Signal, Any]] = {
    "traces": (ExportTraceServiceResponse, ExportTracePartialSuccess),
    "logs": (ExportLogsServiceResponse, ExportLogsPartialSuccess),
}


def response(signal: Signal, taken: Taken) -> bytes:
    """Say that all was taken: nothing at all, or a partial success of 0 rejected with a warning."""
    if not taken.warning:
        return b""
    whole, partial = _RESPONSES[signal]
    return bytes(whole(partial_success=partial(error_message=taken.warning)).SerializeToString())


def response_json(taken: Taken) -> bytes:
    """Say the same in JSON."""
    return json.dumps({"partialSuccess": {"errorMessage": taken.warning}} if taken.warning else {}).encode()


def status(code: int, message: str, *, as_json: bool) -> bytes:
    """Say what was wrong, as google.rpc.Status."""
    if as_json:
        return json.dumps({"code": code, "message": message}).encode()
    return bytes(status_pb2.Status(code=code, message=message).SerializeToString())
