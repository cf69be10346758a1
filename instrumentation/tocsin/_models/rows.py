"""One operation of an estimator as calls: a span per row, all in one trace."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from opentelemetry.trace import Status, StatusCode

from tocsin._calls import values
from tocsin._calls.call import CURRENT, Call
from tocsin._calls.last import LAST, LastBatch
from tocsin._calls.values import Flags, Scalar, add_flag
from tocsin._guards.guard import stamps
from tocsin._models.answers import Answers, count_rows, read_answers
from tocsin._models.columns import Table, read_table
from tocsin._models.description import Description, describe
from tocsin._models.patches import Operation
from tocsin._models.sampling import systematic_sample
from tocsin._process.boundary import MISHAPS, type_name
from tocsin._process.runtime import Runtime, runtime
from tocsin_wire import attributes as keys

_NAMELESS: Final = "estimator"


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrumentation:
    """What the host asked for."""

    use_case: str | Callable[[Any], str | None] | None
    model_version: str | None
    fields: tuple[str, ...] | None
    segments: tuple[str, ...]
    cost_per_call: float | None
    currency: str
    max_rows: int


def observe_rows(instrumentation: Instrumentation, operation: Operation) -> None:
    """Record every row of a finished operation, or a weighted sample of a large one."""
    now = runtime()
    count = count_rows(operation.result)
    if count == 0:
        LAST.set(None)
        return
    about = describe(operation.estimator)
    chosen = systematic_sample(count, instrumentation.max_rows)
    flags: Flags = {}
    table = _read_inputs(instrumentation, operation, chosen, about, flags)
    answers = read_answers(operation.method, operation.result, chosen, about.classes, is_classifier=about.is_classifier)
    use_case = _use_case(instrumentation, operation.estimator, now)
    outer = CURRENT.get()
    if outer is not None and count == 1 and _is_same_call(outer, instrumentation, operation.estimator):
        _complete(outer, table, answers, about, instrumentation)
        return
    shared = _shared(now, instrumentation, about, use_case)
    if chosen is not None:
        shared[keys.WEIGHT] = count / len(chosen)
    rows = _rows(
        shared, table, answers, len(chosen) if chosen is not None else count, {**flags, **table.flags, **answers.flags}
    )
    _send(now, instrumentation, operation, rows, chosen, count=count, about=about)


def observe_error(instrumentation: Instrumentation, operation: Operation, error: BaseException) -> None:
    """Record an operation that raised: one span that stands for all its rows."""
    now = runtime()
    about = describe(operation.estimator)
    use_case = _use_case(instrumentation, operation.estimator, now)
    shared = _shared(now, instrumentation, about, use_case)
    shared[keys.ERROR_TYPE] = type_name(error)
    count = _count_inputs(operation.inputs)
    if count > 1:
        shared[keys.WEIGHT] = float(count)
    status = Status(StatusCode.ERROR, type_name(error))
    _send(now, instrumentation, operation, [shared], [0], count=max(count, 1), about=about, status=status)


def _count_inputs(inputs: Any) -> int:
    """Say how many rows were asked about; 1 when the inputs cannot say."""
    shape = getattr(inputs, "shape", None)
    try:
        return int(shape[0]) if shape else len(inputs)
    except Exception:
        return 1


def _read_inputs(
    instrumentation: Instrumentation,
    operation: Operation,
    chosen: Sequence[int] | None,
    about: Description,
    flags: Flags,
) -> Table:
    if instrumentation.fields == ():
        return Table()
    try:
        return read_table(operation.inputs, chosen, instrumentation.fields, about.feature_names)
    except Exception as error:
        # The answers are worth recording without the inputs.
        MISHAPS.note("sklearn.inputs", error)
        add_flag(flags, "inputs_unreadable")
        return Table()


def _shared(
    now: Runtime, instrumentation: Instrumentation, about: Description, use_case: str | None
) -> dict[str, Scalar]:
    """What all rows of a batch say alike."""
    shared: dict[str, Scalar] = {
        keys.TASK: about.task,
        keys.MODEL_NAME: about.name,
        keys.MODEL_VERSION: instrumentation.model_version or about.version,
    }
    if use_case:
        shared[keys.USE_CASE] = use_case
    if instrumentation.cost_per_call is not None:
        shared[keys.COST_AMOUNT] = float(instrumentation.cost_per_call)
        shared[keys.COST_CURRENCY] = instrumentation.currency
        shared[keys.COST_SOURCE] = "local"
    shared.update(stamps(now, use_case))
    return shared


def _rows(
    shared: dict[str, Scalar], table: Table, answers: Answers, count: int, flags: Flags
) -> list[dict[str, Scalar]]:
    if flags:
        shared[keys.FLAGS] = ",".join(flags)
    if answers.confidences is not None:
        shared[keys.CONFIDENCE_SOURCE] = answers.confidence_source
    input_keys = [keys.INPUT_PREFIX + name for name in table.names]
    class_keys = [keys.PROBABILITY_PREFIX + name for name in answers.classes]
    inputs = table.rows if len(table.rows) == count else [()] * count
    labels, values, chances, confidences = answers.labels, answers.values, answers.probabilities, answers.confidences
    rows = []
    for at in range(count):
        row = shared.copy()
        if at in table.holed:
            row.update((key, value) for key, value in zip(input_keys, inputs[at], strict=True) if value is not None)
            row[keys.NULL_INPUTS] = _nulls(table.names, inputs[at])
        else:
            row.update(zip(input_keys, inputs[at], strict=False))
        if labels is not None:
            row[keys.OUTPUT_LABEL] = labels[at]
        if values is not None:
            _set_finite(row, keys.OUTPUT_VALUE, values[at], "not_finite:output")
        if confidences is not None:
            confidence = confidences[at]
            if 0.0 <= confidence <= 1.0:
                row[keys.CONFIDENCE] = confidence
                if chances is not None:
                    row.update(zip(class_keys, chances[at], strict=True))
            else:
                _set_finite(row, keys.CONFIDENCE, confidence, "confidence_out_of_range")
                _flag(row, "confidence_out_of_range")
        rows.append(row)
    return rows


def _nulls(names: Sequence[str], row: Sequence[Any]) -> str:
    return json.dumps([name for name, value in zip(names, row, strict=True) if value is None])


def _set_finite(row: dict[str, Scalar], key: str, value: float, flag: str) -> None:
    number = values.finite(value)
    if number is None:
        _flag(row, flag)
    else:
        row[key] = number


def _flag(row: dict[str, Scalar], flag: str) -> None:
    known = str(row.get(keys.FLAGS, ""))
    if flag not in known.split(","):
        row[keys.FLAGS] = f"{known},{flag}" if known else flag


def _send(
    now: Runtime,
    instrumentation: Instrumentation,
    operation: Operation,
    rows: list[dict[str, Scalar]],
    chosen: Sequence[int] | None,
    *,
    count: int,
    about: Description,
    status: Status | None = None,
) -> None:
    from tocsin._sending.spans import UNSET, send

    contexts = send(
        now.tracer,
        now.scope,
        operation.method,
        rows,
        start_ns=operation.start_ns,
        end_ns=operation.end_ns,
        status=status or UNSET,
        # Without a use case, the call id is what tells the collector that a span is an AI call.
        name_calls=keys.USE_CASE not in rows[0],
    )
    LAST.set(
        LastBatch(
            rows,
            contexts,
            chosen,
            count=count,
            use_case=f"{now.service_name}/{about.name or _NAMELESS}",
            started_ns=operation.start_ns,
            segments=instrumentation.segments,
        )
    )


def _use_case(instrumentation: Instrumentation, estimator: Any, now: Runtime) -> str | None:
    from opentelemetry import baggage

    asked = instrumentation.use_case
    if callable(asked):
        asked = asked(estimator)
    named = asked or baggage.get_baggage(keys.USE_CASE) or now.settings.use_case
    return values.text(str(named), {}, "use_case") if named else None


def _is_same_call(outer: Call, instrumentation: Instrumentation, estimator: Any) -> bool:
    """Tell whether an observed function around the estimator speaks of the same AI call, which must count once."""
    asked = instrumentation.use_case
    if callable(asked):
        asked = asked(estimator)
    return asked is None or asked == outer.use_case


def _complete(
    outer: Call, table: Table, answers: Answers, about: Description, instrumentation: Instrumentation
) -> None:
    """Tell the observed call around what it has not said itself."""
    known: dict[str, Scalar] = {
        keys.TASK: about.task,
        keys.MODEL_NAME: about.name,
        keys.MODEL_VERSION: instrumentation.model_version or about.version,
    }
    if instrumentation.cost_per_call is not None:
        known[keys.COST_AMOUNT] = float(instrumentation.cost_per_call)
        known[keys.COST_CURRENCY] = instrumentation.currency
        known[keys.COST_SOURCE] = "local"
    rows = _rows(known, table, answers, 1, {**table.flags, **answers.flags})
    outer.complete(rows[0])
