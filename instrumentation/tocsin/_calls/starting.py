"""Where the spans of calls come from, as a call sees it."""

from typing import TYPE_CHECKING, Final, Protocol

from opentelemetry.trace import INVALID_SPAN_CONTEXT, Span, SpanContext

if TYPE_CHECKING:
    from opentelemetry.trace import Status

    from tocsin._calls.call import Call
    from tocsin._sending.rows import Rows


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

    def send(self, name: str, rows: "Rows", *, start_ns: int, end_ns: int, status: "Status") -> None:
        """Send one span per row: under the current span, else all in one trace. Tells the rows their contexts.

        The host's sampler is asked once for all of them.
        """
        ...


class _Nowhere:
    """Records nothing."""

    service_name = ""

    def start(self, _call: "Call", _name: str, _started_ns: int, /) -> tuple[Span | None, SpanContext]:
        return None, INVALID_SPAN_CONTEXT

    def end(self, _call: "Call", _span: Span, _error: BaseException | None, end_ns: int | None, /) -> None:
        """Do nothing."""

    def send(self, _name: str, _rows: "Rows", *, start_ns: int, end_ns: int, status: "Status") -> None:
        """Do nothing."""


NOWHERE: Final[Starter] = _Nowhere()
