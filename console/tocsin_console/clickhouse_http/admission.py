"""How many questions run at a time, how many may wait, and for how long."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tocsin_console.clickhouse_http.exceptions import TOO_MANY_SIMULTANEOUS_QUERIES, QueryFailed


class Admission:
    """A few run, some wait a while, the rest are told to come again. Belongs to one event loop."""

    def __init__(self, *, running: int, waiting: int, patience_s: float) -> None:
        self._free = asyncio.Semaphore(running)
        self._most = running
        self._places = waiting
        self._waiting = 0
        self._patience_s = patience_s
        self.refused = 0

    @asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        """Hold a place while a question runs.

        Raises:
            QueryFailed: too many wait already, or none ended in time.
        """
        if self._free.locked() and self._waiting >= self._places:
            raise self._refusal(f"{self._waiting} are waiting already")
        self._waiting += 1
        try:
            async with asyncio.timeout(self._patience_s):
                await self._free.acquire()
        except TimeoutError:
            raise self._refusal(f"none ended within {self._patience_s:g} s") from None
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._free.release()

    def _refusal(self, why: str) -> QueryFailed:
        self.refused += 1
        return QueryFailed(
            TOO_MANY_SIMULTANEOUS_QUERIES,
            f"Too many simultaneous queries: {self._most} run at a time and {why}; ask again in a moment",
        )
