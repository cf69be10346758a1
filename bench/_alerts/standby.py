"""Two evaluators over a cluster with Keeper: the one that works is stopped in the middle of a send, the other takes over, the first goes on.

Counted is what the receiver got, and whose word readers of the journal believe in the end.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from bench._clickhouse import CLUSTER, ClickHouse
from bench._report import Figure

_PATIENCE_S: Final = 180.0
_DATABASE: Final = "tocsin"
_RULE: Final = """# Fires at once, and for ever.
rule: always
summary: It is always so
sql: |
  SELECT 'default' AS project, 'triage' AS use_case, toDateTime64({until:DateTime64(3)}, 3, 'UTC') AS slot,
    toFloat64(1 + 0 * {step_s:UInt32} + 0 * toUnixTimestamp({since:DateTime64(3)})) AS value, toUInt64(100) AS n
every: 1m
severity: page
false_pages_per_year: 0
when: value >= 1
"""


@dataclass
class Receiver:
    """A webhook that keeps its first sender waiting."""

    ids: list[str] = field(default_factory=list)
    first: threading.Event = field(default_factory=threading.Event)
    second: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)

    def serve(self) -> ThreadingHTTPServer:
        """Listen on a free port."""
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["content-length"]))
                receiver.ids.append(self.headers["webhook-id"])
                if len(receiver.ids) == 1:
                    receiver.first.set()
                    receiver.go_on.wait(_PATIENCE_S)
                else:
                    receiver.second.set()
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server


def measure(binary: Path) -> list[Figure]:
    """Stop, take over and go on, once."""
    with ExitStack() as ends:
        folder = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="tocsin-zombie-")))
        cluster = ends.enter_context(ClickHouse.of(binary, folder / "cluster", replicas=2))
        receiver = Receiver()
        server = receiver.serve()
        ends.callback(server.shutdown)
        _write(folder, cluster, f"http://127.0.0.1:{server.server_port}/")
        first = _evaluator(folder, "first", ends)
        _until((folder / "first" / "run.json").exists, "the first evaluator")
        second = _evaluator(folder, "second", ends)
        _wait(receiver.first, "the first message")
        first.send_signal(signal.SIGSTOP)
        stopped_at = time.monotonic()
        _wait(receiver.second, "the message of the second evaluator")
        taken_over_s = time.monotonic() - stopped_at
        receiver.go_on.set()
        first.send_signal(signal.SIGCONT)
        code = first.wait(_PATIENCE_S)
        _until(lambda: _ask(cluster, _SENT) == ["1"], "the message to be known as sent")
        newest, others, states = _ask(cluster, _WHOSE)
        return (
            [
                Figure(name="standby_lost", value=float(int(states) == 0), unit="alerts", goal="== 0"),
                Figure(name="standby_keys", value=float(len(set(receiver.ids))), unit="keys", goal="== 1"),
                Figure(name="standby_raw_sends", value=float(len(receiver.ids)), unit="messages", goal="<= 2"),
                Figure(name="standby_stale_rows_read", value=float(others), unit="rows", goal="== 0"),
                Figure(name="standby_went_on", value=float(code == 0), unit="processes", goal="== 0"),
                Figure(name="standby_takeovers", value=float(newest), unit="epochs", goal="== 2"),
                Figure(name="standby_taken_over_after", value=taken_over_s, unit="s"),
            ]
            if second.poll() is None
            else [Figure(name="standby_lost", value=1.0, unit="alerts", goal="== 0")]
        )


_SENT: Final = "SELECT count() > 0 FROM tocsin.notifications FINAL WHERE state = 'sent' AND epoch = (SELECT max(epoch) FROM tocsin.takeovers)"
_WHOSE: Final = """SELECT
    (SELECT uniqExact(epoch) FROM tocsin.takeovers),
    (SELECT count() FROM tocsin.standing_alerts WHERE epoch != (SELECT max(epoch) FROM tocsin.takeovers))
        + (SELECT count() FROM tocsin.notifications FINAL WHERE epoch != (SELECT max(epoch) FROM tocsin.takeovers)),
    (SELECT count() FROM tocsin.standing_alerts WHERE rule = 'always' AND state = 'firing')"""


def _write(folder: Path, cluster: ClickHouse, receiver: str) -> None:
    (folder / "rules").mkdir()
    (folder / "rules" / "always.yaml").write_text(_RULE)
    (folder / "hook.secret").write_text("whsec_" + "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0" + "\n")
    said = {
        "store": {"url": list(cluster.urls), "cluster": CLUSTER, "database": _DATABASE},
        "channels": [
            {"name": "hook", "type": "webhook", "url": receiver, "secret": "file:hook.secret", "timeout_s": 60}
        ],
    }
    (folder / "tocsin.yaml").write_text(json.dumps(said))


def _evaluator(folder: Path, name: str, ends: ExitStack) -> "subprocess.Popen[bytes]":
    log = ends.enter_context((folder / f"{name}.log").open("wb"))
    command = [sys.executable, "-m", "tocsin_console", "evaluator", "--data-dir", str(folder / name)]
    addresses = [word for what in ("api", "guard") for word in (f"--{what}", "127.0.0.1:0")]
    process = subprocess.Popen([*command, *addresses], cwd=folder, stdout=log, stderr=log, env=dict(os.environ))
    ends.callback(_end, process)
    return process


def _end(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        process.kill()
        process.wait()


def _ask(cluster: ClickHouse, sql: str) -> list[str]:
    return cluster.ask(cluster.nodes[0].name, sql).split("\t")


def _wait(event: threading.Event, what: str) -> None:
    if not event.wait(_PATIENCE_S):
        raise TimeoutError(f"waited for {what} for {_PATIENCE_S:.0f} s")


def _until(is_so: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + _PATIENCE_S
    while not is_so():
        if time.monotonic() > end:
            raise TimeoutError(f"waited for {what} for {_PATIENCE_S:.0f} s")
        time.sleep(0.2)
