"""OTLP/HTTP as an ASGI application: what comes is read under limits here, and taken in on threads, which wait for the disk.

Source: OTLP specification, "OTLP/HTTP"; refusals as the OpenTelemetry collector's.
"""

import asyncio
import math
from collections.abc import Iterable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any, Final

from tocsin_collector.errors import (
    CollectorError,
    Overloaded,
    RequestRejected,
    RequestTooLarge,
    Unauthenticated,
)
from tocsin_collector.receive import otlp_json
from tocsin_collector.receive.admission import KeyRing, presented
from tocsin_collector.receive.intake import Intake
from tocsin_collector.receive.passage import Passage
from tocsin_collector.receive.replies import (
    INVALID_ARGUMENT,
    UNAUTHENTICATED,
    UNAVAILABLE,
    response,
    response_json,
    status,
)
from tocsin_collector.receive.requests import Signal
from tocsin_collector.settings import CollectorSettings

_SIGNALS: Final[Mapping[str, Signal]] = {"/v1/traces": "traces", "/v1/logs": "logs"}
_PROTOBUF, _JSON, _PLAIN = "application/x-protobuf", "application/json", "text/plain; charset=utf-8"
_ENCODINGS: Final = {"", "identity", "gzip", "deflate"}
_POLITE: Final = 1024 * 1024  # bytes of a refused body read all the same, so that its sender gets to read the answer


class _Refused(RequestRejected):
    """A request that HTTP itself has a status for."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class _Gone(CollectorError):  # noqa: N818 - as the errors
    """The sender closed the connection before its request was whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    code: int
    body: bytes
    kind: str
    headers: Iterable[tuple[str, str]] = field(default=())


class HttpApp:
    """Takes requests of one listener."""

    def __init__(self, settings: CollectorSettings, intake: Intake, keyring: KeyRing, executor: Executor) -> None:
        self._settings = settings
        self._intake = intake
        self._keyring = keyring
        self._executor = executor

    async def __call__(self, scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        body = _Body(receive)
        try:
            answer = await self._answer(scope, body)
        except _Gone:
            return
        headers = [("content-type", answer.kind), ("content-length", str(len(answer.body))), *answer.headers]
        if not await body.finish(_POLITE):
            headers.append(("connection", "close"))
        raw = [(name.encode(), value.encode("latin-1")) for name, value in headers]
        await send({"type": "http.response.start", "status": answer.code, "headers": raw})
        await send({"type": "http.response.body", "body": answer.body})

    async def _answer(self, scope: Mapping[str, Any], body: "_Body") -> _Answer:
        signal = _SIGNALS.get(scope["path"])
        if signal is None:
            return _plain(404, "404 page not found")  # metrics too: as a collector without a pipeline for them
        if scope["method"] != "POST":
            return _plain(405, "405 method not allowed, supported: [POST]", ("allow", "POST"))
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        as_json = kind == _JSON
        try:
            with self._intake.receiving(signal) as passage:
                if kind not in {_PROTOBUF, _JSON}:
                    raise _Refused(415, f"415 unsupported media type, supported: [{_JSON}, {_PROTOBUF}]")
                project = self._keyring.project_of(presented(headers.items()))
                encoding = headers.get("content-encoding", "").strip().lower()
                sent = await self._read(headers, encoding, body, passage)

                def take() -> _Answer:
                    return self._take(signal, sent, encoding, passage, project=project, as_json=as_json)

                return await asyncio.get_running_loop().run_in_executor(self._executor, take)
        except _Gone:
            raise
        except CollectorError as error:
            return _refusal(error, kind)

    async def _read(self, headers: Mapping[str, str], encoding: str, body: "_Body", passage: Passage) -> bytes:
        if encoding not in _ENCODINGS:
            raise _Refused(415, f"expected content-encoding gzip, deflate or none, got {encoding[:60]!r}")
        declared = headers.get("content-length", "")
        if declared.isdigit():
            passage.check(int(declared))
        try:
            async with asyncio.timeout(self._settings.body_timeout_s):
                return await body.read(passage)
        except TimeoutError as error:
            raise _Refused(
                408, f"expected the whole body within {self._settings.body_timeout_s:g} s: send it again"
            ) from error

    def _take(
        self, signal: Signal, sent: bytes, encoding: str, passage: Passage, *, project: str, as_json: bool
    ) -> _Answer:
        """Runs on a thread."""
        message = passage.unpack(sent) if encoding in {"gzip", "deflate"} else sent
        if as_json:
            passage.check(len(message))
            message = otlp_json.encode(signal, message)
            passage.hold(len(message))
        taken = self._intake.keep(signal, message, passage, project=project)
        if as_json:
            return _Answer(code=200, body=response_json(taken), kind=_JSON)
        return _Answer(code=200, body=response(signal, taken), kind=_PROTOBUF)


class _Body:
    """A request's body, as it comes."""

    def __init__(self, receive: Any) -> None:
        self._receive = receive
        self._is_whole = False

    async def read(self, passage: Passage) -> bytes:
        """Read all of it, counting it as it comes."""
        pieces: list[bytes] = []
        size = 0
        while not self._is_whole:
            piece = await self._next()
            size += len(piece)
            passage.check(size)
            passage.hold(len(piece))
            pieces.append(piece)
        return b"".join(pieces)

    async def finish(self, most: int) -> bool:
        """Read and drop what is left, up to so many bytes and a moment; say whether that was all."""
        try:
            async with asyncio.timeout(1.0):
                while not self._is_whole and most > 0:
                    most -= len(await self._next())
        except (TimeoutError, _Gone):
            return False
        return self._is_whole

    async def _next(self) -> bytes:
        message = await self._receive()
        if message["type"] != "http.request":
            raise _Gone("the sender closed the connection")
        self._is_whole = not message.get("more_body", False)
        return bytes(message.get("body", b""))


def _plain(code: int, text: str, *headers: tuple[str, str]) -> _Answer:
    return _Answer(code=code, body=text.encode(), kind=_PLAIN, headers=headers)


def _refusal(error: CollectorError, kind: str) -> _Answer:
    """Say it with the status that exporters act on: they send again on 503, and on nothing else that is answered here.

    429 would say the same, but OpenTelemetry's Python exporter drops what it is answered with.
    """
    headers: tuple[tuple[str, str], ...] = ()
    match error:
        case _Refused():
            code, reason = error.code, INVALID_ARGUMENT
        case RequestTooLarge():
            code, reason = 413, INVALID_ARGUMENT
        case RequestRejected():
            code, reason = 400, INVALID_ARGUMENT
        case Unauthenticated():
            code, reason, headers = 401, UNAUTHENTICATED, (("www-authenticate", "Bearer"),)
        case Overloaded():
            code, reason = 503, UNAVAILABLE
            headers = (("retry-after", str(max(1, math.ceil(error.retry_after_s)))),)
        case _:
            code, reason = 500, 13
    if kind not in {_JSON, _PROTOBUF}:  # nobody knows what its sender reads
        return _plain(code, str(error), *headers)
    return _Answer(code=code, body=status(reason, str(error), as_json=kind == _JSON), kind=kind, headers=headers)
