"""A use case that fails, which is a page within hours of the data's clock; and somebody who takes what is posted."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

import grpc
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

CALLS: Final = 90
_EVERY: Final = timedelta(minutes=4)


def send_hours(collector: str, use_case: str, *, until: datetime, fail: bool = True) -> None:
    """Send six hours of calls that end at a time, as any SDK would, to a collector's gRPC address."""
    made = ExportTraceServiceRequest()
    scope = made.resource_spans.add().scope_spans.add()
    for number in range(CALLS):
        start_ns = int((until - _EVERY * (CALLS - number)).timestamp()) * 10**9
        ids = hashlib.sha256(f"{use_case} {number}".encode()).digest()
        span = scope.spans.add(
            trace_id=ids[:16],
            span_id=ids[16:24],
            name="predict",
            start_time_unix_nano=start_ns,
            end_time_unix_nano=start_ns + 10**9,
        )
        span.status.code = 2 if fail else 0
        for key, value in (("tocsin.use_case", use_case), *((("error.type", "timeout"),) if fail else ())):
            span.attributes.add(key=key).value.string_value = value
    with grpc.insecure_channel(collector) as channel:
        export = channel.unary_unary("/opentelemetry.proto.collector.trace.v1.TraceService/Export")
        export(made.SerializeToString(), timeout=60)


@contextmanager
def receiver() -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """Take whatever is posted, as channels that were configured would; gives the address, and paths with bodies as they come."""
    posts: list[tuple[str, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            posts.append((self.path, self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", posts
    finally:
        server.shutdown()
        server.server_close()
