"""The spans of a batch: one per row, all in one trace, their attributes read from the batch when somebody asks."""

from collections.abc import Sequence
from typing import Any, Final, Protocol

from opentelemetry import trace
from opentelemetry.trace import SpanContext, SpanKind, Status, TraceFlags

from tocsin._calls.values import Scalar
from tocsin._process.runtime import Runtime
from tocsin._sending.processors import Processors
from tocsin._sending.spans import UNSET, CallSpan, is_plain

_SAMPLED: Final = TraceFlags(TraceFlags.SAMPLED)


class Rows(Protocol):
    """Calls whose attributes can be read later."""

    contexts: Sequence[SpanContext]

    def __len__(self) -> int: ...

    @property
    def shared(self) -> dict[str, Scalar]:
        """What all say alike."""
        ...

    def row(self, at: int, /) -> dict[str, Scalar]:
        """Read one's attributes."""
        ...


class RowSpan(CallSpan):
    """The span of one row."""

    _rows: Rows | None = None
    _at = 0

    def take(self, rows: Rows, at: int, status: Status) -> None:
        """Say which row this is the span of."""
        self._rows, self._at, self._status = rows, at, status

    def close(self, end_ns: int) -> None:
        """Let nothing more be set."""
        self._end_time = end_ns

    @property
    def _attributes(self) -> dict[str, Any]:  # type: ignore[override]
        rows = self._rows  # first: once it is gone, the whole is there
        if self._whole is not None or rows is None:
            return self._whole or {}
        whole: dict[str, Any] = rows.row(self._at)
        if self._given:
            whole.update(self._given)
        if self._end_time is not None:
            self._whole = whole
            self._rows = None
        return whole


def send_rows(now: Runtime, name: str, rows: Rows, *, start_ns: int, end_ns: int, status: Status = UNSET) -> None:
    """Send one span per row: under the current span, else under a trace id of their own.

    The host's sampler is asked once for the batch. Tells the rows their contexts; none when not sampled.
    """
    tracer = now.tracer
    if not is_plain(tracer):
        _send_ordinary(tracer, name, rows, start_ns=start_ns, end_ns=end_ns, status=status)
        return
    current = trace.get_current_span().get_span_context()
    parent = current if current.is_valid else None
    ids = tracer.id_generator
    trace_id = parent.trace_id if parent else ids.generate_trace_id()
    decision = tracer.sampler.should_sample(None, trace_id, name, SpanKind.INTERNAL, rows.shared)
    if not decision.decision.is_sampled():  # type: ignore[no-untyped-call]
        return
    resource, state, scope = tracer.resource, decision.trace_state, now.scope
    new_span_id = ids.generate_span_id
    rows.contexts = [SpanContext(trace_id, new_span_id(), False, _SAMPLED, state) for _ in range(len(rows))]
    processors = Processors(tracer.span_processor)
    for at, context in enumerate(rows.contexts):
        span = RowSpan(name, context, parent, resource, scope, start_ns)
        span.take(rows, at, status)
        processors.started(span)
        processors.ending(span)
        span.close(end_ns)
        processors.ended(span)


def _send_ordinary(tracer: trace.Tracer, name: str, rows: Rows, *, start_ns: int, end_ns: int, status: Status) -> None:
    """Send rows as ordinary spans: the provider is not OpenTelemetry's."""
    spans = [tracer.start_span(name, start_time=start_ns) for _ in range(len(rows))]
    rows.contexts = [span.get_span_context() for span in spans]
    for at, span in enumerate(spans):
        span.set_attributes(rows.row(at))
        if status is not UNSET:
            span.set_status(status)
        span.end(end_time=end_ns)
