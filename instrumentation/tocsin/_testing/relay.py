"""Where the spans of captured blocks go: one provider for all captures of a process, which hands spans to the latest.

Instrumentors take their tracer once and keep it, so each capture cannot have a provider of its own.
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, SpanProcessor
from opentelemetry.sdk.trace.id_generator import IdGenerator

from tocsin._genai.processor import Completing
from tocsin._process.providers import StandIn
from tocsin._process.runtime import runtime

_AI: Final = ("tocsin.", "gen_ai.", "llm.", "openinference.", "traceloop.")


class _Counting(IdGenerator):
    """Ids that count from 1, for each capture anew."""

    def __init__(self) -> None:
        self.traces = self.spans = 0

    def generate_trace_id(self) -> int:
        self.traces += 1
        return self.traces

    def generate_span_id(self) -> int:
        self.spans += 1
        return self.spans


class _Handing(SpanProcessor):
    """Hands ended spans to whoever captures now; nobody, between captures."""

    def __init__(self) -> None:
        self.takers: list[Callable[[ReadableSpan], None]] = []

    def on_end(self, span: ReadableSpan) -> None:
        if self.takers and any(key.startswith(_AI) for key in span.attributes or ()):
            self.takers[-1](span)


class Relay(StandIn):
    """The provider of captured blocks; between them its tracers are the process's own."""

    def __init__(self) -> None:
        super().__init__(Resource({"service.name": "tests"}), SpanLimits(max_span_attributes=512))
        self.ids = _Counting()
        self.id_generator = self.ids  # type: ignore[assignment]
        self._handing = _Handing()
        self.add_span_processor(Completing())
        self.add_span_processor(self._handing)

    @property
    def successor(self) -> trace.TracerProvider | None:
        """Whose spans these are while nothing is captured."""
        handing = self.__dict__.get("_handing")
        if handing is None or handing.takers:
            return None
        others = trace.get_tracer_provider()
        return None if others is self or isinstance(others, trace.ProxyTracerProvider) else others

    @successor.setter
    def successor(self, other: Any) -> None:
        """Stay: a capture ends by itself."""

    @contextlib.contextmanager
    def handing_to(self, taker: Callable[[ReadableSpan], None]) -> Iterator[None]:
        """Hand over the spans of a block, other instrumentors' too where the host has no provider of its own."""
        counted = self.ids.traces, self.ids.spans
        self.ids.traces = self.ids.spans = 0
        own = runtime().provider
        moved = own if isinstance(own, StandIn) and own is not self else None
        alone = isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)
        self._handing.takers.append(taker)
        if moved is not None:
            moved.successor = self
        if alone:
            trace._TRACER_PROVIDER = self  # noqa: SLF001 - as `StandIn`: without using up the host's one chance
        try:
            yield
        finally:
            self._handing.takers.pop()
            self.ids.traces, self.ids.spans = counted
            if moved is not None:
                moved.successor = None
            if alone and trace._TRACER_PROVIDER is self:  # noqa: SLF001
                trace._TRACER_PROVIDER = None  # noqa: SLF001


class _Holder:
    """The process's one relay."""

    relay: Relay | None = None


def relay() -> Relay:
    """Return the relay, made at the first capture."""
    if _Holder.relay is None:
        _Holder.relay = Relay()
    return _Holder.relay
