"""Sorts support tickets over HTTP as a team's own service would: observed, guarded, corrected when the truth is known.

    POST /triage    {"text": "refund please", "language": "en"}   -> queue, confidence, decision, and the handle of the call
    POST /outcomes  {"handle": "t1.…", "queue": "billing"}        -> 202: where it really belonged
    GET  /healthz

Where spans go and where the guard is read is said by TOCSIN_ENDPOINT and TOCSIN_GUARD_ENDPOINT. With --traffic N it also sends itself
N tickets a second, and an outcome for each, so that there is something to look at.
"""

import argparse
import itertools
import json
import signal
import sys
import threading
import urllib.request
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tickets import ARRIVING, LEARNT, Model, by_keyword

import tocsin

USE_CASE = "ticket-triage"
_MOST_BYTES = 64 << 10
_model = Model(LEARNT)


@tocsin.observe(
    USE_CASE, task="classification", model_version="naive-bayes-1", segments=["language"], fallback=by_keyword
)
def triage(text: str, language: str = "en") -> str:
    """Name the queue of one ticket."""
    probabilities = _model.probabilities(text)
    queue = max(probabilities, key=lambda each: probabilities[each])
    call = tocsin.current_call()
    call.set_input(length=len(text), words=len(text.split()), language=language)
    call.set_output(label=queue, probabilities=probabilities)
    call.set_cost(0, "USD")  # it runs here: free, which is not the same as unknown
    return queue


class Handler(BaseHTTPRequestHandler):
    """Answers requests with JSON."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Say that it lives."""
        self._answer(200 if self.path == "/healthz" else 404, {"status": "ok"} if self.path == "/healthz" else {})

    def do_POST(self) -> None:
        """Sort a ticket, or hear where one belonged."""
        length = self.headers.get("content-length", "")
        if not length.isdecimal() or int(length) > _MOST_BYTES:
            self.close_connection = True
            self._answer(413, {"error": f"expected a body of at most {_MOST_BYTES} bytes with its length"})
            return
        body = self.rfile.read(int(length))
        try:
            self._answer(*_POSTED[self.path](json.loads(body)) if self.path in _POSTED else (404, {}))
        except (KeyError, TypeError, ValueError) as error:
            self._answer(400, {"error": f"expected {_EXPECTED}, got another body: {error}"})

    def log_message(self, *_: Any) -> None:
        """Be quiet: calls are seen in tocsin."""

    def _answer(self, status: int, document: dict[str, Any]) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _triaged(asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    queue = triage(str(asked["text"]), language=str(asked.get("language", "en")))
    decision = tocsin.guard(USE_CASE).last_decision
    return 200, {"queue": queue, "decision": decision, "handle": tocsin.last_calls()[-1]}


def _corrected(said: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    tocsin.record_outcome(str(said["handle"]), label=str(said["queue"]))
    return 202, {}


_POSTED = {"/triage": _triaged, "/outcomes": _corrected}
_EXPECTED = '{"text": …} at /triage or {"handle": …, "queue": …} at /outcomes'


def _traffic(address: str, per_second: float) -> None:
    """Be this service's users."""
    pause = threading.Event()
    for text, language, queue in itertools.cycle(ARRIVING):
        with suppress(OSError):  # it has just started, or it ends
            answer = _post(f"http://{address}/triage", {"text": text, "language": language})
            _post(f"http://{address}/outcomes", {"handle": answer["handle"], "queue": queue})
        pause.wait(1 / per_second)


def _post(url: str, document: dict[str, Any]) -> Any:
    body, kind = json.dumps(document).encode(), {"content-type": "application/json"}
    request = urllib.request.Request(url, body, kind)  # noqa: S310 - this service's own address
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as answer:
        return json.load(answer)


def main() -> None:
    """Serve until SIGTERM; what waits is sent before the end."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--listen", default="127.0.0.1:8000", metavar="HOST:PORT")
    parser.add_argument("--traffic", type=float, default=0, metavar="N", help="tickets a second; 0 for none")
    told = parser.parse_args()
    host, _, port = told.listen.rpartition(":")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    tocsin.init(service_name="helpdesk")
    server = ThreadingHTTPServer((host, int(port)), Handler)
    if told.traffic > 0:
        threading.Thread(target=_traffic, args=(f"127.0.0.1:{server.server_port}", told.traffic), daemon=True).start()
    sys.stdout.write(f"listening on {host}:{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
