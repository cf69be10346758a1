"""A sender like a real exporter: what is not acknowledged is sent again, the same bytes, until it is."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Self

import grpc
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from _load import Template, prepared

_EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
_OPTIONS = (
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.max_send_message_length", -1),
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.min_reconnect_backoff_ms", 50),
    ("grpc.max_reconnect_backoff_ms", 200),
    ("grpc.enable_retries", 0),
)


def connect(port: int) -> tuple[grpc.Channel, Any]:
    """Open a connection, and give it with the call that sends spans over it."""
    channel = grpc.insecure_channel(f"127.0.0.1:{port}", options=_OPTIONS)
    return channel, channel.unary_unary(_EXPORT)


class Requests:
    """Numbered requests: the same number is the same bytes."""

    def __init__(self, *, batch: int, seed: int, change: Callable[[Any], None] | None = None) -> None:
        self.batch = batch
        made = prepared(batch, seed, ai_share=1.0, kinds=8)
        self._templates = [Template(_changed(request, change) if change else request) for request in made]

    def numbered(self, serial: int) -> bytes:
        """Make a request."""
        return self._templates[serial % len(self._templates)].numbered(serial)


def _changed(request: bytes, change: Callable[[Any], None]) -> bytes:
    parsed = ExportTraceServiceRequest.FromString(request)
    change(parsed)
    return bytes(parsed.SerializeToString())


class Sender:
    """Sends the requests from `first` up to `count`, exclusive, over several connections."""

    def __init__(
        self, requests: Requests, port: int, *, count: int, first: int = 0, streams: int = 4, per_s: float = 0.0
    ) -> None:
        self._requests = requests
        self._port = port
        self._first, self._count = first, count
        self._per_s = per_s
        self._next = iter(range(first, count))
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._began = time.monotonic()
        self.acked: set[int] = set()
        self.codes: Counter[str] = Counter()  # why sends failed
        self.without_delay = 0  # refusals that did not say when to come again
        self._threads = [threading.Thread(target=self._stream, daemon=True) for _ in range(streams)]

    def __enter__(self) -> Self:
        self._began = time.monotonic()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self.join()

    def join(self) -> None:
        """Wait until everything is acknowledged, or the sender was told to end."""
        for thread in self._threads:
            thread.join()

    @property
    def is_done(self) -> bool:
        """Whether everything is acknowledged."""
        return not any(thread.is_alive() for thread in self._threads)

    def reaches(self, acked: int, patience_s: float = 120.0) -> bool:
        """Wait until so many are acknowledged; say whether it came to that."""
        deadline = time.monotonic() + patience_s
        while len(self.acked) < min(acked, self._count):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.002)
        return True

    def _serials(self) -> Iterator[int]:
        while not self._ended.is_set():
            with self._lock:
                serial = next(self._next, None)
            if serial is None:
                return
            if self._per_s:
                time.sleep(max(0.0, self._began + (serial - self._first) / self._per_s - time.monotonic()))
            yield serial

    def _stream(self) -> None:
        channel, export = connect(self._port)
        for serial in self._serials():
            body = self._requests.numbered(serial)
            while not self._ended.is_set():
                try:
                    export(body, timeout=30)
                except grpc.RpcError as error:
                    self._failed(error)
                    self._ended.wait(0.05)
                    continue
                self.acked.add(serial)
                break
        channel.close()

    def _failed(self, error: grpc.RpcError) -> None:
        code = error.code()
        with self._lock:
            self.codes[code.name] += 1
            if code is grpc.StatusCode.RESOURCE_EXHAUSTED:
                trailers = {key for key, _ in error.trailing_metadata() or ()}
                self.without_delay += "google.rpc.retryinfo-bin" not in trailers


def send_once(port: int, bodies: Sequence[bytes]) -> None:
    """Send requests over one connection, each until it is acknowledged."""
    channel, export = connect(port)
    for body in bodies:
        while True:
            try:
                export(body, timeout=30)
            except grpc.RpcError:
                time.sleep(0.05)
                continue
            break
    channel.close()
