"""Anything callable as a model: a function, a method, an ONNX session's ``run``, a torch module; plain or ``async``."""

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any, Final

from tocsin._models.answers import Answers, Reading, count_rows, keep_result, labels_of, read_answers
from tocsin._models.columns import Read
from tocsin._models.description import Description
from tocsin._models.inputs import keep_inputs
from tocsin._models.operation import INSIDE, Operation, Seen, now_ns
from tocsin._models.recording import MAX_ROWS, Instrumentation, record_answer, record_error
from tocsin._process.boundary import Swallow

_IN_WRAP: Final = Swallow("wrap")
_KINDS: Final = {"classification": "label", "regression": "value", "ranking": "value"}


def wrap(
    function: Callable[..., Any],
    use_case: str | None = None,
    *,
    task: str = "classification",
    probabilities: bool = False,
    classes: Sequence[Any] | None = None,
    feature_names: Sequence[str] | None = None,
    model: str | None = None,
    model_version: str | None = None,
    inputs: Callable[..., Any] | None = None,
    output: Callable[[Any], Any] | None = None,
    fields: Sequence[str] | None = None,
    segments: Sequence[str] = (),
    cost_per_call: float | None = None,
    currency: str = "USD",
    max_rows: int | None = MAX_ROWS,
) -> Callable[..., Any]:
    """Return a callable that does what `function` does and records what it answers, one call per row.

        predict = tocsin.wrap(model.predict, "churn", task="regression")

    A single answer (a number or a string) is one call. What the function itself asks of instrumented models is part of
    it. The function's result is handed on untouched, and so are its exceptions.

    Args:
        function: A function, a bound method or an object with ``__call__``; ``async def`` stays awaitable.
        use_case: The AI feature; else from baggage, or `init`.
        task: classification, regression or ranking.
        probabilities: The answers are class probabilities: a row of them, or that of the second of two classes.
        classes: Their names, in order.
        feature_names: Names of the inputs, where they bring none.
        model: The model's name; the function's by default.
        model_version: Its version.
        inputs: What to record as input, from the function's arguments; the first one by default.
        output: What to read as answer, from the function's result; the result by default.
        fields: Columns to record; all, up to 128, by default; none for an empty list.
        segments: Input fields by which quality is also kept.
        cost_per_call: What one row costs; unknown by default.
        currency: Of the cost, ISO 4217.
        max_rows: As `instrument_sklearn`'s.
    """
    name = str(model or getattr(function, "__qualname__", None) or type(function).__name__)
    asked = Instrumentation(
        use_case=use_case,
        model_version=model_version,
        fields=None if fields is None else tuple(str(field) for field in fields),
        segments=tuple(segments),
        cost_per_call=cost_per_call,
        currency=currency,
        max_rows=max_rows,
    )
    about = Description(
        name=name,
        version=model_version or "",
        task=task,
        classes=classes,
        feature_names=None if feature_names is None else tuple(feature_names),
    )
    kind = "probability" if probabilities else _KINDS.get(task, "label")
    reading = Reading(answers_as=kind, classes=classes, is_classifier=task == "classification")
    see = functools.partial(_see, about, reading, inputs, output)

    def finish(args: Any, kwargs: Any, result: Any, start_ns: int, error: BaseException | None) -> None:
        with _IN_WRAP:
            operation = Operation(function, name, args, kwargs, result, start_ns, now_ns(), function, see)
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

    return _Answered(given, result, about, reading)


class _Answered:
    """What was asked of anything callable, and answered."""

    def __init__(self, given: Any, result: Any, about: Description, reading: Reading) -> None:
        self._given = given
        self._result = result
        self._reading = reading
        self.about = about
        self.count = count_rows(result)

    def keep_inputs(self, chosen: Sequence[int] | None, wanted: tuple[str, ...] | None, /) -> Read:
        return keep_inputs(self._given, chosen, wanted, self.about.feature_names)

    def keep_answers(self, chosen: Sequence[int] | None, /) -> Callable[[], Answers]:
        kept, reading = keep_result(self._result, chosen), self._reading
        return lambda: read_answers(kept, reading)

    def labels(self) -> Any:
        return labels_of(self._result, self._reading)
