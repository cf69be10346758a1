"""`observe`: a function, a generator or a block as one AI call, one span."""

import functools
import inspect
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Final, TypeVar, overload

from opentelemetry import baggage

from tocsin._calls import values
from tocsin._calls.call import CURRENT, Call, outside
from tocsin._calls.streams import async_generator_function, generator_function
from tocsin._calls.values import Scalar
from tocsin._guards.fallback import Turns, WhenOff, with_fallback
from tocsin._guards.guard import stamps
from tocsin._process.boundary import MISHAPS, Swallow
from tocsin._process.runtime import Runtime, runtime
from tocsin_wire import attributes as keys

F = TypeVar("F", bound=Callable[..., Any])
_IN_BEGIN: Final = Swallow("observe.begin")


class observe:  # noqa: N801 - reads as a decorator and as a block
    """Record a function, generator or block as an AI call.

    As a decorator it takes sync and async functions and generators; as a context manager, sync or async, it yields
    the call::

        @tocsin.observe(use_case="ticket-triage", task="classification", model_version="7")
        def triage(ticket): ...

        with tocsin.observe("ticket-triage") as call:
            call.set_output(label="billing")

    Args:
        use_case: The AI feature; else baggage ``tocsin.use_case``, else what `init` was given, else the collector's map.
        task: classification, regression, ranking, extraction or generation.
        model_version: The version of the model that answers.
        prompt_version: The version of the prompt it is asked with.
        served_by: "model", or "fallback" when no model answers.
        segments: Input fields by which quality is also kept; a late outcome carries their values.
        key: Your own key of the call, by which outcomes may come; in a decorated function, ``current_call().set_key`` does it.
        name: The span's name; the function's qualified name by default.
        fallback: Answers instead of the decorated function while the guard of the use case says so; takes the same
            arguments. Blocks have none: there, ask `tocsin.guard`.
        off: What a caller gets when the guard is off: the fallback's answer, `FeatureOff` ("raise"), or None ("none").
        probes: Whether the function may be called in the background while the fallback answers, to see how it does.
    """

    def __init__(
        self,
        use_case: str | None = None,
        *,
        task: str | None = None,
        model_version: str | None = None,
        prompt_version: str | None = None,
        served_by: str = "model",
        segments: Sequence[str] = (),
        key: str | None = None,
        name: str | None = None,
        fallback: Callable[..., Any] | None = None,
        off: WhenOff = "fallback",
        probes: bool = True,
    ) -> None:
        self._fallback = fallback
        self._off = off
        self._probes = probes
        self._use_case = _read(use_case)
        self._name = _read(name)
        self._segments: tuple[str, ...] = ()
        with _IN_BEGIN:
            self._segments = tuple(segments)
        said = {
            keys.TASK: _read(task),
            keys.MODEL_VERSION: _read(model_version),
            keys.PROMPT_VERSION: _read(prompt_version),
            keys.SERVED_BY: _read(served_by),
            keys.CALL_KEY: _read(key),
        }
        self._fixed: dict[str, Scalar] = {key: value for key, value in said.items() if value is not None}
        if self._fixed.get(keys.SERVED_BY) == "model":  # what it means to say nothing; a route may say otherwise
            del self._fixed[keys.SERVED_BY]
        if self._use_case is not None:
            self._fixed[keys.USE_CASE] = self._use_case

    @overload
    def __call__(self, function: F) -> F: ...
    @overload
    def __call__(self, function: Any) -> Any: ...
    def __call__(self, function: Any) -> Any:
        """Wrap a function; what it is stays as it was."""
        if self._fallback is None:
            return self._watch(function)
        # Decided here, once: a function without a fallback pays nothing for the guard.
        return with_fallback(
            function,
            self._fallback,
            as_model=self._watch,
            as_fallback=self._answering()._watch,  # noqa: SLF001 - another of our own
            turns=Turns(self._named, off=self._off, probes=self._probes, use_case=self._use_case),
        )

    def _answering(self) -> "observe":
        """Observe the fallback's calls: of the same use case, by no model."""
        fixed = self._fixed
        task = fixed.get(keys.TASK)
        return observe(
            self._use_case, task=None if task is None else str(task), served_by="fallback", segments=self._segments
        )

    def _named(self, now: Runtime) -> str | None:
        return self._use_case or _use_case_of_context() or now.settings.use_case

    def _watch(self, function: Any) -> Any:
        name = self._name or getattr(function, "__qualname__", None) or type(function).__name__
        if inspect.isasyncgenfunction(function):
            return async_generator_function(lambda: self.begin(name), end, function)
        if inspect.isgeneratorfunction(function):
            return generator_function(lambda: self.begin(name), end, function)
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def awaits(*args: Any, **kwargs: Any) -> Any:
                call = self._enter(name)
                try:
                    result = await function(*args, **kwargs)
                except BaseException as error:
                    _exit(call, error)
                    raise
                _exit(call, None)
                return result

            return awaits

        @functools.wraps(function)
        def returns(*args: Any, **kwargs: Any) -> Any:
            call = self._enter(name)
            try:
                result = function(*args, **kwargs)
            except BaseException as error:
                _exit(call, error)
                raise
            _exit(call, None)
            return result

        return returns

    def __enter__(self) -> Call:
        return self._enter(self._name or self._use_case or "call")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        _exit(CURRENT.get(), error)

    async def __aenter__(self) -> Call:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, traceback)

    def begin(self, name: str) -> Call:
        """Open the span of one call, without making it current."""
        try:
            now = runtime()
            if now.settings.disabled:
                return outside()
            said = self._fixed.copy()
            use_case = self._use_case
            if use_case is None:
                use_case = self._named(now)
                if use_case:
                    said[keys.USE_CASE] = use_case
            for key, value in stamps(now, use_case).items():
                said.setdefault(key, value)
            call = Call(now.starter, name, now.clock(), said, self._segments)
            if not use_case:
                # Without a use case, the call id is what tells the collector that this span is an AI call.
                said[keys.CALL_ID] = call.call_id
        except Exception as error:
            MISHAPS.note("observe.begin", error)
            return outside()
        return call

    def _enter(self, name: str) -> Call:
        call = self.begin(name)
        try:
            call._enter()  # noqa: SLF001
        except Exception as error:
            MISHAPS.note("observe.begin", error)
        return call


def end(call: Call, error: BaseException | None) -> None:
    """Close a call's span."""
    try:
        call._finish(error)  # noqa: SLF001
    except Exception as failure:
        MISHAPS.note("observe.end", failure)


def current_call() -> Call:
    """Return the call in progress; outside of one, a call that records nothing."""
    return CURRENT.get() or outside()


def _exit(call: Call | None, error: BaseException | None) -> None:
    if call is None:
        return
    try:
        call._leave()  # noqa: SLF001
        call._finish(error)  # noqa: SLF001
    except Exception as failure:
        MISHAPS.note("observe.end", failure)


def _use_case_of_context() -> str | None:
    return _read(baggage.get_baggage(keys.USE_CASE))


def _read(given: Any) -> str | None:
    with _IN_BEGIN:
        return values.words(given)
    return None
