"""The spans of a batch: one per row, all in one trace, their attributes read from the batch when somebody asks."""

from collections.abc import Sequence
from typing import Any, Protocol

from opentelemetry.trace import SpanContext

from tocsin._calls.values import Scalar
from tocsin._sending.spans import CallSpan


class Rows(Protocol):
    """Calls whose attributes can be read later."""

    contexts: Sequence[SpanContext]

    def __len__(self) -> int: ...

    @property
    def shared(self) -> dict[str, Scalar]:
        """What all say alike."""
        ...

    def row(self, at: int, /) -> dict[str, Scalar]:
        """Read one's attributes."""
        ...


class RowSpan(CallSpan):
    """The span of one row."""

    _rows: Rows | None = None
    _at = 0

    @property
    def _attributes(self) -> dict[str, Any]:  # type: ignore[override]
        rows = self._rows  # first: once it is gone, the whole is there
        if self._whole is not None or rows is None:
            return self._whole or {}
        whole: dict[str, Any] = rows.row(self._at)
        if self._given:
            whole.update(self._given)
        if self._end_time is not None:
            self._whole = whole
            self._rows = None
        return whole
