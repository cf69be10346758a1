"""Generators as calls: current while their body runs, not while their consumer does."""

import functools
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any, Final, Protocol, TypeVar

from tocsin._process.boundary import Swallow

_IN_STREAM: Final = Swallow("observe.stream")


class _Current(Protocol):
    """What is to be current around each step: a call, or a route."""

    def _enter(self) -> None: ...

    def _leave(self) -> None: ...


_C = TypeVar("_C", bound=_Current)


class _Running:
    """Makes a call current around one step of its generator."""

    __slots__ = ("_call",)

    def __init__(self, call: _Current) -> None:
        self._call = call

    def __enter__(self) -> None:
        with _IN_STREAM:
            self._call._enter()  # noqa: SLF001

    def __exit__(self, *_: object) -> None:
        with _IN_STREAM:
            self._call._leave()  # noqa: SLF001


def generator_function(
    begin: Callable[[], _C], end: Callable[[_C, BaseException | None], None], function: Callable[..., Any]
) -> Callable[..., Any]:
    """Wrap a generator function: one call from its first step to its end, error or early close.

    A close is the consumer's choice, not an error. The host's own exceptions pass through either way.
    """

    @functools.wraps(function)
    def streams(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        inner = function(*args, **kwargs)
        call = begin()
        step = functools.partial(next, inner)
        try:
            while True:
                try:
                    with _Running(call):
                        item = step()
                except StopIteration as stop:
                    end(call, None)
                    return stop.value
                try:
                    step = functools.partial(inner.send, (yield item))
                except GeneratorExit:
                    with _Running(call):
                        inner.close()
                    end(call, None)
                    raise
                except BaseException as thrown:  # what the consumer throws in belongs to the generator
                    step = functools.partial(inner.throw, thrown)
        except GeneratorExit:
            raise
        except BaseException as error:
            end(call, error)
            raise

    return streams


def async_generator_function(
    begin: Callable[[], _C], end: Callable[[_C, BaseException | None], None], function: Callable[..., Any]
) -> Callable[..., Any]:
    """As `generator_function`, for ``async for``; cancellation is recorded as the error it is."""

    @functools.wraps(function)
    async def streams(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        inner = function(*args, **kwargs)
        call = begin()
        step = inner.__anext__
        try:
            while True:
                try:
                    with _Running(call):
                        item = await step()
                except StopAsyncIteration:
                    end(call, None)
                    return
                try:
                    step = functools.partial(inner.asend, (yield item))
                except GeneratorExit:
                    with _Running(call):
                        await inner.aclose()
                    end(call, None)
                    raise
                except BaseException as thrown:  # what the consumer throws in belongs to the generator
                    step = functools.partial(inner.athrow, thrown)
        except GeneratorExit:
            raise
        except BaseException as error:
            end(call, error)
            raise

    return streams
