"""The host's span processors and ours, each shown every call by itself."""

from collections.abc import Sequence
from typing import Any, Final

from opentelemetry.sdk.trace import Span, SpanProcessor, SynchronousMultiSpanProcessor
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor

from tocsin._process.boundary import MISHAPS

_STOCK: Final = (SpanProcessor, BatchSpanProcessor, SimpleSpanProcessor)
_NO_START: Final = {one.on_start for one in _STOCK}
_NO_ENDING: Final = {getattr(one, "_on_ending", None) for one in _STOCK}


class Processors:
    """The span processors of a provider, looked at again when the host has added one."""

    def __init__(self, processor: Any) -> None:
        self._all = processor
        # One that raises must not keep the span from the others, so each is called by itself where that is what would happen.
        self._one_by_one = type(processor) is SynchronousMultiSpanProcessor
        self._known: Sequence[SpanProcessor] | None = None
        self._on_start: tuple[SpanProcessor, ...] = ()
        self.on_ending: tuple[SpanProcessor, ...] = ()
        self._on_end: tuple[SpanProcessor, ...] = ()

    def started(self, span: Span) -> None:
        """Show a span that has just started to those who look at that."""
        if getattr(self._all, "_span_processors", None) is not self._known or self._known is None:
            self._look()
        for one in self._on_start:
            try:
                one.on_start(span)
            except Exception as error:
                MISHAPS.note("observe.begin", error)

    def ended(self, span: Span) -> None:
        """Show an ended span to all."""
        for one in self._on_end:
            try:
                one.on_end(span)
            except Exception as error:
                MISHAPS.note("observe.end", error)

    def ending(self, span: Span) -> None:
        """Show a span that is about to end to those who look at that."""
        for one in self.on_ending:
            try:
                one._on_ending(span)  # noqa: SLF001 - OpenTelemetry's name for it, so far
            except Exception as error:
                MISHAPS.note("observe.end", error)

    def _look(self) -> None:
        known = getattr(self._all, "_span_processors", None)
        each = known if known is not None else (self._all,)
        each = [one for one in each if not getattr(one, "ignores_calls", False)]
        self._on_start = tuple(one for one in each if getattr(type(one), "on_start", None) not in _NO_START)
        self.on_ending = tuple(one for one in each if getattr(type(one), "_on_ending", None) not in _NO_ENDING)
        self._on_end = tuple(each) if self._one_by_one else (self._all,)
        self._known = known  # last: another thread's first call, that found it known, would show its end to nobody
