"""The handles of the latest instrumented operation, written only when somebody asks."""

from collections.abc import Sequence
from contextvars import ContextVar
from typing import Final, Protocol

from opentelemetry.trace import SpanContext

from tocsin._calls.handles import call_id, handle_of
from tocsin._calls.values import Scalar
from tocsin._process.boundary import Swallow

_IN_HANDLE: Final = Swallow("last_calls")


class Answered(Protocol):
    """An operation whose calls can be named."""

    def handles(self) -> tuple[str, ...]:
        """Name its calls, in row order."""
        ...


LAST: Final[ContextVar[Answered | None]] = ContextVar("tocsin_last_calls", default=None)


class LastBatch:
    """The latest batch, whose handles are written only when somebody asks."""

    def __init__(
        self,
        rows: list[dict[str, Scalar]],
        contexts: Sequence[SpanContext],
        chosen: Sequence[int] | None,
        *,
        count: int,
        use_case: str,
        started_ns: int,
        segments: tuple[str, ...],
    ) -> None:
        self._rows = rows
        self._contexts = contexts
        self._chosen = chosen
        self._count = count
        self._use_case = use_case
        self._started_ns = started_ns
        self._segments = segments
        self._handles: tuple[str, ...] | None = None

    def handles(self) -> tuple[str, ...]:
        """Write the handles, one per row of the batch; empty for rows that the sample left out."""
        if self._handles is None:
            handles = [""] * self._count
            places = self._chosen if self._chosen is not None else range(self._count)
            for at, row, context in zip(places, self._rows, self._contexts, strict=False):
                handles[at] = handle_of(
                    row,
                    use_case=self._use_case,
                    call_id=call_id(context.trace_id, context.span_id),
                    started_ns=self._started_ns,
                    segments=self._segments,
                )
            self._handles = tuple(handles)
        return self._handles


def last_calls() -> tuple[str, ...]:
    """Return the handles of the latest instrumented operation in this context, one per row, in row order.

    Rows that a sample left out (batches above the limit) have an empty handle, so that rows and handles pair up.
    """
    with _IN_HANDLE:
        last = LAST.get()
        return last.handles() if last is not None else ()
    return ()
