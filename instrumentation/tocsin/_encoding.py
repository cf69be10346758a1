"""Spans as OTLP bytes. Ours, whose attributes are plain, take a short way; all others the stock one.

The stock encoder makes three Python objects per attribute: 110 µs for a row of 33 attributes, on a thread that competes
with the host for the interpreter. This one writes the same bytes in a fraction; a test compares them.

Source: Protocol Buffers encoding (https://protobuf.dev/programming-guides/encoding/), opentelemetry/proto/trace/v1.
"""

import struct
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext, StatusCode

from tocsin._spans import CallSpan
from tocsin._values import Scalar

_DOUBLE: Final = struct.Struct("<d").pack
_FIXED64: Final = struct.Struct("<Q").pack
_HAS_IS_REMOTE: Final = 0x100
_IS_REMOTE: Final = 0x200
_STATUS: Final = {StatusCode.UNSET: 0, StatusCode.OK: 1, StatusCode.ERROR: 2}
_INTERNAL: Final = b"\x30\x01"  # kind = SPAN_KIND_INTERNAL


def encode(spans: Sequence[ReadableSpan]) -> bytes:
    """Write an ``ExportTraceServiceRequest``. Requests concatenate, so the two ways need not know of each other."""
    ours = [span for span in spans if isinstance(span, CallSpan)]
    others = [span for span in spans if not isinstance(span, CallSpan)]
    stock: bytes = encode_spans(others).SerializeToString() if others else b""
    return stock + _encode_ours(ours) if ours else stock


def _encode_ours(spans: Iterable[CallSpan]) -> bytes:
    groups: dict[int, list[CallSpan]] = defaultdict(list)
    for span in spans:
        groups[id(span.resource)].append(span)
    request = []
    for group in groups.values():
        # An empty span of the group, written by the stock encoder, brings resource and scope as they should be.
        frame = encode_spans([group[0]])
        scope = frame.resource_spans[0].scope_spans[0]
        del scope.spans[:]
        body = b"".join([_field(0x12, _encode_span(span)) for span in group])
        scope_bytes = scope.SerializeToString() + body
        del frame.resource_spans[0].scope_spans[:]
        request.append(_field(0x0A, frame.resource_spans[0].SerializeToString() + _field(0x12, scope_bytes)))
    return b"".join(request)


def _encode_span(span: CallSpan) -> bytes:
    context: SpanContext = span.call_context
    parent = span.parent
    parts = [
        b"\x0a\x10",
        context.trace_id.to_bytes(16, "big"),
        b"\x12\x08",
        context.span_id.to_bytes(8, "big"),
    ]
    if parent is not None:
        parts += (b"\x22\x08", parent.span_id.to_bytes(8, "big"))
    parts += (
        _short_text(0x2A, span.name),
        _INTERNAL,
        b"\x39",
        _FIXED64(span.start_time or 0),
        b"\x41",
        _FIXED64(span.end_time or 0),
    )
    for key, value in span.plain.items():
        if type(value) is float:
            parts.append(_double_prefix(key))
            parts.append(_DOUBLE(value))
        elif type(value) is str and len(value) <= 64:
            parts.append(_text_attribute(key, value))
        else:
            parts.append(_attribute(key, value))
    parts.append(_status(span))
    flags = _HAS_IS_REMOTE | (_IS_REMOTE if parent is not None and parent.is_remote else 0)
    parts += (b"\x85\x01", flags.to_bytes(4, "little"))
    return b"".join(parts)


def _status(span: CallSpan) -> bytes:
    code = _STATUS[span.status.status_code]
    body = _short_text(0x12, span.status.description) if span.status.description else b""
    return _field(0x7A, body + (b"\x18" + bytes((code,)) if code else b""))


@lru_cache(maxsize=4096)
def _double_prefix(key: str) -> bytes:
    """Everything of a double attribute but its eight bytes: their number is known."""
    named = _field(0x0A, key.encode())
    return b"\x4a" + _varint(len(named) + 11) + named + b"\x12\x09\x21"


@lru_cache(maxsize=4096)
def _text_attribute(key: str, value: str) -> bytes:
    return _attribute(key, value)


@lru_cache(maxsize=1024)
def _short_text(tag: int, value: str) -> bytes:
    return _field(tag, value.encode())


def _attribute(key: str, value: Scalar) -> bytes:
    if isinstance(value, bool):
        body = b"\x10\x01" if value else b"\x10\x00"
    elif isinstance(value, str):
        body = _field(0x0A, value.encode("utf-8", "replace"))
    elif isinstance(value, int):
        body = b"\x18" + _varint(value & 0xFFFFFFFFFFFFFFFF)
    else:
        body = b"\x21" + _DOUBLE(value)
    return _field(0x4A, _field(0x0A, key.encode("utf-8", "replace")) + _field(0x12, body))


def _field(tag: int, body: bytes) -> bytes:
    return bytes((tag,)) + _varint(len(body)) + body


def _varint(number: int) -> bytes:
    if number < 0x80:
        return bytes((number,))
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)
