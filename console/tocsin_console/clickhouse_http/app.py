"""The endpoint: ClickHouse's HTTP interface as far as clients that read need it."""

import asyncio
import json
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from starlette.datastructures import Headers

from tocsin_console.api.security import Receive, Scope, Send, is_loopback
from tocsin_console.clickhouse_http import compression, formats, request
from tocsin_console.clickhouse_http.admission import Admission
from tocsin_console.clickhouse_http.blocks import compressed
from tocsin_console.clickhouse_http.engine import Engine, Progress, Stream
from tocsin_console.clickhouse_http.exceptions import (
    BAD_ARGUMENTS,
    QUERY_IS_TOO_LARGE,
    QUERY_WAS_CANCELLED,
    TIMEOUT_EXCEEDED,
    TOO_MANY_ROWS_OR_BYTES,
    QueryFailed,
)
from tocsin_console.clickhouse_http.wire import encoded

_log = logging.getLogger(__name__)
_HELD_BACK_BYTES: Final = 1 << 20  # sent once there is more, or the end: so most failures still get their own status


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the endpoint as a whole gives at most."""

    running: int = 4
    waiting: int = 32
    patience_s: float = 10.0
    answer_s: float = 120.0  # from the first block to the last, the client's reading included


class _Gone(Exception):  # noqa: N818 - says what is so
    """The client went away."""


class ClickHouseHttp:
    """Answers ClickHouse's HTTP requests from the embedded engine, without ever writing."""

    def __init__(
        self,
        engine: Engine,
        *,
        database: str,
        name: str,
        password: str = "",
        any_host: bool = False,
        limits: Limits | None = None,
    ) -> None:
        self._engine = engine
        self._database = database
        self._name = name
        self._password = password
        self._any_host = any_host
        self._limits = limits or Limits()
        self._admission: Admission | None = None
        self._threads = ThreadPoolExecutor(self._limits.running + 2, thread_name_prefix="tocsin-clickhouse-http")
        self.answered = self.failed = 0

    def counts(self) -> dict[str, int]:
        """Say how many questions were answered, failed, and were turned away, and how many run."""
        refused = self._admission.refused if self._admission else 0
        return {
            "answered": self.answered,
            "failed": self.failed,
            "turned_away": refused,
            "running": self._engine.running,
        }

    def close(self) -> None:
        """End what runs."""
        self._engine.cancel_all()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        headers = Headers(raw=scope["headers"])
        refusal = self._refusal(headers)
        if refusal:
            await _send_text(send, 403, refusal)
            return
        method, path = scope["method"], scope["path"]
        if path in {"/ping", "/replicas_status"} or (
            path == "/" and method in {"GET", "HEAD"} and b"query=" not in scope["query_string"]
        ):
            await _send_text(send, 200, "Ok.\n")
            return
        if path != "/":
            await _send_text(send, 404, f"There is no handle {path[:80]}\nUse / or /ping for health checks.\n")
            return
        await self._answer(scope, headers, receive, send)

    async def _answer(self, scope: Scope, headers: Headers, receive: Receive, send: Send) -> None:
        reply = _Reply(send, name=self._name)
        try:
            body = await _body(scope["method"], receive)
            asked = request.read(
                query_string=scope["query_string"],
                headers=headers,
                body=body,
                database=self._database,
                password=self._password,
            )
            reply.describe(asked)
            if self._admission is None:
                limits = self._limits
                self._admission = Admission(
                    running=limits.running, waiting=limits.waiting, patience_s=limits.patience_s
                )
            async with self._admission.one():
                await self._run(asked, reply, receive)
            self.answered += 1
        except _Gone:
            self.failed += 1
        except QueryFailed as failure:
            self.failed += 1
            await reply.fail(failure)

    async def _run(self, asked: request.Request, reply: "_Reply", receive: Receive) -> None:
        loop = asyncio.get_running_loop()
        tag = asked.question.tag
        leaving = asyncio.create_task(_disconnected(receive))
        leaving.add_done_callback(lambda task: task.cancelled() or loop.run_in_executor(None, self._engine.cancel, tag))
        stream: Stream | None = None
        try:
            async with asyncio.timeout(self._limits.answer_s):
                stream = await loop.run_in_executor(self._threads, self._engine.ask, asked.question)
                blocks = encoded(stream.blocks(), asked)
                while (block := await loop.run_in_executor(self._threads, _next, blocks)) is not None:
                    if leaving.done():
                        raise _Gone
                    await reply.add(block, stream.progress)
                await reply.end(stream.progress)
        except TimeoutError:
            self._engine.cancel(tag)
            raise QueryFailed(
                TIMEOUT_EXCEEDED, f"Timeout exceeded: the answer was not read within {self._limits.answer_s:g} s"
            ) from None
        except QueryFailed as failure:
            if failure.code == QUERY_WAS_CANCELLED[0] and leaving.done():
                raise _Gone from failure
            raise
        finally:
            leaving.cancel()
            if stream is not None:
                await asyncio.shield(loop.run_in_executor(None, stream.close))

    def _refusal(self, headers: Headers) -> str:
        host, origin = headers.get("host", ""), headers.get("origin")
        if not (self._any_host or is_loopback(host)):
            return f"expected a request to a loopback address, got one for {host[:80]!r}\n"
        if origin is not None and origin.partition("://")[2] != host:
            return f"expected a request of a program, got one of a page of {origin[:80]!r}\n"
        return ""


class _Reply:
    """Holds an answer's beginning back, so that what fails early fails with a status."""

    def __init__(self, send: Send, *, name: str) -> None:
        self._send = send
        self._headers = {
            "x-clickhouse-server-display-name": name,
            "x-clickhouse-timezone": "UTC",
            "cache-control": "no-store",
        }
        self._held = bytearray()
        self._most_held = _HELD_BACK_BYTES
        self._is_open = self._is_buffered = False
        self._encoder = compression.encoder("")
        self._encoding = ""
        self._is_blocked = False

    def describe(self, asked: request.Request) -> None:
        """Take what the headers say of an answer."""
        self._headers["x-clickhouse-query-id"] = asked.query_id
        self._headers["x-clickhouse-format"] = asked.question.format
        self._headers["content-type"] = formats.content_type(asked.question.format)
        self._encoding = asked.encoding
        self._encoder = compression.encoder(asked.encoding)
        self._is_buffered = asked.is_buffered
        self._is_blocked = asked.is_blocked
        if asked.is_buffered:
            self._most_held = request.MAX_WHOLE_BYTES

    async def add(self, block: bytes, progress: Progress) -> None:
        """Send a block, or keep it until there are more."""
        if not self._is_open:
            self._held += block
            if len(self._held) <= self._most_held:
                return
            if self._is_buffered:
                raise QueryFailed(
                    TOO_MANY_ROWS_OR_BYTES,
                    f"Limit for result exceeded: an answer that is to wait for its end has at most {self._most_held} bytes; "
                    f"leave wait_end_of_query out",
                )
            block = bytes(self._held)
            await self._open(progress)
        await self._body(self._encoder.add(block), more=True)

    async def end(self, progress: Progress) -> None:
        """Send what is left."""
        if self._is_open:
            await self._body(self._encoder.finish(), more=False)
            return
        body = self._encoder.add(bytes(self._held)) + self._encoder.finish()
        await self._open(progress, length=len(body))
        await self._body(body, more=False)

    async def fail(self, failure: QueryFailed) -> None:
        """Say what went wrong; in the middle of an answer, as its last words, before the connection breaks."""
        text = self._words(f"{failure}\n")
        if self._is_open:
            await self._body(self._encoder.add(self._words(f"\n{failure}\n")) + self._encoder.finish(), more=True)
            raise ConnectionAbortedError("an answer failed half-way: its client must not take it for whole")
        self._headers["x-clickhouse-exception-code"] = str(failure.code)
        if failure.status == 503:
            self._headers["retry-after"] = "1"
        self._headers["content-type"] = "text/plain; charset=UTF-8"
        self._encoding = ""
        await self._open(None, status=failure.status, length=len(text))
        await self._body(text, more=False)

    def _words(self, text: str) -> bytes:
        """Put an error's text as the client reads bodies."""
        return b"".join(compressed(text.encode())) if self._is_blocked else text.encode()

    async def _open(self, progress: Progress | None, *, status: int = 200, length: int | None = None) -> None:
        self._is_open = True
        self._held = bytearray()
        if progress is not None:
            self._headers["x-clickhouse-summary"] = _summary(progress)
        if self._encoding:
            self._headers["content-encoding"] = self._encoding
        if length is not None:
            self._headers["content-length"] = str(length)
        headers = [(name.encode(), value.encode("latin-1", "replace")) for name, value in self._headers.items()]
        await self._send({"type": "http.response.start", "status": status, "headers": headers})

    async def _body(self, data: bytes, *, more: bool) -> None:
        if data or not more:
            await self._send({"type": "http.response.body", "body": data, "more_body": more})


def _summary(progress: Progress) -> str:
    return json.dumps(
        {
            "read_rows": str(progress.read_rows),
            "read_bytes": str(progress.read_bytes),
            "written_rows": "0",
            "written_bytes": "0",
            "total_rows_to_read": "0",
            "result_rows": str(progress.result_rows),
            "result_bytes": str(progress.result_bytes),
            "elapsed_ns": str(progress.elapsed_ns()),
        },
        separators=(",", ":"),
    )


def _next(blocks: Iterator[bytes]) -> bytes | None:
    return next(blocks, None)


async def _body(method: str, receive: Receive) -> bytes:
    if method not in {"GET", "POST"}:
        raise QueryFailed(BAD_ARGUMENTS, f"expected GET or POST, got {method}")
    body = bytearray()
    while True:
        message: Any = await receive()
        if message["type"] == "http.disconnect":
            raise _Gone
        body += message.get("body", b"")
        if len(body) > request.MAX_QUERY_BYTES:
            raise QueryFailed(
                QUERY_IS_TOO_LARGE, f"expected at most {request.MAX_QUERY_BYTES} bytes of query, got more"
            )
        if not message.get("more_body", False):
            return bytes(body)


async def _disconnected(receive: Receive) -> None:
    with suppress(Exception):
        while (await receive())["type"] != "http.disconnect":
            pass


async def _send_text(send: Send, status: int, text: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=UTF-8"), (b"content-length", str(len(text.encode())).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})
