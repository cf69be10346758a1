"""A callable, watched: what it was asked, what it answered, and how that is read."""

import functools
import inspect
from collections.abc import Callable
from typing import Any, Final

from tocsin._models.answered import AnsweredRows
from tocsin._models.answers import Reading
from tocsin._models.description import Description
from tocsin._models.operation import INSIDE, Operation, Seen, now_ns
from tocsin._models.recording import Instrumentation, record_answer, record_error
from tocsin._process.boundary import Swallow
from tocsin._process.runtime import runtime

_IN_WRAP: Final = Swallow("wrap")
_KINDS: Final = {"classification": "label", "regression": "value", "ranking": "value"}


def watched(
    function: Callable[..., Any],
    asked: Instrumentation,
    about: Description,
    inputs: Callable[..., Any] | None,
    output: Callable[[Any], Any] | None,
) -> Callable[..., Any]:
    """Wrap a function, plain or ``async``; what it is stays as it was.

    Args:
        function: Answers.
        asked: What to record.
        about: The model that it stands for.
        inputs: What was asked, from its arguments; the first one by default.
        output: The answer, from its result; the result by default.
    """
    reading = Reading(
        answers_as=about.answers_as or _KINDS.get(about.task, "label"),
        classes=about.classes,
        is_classifier=about.is_classifier,
    )
    see = functools.partial(_see, about, reading, inputs, output)

    def finish(args: Any, kwargs: Any, result: Any, start_ns: int, error: BaseException | None) -> None:
        with _IN_WRAP:
            if runtime().settings.disabled:
                return
            operation = Operation(function, about.name, args, kwargs, result, start_ns, now_ns(), function, see)
            if error is None:
                record_answer(asked, operation)
            else:
                record_error(asked, operation, about, error)

    if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None)):  # noqa: B004

        @functools.wraps(function, updated=())
        async def awaits(*args: Any, **kwargs: Any) -> Any:
            start_ns, token = now_ns(), INSIDE.set(True)
            try:
                result = await function(*args, **kwargs)
            except BaseException as error:
                finish(args, kwargs, None, start_ns, error)
                raise
            finally:
                INSIDE.reset(token)
            finish(args, kwargs, result, start_ns, None)
            return result

        return awaits

    @functools.wraps(function, updated=())
    def returns(*args: Any, **kwargs: Any) -> Any:
        start_ns, token = now_ns(), INSIDE.set(True)
        try:
            result = function(*args, **kwargs)
        except BaseException as error:
            finish(args, kwargs, None, start_ns, error)
            raise
        finally:
            INSIDE.reset(token)
        finish(args, kwargs, result, start_ns, None)
        return result

    return returns


def _see(
    about: Description,
    reading: Reading,
    inputs: Callable[..., Any] | None,
    output: Callable[[Any], Any] | None,
    operation: Operation,
) -> Seen:
    given = operation.inputs if inputs is None else inputs(*operation.args, **operation.kwargs)
    result = operation.result if output is None else output(operation.result)
    if isinstance(result, (str, bytes)) or not (hasattr(result, "__len__") and getattr(result, "shape", True) != ()):
        result = [result]  # a single answer, about a single thing
        given = given if isinstance(given, (list, tuple)) or hasattr(given, "shape") else [given]
    return AnsweredRows(given, result, about, reading)
