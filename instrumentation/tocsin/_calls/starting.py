"""Where the spans of calls come from, as a call sees it."""

from typing import TYPE_CHECKING, Final, Protocol

from opentelemetry.trace import INVALID_SPAN_CONTEXT, Span, SpanContext

if TYPE_CHECKING:
    from tocsin._calls.call import Call


class Starter(Protocol):
    """Starts and ends the spans of calls under one tracer."""

    @property
    def service_name(self) -> str:
        """What the collector will read as the service."""
        ...

    def start(self, call: "Call", name: str, started_ns: int, /) -> tuple[Span | None, SpanContext]:
        """Open a span under the current one; None when there is nothing to end."""
        ...

    def end(self, call: "Call", span: Span, error: BaseException | None, end_ns: int | None, /) -> None:
        """Close it and show it to the processors."""
        ...


class _Nowhere:
    """Records nothing."""

    service_name = ""

    def start(self, _call: "Call", _name: str, _started_ns: int, /) -> tuple[Span | None, SpanContext]:
        return None, INVALID_SPAN_CONTEXT

    def end(self, _call: "Call", _span: Span, _error: BaseException | None, end_ns: int | None, /) -> None:
        """Do nothing."""


NOWHERE: Final[Starter] = _Nowhere()
