"""A sender that costs little: requests serialised once, whose span ids are rewritten in place."""

import random
import struct
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
_MARK = 0xBE9C4A11  # begins every span id: bench, then index in the request, then the request's serial number
_PER_STREAM = 10_000_000  # serial numbers that each stream has to itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What the sender says at its end."""

    acked: list[int]  # serial numbers of requests that were acknowledged
    latencies_ms: list[float]
    refused: int
    seconds: float


def prepared(batch: int, seed: int, *, ai_share: float, kinds: int = 16) -> list[bytes]:
    """Serialise a few requests of `batch` spans, about 1 KB and 20 attributes each.

    Args:
        batch: Spans a request.
        seed: Of everything random in them.
        ai_share: How many of the spans are AI calls, with 14 inputs, a label, a confidence and a cost; the others
            are what a web service emits.
        kinds: How many different requests.
    """
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
    from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

    dice = random.Random(seed)
    start_ns = time.time_ns()
    made = []
    for kind in range(kinds):
        request = ExportTraceServiceRequest()
        resource_spans = request.resource_spans.add()
        resource_spans.resource.attributes.append(KeyValue(key="service.name", value=AnyValue(string_value="bench")))
        spans = resource_spans.scope_spans.add().spans
        for index in range(batch):
            is_call = (index + 1) * ai_share // 1 > index * ai_share // 1
            texts, doubles, ints = _call(dice, index) if is_call else _request(dice, index)
            attributes = [KeyValue(key=k, value=AnyValue(string_value=v)) for k, v in texts.items()]
            attributes += [KeyValue(key=k, value=AnyValue(double_value=v)) for k, v in doubles.items()]
            attributes += [KeyValue(key=k, value=AnyValue(int_value=v)) for k, v in ints.items()]
            trace = index if ai_share == 1 else index // 10  # alone, or one of ten spans
            spans.add(
                trace_id=struct.pack(">IIII", seed, kind, trace, 1),
                span_id=struct.pack(">II", _MARK + index, 0),
                name="predict" if is_call else "GET /api/v1/things/{id}",
                kind=1 if is_call else 2,
                start_time_unix_nano=start_ns + index * 1_000_000,
                end_time_unix_nano=start_ns + index * 1_000_000 + 5_000_000,
                attributes=attributes,
            )
        made.append(request.SerializeToString())
    return made


def _call(dice: random.Random, index: int) -> tuple[dict[str, str], dict[str, float], dict[str, int]]:
    texts = {
        "tocsin.use_case": "digit-reader",
        "tocsin.model.version": "v1",
        "tocsin.output.label": str(index % 10),
        "tocsin.input.device": dice.choice("ABC"),
        "tocsin.cost.currency": "USD",
        "tocsin.output.text": f"{dice.getrandbits(1500):x}",
    }
    doubles = {f"tocsin.input.f{n:02}": dice.gauss(0, 1) for n in range(12)}
    return texts, doubles | {"tocsin.confidence": dice.random(), "tocsin.cost.amount": 0.0012}, {}


def _request(dice: random.Random, index: int) -> tuple[dict[str, str], dict[str, float], dict[str, int]]:
    texts = {
        "http.request.method": "GET",
        "url.path": f"/api/v1/things/{dice.randrange(1000)}",
        "http.route": "/api/v1/things/{id}",
        "server.address": "shop.example",
        "user_agent.original": "Mozilla/5.0 (X11; Linux x86_64)",
        "db.query.text": f"SELECT * FROM things WHERE digest = '{dice.getrandbits(400):x}'",
        "network.protocol.version": "1.1",
        "url.scheme": "https",
        "client.address": f"10.0.{dice.randrange(256)}.{dice.randrange(256)}",
        "thread.name": f"worker-{index % 8}",
        "app.session": f"{dice.getrandbits(900):x}",
    }
    doubles = {f"app.metric{n}": dice.gauss(0, 1) for n in range(5)}
    ints = {
        "http.response.status_code": 200,
        "thread.id": index % 8,
        "server.port": 443,
        "http.response.body.size": dice.randrange(100_000),
    }
    return texts, doubles, ints


def send(
    port: int,
    requests: Sequence[bytes],
    streams: int,
    seconds: float,
    answer: Any,
    *,
    per_s: float = 0.0,
    most: int = 0,
) -> None:
    """Be the sender: every stream sends as fast as it is acknowledged.

    Args:
        port: The collector's.
        requests: From :func:`prepared`.
        streams: Connections, each with one request under way.
        seconds: When to end.
        answer: A queue for what was sent, :class:`Sent`.
        per_s: Requests a second over all streams; 0 is as fast as possible.
        most: Requests after which to end; 0 is no end.
    """
    import grpc

    acked: list[int] = []
    latencies: list[float] = []
    refused = [0]
    began = time.monotonic()

    def stream(number: int) -> None:
        templates = [Template(request) for request in requests]
        channel = grpc.insecure_channel(
            f"127.0.0.1:{port}", options=[("grpc.use_local_subchannel_pool", 1), ("grpc.max_send_message_length", -1)]
        )
        export = channel.unary_unary(_EXPORT)
        turn = 0
        while time.monotonic() - began < seconds and not (most and len(acked) >= most):
            if per_s:
                time.sleep(max(0.0, began + (turn + number / streams) * streams / per_s - time.monotonic()))
            serial = number * _PER_STREAM + turn
            body = templates[turn % len(templates)].numbered(serial)
            sent_at = time.perf_counter()
            try:
                export(body, timeout=30)
            except grpc.RpcError:
                refused[0] += 1
                time.sleep(0.2)
                continue
            turn += 1
            latencies.append((time.perf_counter() - sent_at) * 1000)
            acked.append(serial)
        channel.close()

    threads = [threading.Thread(target=stream, args=(number,)) for number in range(streams)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    answer.put(Sent(acked=acked, latencies_ms=latencies, refused=refused[0], seconds=time.monotonic() - began))


class Template:
    """A serialised request in which the last four bytes of every span id are the request's serial number."""

    def __init__(self, request: bytes) -> None:
        pieces = []
        position = 0
        index = 0
        while (found := request.find(struct.pack(">I", _MARK + index) + b"\0\0\0\0", position)) >= 0:
            pieces.append(request[position : found + 4])
            position = found + 8
            index += 1
        self._pieces = pieces
        self._tail = request[position:]

    def numbered(self, serial: int) -> bytes:
        """Give the request with its own span ids; its trace ids repeat, which costs the store nothing."""
        return struct.pack(">I", serial).join([*self._pieces, self._tail])
