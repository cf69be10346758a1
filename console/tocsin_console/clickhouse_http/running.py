"""A question under way: blocking work in threads, its end in one place."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from tocsin_console.clickhouse_http.engine import Engine, Progress, Stream
from tocsin_console.clickhouse_http.request import Request
from tocsin_console.clickhouse_http.wire import encoded


class Running:
    """A question that is being answered: its blocks, one at a time, from threads that may block."""

    def __init__(self, engine: Engine, asked: Request, threads: ThreadPoolExecutor) -> None:
        self._engine = engine
        self._asked = asked
        self._threads = threads
        self._stream: Stream | None = None
        self._blocks: Iterator[bytes] = iter(())
        self._pending: asyncio.Future[bytes | None] | None = None

    @property
    def progress(self) -> Progress:
        """What it has read and given so far."""
        return self._stream.progress if self._stream else Progress()

    async def next(self) -> bytes | None:
        """Give the next block, None behind the last."""
        self._pending = asyncio.get_running_loop().run_in_executor(self._threads, self._next)
        return await asyncio.shield(self._pending)

    def cancel(self) -> None:
        """Have it end soon."""
        asyncio.get_running_loop().run_in_executor(None, self._engine.cancel, self._asked.question.tag)

    async def close(self) -> None:
        """End it. What a thread is in the middle of is ended first: a handle belongs to one at a time."""
        loop = asyncio.get_running_loop()
        if self._pending is not None and not self._pending.done():
            await loop.run_in_executor(None, self._engine.cancel, self._asked.question.tag)
            await asyncio.wait({self._pending})
        if self._stream is not None:
            await loop.run_in_executor(None, self._stream.close)

    def _next(self) -> bytes | None:
        if self._stream is None:
            self._stream = self._engine.ask(self._asked.question)
            self._blocks = encoded(self._stream.blocks(), self._asked)
        return next(self._blocks, None)
