"""Local servers that speak the HTTP APIs of OpenAI and Anthropic, as far as the real clients need to be told apart from the real thing.

What a request says decides what happens to it: its last text holds the words of `TROUBLE`, its model and tools the rest.
Nothing is kept between requests: answers are the same in every run, whoever asks and in whatever order, but for their ids.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.genai import anthropic_api, openai_api
from tests.genai.wire import Reply

_MAKERS = {
    "/v1/chat/completions": openai_api.chat,
    "/v1/embeddings": openai_api.embeddings,
    "/v1/responses": openai_api.responses,
    "/v1/messages": anthropic_api.messages,
}
_VARIABLES = {
    "openai": lambda url: {"OPENAI_BASE_URL": f"{url}/v1", "OPENAI_API_KEY": "sk-local"},
    "anthropic": lambda url: {"ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": "sk-ant-local"},
}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        make = _MAKERS.get(self.path.partition("?")[0])
        if make is None:
            self._answer(Reply(status=404, body={"error": {"message": f"no such path: {self.path}"}}))
            return
        self._answer(make(asked, attempt=int(self.headers.get("x-stainless-retry-count", 0)) + 1))

    def _answer(self, reply: Reply) -> None:
        if reply.events is None:
            body = json.dumps(reply.body).encode()
            self._head(reply, "application/json", ("content-length", str(len(body))))
            self.wfile.write(body)
            return
        self._head(reply, "text/event-stream", ("transfer-encoding", "chunked"))
        try:
            for event in reply.events:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(event), event))
                self.wfile.flush()
            if reply.is_stalled:
                self.connection.recv(1)  # nothing comes but its end
            if not reply.is_torn:
                self.wfile.write(b"0\r\n\r\n")
        except OSError:  # the client has heard enough
            self.close_connection = True
        if reply.is_torn:
            self.close_connection = True

    def _head(self, reply: Reply, kind: str, *more: tuple[str, str]) -> None:
        self.send_response(reply.status)
        for name, value in (("content-type", kind), *more, *reply.headers):
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # a refused connection would be a retry, and so one more call

    def handle_error(self, *_: Any) -> None:
        """Say nothing: a client that hangs up is what is tested."""


@contextmanager
def running(name: str) -> Iterator[dict[str, str]]:
    """Serve one provider's API; give the variables by which its client finds it."""
    server = _Server(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield _VARIABLES[name](f"http://127.0.0.1:{server.server_address[1]}")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
