"""The handles of the latest instrumented operation, written only when somebody asks."""

from contextvars import ContextVar
from typing import Final, Protocol

from tocsin._process.boundary import Swallow

_IN_HANDLE: Final = Swallow("last_calls")


class Answered(Protocol):
    """An operation whose calls can be named."""

    def handles(self) -> tuple[str, ...]:
        """Name its calls, in row order."""
        ...


LAST: Final[ContextVar[Answered | None]] = ContextVar("tocsin_last_calls", default=None)


def last_calls() -> tuple[str, ...]:
    """Return the handles of the latest instrumented operation in this context, one per row, in row order.

    Rows that a sample left out (batches above the limit) have an empty handle, so that rows and handles pair up.
    """
    with _IN_HANDLE:
        last = LAST.get()
        return last.handles() if last is not None else ()
    return ()
