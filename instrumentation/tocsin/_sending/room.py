"""The queue of a lane: bounded by items and by what they weigh.

Those who put in share no lock with the thread that takes out: a signal may interrupt the one at any place, and its handler
waits for the other.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final, NamedTuple

_UNWEIGHED: Final = 512  # that may wait before each newcomer is weighed: as a rule the thread keeps up
_LOOK_S: Final = 0.002


class _Weighed(NamedTuple):
    item: Any
    size: int


class Marker:
    """Stands in the queue behind everything that a flush waits for."""

    def __init__(self) -> None:
        self.reached = threading.Event()


class Room:
    """First in, first out."""

    def __init__(self, *, most_items: int, most_bytes: int, weigh: Callable[[Any], int], block_s: float) -> None:
        self._most_items = most_items
        self._most_bytes = most_bytes
        self._weigh = weigh
        self._block_s = block_s
        self._unweighed = min(_UNWEIGHED, most_items)
        self.waits: deque[Any] = deque()
        self._putting = threading.RLock()  # never taken by the thread; by a finalizer, perhaps, while it is held
        self._weight_in = self._weight_out = 0

    def count(self) -> int:
        """Count the items, without markers."""
        return sum(type(item) is not Marker for item in tuple(self.waits))

    def is_full(self) -> bool:
        """Tell whether there is no room for another one."""
        return len(self.waits) >= self._most_items

    def put(self, item: Any, wake_up: Callable[[], None]) -> bool:
        """Take an item; false when there is no room, nor any after the time that one may wait for it."""
        if len(self.waits) < self._unweighed:
            self.waits.append(item)
            return True
        size = self._weigh(item)
        until = time.monotonic() + self._block_s
        while self.is_full() or self._weight_in - self._weight_out + size > self._most_bytes:
            if not self._block_s or time.monotonic() > until:
                return False
            wake_up()
            time.sleep(_LOOK_S)
        with self._putting:
            self._weight_in += size
        self.waits.append(_Weighed(item, size))
        return True

    def take(self) -> Any:
        """Take the oldest item out, or a marker."""
        item = self.waits.popleft()
        if type(item) is _Weighed:
            self._weight_out += item.size
            return item.item
        return item
