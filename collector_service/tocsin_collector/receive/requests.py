"""What an OTLP request must be to be taken: parsed once by upb, looked at, and dropped; its bytes are what is kept."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from google.protobuf.message import DecodeError
from google.protobuf.unknown_fields import UnknownFieldSet
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tocsin_collector.errors import RequestRejected
from tocsin_collector.receive.damage import find_damage
from tocsin_collector.receive.extents import is_crowded, largest_part
from tocsin_collector.receive.log_events import make_readable
from tocsin_collector.receive.trimming import Cut, Limits, trim
from tocsin_collector.spool.frames import FIRST_RESERVED

Signal: TypeAlias = Literal["traces", "logs"]

REQUESTS: Final[dict[Signal, Any]] = {"traces": ExportTraceServiceRequest, "logs": ExportLogsServiceRequest}
_ITEMS: Final[dict[Signal, str]] = {"traces": "spans", "logs": "log records"}
_MAX_SCOPES: Final = 100_000
_LAST_NS = 4_294_967_295_000_000_000  # the latest instant that the tables hold; later ones are clamped and flagged


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What the books need to know of a request."""

    body: bytes  # what to keep: as it was sent, unless something was cut
    items: int  # spans or log records
    last_end_ns: int  # the latest end of its spans, 0 without any; impossible times do not count
    cut: Cut


def look_at(signal: Signal, body: bytes, *, max_items: int, limits: Limits | None = None) -> Looked:
    """Validate an OTLP request; what exceeds the limits is cut.

    Raises:
        RequestRejected: it is malformed, holds too many items, or uses top-level fields that are ours.
    """
    if is_crowded(body):
        raise RequestRejected(
            f"expected at most 2 million empty or tiny values in one request, got more in {len(body)} bytes: "
            f"send smaller batches"
        )
    request = parse(signal, body)
    _refuse_ours(request)
    items, last_end_ns = _COUNTS[signal](request, max_items)
    if items > max_items:
        raise RequestRejected(
            f"expected at most {max_items} {_ITEMS[signal]} in one request, got {items}: send smaller batches"
        )
    cut = Cut()
    rewritten = limits is not None and signal == "logs" and make_readable(request, body)
    if limits is not None and limits.may_exceed(len(body)) and limits.may_exceed(largest_part(body)):
        cut = trim(request, limits)
    if cut or rewritten:
        body = bytes(request.SerializeToString(deterministic=True))
    return Looked(body=body, items=items, last_end_ns=last_end_ns, cut=cut)


def parse(signal: Signal, body: bytes) -> Any:
    """Parse a request.

    Raises:
        RequestRejected: it is malformed; the message says where.
    """
    kind = REQUESTS[signal]
    try:
        return kind.FromString(body)
    except DecodeError as error:
        where = find_damage(body, kind.DESCRIPTOR)
        said = where or f"expected a protobuf message, got bytes that the parser refuses ({error})"
        raise RequestRejected(f"malformed {kind.DESCRIPTOR.name} of {len(body)} bytes: {said}") from error


def reencode(signal: Signal, body: bytes) -> bytes:
    """Write a request anew as upb understood it: one member per oneof, no unknown or mistyped fields."""
    request = parse(signal, body)
    request.DiscardUnknownFields()
    return bytes(request.SerializeToString(deterministic=True))


def _refuse_ours(request: Any) -> None:
    unknown: Any = UnknownFieldSet(request)  # iterable, though its stub does not say so
    for field in unknown:
        if field.field_number >= FIRST_RESERVED:
            raise RequestRejected(
                f"expected an OTLP request, got a top-level field {field.field_number}: "
                f"fields from {FIRST_RESERVED} on are the collector's own, leave them out"
            )


def _count_spans(request: ExportTraceServiceRequest, most: int) -> tuple[int, int]:
    spans = last_end_ns = 0
    _refuse_scattered(len(request.resource_spans), request.resource_spans, "scope_spans")
    for resource_spans in request.resource_spans:
        for scope_spans in resource_spans.scope_spans:
            inside = scope_spans.spans
            spans += len(inside)
            if spans <= most:
                ends = [end for span in inside if (end := span.end_time_unix_nano) <= _LAST_NS]
                last_end_ns = max(last_end_ns, max(ends, default=0))
    return spans, last_end_ns


def _count_logs(request: ExportLogsServiceRequest, _most: int) -> tuple[int, int]:
    _refuse_scattered(len(request.resource_logs), request.resource_logs, "scope_logs")
    found = sum(len(scope.log_records) for resource in request.resource_logs for scope in resource.scope_logs)
    return found, 0


def _refuse_scattered(resources: int, each: Iterable[Any], scopes: str) -> None:
    """Refuse what would take seconds to walk through: millions of resources or scopes with nothing in them."""
    found = resources if resources > _MAX_SCOPES else sum(len(getattr(one, scopes)) for one in each)
    if found > _MAX_SCOPES:
        raise RequestRejected(
            f"expected at most {_MAX_SCOPES} resources and scopes in one request, got {found}: send smaller batches"
        )


_COUNTS: Final[dict[Signal, Callable[[Any, int], tuple[int, int]]]] = {"traces": _count_spans, "logs": _count_logs}
