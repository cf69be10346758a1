"""Operations as calls: whose settings hold, which rows are recorded, and what they say alike."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from opentelemetry.baggage import get_baggage
from opentelemetry.trace import Status, StatusCode

from tocsin._calls import values
from tocsin._calls.call import CURRENT, Call
from tocsin._calls.last import LAST
from tocsin._calls.values import Scalar
from tocsin._guards.guard import stamps
from tocsin._models.answers import Answers
from tocsin._models.batch import Batch
from tocsin._models.columns import Read, Table
from tocsin._models.description import Description, describe, is_pipeline
from tocsin._models.operation import Operation, Seen
from tocsin._models.registry import MAX_ROWS
from tocsin._models.sampling import Sample, stratified_sample
from tocsin._process.boundary import MISHAPS, type_name
from tocsin._process.runtime import Runtime, runtime
from tocsin_wire import attributes as keys

_SHORT: Final = 256  # characters of ASCII that need no look at the limit
_PIECE: Final = 4_096  # rows that are copied at once when all of a large batch are recorded


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrumentation:
    """What the host asked for."""

    use_case: str | Callable[[Any], str | None] | None = None
    model_version: str | Callable[[Any], str | None] | None = None
    fields: tuple[str, ...] | None = None
    segments: tuple[str, ...] = ()
    cost_per_call: float | None = None
    currency: str = "USD"
    max_rows: int | None = MAX_ROWS


class Recorder:
    """Records every operation under the settings of its library."""

    def __init__(self) -> None:
        self.settings: dict[str, Instrumentation] = {}

    def answered(self, operation: Operation, /) -> None:
        """Record each row that was answered, or a weighted sample of many."""
        asked = self._asked(operation.model)
        if asked is not None:
            record_answer(asked, operation)

    def failed(self, operation: Operation, error: BaseException, /) -> None:
        """Record one span that stands for all rows of an operation that raised."""
        asked = self._asked(operation.model)
        if asked is not None:
            record_error(asked, operation, describe(operation.model), error)

    def _asked(self, model: Any) -> Instrumentation | None:
        library = type(model).__module__.partition(".")[0]
        return self.settings.get(library) or self.settings.get("transformers" if is_pipeline(model) else "sklearn")

    def limit_of(self, model: Any) -> int | None:
        """Say how many rows of one operation are recorded; None for all."""
        asked = self._asked(model)
        return asked.max_rows if asked is not None else MAX_ROWS


def record_answer(asked: Instrumentation, operation: Operation) -> None:
    """Record a finished operation."""
    seen = operation.see(operation)
    if seen is None:
        return
    if seen.count == 0:
        LAST.set(None)
        return
    now = runtime()
    use_case = _use_case(asked, operation.model, now)
    outer = CURRENT.get()
    if outer is not None and seen.count == operation.stands_for == 1 and _is_same_call(outer, asked, operation.model):
        _complete(outer, asked, operation, seen)
        return
    shared = _shared(now, asked, operation.model, seen.about, use_case)
    if asked.max_rows is None and seen.count > _PIECE:
        _record_all(now, asked, operation, seen, shared)
        return
    sample = _sample(seen, asked.max_rows) if operation.stands_for == 1 else Sample([0], [operation.stands_for])
    batch = _batch(now, asked, operation, seen, shared, sample, range(seen.count))
    _send(now, operation, batch)
    LAST.set(batch)


def record_error(asked: Instrumentation, operation: Operation, about: Description, error: BaseException) -> None:
    """Record an operation that raised: one span that stands for all its rows."""
    now = runtime()
    shared = _shared(now, asked, operation.model, about, _use_case(asked, operation.model, now))
    shared[keys.ERROR_TYPE] = type_name(error)
    count = _count_inputs(operation.inputs)
    batch = Batch(
        shared,
        Table,
        Answers,
        recorded=1,
        sample=Sample([0], [count]) if count > 1 else None,
        count=max(count, 1),
        started_ns=operation.start_ns,
        use_case=f"{now.service_name}/{about.name}",
        segments=asked.segments,
    )
    _send(now, operation, batch, Status(StatusCode.ERROR, type_name(error)))
    LAST.set(batch)


def _record_all(
    now: Runtime, asked: Instrumentation, operation: Operation, seen: Seen, shared: dict[str, Scalar]
) -> None:
    """Record every row of a large batch, a piece at a time, so that no more than a piece is copied at once."""
    for begin in range(0, seen.count, _PIECE):
        rows = range(begin, min(begin + _PIECE, seen.count))
        batch = _batch(now, asked, operation, seen, shared, None, rows)
        _send(now, operation, batch)
    LAST.set(None)


def _sample(seen: Seen, limit: int | None) -> Sample | None:
    if limit is None or seen.count <= limit:
        return None
    try:
        labels = seen.labels()
    except Exception as error:  # a sample that does not look at labels is one too
        MISHAPS.note("models.labels", error)
        labels = None
    return stratified_sample(seen.count, limit, labels)


def _batch(  # noqa: PLR0917 - private
    now: Runtime,
    asked: Instrumentation,
    operation: Operation,
    seen: Seen,
    shared: dict[str, Scalar],
    sample: Sample | None,
    rows: range,
) -> Batch:
    """Keep the recorded rows of an operation: `sample`, or all of `rows`."""
    chosen = sample.rows if sample is not None else list(rows) if len(rows) < seen.count else None
    return Batch(
        shared,
        _keep_inputs(asked, seen, chosen),
        seen.keep_answers(chosen),
        recorded=len(rows) if sample is None else len(sample.rows),
        sample=sample,
        count=len(rows),
        started_ns=operation.start_ns,
        use_case="" if keys.USE_CASE in shared else f"{now.service_name}/{seen.about.name}",
        segments=asked.segments,
    )


def _keep_inputs(asked: Instrumentation, seen: Seen, chosen: list[int] | None) -> Read:
    if asked.fields == ():
        return Table
    try:
        return seen.keep_inputs(chosen, asked.fields)
    except Exception as error:
        # The answers are worth recording without the inputs.
        MISHAPS.note("models.inputs", error)
        return lambda: Table(flags={"inputs_unreadable": None})


_UNSET: Final = Status(StatusCode.UNSET)


def _send(now: Runtime, operation: Operation, batch: Batch, status: Status | None = None) -> None:
    now.starter.send(
        operation.method,
        batch,
        start_ns=operation.start_ns,
        end_ns=operation.end_ns,
        status=_UNSET if status is None else status,
    )


def _count_inputs(inputs: Any) -> int:
    """Say how many rows were asked about; 1 when the inputs cannot say."""
    try:
        if hasattr(inputs, "num_row"):
            return int(inputs.num_row())
        shape = getattr(inputs, "shape", None)
        return int(shape[0]) if shape else 1 if isinstance(inputs, (str, bytes)) else len(inputs)
    except Exception:
        return 1


def _shared(
    now: Runtime, asked: Instrumentation, model: Any, about: Description, use_case: str | None
) -> dict[str, Scalar]:
    """What all rows of a batch say alike."""
    shared = _known(asked, model, about)
    if use_case:
        shared[keys.USE_CASE] = use_case
    shared.update(stamps(now, use_case))
    return shared


def _known(asked: Instrumentation, model: Any, about: Description) -> dict[str, Scalar]:
    version = asked.model_version
    if callable(version):
        version = version(model)
    known: dict[str, Scalar] = {
        keys.TASK: about.task,
        keys.MODEL_NAME: about.name,
        keys.MODEL_VERSION: values.text(str(version), {}, "") if version else about.version,
    }
    if asked.cost_per_call is not None:
        known[keys.COST_AMOUNT] = float(asked.cost_per_call)
        known[keys.COST_CURRENCY] = asked.currency
        known[keys.COST_SOURCE] = "local"
    return known


def _use_case(asked: Instrumentation, model: Any, now: Runtime) -> str | None:
    named = asked.use_case
    if callable(named):
        named = named(model)
    if type(named) is str and named and named.isascii() and len(named) < _SHORT:
        return named
    named = named or get_baggage(keys.USE_CASE) or now.settings.use_case  # type: ignore[assignment]
    return values.text(str(named), {}, "use_case") if named else None


def _is_same_call(outer: Call, asked: Instrumentation, model: Any) -> bool:
    """Tell whether an observed function around the model speaks of the same AI call, which must count once."""
    named = asked.use_case
    if callable(named):
        named = named(model)
    return named is None or named == outer.use_case


def _complete(outer: Call, asked: Instrumentation, operation: Operation, seen: Seen) -> None:
    """Tell the observed call around what it has not said itself."""
    batch = Batch(
        _known(asked, operation.model, seen.about),
        _keep_inputs(asked, seen, None),
        seen.keep_answers(None),
        recorded=1,
        sample=None,
        count=1,
        started_ns=operation.start_ns,
        use_case="",
        segments=(),
    )
    rows, prompts = batch.read()
    outer.complete(rows[0])
    if prompts and prompts[0] is not None:
        outer.set_prompt(prompts[0])
