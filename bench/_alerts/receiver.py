"""A webhook's receiver over real HTTP that notes when each message came, and fails as it is told."""

import json
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, Self, TypeAlias

Mode: TypeAlias = Literal["up", "500", "429", "timeout", "reset"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One message that was taken."""

    key: str  # the incident, by which receivers merge
    kind: str  # alert.firing, alert.resolved …
    message: str  # the notification's id
    rule: str  # that leads it
    slot: str  # ISO 8601
    at: datetime


class Receiver:
    """Takes messages on a free port of loopback; a context manager."""

    def __init__(self, *, hang_s: float = 1.0) -> None:
        self.arrivals: list[Arrival] = []
        self.refused = 0
        self.mode: Mode = "up"
        self.taken: Callable[[str], object] = lambda _message: None  # told of each, before it is answered
        self._hang_s = hang_s
        self._lock = threading.Lock()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver._take(self, body)

            def log_message(self, *args: Any) -> None:
                del args

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def __enter__(self) -> Self:
        """Begin to listen."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/hook"

    def _take(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        mode = self.mode
        if mode != "up":
            with self._lock:
                self.refused += 1
        if mode == "timeout":
            time.sleep(self._hang_s)
            return
        if mode == "reset":
            request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            request.connection.close()
            return
        if mode == "up":
            said = json.loads(body)
            data = said["data"]
            made = Arrival(
                key=data["dedup_key"],
                kind=said["type"],
                message=data["notification"],
                rule=(data.get("lead") or {}).get("rule", ""),
                slot=data.get("slot", ""),
                at=datetime.now(UTC),
            )
            with self._lock:
                self.arrivals.append(made)
            self.taken(made.message)
        request.send_response({"up": 204, "500": 500, "429": 429}[mode])
        if mode == "429":
            request.send_header("retry-after", "60")
        request.send_header("content-length", "0")
        request.end_headers()
