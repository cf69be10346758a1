"""Anything callable as a model: a function, a method, an ONNX session's ``run``, a torch module; plain or ``async``."""

from collections.abc import Callable, Sequence
from typing import Any

from tocsin._models.registry import MAX_ROWS


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
    from tocsin._models.callables import watched
    from tocsin._models.description import Description
    from tocsin._models.recording import Instrumentation

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
        answers_as="probability" if probabilities else "",
    )
    return watched(function, asked, about, inputs, output)
