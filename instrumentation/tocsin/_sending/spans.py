"""Calls as spans: light ones while they happen, whole ones when somebody reads them."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeGuard

from opentelemetry import trace
from opentelemetry.attributes import BoundedAttributes
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, Span, Tracer
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode

from tocsin._calls.values import UNCHANGING

if TYPE_CHECKING:
    from tocsin._calls.call import Call

UNSET: Final = Status(StatusCode.UNSET)
_MOST_EVENTS: Final = 128  # OpenTelemetry's own limit, for events and for links


class CallSpan(Span):
    """The span of one call: OpenTelemetry's to everybody who holds it, and nothing but references to us.

    Starting, filling and ending a recording span of OpenTelemetry's costs about 40 µs with thirty attributes. This one
    asks its call for them when they are first read after the end, which is on the exporting thread unless a processor of
    the host's reads them at once. What the host sets on it goes into the same place.
    """

    _instrumentation_info = None
    _kind = SpanKind.INTERNAL
    _events: Sequence[Event] = ()
    _links: Sequence[Link] = ()
    _status = UNSET
    _end_time: int | None = None
    _record_exception = False  # as `with span:` does; the call says what went wrong
    _set_status_on_exception = True
    _call: "Call | None" = None
    _given: dict[str, Any] | None = None  # what the host set on the span
    _whole: dict[str, Any] | None = None  # what it is made of in the end
    _limits: Any = None
    is_ours_alone = False  # the host's sampler left it out: none of the host's processors hears of it

    def __init__(  # noqa: PLR0917 - six names cost half a microsecond
        self,
        name: str,
        context: SpanContext,
        parent: SpanContext | None,
        resource: Resource,
        scope: InstrumentationScope,
        start_ns: int,
    ) -> None:
        self._name = name
        self._context = context
        self._parent = parent
        self._resource = resource
        self._instrumentation_scope = scope
        self._start_time = start_ns

    @property
    def _attributes(self) -> dict[str, Any]:  # type: ignore[override]
        call = self._call  # first: once it is gone, the whole is there
        if self._whole is not None or call is None:
            return self._whole or {}
        if self._end_time is None:
            return self._settled(call)
        whole = self._settled(call)
        call.run_deferred(whole)
        self._whole = whole
        self._call = None
        return whole

    def _settled(self, call: "Call") -> dict[str, Any]:
        settled = call.settled(limit=getattr(self._limits, "max_span_attributes", None))
        if self._given:
            settled.update(self._given)
        return settled

    def is_recording(self) -> bool:
        return self._end_time is None

    def set_attribute(self, key: str, value: Any) -> None:
        if self._end_time is None:
            self._give({key: value})

    def set_attributes(self, attributes: Mapping[str, Any]) -> None:
        if self._end_time is None:
            self._give(attributes)

    def _give(self, attributes: Mapping[str, Any]) -> None:
        if not UNCHANGING.issuperset(map(type, attributes.values())):
            # OpenTelemetry's own check, which copies sequences and leaves out what it does not take.
            attributes = dict(BoundedAttributes(attributes=attributes, immutable=False))
        into = self._whole if self._call is None else self._given
        if into is None:
            into = self._given = {}
        into.update((key, value) for key, value in attributes.items() if key and value is not None)

    def _add_event(self, event: Any) -> None:
        if self._end_time is None and len(self._events) < _MOST_EVENTS:
            self._events = (*self._events, event)

    def add_event(self, name: str, attributes: Any = None, timestamp: int | None = None) -> None:
        if self._end_time is None:
            self._add_event(Event(name, BoundedAttributes(attributes=attributes, immutable=True), timestamp))

    def add_link(self, context: SpanContext, attributes: Any = None) -> None:
        if self._end_time is None and context.is_valid and len(self._links) < _MOST_EVENTS:
            self._links = (*self._links, Link(context, BoundedAttributes(attributes=attributes, immutable=True)))

    def update_name(self, name: str) -> None:
        if self._end_time is None:
            self._name = name

    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        made = status if isinstance(status, Status) else Status(status, description)
        if self._end_time is None and self._status.status_code is not StatusCode.OK and not made.is_unset:
            self._status = made

    def start(self, start_time: int | None = None, parent_context: Any = None) -> None:
        """Do nothing: it was started when it was made."""

    def end(self, end_time: int | None = None) -> None:
        """End the call: the host ended its span by hand."""
        if self._call is not None:
            self._call._finish(end_ns=end_time)

    def _readable_span(self) -> ReadableSpan:
        return self


def is_plain(tracer: trace.Tracer) -> TypeGuard[Tracer]:
    """Tell whether spans may be made past a tracer: it is OpenTelemetry's own, or ours, and adds nothing to them."""
    return isinstance(tracer, Tracer) and type(tracer).__module__.partition(".")[0] in {"opentelemetry", "tocsin"}
