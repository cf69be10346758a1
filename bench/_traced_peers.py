"""The peers of `observe`, each in a process of its own under an interpreter that has them installed."""

import json
import subprocess
import sys
import tempfile
import threading
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from _report import Figure
from _traced import PEERS

_HERE = Path(__file__).parent


def peer_figures(python: str) -> list[Figure]:
    """Time every peer that is installed.

    Args:
        python: An interpreter that has peers; "" makes a virtual environment with all of them, for this run.
    """
    with _interpreter(python) as found, _taker() as url:
        return [figure for name in PEERS for figure in _of_one(found, name, url)]


def _of_one(python: str, name: str, url: str) -> list[Figure]:
    done = subprocess.run(
        [python, _HERE / "_traced.py", name, url], capture_output=True, text=True, timeout=300, check=False
    )
    if done.returncode != 0:
        why = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        print(f"  {name}: left out ({why})", flush=True)
        return []
    said = json.loads(done.stdout.strip().splitlines()[-1])
    print(f"  {name} {said['version']}", flush=True)
    return [
        Figure(name=f"{name}_p50_us", value=round(said["p50_us"], 2), unit="µs"),
        Figure(name=f"{name}_p99_us", value=round(said["p99_us"], 2), unit="µs"),
        Figure(name=f"{name}_cpu_us", value=round(said["cpu_us"], 2), unit="µs, caller's thread"),
        Figure(name=f"{name}_ratio_to_bare_span", value=round(said["ratio"], 2), unit="times"),
    ]


@contextmanager
def _interpreter(python: str) -> Iterator[str]:
    if python:
        yield python
        return
    with tempfile.TemporaryDirectory(prefix="tocsin-bench-peers-") as folder:
        venv.create(folder, with_pip=True)
        made = str(Path(folder) / "bin" / "python")
        packages = [package for package, _ in PEERS.values()]
        subprocess.run(
            [made, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages],
            check=True,
            stdout=sys.stderr,
        )
        yield made


@contextmanager
def _taker() -> Iterator[str]:
    """Serve HTTP in a process of its own that answers everything with an empty object."""
    child = subprocess.Popen([sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None  # noqa: S101 - for the type checker
    try:
        yield f"http://127.0.0.1:{child.stdout.readline().strip()}"
    finally:
        child.communicate()


class _Anything(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        self.rfile.read(length)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    do_POST = do_PUT = do_PATCH = do_GET  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""


def _serve() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Anything)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    _serve()
