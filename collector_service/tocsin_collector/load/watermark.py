"""Up to when everything is loaded: by arrival, and by the data's own clock."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from tocsin_collector.instants import instant
from tocsin_collector.spool.segments import Segment


@dataclass(frozen=True, slots=True, kw_only=True)
class Watermark:
    """Both clocks; None before anything was loaded."""

    complete_to: datetime  # everything received before this is loaded
    data_complete_to: datetime | None  # the latest end of any loaded span


class WatermarkKeeper:
    """Knows what is sealed and not yet loaded."""

    def __init__(self, clock: Callable[[], int], unsealed: Callable[[], int | None]) -> None:
        self._clock = clock
        self._unsealed = unsealed
        self._lock = threading.Lock()
        self._sealed: dict[str, int] = {}  # path: first received
        self._data_complete_to_ns = 0
        self._ahead: list[tuple[int, int]] = []  # first received, latest end: loaded while an earlier one still waits

    def restore(self, data_complete_to_ns: int) -> None:
        """Go on from where an earlier run was."""
        with self._lock:
            self._data_complete_to_ns = max(self._data_complete_to_ns, data_complete_to_ns)

    def sealed(self, segment: Segment) -> None:
        """Note a segment that waits to be loaded."""
        with self._lock:
            self._sealed[str(segment.path)] = segment.first_received_ns

    def loaded(self, segment: Segment) -> None:
        """Note that a segment's rows can be queried; the data's clock waits for those that were received before it."""
        with self._lock:
            self._sealed.pop(str(segment.path), None)
            self._ahead.append((segment.first_received_ns, segment.last_end_ns))
            oldest_ns = min(self._sealed.values(), default=None)
            reached = [one for one in self._ahead if oldest_ns is None or one[0] < oldest_ns]
            self._ahead = [one for one in self._ahead if one not in reached]
            self._data_complete_to_ns = max([self._data_complete_to_ns, *(end_ns for _, end_ns in reached)])

    def is_empty(self) -> bool:
        """Whether nothing waits to be loaded."""
        with self._lock:
            return not self._sealed and self._unsealed() is None

    def read(self) -> Watermark:
        """Read both clocks."""
        complete_to_ns, data_ns = self.read_ns()
        return Watermark(complete_to=instant(complete_to_ns), data_complete_to=instant(data_ns) if data_ns else None)

    def read_ns(self) -> tuple[int, int]:
        """Read both clocks in nanoseconds; a data clock of 0 is unknown."""
        now_ns = self._clock()
        unsealed_ns = self._unsealed()  # before the sealed ones: a request moves from here to there, never back
        with self._lock:
            oldest = [*self._sealed.values(), *([] if unsealed_ns is None else [unsealed_ns])]
            return min(now_ns, *oldest) if oldest else now_ns, self._data_complete_to_ns
