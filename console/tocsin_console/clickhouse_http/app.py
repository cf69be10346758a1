"""The endpoint: ClickHouse's HTTP interface as far as clients that read need it."""

import asyncio
import logging
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import Headers

from tocsin_console.api.security import Receive, Scope, Send, is_loopback
from tocsin_console.clickhouse_http import request
from tocsin_console.clickhouse_http.admission import Admission
from tocsin_console.clickhouse_http.engine import Engine
from tocsin_console.clickhouse_http.exceptions import (
    BAD_ARGUMENTS,
    QUERY_IS_TOO_LARGE,
    QUERY_WAS_CANCELLED,
    TIMEOUT_EXCEEDED,
    QueryFailed,
)
from tocsin_console.clickhouse_http.reply import Reply
from tocsin_console.clickhouse_http.running import Running

_log = logging.getLogger(__name__)


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
        fixed: Mapping[str, str] | None = None,
    ) -> None:
        self._engine = engine
        self._database = database
        self._name = name
        self._password = password
        self._any_host = any_host
        self._limits = limits or Limits()
        self._fixed = fixed  # until a key says which project may be seen, the same for everybody
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
        reply = Reply(send, name=self._name)
        try:
            body = await _body(scope["method"], receive)
            asked = request.read(
                query_string=scope["query_string"],
                headers=headers,
                body=body,
                database=self._database,
                password=self._password,
                fixed=self._fixed,
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

    async def _run(self, asked: request.Request, reply: Reply, receive: Receive) -> None:
        tag = asked.question.tag
        running = Running(self._engine, asked, self._threads)
        leaving = asyncio.create_task(_disconnected(receive))

        def left(task: "asyncio.Task[None]") -> None:
            if not task.cancelled():
                running.cancel()

        leaving.add_done_callback(left)
        try:
            async with asyncio.timeout(self._limits.answer_s):
                while (block := await running.next()) is not None:
                    if leaving.done():
                        raise _Gone
                    await reply.add(block, running.progress)
                await reply.end(running.progress)
        except TimeoutError:
            said = f"Timeout exceeded: the answer was not read within {self._limits.answer_s:g} s"
            raise QueryFailed(TIMEOUT_EXCEEDED, said) from None
        except QueryFailed as failure:
            if failure.code == QUERY_WAS_CANCELLED[0] and leaving.done():
                raise _Gone from failure
            raise
        finally:
            leaving.cancel()
            await running.close()
            _log.debug("query %s ended", tag)

    def _refusal(self, headers: Headers) -> str:
        host, origin = headers.get("host", ""), headers.get("origin")
        if not (self._any_host or is_loopback(host)):
            return f"expected a request to a loopback address, got one for {host[:80]!r}\n"
        if origin is not None and origin.partition("://")[2] != host:
            return f"expected a request of a program, got one of a page of {origin[:80]!r}\n"
        return ""


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
