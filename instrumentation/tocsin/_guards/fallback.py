"""A function and what answers instead of it: which of the two is asked is the guard's to say, call by call.

state      who answers                                   beside it
normal     the model                                     the fallback, where an automatic bar says so of this answer
verify     the model; `Guard.last_decision` is "verify"  as above
fallback   the fallback                                  the model for a share of calls, in the background, not served
off        what `off` says                               nothing
"""

import functools
import inspect
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from contextvars import ContextVar
from typing import Any, Final, Literal, TypeAlias

from tocsin._calls.call import CURRENT
from tocsin._calls.streams import async_generator_function, generator_function
from tocsin._guards.errors import FeatureOff
from tocsin._guards.guard import Guard
from tocsin._guards.route import Route
from tocsin._process.boundary import MISHAPS, Swallow
from tocsin._process.runtime import Runtime, runtime

WhenOff: TypeAlias = Literal["fallback", "raise", "none"]
_Function: TypeAlias = Callable[..., Any]
_Watch: TypeAlias = Callable[[Any], Any]

_REFUSED: Final[ContextVar[bool]] = ContextVar("tocsin_refused", default=False)
_DECLARED: Final[set[str]] = set()  # use cases with a fallback, whose guards are listened to from the start
_IN_TURN: Final = Swallow("guard.fallback")


class Turns:
    """Decides each call of one function.

    Args:
        named: Says whose guard counts; None: nobody's.
        off: What a caller gets when the guard is off.
        probes: Whether the model may be asked in the background while the fallback answers.
        use_case: The use case, where it is known beforehand.
    """

    def __init__(
        self, named: Callable[[Runtime], str | None], *, off: WhenOff, probes: bool, use_case: str | None
    ) -> None:
        if off not in {"fallback", "raise", "none"}:
            MISHAPS.note("observe.off", ValueError(f"expected off= to be fallback, raise or none, got {off!r}"))
            off = "fallback"
        self._named = named
        self._off: WhenOff = off
        self._probes = probes
        if use_case:
            _DECLARED.add(use_case)

    def take(self) -> Route | None:
        """Decide one call; None: there is no guard, and the model answers.

        Raises:
            FeatureOff: the guard is off, and the host asked for this.
        """
        guard = None
        with _IN_TURN:
            guard = self._guard()
        if guard is None:
            return None
        route = guard.route()
        if route.state == "off" and self._off == "raise":
            raise FeatureOff(guard.use_case, str(guard.metadata.get("cause") or ""))
        return route

    def is_silent(self, route: Route) -> bool:
        """Whether nothing at all answers."""
        return route.state == "off" and self._off == "none"

    def judge(self) -> None:
        """Look at the answer of the call in progress: may it be served?"""
        with _IN_TURN:
            call, guard = CURRENT.get(), self._guard()
            if call is not None and guard is not None:
                said = guard.decide(call.confidence, model_version=call.model_version)
                _REFUSED.set(said == "fallback")

    def probe(self, route: Route, ask: Callable[[], object]) -> None:
        """Ask the model in the background, where this call is one of the share."""
        flags = runtime().flags
        if route.is_probe and self._probes and flags is not None:
            flags.probes.run(ask)

    def probe_async(self, route: Route, ask: Callable[[], Coroutine[Any, Any, object]]) -> None:
        """As :meth:`probe`, as a task of the running loop."""
        flags = runtime().flags
        if route.is_probe and self._probes and flags is not None:
            flags.probes.run_async(ask)

    def _guard(self) -> Guard | None:
        now = runtime()
        if now.settings.disabled:
            return None
        use_case = self._named(now)
        if not use_case:
            return None
        guard = now.guard(use_case)
        guard.agree(has_fallback=True, fail_mode=None)
        return guard


def declared(now: Runtime) -> None:
    """Listen to the guards of functions with a fallback before the first call asks for them."""
    with _IN_TURN:
        for use_case in sorted(_DECLARED):
            now.guard(use_case).agree(has_fallback=True, fail_mode=None)


def with_fallback(
    function: _Function, fallback: _Function, *, as_model: _Watch, as_fallback: _Watch, turns: Turns
) -> _Function:
    """Wrap a function and its stand-in as one function of the same kind.

    Args:
        function: Asks the model: plain, a coroutine function, or either kind of generator function.
        fallback: Takes the same arguments. Beside a coroutine function it may be plain; beside a generator function it may
            return anything that can be iterated.
        as_model: Observes the model's calls.
        as_fallback: Observes the fallback's.
        turns: Decides.
    """
    if inspect.isasyncgenfunction(function):
        return _async_stream(function, fallback, as_model, as_fallback, turns)
    if inspect.isgeneratorfunction(function):
        return _stream(function, fallback, as_model, as_fallback, turns)
    if inspect.iscoroutinefunction(function):
        return _coroutine(function, fallback, as_model, as_fallback, turns)
    return _plain(function, fallback, as_model, as_fallback, turns)


def _plain(function: _Function, fallback: _Function, as_model: _Watch, as_fallback: _Watch, turns: Turns) -> _Function:
    @functools.wraps(function)
    def judged(*args: Any, **kwargs: Any) -> Any:
        result = function(*args, **kwargs)
        turns.judge()
        return result

    model, stand_in = as_model(judged), as_fallback(fallback)

    @functools.wraps(function)
    def answers(*args: Any, **kwargs: Any) -> Any:
        route = turns.take()
        if route is None:
            return model(*args, **kwargs)
        if route.serve_model:
            _REFUSED.set(False)
            with route:
                result = model(*args, **kwargs)
                return stand_in(*args, **kwargs) if _REFUSED.get() else result
        if turns.is_silent(route):
            return None
        turns.probe(route, lambda: _asked(route, model, args, kwargs))
        with route.instead():
            return stand_in(*args, **kwargs)

    return answers


def _coroutine(
    function: _Function, fallback: _Function, as_model: _Watch, as_fallback: _Watch, turns: Turns
) -> _Function:
    @functools.wraps(function)
    async def judged(*args: Any, **kwargs: Any) -> Any:
        result = await function(*args, **kwargs)
        turns.judge()
        return result

    model, stand_in = as_model(judged), as_fallback(fallback)

    async def instead(args: Any, kwargs: Any) -> Any:
        result = stand_in(*args, **kwargs)
        return await result if inspect.isawaitable(result) else result

    async def ask(route: Route, args: Any, kwargs: Any) -> Any:
        with route:
            return await model(*args, **kwargs)

    @functools.wraps(function)
    async def answers(*args: Any, **kwargs: Any) -> Any:
        route = turns.take()
        if route is None:
            return await model(*args, **kwargs)
        if route.serve_model:
            _REFUSED.set(False)
            with route:
                result = await model(*args, **kwargs)
                return await instead(args, kwargs) if _REFUSED.get() else result
        if turns.is_silent(route):
            return None
        turns.probe_async(route, lambda: ask(route, args, kwargs))
        with route.instead():
            return await instead(args, kwargs)

    return answers


def _stream(function: _Function, fallback: _Function, as_model: _Watch, as_fallback: _Watch, turns: Turns) -> _Function:
    """A stream's answer is served while it is made: a bar can only say "verify" of it."""
    model = as_model(function)

    @functools.wraps(fallback)
    def iterated(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        return (yield from fallback(*args, **kwargs))

    stand_in = as_fallback(iterated)

    @functools.wraps(function)
    def answers(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        route = turns.take()
        if route is None:
            return (yield from model(*args, **kwargs))
        if turns.is_silent(route):
            return None
        if not route.serve_model:
            turns.probe(route, lambda: deque(_routed(route, model)(*args, **kwargs), maxlen=0))
        chosen = _routed(route, model) if route.serve_model else _routed(route.instead(), stand_in)
        return (yield from chosen(*args, **kwargs))

    return answers


def _async_stream(
    function: _Function, fallback: _Function, as_model: _Watch, as_fallback: _Watch, turns: Turns
) -> _Function:
    model, stand_in = as_model(function), as_fallback(_iterated(fallback))

    async def drain(route: Route, args: Any, kwargs: Any) -> None:
        async for _ in _routed_async(route, model)(*args, **kwargs):
            pass

    @functools.wraps(function)
    async def answers(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        route = turns.take()
        if route is None:
            stream = model(*args, **kwargs)
        elif turns.is_silent(route):
            return
        elif route.serve_model:
            stream = _routed_async(route, model)(*args, **kwargs)
        else:
            turns.probe_async(route, lambda: drain(route, args, kwargs))
            stream = _routed_async(route.instead(), stand_in)(*args, **kwargs)
        try:
            async for item in stream:
                yield item
        finally:
            await stream.aclose()

    return answers


def _iterated(fallback: _Function) -> _Function:
    @functools.wraps(fallback)
    async def iterated(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        found = fallback(*args, **kwargs)
        if hasattr(found, "__aiter__"):
            async for item in found:
                yield item
        else:
            for item in found:
                yield item

    return iterated


def _asked(route: Route, model: _Function, args: Any, kwargs: Any) -> Any:
    with route:
        return model(*args, **kwargs)


def _routed(route: Route, function: _Function) -> _Function:
    return generator_function(lambda: route, _nothing, function)


def _routed_async(route: Route, function: _Function) -> _Function:
    return async_generator_function(lambda: route, _nothing, function)


def _nothing(_route: Route, _error: BaseException | None) -> None:
    """A route ends with its last step."""
