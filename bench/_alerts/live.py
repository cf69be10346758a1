"""One Alertmanager that hears of the same trouble from a real Prometheus and from us: both tell it, and both say when it is over."""

import json
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from bench._alertmanager import Alertmanagers
from bench._clickhouse import free_ports

from _alerts.outage import fires
from tocsin_alerts.channels import AlertmanagerChannel
from tocsin_alerts.message import Message
from tocsin_alerts.notifiers import AlertmanagerNotifier
from tocsin_alerts.outbox import Notification
from tocsin_alerts.standing import Standing

EXPECTED: Final = frozenset((who, status) for who in ("prometheus", "tocsin") for status in ("firing", "resolved"))
_PATIENCE_S = 90.0


class _Room:
    """Answers scrapes with the share of errors, and takes what Alertmanager sends."""

    def __init__(self) -> None:
        self.errors = 0.9
        self.heard: set[tuple[str, str]] = set()
        room = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(f"errors_share {room.errors}\n".encode())

            def do_POST(self) -> None:
                told = json.loads(self.rfile.read(int(self.headers["content-length"])))
                for each in told["alerts"]:
                    room.heard.add((each["labels"]["source"], each["status"]))
                self._answer(b"")

            def _answer(self, body: bytes) -> None:
                self.send_response(200)
                self.send_header("content-type", "text/plain; version=0.0.4")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: Any) -> None:
                del args

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"127.0.0.1:{self.server.server_address[1]}"


def undelivered(prometheus: Path, alertmanager: Path, folder: Path) -> int:
    """Count the messages that did not arrive, of four: firing and resolved, of Prometheus and of us."""
    room = _Room()
    hook = {"url": f"http://{room.address}/", "send_resolved": True}
    route = {"receiver": "room", "group_by": ["source"], "group_wait": "0s", "group_interval": "1s"}
    config = {"route": route, "receivers": [{"name": "room", "webhook_configs": [hook]}]}
    with Alertmanagers(alertmanager, folder / "alertmanager", config) as theirs:
        process = _prometheus(prometheus, folder / "prometheus", room.address, theirs.urls[0])
        try:
            channel = AlertmanagerChannel(name="am", urls=theirs.urls, resend_s=1)
            ours = AlertmanagerNotifier(channel, str, now=lambda: datetime.now(UTC))
            began = datetime.now(UTC)
            firing = _notification(began, None)
            _until(lambda: len(room.heard) == 2, lambda: ours.send(firing))
            room.errors = 0.0
            over = _notification(began, datetime.now(UTC))
            _until(lambda: room.heard >= EXPECTED, lambda: ours.send(over))
        finally:
            process.kill()
            process.wait()
            room.server.shutdown()
            room.server.server_close()
    return len(EXPECTED - room.heard)


def _until(holds: Callable[[], bool], again: Callable[[], object]) -> None:
    end = time.monotonic() + _PATIENCE_S
    while not holds() and time.monotonic() < end:
        again()
        time.sleep(0.5)


def _notification(began: datetime, ended: datetime | None) -> Notification:
    event = replace(fires(0), slot=began)
    alert = Standing(
        event=event.event_id,
        rule=event.rule,
        labels={"source": "tocsin"},
        severity="page",
        summary="Errors",
        reason=event.reason,
        since=began,
        until=ended,
    )
    return Notification(
        id=event.event_id,
        incident=event.incident,
        project="default",
        use_case=event.use_case,
        transition="resolved" if ended else "firing",
        channel="am",
        severity="page",
        slot=began,
        message=Message(subject="Errors", text="Errors", html="", data={}),
        created_at=began,
        alerts=(alert,),
    )


def _prometheus(binary: Path, folder: Path, target: str, alertmanager: str) -> "subprocess.Popen[bytes]":
    folder.mkdir(parents=True)
    [port] = free_ports(1)
    labels = {"source": "prometheus"}
    rules = {"groups": [{"name": "g", "rules": [{"alert": "errors", "expr": "errors_share > 0.5", "labels": labels}]}]}
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": ["rules.yml"],
        "scrape_configs": [{"job_name": "room", "static_configs": [{"targets": [target]}]}],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [alertmanager.removeprefix("http://")]}]}]},
    }
    (folder / "rules.yml").write_text(json.dumps(rules), encoding="utf-8")
    (folder / "prometheus.yml").write_text(json.dumps(config), encoding="utf-8")
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            [
                binary,
                "--config.file=prometheus.yml",
                "--storage.tsdb.path=data",
                f"--web.listen-address=127.0.0.1:{port}",
                "--log.level=warn",
            ],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
