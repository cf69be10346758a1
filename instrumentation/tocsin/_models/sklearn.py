"""scikit-learn: every fitted estimator's answers become calls, one per row, without a change in the host's code."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from tocsin._process.boundary import Swallow
from tocsin._process.lifecycle import init
from tocsin._process.runtime import runtime

MAX_ROWS: Final = 1_000
_IN_INSTRUMENT: Final = Swallow("instrument_sklearn")


def instrument_sklearn(
    use_case: "str | Callable[[Any], str | None] | None" = None,
    *,
    model_version: str | None = None,
    fields: Sequence[str] | None = None,
    segments: Sequence[str] = (),
    cost_per_call: float | None = None,
    currency: str = "USD",
    max_rows: int = MAX_ROWS,
) -> None:
    """Record ``predict``, ``predict_proba`` and ``decision_function`` of every estimator, imported already or later.

    The outermost call counts: a pipeline is one call, and ``predict`` that asks ``predict_proba`` too. What happens
    inside ``fit`` and ``score`` is not production and is left out. A second call replaces these settings. Starts tocsin
    with its defaults when `init` was not called.

    Args:
        use_case: The AI feature, or a function of the estimator that names it.
        model_version: Of every estimator; else a short hash of its class and parameters.
        fields: Columns to record; all, up to 128, by default; none for an empty list.
        segments: Input fields by which quality is also kept; a late outcome carries their values.
        cost_per_call: What one row costs; unknown by default.
        currency: Of the cost, ISO 4217.
        max_rows: Rows recorded of one batch; of a larger one a uniform systematic sample, weighted so that the weights
            sum to the number of rows.
    """
    with _IN_INSTRUMENT:
        init()
        if runtime().settings.disabled:
            return
        from tocsin._models.patches import patch
        from tocsin._models.rows import Instrumentation, observe_error, observe_rows

        instrumentation = Instrumentation(
            use_case=use_case,
            model_version=model_version,
            fields=None if fields is None else tuple(str(field) for field in fields),
            segments=tuple(segments),
            cost_per_call=cost_per_call,
            currency=currency,
            max_rows=max(1, int(max_rows)),
        )
        patch(
            lambda operation: observe_rows(instrumentation, operation),
            lambda operation, error: observe_error(instrumentation, operation, error),
        )


def uninstrument_sklearn() -> None:
    """Give every estimator its own methods back."""
    with _IN_INSTRUMENT:
        from tocsin._models.patches import unpatch

        unpatch()
