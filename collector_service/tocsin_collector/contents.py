"""What a stored request holds, by kind: asked again when a file is found on disk."""

from collections.abc import Callable

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from tocsin_collector.decoder import Kind
from tocsin_collector.frames import Frame
from tocsin_collector.requests import look_at_spans, reencode_spans
from tocsin_collector.segments import Contents, Look
from tocsin_wire.v1.outcomes_pb2 import RecordOutcomesRequest

_ANY_NUMBER = 1 << 62  # it was within the limit when it was taken


def contents_of(kind: Kind) -> Look:
    """Give the function that counts a request of this kind."""
    return {"traces": _spans, "outcomes": _outcomes, "logs": _logs}[kind]


def reencode(kind: Kind) -> Callable[[bytes], bytes]:
    """Give the function that writes a request of this kind anew, saying the same."""
    return {"traces": reencode_spans, "outcomes": _reencode_outcomes, "logs": _reencode_logs}[kind]


def _spans(frame: Frame) -> Contents:
    looked = look_at_spans(frame.body, max_spans=_ANY_NUMBER)
    return Contents(items=looked.spans, last_end_ns=looked.last_end_ns)


def _outcomes(frame: Frame) -> Contents:
    return Contents(items=len(RecordOutcomesRequest.FromString(frame.body).outcomes), last_end_ns=0)


def _reencode_outcomes(body: bytes) -> bytes:
    request = RecordOutcomesRequest.FromString(body)
    request.DiscardUnknownFields()
    return bytes(request.SerializeToString(deterministic=True))


def _logs(frame: Frame) -> Contents:
    request = ExportLogsServiceRequest.FromString(frame.body)
    found = sum(len(scope.log_records) for resource in request.resource_logs for scope in resource.scope_logs)
    return Contents(items=found, last_end_ns=0)


def _reencode_logs(body: bytes) -> bytes:
    request = ExportLogsServiceRequest.FromString(body)
    request.DiscardUnknownFields()
    return bytes(request.SerializeToString(deterministic=True))
