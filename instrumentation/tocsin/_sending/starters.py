"""Who starts the spans of calls: the short way under OpenTelemetry's own tracer, the ordinary way under any other."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from opentelemetry import trace
from opentelemetry.sdk.trace import Tracer
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, DEFAULT_ON, Decision
from opentelemetry.trace import INVALID_SPAN, NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from tocsin._calls.starting import Starter
from tocsin._process.boundary import MISHAPS, type_name
from tocsin._sending.processors import Processors
from tocsin._sending.rows import Rows, RowSpan
from tocsin._sending.spans import CallSpan, is_plain

if TYPE_CHECKING:
    from tocsin._calls.call import Call
    from tocsin._process.runtime import Runtime

_SAMPLED: Final = TraceFlags.SAMPLED
_RANDOM: Final[int] = getattr(TraceFlags, "RANDOM_TRACE_ID", 0)  # since 1.38


def starter_of(runtime: "Runtime", tracer: trace.Tracer) -> Starter:
    """Choose the way for a tracer."""
    if is_plain(tracer) and type(getattr(tracer, "_tracer_metrics", None)).__name__ in _UNCOUNTED:
        return LightStarter(runtime, tracer)
    return OrdinaryStarter(runtime, tracer)


_UNCOUNTED: Final = {"NoneType", "NoOpTracerMetrics"}  # a tracer that counts its spans must start them itself


class OrdinaryStarter:
    """Starts recording spans of whatever tracer the host has, filled just before they end."""

    def __init__(self, runtime: "Runtime", tracer: trace.Tracer) -> None:
        self._runtime = runtime
        self._tracer = tracer

    @property
    def service_name(self) -> str:
        return self._runtime.service_name

    def start(self, call: "Call", name: str, started_ns: int, /) -> tuple[trace.Span | None, SpanContext]:
        span = self._tracer.start_span(name, attributes=call.settled(), start_time=started_ns)
        return span, span.get_span_context()

    def end(self, call: "Call", span: trace.Span, error: BaseException | None, end_ns: int | None, /) -> None:
        if span.is_recording():
            if error is not None:
                span.set_status(StatusCode.ERROR, type_name(error))
            limit = getattr(getattr(span, "_limits", None), "max_span_attributes", None)
            settled = call.settled(limit=limit)
            call.run_deferred(settled)
            span.set_attributes(settled)
        span.end(end_time=self._runtime.clock() if end_ns is None else end_ns)

    def send(self, name: str, rows: Rows, *, start_ns: int, end_ns: int, status: Status) -> None:
        spans = [self._tracer.start_span(name, start_time=start_ns) for _ in range(len(rows))]
        rows.contexts = [span.get_span_context() for span in spans]
        for at, span in enumerate(spans):
            span.set_attributes(rows.row(at))
            if not status.is_unset:
                span.set_status(status)
            span.end(end_time=end_ns)


class LightStarter:
    """Starts `CallSpan`s as OpenTelemetry's tracer would its own: ids, parent, sampler and processors are the host's."""

    def __init__(self, runtime: "Runtime", tracer: Tracer) -> None:
        self._runtime = runtime
        self._tracer = tracer
        self._scope = runtime.scope
        self._limits = getattr(tracer, "_span_limits", None)
        self._new_trace_id = tracer.id_generator.generate_trace_id
        self._new_span_id = tracer.id_generator.generate_span_id
        is_random = getattr(tracer.id_generator, "is_trace_id_random", None)
        self._root_flags = TraceFlags(_SAMPLED | (_RANDOM if is_random is not None and is_random() else 0))
        self._is_enabled = getattr(tracer, "_is_enabled", None)
        # The two samplers that nearly everybody has need no asking: 2 µs.
        self._takes_all = tracer.sampler is ALWAYS_ON
        self._takes_parents = tracer.sampler is DEFAULT_ON
        self.processors = Processors(tracer.span_processor)

    @property
    def service_name(self) -> str:
        return self._runtime.service_name

    def start(self, call: "Call", name: str, started_ns: int, /) -> tuple[trace.Span | None, SpanContext]:
        if not self.is_enabled():
            return NonRecordingSpan(trace.get_current_span().get_span_context()), trace.INVALID_SPAN_CONTEXT
        above, trace_id, flags, state, is_recording, added = self.place(name, call.settled)
        if not is_recording and self._runtime.delivery is None:
            context = SpanContext(trace_id, self._new_span_id(), False, flags, state)
            return NonRecordingSpan(context), context
        context = SpanContext(trace_id, self._new_span_id(), False, flags, state)
        span = CallSpan(name, context, above, self._tracer.resource, self._scope, started_ns)
        span._limits = self._limits
        span._call = call
        span._given = added
        if is_recording:
            self.processors.started(span)
        else:  # the host's sampling is for the host's traces: what calls cost, and how good they are, is counted whole
            span.is_ours_alone = True
        return span, context

    def place(
        self, name: str, settled: Callable[[], Mapping[str, Any]]
    ) -> tuple[SpanContext | None, int, TraceFlags, Any, bool, dict[str, Any] | None]:
        """Find a new span's place: its parent, trace id, flags and state, whether the host records it, what its sampler adds."""
        around = trace.get_current_span()
        above = around.get_span_context() if around is not INVALID_SPAN else None
        if above is None or not above.is_valid:
            above, state = None, None
            trace_id, flags = self._new_trace_id(), self._root_flags
        else:
            trace_id, flags, state = above.trace_id, above.trace_flags, above.trace_state
        if not (self._takes_all or (self._takes_parents and (above is None or flags & _SAMPLED))):
            flags, state, is_recording, added = self._ask(settled(), name, trace_id, flags)
            return above, trace_id, flags, state, is_recording, added
        if not flags & _SAMPLED:
            flags = TraceFlags(flags | _SAMPLED)
        return above, trace_id, flags, state, True, None

    def send(self, name: str, rows: Rows, *, start_ns: int, end_ns: int, status: Status) -> None:
        if not self.is_enabled():
            return
        above, trace_id, flags, state, is_recording, added = self.place(name, lambda: rows.shared)
        delivery = self._runtime.delivery
        if not is_recording and delivery is None:
            return
        resource, scope, new_span_id = self._tracer.resource, self._scope, self._new_span_id
        rows.contexts = [SpanContext(trace_id, new_span_id(), False, flags, state) for _ in range(len(rows))]
        processors = self.processors
        for at, context in enumerate(rows.contexts):
            span = RowSpan(name, context, above, resource, scope, start_ns)
            span._rows, span._at, span._status, span._given = rows, at, status, added
            if is_recording:
                processors.started(span)
                if processors.on_ending:
                    processors.ending(span)
                span._end_time = end_ns
                processors.ended(span)
            elif delivery is not None:
                span.is_ours_alone = True
                span._end_time = end_ns
                delivery.on_end(span)

    def is_enabled(self) -> bool:
        """Tell whether the host has not switched our tracer off."""
        return self._is_enabled is None or bool(self._is_enabled())

    def _ask(
        self, said: Mapping[str, Any], name: str, trace_id: int, flags: TraceFlags
    ) -> tuple[TraceFlags, Any, bool, dict[str, Any] | None]:
        """Have the host's sampler decide; what it adds to the span is kept."""
        decided = self._tracer.sampler.should_sample(None, trace_id, name, SpanKind.INTERNAL, said, ())
        added = {key: value for key, value in (decided.attributes or {}).items() if key not in said}
        decision = decided.decision
        sampled = _SAMPLED if decision is Decision.RECORD_AND_SAMPLE else 0
        flags = TraceFlags(sampled | (flags & _RANDOM))
        return flags, decided.trace_state, decision is not Decision.DROP, added or None

    def end(self, call: "Call", span: trace.Span, error: BaseException | None, end_ns: int | None, /) -> None:
        if not isinstance(span, CallSpan):  # not sampled
            return
        if error is not None:
            span._status = Status(StatusCode.ERROR, type_name(error))
        if span.is_ours_alone:
            span._end_time = self._now(call) if end_ns is None else end_ns
            if self._runtime.delivery is not None:
                self._runtime.delivery.on_end(span)
            return
        self.processors.ending(span)
        span._end_time = self._now(call) if end_ns is None else end_ns
        self.processors.ended(span)

    def _now(self, call: "Call") -> int:
        try:
            return self._runtime.clock()
        except Exception as error:
            MISHAPS.note("observe.end", error)
            return call._started_ns
