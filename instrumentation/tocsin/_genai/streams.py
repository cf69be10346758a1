"""A stream of a client, overheard: each event as it passes, and how it ended."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

from tocsin._genai.exchange import Exchange
from tocsin._genai.processor import end_left_open
from tocsin._process.boundary import Swallow

_IN_STREAM = Swallow("genai.stream")


class _Overheard:
    __slots__ = ("exchange", "inner")

    def __init__(self, inner: Any, exchange: Exchange) -> None:
        self.inner = inner
        self.exchange = exchange

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def __del__(self) -> None:
        exchange = getattr(self, "exchange", None)
        if exchange is not None:
            with _IN_STREAM:
                if not exchange.is_done:
                    exchange.abandoned()
                if not exchange.answer.is_complete:
                    end_left_open(exchange)

    def _heard(self, event: Any) -> None:
        with _IN_STREAM:
            self.exchange.heard(event)


class _Reading:
    """While the client is at work on the next event; it ends by an error, by the last event, or with the event."""

    __slots__ = ("_exchange",)

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def __enter__(self) -> None:
        self._exchange.is_under_way = True

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: object) -> None:
        with _IN_STREAM:
            if isinstance(error, (StopIteration, StopAsyncIteration)):
                self._exchange.finished()
            elif error is not None:
                self._exchange.failed(error)
        self._exchange.is_under_way = False


class OverheardEvents(_Overheard):
    """Stands before the iterator of a plain stream."""

    __slots__ = ()

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        with _Reading(self.exchange):
            event = next(self.inner)
        self._heard(event)
        return event


class OverheardAsyncEvents(_Overheard):
    """Stands before the iterator of an asynchronous stream."""

    __slots__ = ()

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        with _Reading(self.exchange):
            event = await self.inner.__anext__()
        self._heard(event)
        return event


def overhear(stream: Any, exchange: Exchange) -> bool:
    """Put ourselves before a stream's events; false when it is no stream that we know."""
    if not hasattr(type(stream), "__stream__"):
        return False
    inner = stream._iterator  # noqa: SLF001 - of the streams of all clients that are generated like these two
    is_async = hasattr(type(stream), "__anext__")
    exchange.is_stream = True
    stream._iterator = OverheardAsyncEvents(inner, exchange) if is_async else OverheardEvents(inner, exchange)  # noqa: SLF001
    return True


def exchange_of(stream: Any) -> Exchange | None:
    """Find the request that a stream answers."""
    found = getattr(stream, "__dict__", {}).get("_iterator")
    return found.exchange if isinstance(found, _Overheard) else None
