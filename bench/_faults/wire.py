"""What comes over the wire that should not: mutated requests, bombs, and the senders that send them."""

import base64
import gzip
import http.client
import json
import random
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import grpc

from _load import prepared

Signal: TypeAlias = Literal["traces", "logs"]
_METHODS = {
    "traces": "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    "logs": "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
}
_HOSTILE: tuple[Any, ...] = (
    None, True, -1, 1 << 63, 1 << 70, 1e308, 0.1, "", "x", "\ud800", "9" * 30, "NaN", "-Infinity", [], {}, [[]], [{}], {"values": [{}]},
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a sender was told."""

    code: str  # an HTTP status or a gRPC code
    body: bytes = b""

    @property
    def is_taken(self) -> bool:
        """Whether everything was acknowledged."""
        return self.code in {"200", "OK"}

    @property
    def is_asked_again(self) -> bool:
        """Whether it is to be sent again."""
        return self.code in {"503", "RESOURCE_EXHAUSTED"}

    @property
    def is_final(self) -> bool:
        """Whether it was refused for good, in a way that says that nothing broke."""
        return self.code in {"400", "404", "408", "413", "415", "INVALID_ARGUMENT", "UNIMPLEMENTED"}


class Wire:
    """One sender over both transports."""

    def __init__(self, grpc_port: int, http_port: int) -> None:
        self._http_port = http_port
        self._http: http.client.HTTPConnection | None = None
        self._channel = grpc.insecure_channel(
            f"127.0.0.1:{grpc_port}",
            options=[("grpc.use_local_subchannel_pool", 1), ("grpc.max_send_message_length", -1)],
        )
        self._calls = {signal: self._channel.unary_unary(method) for signal, method in _METHODS.items()}

    def over_grpc(self, signal: Signal, body: bytes, timeout_s: float = 60.0) -> Answer:
        """Send; a body that is gzip already goes as it is, as from a sender that packed it."""
        try:
            return Answer(code="OK", body=self._calls[signal](body, timeout=timeout_s))
        except grpc.RpcError as error:
            return Answer(code=error.code().name, body=(error.details() or "").encode())

    def over_http(self, signal: Signal, body: bytes, kind: str = "x-protobuf", encoding: str = "") -> Answer:
        """Send over a kept connection; a new one when that was closed."""
        headers = {"content-type": f"application/{kind}"} | ({"content-encoding": encoding} if encoding else {})
        for _ in range(2):
            if self._http is None:
                self._http = http.client.HTTPConnection("127.0.0.1", self._http_port, timeout=60)
            try:
                self._http.request("POST", f"/v1/{signal}", body, headers)
                reply = self._http.getresponse()
                return Answer(code=str(reply.status), body=reply.read())
            except (OSError, http.client.HTTPException):
                self._http.close()
                self._http = None
        return Answer(code="closed")

    def close(self) -> None:
        """End both."""
        self._channel.close()
        if self._http is not None:
            self._http.close()


class Mutations:
    """Requests that were right once. Sound ones are of a few spans or log records, with everything that OTLP has."""

    def __init__(self, seed: int) -> None:
        from google.protobuf import json_format
        from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

        self._dice = random.Random(seed)
        traces = [ExportTraceServiceRequest.FromString(body) for body in prepared(2, seed, ai_share=0.5, kinds=4)]
        for request in traces:
            _enrich(request.resource_spans[0].scope_spans[0].spans[0])
        logs = ExportLogsServiceRequest()
        for index, span in enumerate(traces[0].resource_spans[0].scope_spans[0].spans):
            record = (
                logs.resource_logs.add()
                .scope_logs.add()
                .log_records.add(
                    time_unix_nano=span.start_time_unix_nano,
                    trace_id=span.trace_id,
                    event_name="gen_ai.evaluation.result",
                )
            )
            record.attributes.extend(span.attributes)
            record.body.kvlist_value.values.add(key="n").value.int_value = index
        self._sound: list[tuple[Signal, bytes]] = [("traces", each.SerializeToString()) for each in traces]
        self._sound.append(("logs", logs.SerializeToString()))
        both: list[tuple[Signal, Any]] = [*(("traces", each) for each in traces), ("logs", logs)]
        self._sound_json: list[tuple[Signal, Any]] = [
            (signal, _with_hex_ids(json_format.MessageToDict(each, use_integers_for_enums=True)))
            for signal, each in both
        ]

    def protobuf(self) -> tuple[Signal, bytes]:
        """Make one mutated protobuf request."""
        signal, body = self._dice.choice(self._sound)
        return signal, self._torn(body)

    def json(self) -> tuple[Signal, bytes]:
        """Make one mutated JSON request: its text torn, or one of its values another."""
        signal, said = self._dice.choice(self._sound_json)
        if self._dice.random() < 0.5:
            return signal, self._torn(json.dumps(said).encode())
        return signal, json.dumps(self._replaced(said)).encode()

    def _torn(self, body: bytes) -> bytes:
        dice, torn = self._dice, bytearray(body)
        for _ in range(dice.choice((1, 1, 1, 2, 4, 16))):
            at, size = dice.randrange(len(torn) + 1), dice.randrange(1, 20)
            match dice.randrange(7):
                case 0 if at < len(torn):
                    torn[at] ^= 1 << dice.randrange(8)
                case 1 if at < len(torn):
                    torn[at] = dice.randrange(256)
                case 2:
                    del torn[at : at + size]
                case 3:
                    torn[at:at] = dice.randbytes(size)
                case 4:
                    torn[at:at] = torn[at : at + size * 20]
                case 5:
                    torn[at : at + 1] = b"\xff\xff\xff\xff\x0f"
                case _ if dice.random() < 0.2:
                    del torn[at:]
        return bytes(torn)

    def _replaced(self, said: Any) -> Any:
        """Copy a document with one value, anywhere in it, replaced."""
        if not isinstance(said, dict | list) or not said or self._dice.random() < 0.1:
            return self._dice.choice(_HOSTILE)
        copy = said.copy()
        where = self._dice.choice(list(copy)) if isinstance(copy, dict) else self._dice.randrange(len(copy))
        copy[where] = self._replaced(copy[where])
        return copy


def _enrich(span: Any) -> None:
    span.trace_state, span.status.message = "a=b", "why"
    span.events.add(name="e", time_unix_nano=5).attributes.add(key="k").value.bytes_value = b"\x00\xff"
    span.links.add(trace_id=b"\1" * 16, span_id=b"\2" * 8, flags=1)
    values = span.attributes.add(key="list").value.array_value.values
    values.add().kvlist_value.values.add(key="deep").value.array_value.values.add().bool_value = True
    values.add().double_value = float("nan")


def _with_hex_ids(said: Any) -> Any:
    if isinstance(said, list):
        return [_with_hex_ids(each) for each in said]
    if not isinstance(said, dict):
        return said
    ids = {"traceId", "spanId", "parentSpanId"}
    return {key: base64.b64decode(each).hex() if key in ids else _with_hex_ids(each) for key, each in said.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bomb:
    """A small request that is large inside, or looks so."""

    name: str
    send: Callable[[Wire], Answer]


def bombs(mb: int) -> Iterator[Bomb]:
    """Make 60, each holding about `mb` megabytes when unpacked."""
    size = mb * 1024 * 1024
    inside = dict(_inside(size))
    for name, body in inside.items():
        packed = gzip.compress(body, 6)
        yield _grpc(f"grpc plain, {name}", body)
        yield _grpc(f"grpc gzip, {name}", packed)
        yield _http(f"http plain, {name}", body)
        yield _http(f"http gzip, {name}", packed, encoding="gzip")
    for name, text in _json(size):
        yield _http(f"json, {name}", text, kind="json")
        yield _http(f"json gzip, {name}", gzip.compress(text, 6), kind="json", encoding="gzip")
    zeros = gzip.compress(bytes(size * 4), 9)
    yield _grpc("grpc gzip, four times too much", zeros)
    yield _http("http gzip, four times too much", zeros, encoding="gzip")
    yield _http("http deflate, four times too much", zlib.compress(bytes(size * 4), 9), encoding="deflate")
    yield _http("gzip of gzip", gzip.compress(zeros), encoding="gzip")
    yield _http("many gzip members", gzip.compress(b"") * 50_000, encoding="gzip")
    yield _http("many members with content", gzip.compress(b"\n\0") * 50_000, encoding="gzip")


def _inside(size: int) -> Iterator[tuple[str, bytes]]:
    key, nested = b"\x0a\x03abc", b""
    for _ in range(2_000):
        nested = _sized(0x2A, _sized(0x0A, nested))
    yield "empty resources", b"\x0a\x00" * (size // 2)
    yield "empty scopes", _sized(0x0A, b"\x12\x00" * (size // 2))
    yield "empty spans", _sized(0x0A, _sized(0x12, b"\x12\x00" * (size // 2)))
    yield "tiny spans", _sized(0x0A, _sized(0x12, b"\x12\x02\x30\x01" * (size // 4)))
    yield "empty attributes", _span(b"\x4a\x00" * (size // 2))
    yield "small attributes", _span(_sized(0x4A, key + b"\x12\x02\x18\x01") * (size // 11))
    yield "empty events", _span(b"\x5a\x00" * (size // 2))
    yield "a huge key", _span(_sized(0x4A, _sized(0x0A, b"k" * size) + b"\x12\x02\x18\x01"))
    yield "a huge value", _span(_sized(0x4A, key + _sized(0x12, _sized(0x0A, b"v" * size))))
    yield "nesting", _span(_sized(0x4A, key + _sized(0x12, nested)))
    yield "a long list", _span(_sized(0x4A, key + _sized(0x12, _sized(0x2A, b"\x0a\x02\x10\x01" * (size // 4)))))


def _json(size: int) -> Iterator[tuple[str, bytes]]:
    yield "lists in lists", b"[" * size
    yield "objects in objects", b'{"resourceSpans":' * (size // 17)
    yield "empty resources", b'{"resourceSpans":[' + b"{}," * (size // 3) + b"{}]}"
    yield "a huge number", b'{"resourceSpans":' + b"9" * size + b"}"
    yield "a huge string", b'{"x":"' + b"y" * size + b'"}'


def _span(fields: bytes) -> bytes:
    return _sized(0x0A, _sized(0x12, _sized(0x12, fields)))


def _sized(tag: int, content: bytes) -> bytes:
    from tocsin_collector.spool.frames import varint

    return bytes((tag,)) + varint(len(content)) + content


def _grpc(name: str, body: bytes) -> Bomb:
    return Bomb(name=name, send=lambda wire: wire.over_grpc("traces", body))


def _http(name: str, body: bytes, kind: str = "x-protobuf", encoding: str = "") -> Bomb:
    return Bomb(name=name, send=lambda wire: wire.over_http("traces", body, kind, encoding))
