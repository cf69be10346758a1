"""One AI call while it happens: current in its context, a span when it ends."""

from contextvars import ContextVar, Token
from typing import Any, Final

from opentelemetry import context as otel_context
from opentelemetry.trace import Span, SpanContext, set_span_in_context

from tocsin._calls.handles import call_id, handle_of
from tocsin._calls.last import LAST
from tocsin._calls.record import Record
from tocsin._calls.starting import NOWHERE, Starter
from tocsin._process.boundary import Swallow, type_name
from tocsin_wire import attributes as keys

CURRENT: Final[ContextVar["Call | None"]] = ContextVar("tocsin_call", default=None)
_IN_PROMPT: Final = Swallow("call.set_prompt")
_IN_HANDLE: Final = Swallow("call.handle")


class Call(Record):
    """One AI call. Every method is safe: values that do not fit are cut, coerced or left out, and flagged."""

    __slots__ = ("_attached", "_context", "_name", "_segments", "_span", "_started_ns", "_starter")

    def __init__(
        self,
        starter: Starter,
        name: str,
        started_ns: int,
        said: dict[str, Any],
        segments: tuple[str, ...] = (),
    ) -> None:
        super().__init__(said)
        self._starter = starter
        self._name = name
        self._started_ns = started_ns
        self._segments = segments
        self._attached: tuple[Token[Call | None], Any] | None = None
        self._span: Span | None
        self._context: SpanContext
        self._span, self._context = starter.start(self, name, started_ns)

    def set_prompt(self, messages: Any, *, template: str | None = None, turn: int | None = None) -> None:
        """Give the prompt that a model is asked with: a text, or messages as clients take them.

        Features of it are measured on the exporting thread (``tocsin.input.prompt.*``); whether its words leave the process
        is the capture policy's to say. `template`, else the system messages, are hashed to its version where none is named.
        """
        with _IN_PROMPT:
            from tocsin._prompts.stage import Given

            self.deferred.append(Given(messages, template=template, turn=turn, call_id=self.call_id))

    @property
    def call_id(self) -> str:
        """The key by which outcomes find this call."""
        context = self._context
        return str(self._said.get(keys.CALL_ID) or call_id(context.trace_id, context.span_id))

    @property
    def handle(self) -> str:
        """What `record_outcome` wants, with the answer as known by now: read it after ``set_output``.

        Empty when nothing is recorded.
        """
        with _IN_HANDLE:
            if not self._context.is_valid:
                return ""
            known = self.settled()
            return handle_of(
                known,
                use_case=f"{self._starter.service_name}/{known.get(keys.MODEL_NAME) or self._name}",
                call_id=self.call_id,
                started_ns=self._started_ns,
                segments=self._segments,
            )
        return ""

    def handles(self) -> tuple[str, ...]:
        """Return the handle, as `last_calls` does."""
        return (self.handle,)

    @property
    def use_case(self) -> str | None:
        """The AI feature, when the call names one."""
        named = self._said.get(keys.USE_CASE)
        return str(named) if named else None

    def _enter(self) -> None:
        span = self._span
        if span is not None:
            self._attached = (CURRENT.set(self), otel_context.attach(set_span_in_context(span)))

    def _leave(self) -> None:
        attached = self._attached
        if attached is not None:
            self._attached = None
            try:
                CURRENT.reset(attached[0])
            except ValueError:  # left in another context than it was entered in: there is nothing to restore
                return
            otel_context.detach(attached[1])

    def _finish(self, error: BaseException | None = None, end_ns: int | None = None) -> None:
        """End the span. The first time counts."""
        span = self._span
        if span is None:
            return
        self._span = None  # the span knows the call: without this the two would wait for the garbage collector
        if error is not None:
            self._said[keys.ERROR_TYPE] = type_name(error)
        self._starter.end(self, span, error, end_ns)
        LAST.set(self)


def outside() -> Call:
    """Make a call that records nothing."""
    return Call(NOWHERE, "", 0, {})
