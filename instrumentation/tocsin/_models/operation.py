"""One outermost call of a model: what every wrapped method does, knowing nothing of spans."""

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final, Protocol

from tocsin._models.answers import Answers
from tocsin._models.columns import Read
from tocsin._models.description import Description
from tocsin._process.boundary import MISHAPS, Swallow
from tocsin._process.runtime import runtime

INSIDE: Final[ContextVar[bool]] = ContextVar("tocsin_inside_model", default=False)
_IN_OBSERVE: Final = Swallow("models.observe")


@dataclass(slots=True)
class Operation:
    """One outermost call of a model, finished."""

    model: Any
    method: str
    args: tuple[Any, ...]  # as given, without the model
    kwargs: dict[str, Any]
    result: Any
    start_ns: int
    end_ns: int
    function: Callable[..., Any]  # the original, for the names of its parameters
    see: "See"
    stands_for: int = 1  # answers of a stream of which only some are recorded

    @property
    def inputs(self) -> Any:
        """What the model was asked about: the first argument, by whatever name."""
        if self.args:
            return self.args[0]
        for name in ("X", "data", "inputs"):
            if name in self.kwargs:
                return self.kwargs[name]
        return next(iter(self.kwargs.values()), None)

    def options(self) -> Mapping[str, Any]:
        """All arguments but the first, by name."""
        if len(self.args) < 2:
            return self.kwargs
        return {**dict(zip(_parameters(self.function)[1:], self.args[1:], strict=False)), **self.kwargs}


class Seen(Protocol):
    """What an operation was, as far as it must be known at once; the rest is read from copies, in another thread.

    Indices of rows are ascending; None stands for all of them.
    """

    @property
    def about(self) -> Description:
        """Say what the model is."""
        ...

    @property
    def count(self) -> int:
        """Say how many rows were answered."""
        ...

    def keep_inputs(self, chosen: Sequence[int] | None, wanted: tuple[str, ...] | None, /) -> Read:
        """Copy rows of the inputs, by the names of fields."""
        ...

    def keep_answers(self, chosen: Sequence[int] | None, /) -> Callable[[], Answers]:
        """Copy rows of the answers."""
        ...

    def labels(self) -> Any:
        """Give the labels of all rows as an array; None when there is nothing to count by."""
        ...


See = Callable[[Operation], Seen | None]  # None: what was returned is no answer


class Observer(Protocol):
    """What is told of operations."""

    def answered(self, operation: Operation, /) -> None:
        """Take note of one that returned."""
        ...

    def failed(self, operation: Operation, error: BaseException, /) -> None:
        """Take note of one that raised."""
        ...

    def limit_of(self, model: Any, /) -> int | None:
        """Say how many answers of one operation are recorded; None for all."""
        ...


class Watching:
    """Who is told at present; nobody when nothing is instrumented."""

    observer: Observer | None = None


def observed(see: See) -> Callable[[Callable[..., Any], str], Callable[..., Any]]:
    """Wrap methods whose outermost call is an operation."""

    def wrap(method: Callable[..., Any], name: str) -> Callable[..., Any]:
        # The body is elsewhere, so that a class pickled by value (cloudpickle, of __main__) takes only names along.
        @functools.wraps(method)
        def observed(self: Any, *args: Any, **kwargs: Any) -> Any:
            return observe_operation(see, method, name, self, args, kwargs)

        return observed

    return wrap


def quiet(method: Callable[..., Any], _name: str) -> Callable[..., Any]:
    """Wrap a method or function inside which nothing is an operation: training and testing."""

    @functools.wraps(method)
    def quiet(*args: Any, **kwargs: Any) -> Any:
        return run_inside(method, *args, **kwargs)

    return quiet


def run_inside(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call a function as part of something that is, or is not, one operation already."""
    if INSIDE.get():
        return function(*args, **kwargs)
    token = INSIDE.set(True)
    try:
        return function(*args, **kwargs)
    finally:
        INSIDE.reset(token)


def observe_operation(  # noqa: PLR0917 - names cost
    see: See, method: Callable[..., Any], name: str, model: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Call a method, and tell of it unless it is part of something that is told of already."""
    observer = Watching.observer
    if observer is None or INSIDE.get():
        return method(model, *args, **kwargs)
    token = INSIDE.set(True)
    start_ns = now_ns()
    try:
        result = method(model, *args, **kwargs)
    except BaseException as error:
        with _IN_OBSERVE:
            observer.failed(Operation(model, name, args, kwargs, None, start_ns, now_ns(), method, see), error)
        raise
    finally:
        INSIDE.reset(token)
    with _IN_OBSERVE:
        observer.answered(Operation(model, name, args, kwargs, result, start_ns, now_ns(), method, see))
    return result


def now_ns() -> int:
    """Read the clock in force; 0 when even that fails."""
    try:  # a with-block would cost more than the clock
        return runtime().clock()
    except Exception as error:
        MISHAPS.note("models.observe", error)
        return 0


@functools.lru_cache(maxsize=256)
def _parameters(function: Callable[..., Any]) -> tuple[str, ...]:
    """Name the positional parameters of a method after ``self``."""
    return tuple(inspect.signature(function).parameters)[1:]
