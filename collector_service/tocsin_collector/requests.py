"""What a trace request must be to be taken: parsed once by upb, looked at, and dropped; its bytes are what is kept."""

from dataclasses import dataclass
from typing import Any

from google.protobuf.message import DecodeError
from google.protobuf.unknown_fields import UnknownFieldSet
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tocsin_collector.damage import find_damage
from tocsin_collector.errors import RequestRejected
from tocsin_collector.frames import FIRST_RESERVED

_LAST_NS = 4_294_967_295_000_000_000  # the latest instant that the tables hold; later ones are clamped and flagged
_MAX_EMPTY_SPANS = 100_000  # 2 bytes on the wire, a hundred in memory: nobody's telemetry


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What the books need to know of a request."""

    spans: int
    last_end_ns: int  # the latest end of its spans, 0 without any; impossible times do not count


def look_at_spans(body: bytes, *, max_spans: int) -> Looked:
    """Validate an OTLP trace request.

    Raises:
        RequestRejected: it is malformed, has too many spans, or uses top-level fields that are ours.
    """
    if body.count(b"\x12\x00") > _MAX_EMPTY_SPANS:
        raise RequestRejected(f"expected spans, got more than {_MAX_EMPTY_SPANS} empty ones: send what they hold")
    request = parse_spans(body)
    unknown: Any = UnknownFieldSet(request)  # iterable, though its stub does not say so
    for field in unknown:
        if field.field_number >= FIRST_RESERVED:
            raise RequestRejected(
                f"expected an OTLP trace request, got a top-level field {field.field_number}: "
                f"fields from {FIRST_RESERVED} on are the collector's own, leave them out"
            )
    spans = last_end_ns = 0
    for resource_spans in request.resource_spans:
        for scope_spans in resource_spans.scope_spans:
            inside = scope_spans.spans
            spans += len(inside)
            ends = [end for span in inside if (end := span.end_time_unix_nano) <= _LAST_NS]
            last_end_ns = max(last_end_ns, max(ends, default=0))
    if spans > max_spans:
        raise RequestRejected(f"expected at most {max_spans} spans in one request, got {spans}: send smaller batches")
    return Looked(spans=spans, last_end_ns=last_end_ns)


def parse_spans(body: bytes) -> ExportTraceServiceRequest:
    """Parse a trace request.

    Raises:
        RequestRejected: it is malformed; the message says where.
    """
    try:
        return ExportTraceServiceRequest.FromString(body)
    except DecodeError as error:
        where = find_damage(body, ExportTraceServiceRequest.DESCRIPTOR)
        said = where or f"expected a protobuf message, got bytes that the parser refuses ({error})"
        raise RequestRejected(f"malformed ExportTraceServiceRequest of {len(body)} bytes: {said}") from error


def reencode_spans(body: bytes) -> bytes:
    """Write a request anew as upb understood it: one member per oneof, no unknown or mistyped fields."""
    request = parse_spans(body)
    request.DiscardUnknownFields()
    return bytes(request.SerializeToString(deterministic=True))
