"""The answer on its way out: status, headers, and a body that is held back until it is likely to succeed."""

import asyncio
import json
from contextlib import suppress
from typing import Final

from tocsin_console.api.security import Send
from tocsin_console.clickhouse_http import compression, formats
from tocsin_console.clickhouse_http.blocks import compressed
from tocsin_console.clickhouse_http.engine import Progress
from tocsin_console.clickhouse_http.exceptions import TOO_MANY_ROWS_OR_BYTES, QueryFailed
from tocsin_console.clickhouse_http.request import MAX_WHOLE_BYTES, Request

_HELD_BACK_BYTES: Final = 1 << 20  # sent once there is more, or the end: so most failures still get their own status
_PIECE_BYTES: Final = 1 << 20  # so that a slow reader holds up the engine, not this process's memory
_LAST_WORDS_S: Final = 2.0


class Reply:
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

    def describe(self, asked: Request) -> None:
        """Take what the headers say of an answer."""
        self._headers["x-clickhouse-query-id"] = asked.query_id
        self._headers["x-clickhouse-format"] = asked.question.format
        self._headers["content-type"] = formats.content_type(asked.question.format)
        self._encoding = asked.encoding
        self._encoder = compression.encoder(asked.encoding)
        self._is_buffered = asked.is_buffered
        self._is_blocked = asked.is_blocked
        if asked.is_buffered:
            self._most_held = MAX_WHOLE_BYTES

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
            with suppress(TimeoutError):
                async with asyncio.timeout(_LAST_WORDS_S):  # to a client that may have stopped reading
                    await self._body(
                        self._encoder.add(self._words(f"\n{failure}\n")) + self._encoder.finish(), more=True
                    )
            return  # without an end: the server breaks the connection, and nobody takes the answer for whole
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
        for start in range(0, len(data), _PIECE_BYTES):
            piece = data[start : start + _PIECE_BYTES]
            await self._send({"type": "http.response.body", "body": piece, "more_body": True})
        if not more:
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})


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
