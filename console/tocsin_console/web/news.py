"""Tells open pages that there is something new, and keeps what they read for a moment: fifty viewers ask once."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Hashable
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import StreamingResponse

_LOOK_S: Final = 2.0
_BEAT_S: Final = 15.0  # a comment, so that proxies keep the connection and a dead one is noticed
_KEEP_S: Final = 2.0
_MOST_KEPT: Final = 256
_MOST_VIEWERS: Final = 500


class News:
    """What changed, for every open page.

    Args:
        stamp: Says in one value how things stand; another value is news. Without one, only what people do is news.
    """

    def __init__(self, stamp: Callable[[], Hashable] = lambda: None) -> None:
        self._stamp = stamp
        self._acts = 0
        self._viewers = 0
        self._is_over = False
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[float, int, Any]] = {}
        self._looked = (-_LOOK_S, "")

    def changed(self) -> None:
        """A person did something: what was kept is forgotten, and every page asks again."""
        with self._lock:
            self._acts += 1
            self._kept.clear()

    def end(self) -> None:
        """Let every stream end, so that the server can."""
        self._is_over = True

    def kept(self, key: str, read: Callable[[], Any]) -> Any:
        """Read, or give what was read of the same address a moment ago."""
        with self._lock:
            acts = self._acts
            known = self._kept.get(key)
        if known and known[0] > time.monotonic() and known[1] == acts:
            return known[2]
        found = read()
        with self._lock:
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            self._kept[key] = (time.monotonic() + _KEEP_S, acts, found)
        return found

    async def stream(self, request: Request) -> StreamingResponse:
        """Answer with server-sent events: ``changed`` with an id whenever there is news."""
        if self._viewers >= _MOST_VIEWERS:
            return StreamingResponse(_nothing(), status_code=503, headers={"retry-after": "60"})
        return StreamingResponse(
            self._events(request), media_type="text/event-stream", headers={"x-accel-buffering": "no"}
        )

    async def _events(self, request: Request) -> AsyncIterator[bytes]:
        self._viewers += 1
        try:
            known = await self._look()
            beat = time.monotonic()
            yield f"retry: 3000\nid: {known}\n\n".encode()
            while not (self._is_over or await request.is_disconnected()):
                await asyncio.sleep(_LOOK_S / 4)
                seen = await self._look()
                if seen != known:
                    known, beat = seen, time.monotonic()
                    yield f"event: changed\nid: {known}\ndata: {known}\n\n".encode()
                elif time.monotonic() - beat > _BEAT_S:
                    beat = time.monotonic()
                    yield b": still here\n\n"
        finally:
            self._viewers -= 1

    async def _look(self) -> str:
        """Look for all viewers at once, at most every two seconds."""
        looked, seen = self._looked
        if time.monotonic() - looked >= _LOOK_S:
            self._looked = (time.monotonic(), seen)  # the others go on with what is known meanwhile
            seen = f"{hash(await run_in_threadpool(self._stamp)) & 0xFFFFFFFF:08x}"
            self._looked = (time.monotonic(), seen)
        return f"{seen}.{self._acts}"


async def _nothing() -> AsyncIterator[bytes]:
    yield b""
