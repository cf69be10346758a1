"""Which spans tell of which request, and what is written on them when they end.

Nobody passes us a span. What is known is the order of things in one context: an instrumentor starts its span, then the client
makes its request, and an SDK that emits spans itself starts its own while that goes on.
"""

from contextvars import ContextVar
from typing import Any, Final

from opentelemetry import baggage, trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.trace import Status, StatusCode

from tocsin._calls.call import CURRENT
from tocsin._genai import prompts
from tocsin._genai.completing import completed, is_request
from tocsin._genai.exchange import ACTIVE, Exchange, id_of
from tocsin._process.boundary import MISHAPS
from tocsin._process.runtime import SCOPE, runtime
from tocsin_wire import attributes as keys

_SCOPES: Final = (
    "opentelemetry.instrumentation.",  # web frameworks' too: some of these say what a span is about only when it ends
    "opentelemetry.util.genai",
    "openinference.",
    "com.anthropic.sdk",
)
_WORDS: Final = ("gen_ai.", "llm.", "openinference.", "traceloop.")
_NOTE: Final = "_tocsin_note"


class Note:
    """What was known where a span started."""

    __slots__ = ("before", "exchange", "is_inner", "is_sdks_own", "span", "use_case")

    def __init__(self, span: Span, before: "Note | None", use_case: str | None) -> None:
        self.span: Span | None = span
        self.before = before
        self.use_case = use_case
        self.exchange: Exchange | None = None
        self.is_sdks_own = False  # started by the client while it makes the request
        self.is_inner = False  # another span, further out, tells of the same request

    @property
    def is_free(self) -> bool:
        """Whether this span could tell of a request that is made now."""
        return self.exchange is None and self.span is not None and self.span.is_recording()


_LATEST: Final[ContextVar[Note | None]] = ContextVar("tocsin_latest_span", default=None)


class Completing(SpanProcessor):
    """Completes the spans of requests to generative models, whoever makes them."""

    ignores_calls = True  # our own calls know all this themselves

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:  # noqa: ARG002
        try:
            # A host's provider keeps us over a `shutdown`, and has us twice after the next `init`.
            if not _is_of_interest(span) or _NOTE in span.__dict__ or not runtime().started:
                return
            active = ACTIVE.get()
            before = _LATEST.get()
            note = Note(span, before if before is not None and before.is_free else None, use_case_here())
            span.__dict__[_NOTE] = note
            if not IS_TOLD_OF_ENDING:
                _keep_open(span, note)
            if active is not None:
                note.is_sdks_own = True
                if is_request(span.attributes or {}):  # and not what an instrumentor of HTTP tells of it
                    _join(note, active)
            else:
                _LATEST.set(note)
        except Exception as error:
            MISHAPS.note("genai.start", error)

    def _on_ending(self, span: Span) -> None:
        note = span.__dict__.pop(_NOTE, None)
        if note is not None:
            _end(span, note)

    def on_end(self, span: ReadableSpan) -> None:
        if _open and span.context is not None:
            note = _open.pop((span.context.trace_id, span.context.span_id), None)
            if note is not None:
                _end(span, note)


# OpenTelemetry before 1.40 tells of a span only when it has ended; its attributes are then still the ones that all are shown.
IS_TOLD_OF_ENDING: Final = hasattr(SpanProcessor, "_on_ending")
_MOST_OPEN: Final = 4_096
_open: Final[dict[tuple[int, int], Note]] = {}


def _keep_open(span: Span, note: Note) -> None:
    context = span.get_span_context()
    if len(_open) < _MOST_OPEN:
        _open[context.trace_id, context.span_id] = note


def _end(span: ReadableSpan, note: Note) -> None:
    try:
        note.span = note.before = None
        _complete(span, note)
    except Exception as error:
        MISHAPS.note("genai.end", error)


def claim(exchange: Exchange) -> None:
    """Find the spans that have been started to tell of a request that is now made."""
    found = []
    note = _LATEST.get()
    current: Any = trace.get_current_span()
    if note is None or not note.is_free:  # started in another context, such as a callback's, and passed on
        note = getattr(current, "__dict__", {}).get(_NOTE)
    while note is not None and note.is_free:
        assert note.span is not None  # noqa: S101 - what is free has one
        if is_request(note.span.attributes or {}):
            found.append(note)
        note = note.before
    for outermost_first in reversed(found):
        _join(outermost_first, exchange)


def end_left_open(exchange: Exchange) -> None:
    """End the spans of a stream that is gone, where its client's instrumentor has missed that."""
    for note in exchange.tellers:
        span = note.span
        if span is not None and span.is_recording() and not note.is_sdks_own and _is_about(span, exchange.provider):
            span.end()
    exchange.tellers.clear()


def use_case_here() -> str | None:
    """Name the use case of what happens in this context; None leaves it to the collector's map."""
    outer = CURRENT.get()
    if outer is not None and outer.use_case:
        return outer.use_case
    named = baggage.get_baggage(keys.USE_CASE)
    return str(named) if named else runtime().settings.use_case


def _join(note: Note, exchange: Exchange) -> None:
    span = note.span
    if span is None:
        return
    note.exchange = exchange
    exchange.tellers.append(note)
    if exchange.owner:
        note.is_inner = True
    else:
        exchange.owner = id_of(span, span.attributes or {})


def _is_about(span: Span, provider: str) -> bool:
    """Tell whether an instrumentor of the client itself made a span: a framework's knows of the stream's end by other ways."""
    scope = span.instrumentation_scope
    return scope is not None and provider in scope.name


def _is_of_interest(span: Span) -> bool:
    if not span.is_recording():
        return False
    scope = span.instrumentation_scope
    if scope is not None and (scope.name == SCOPE or scope.name.startswith(_SCOPES)):
        return scope.name != SCOPE
    return any(key.startswith(_WORDS) for key in span.attributes or ())


def _complete(span: ReadableSpan, note: Note) -> None:
    said = span.attributes or {}
    if not is_request(said):
        return
    exchange = note.exchange
    if exchange is not None and (exchange.is_under_way or not note.is_inner):
        exchange.let_go()
    added = completed(
        said,
        facts=exchange.facts() if exchange is not None else {},
        use_case=note.use_case,
        owner=exchange.owner if exchange is not None and note.is_inner else "",
    )
    if exchange is not None and exchange.error_type and span.status.status_code is not StatusCode.ERROR:
        span._status = Status(StatusCode.ERROR, exchange.error_type)  # noqa: SLF001 - it has ended, and says otherwise
    _write(span, added)
    if exchange is not None and not note.is_inner:
        context = span.context
        if context is not None:
            prompts.keep((context.trace_id, context.span_id), exchange)


def _write(span: ReadableSpan, added: dict[str, Any]) -> None:
    attributes: Any = span._attributes  # noqa: SLF001 - OpenTelemetry closes them just before it tells that a span ends
    was = getattr(attributes, "_immutable", None)
    if was is None:
        return
    attributes._immutable = False  # noqa: SLF001
    try:
        for key, value in added.items():
            attributes[key] = value
    finally:
        attributes._immutable = was  # noqa: SLF001
