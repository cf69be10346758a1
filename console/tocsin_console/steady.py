"""A clock that does not jump: what the time of day does at once is believed after ten minutes, if it is still so then.

Hours that were jumped over have no calls, and rules would page for that; hours that come again were judged already. Time in which
the machine slept is no jump, as far as the system counts it.
"""

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

BELIEVED_AFTER_S: Final = 600.0
_JUMP_S: Final = 60.0
_log = logging.getLogger(__name__)


class SteadyClock:
    """The time of day, callable from any thread.

    Args:
        wall: The time of day as the system tells it.
        elapsed: Seconds on a clock that nobody sets.
    """

    def __init__(self, wall: Callable[[], datetime], *, elapsed: Callable[[], float]) -> None:
        self._wall = wall
        self._elapsed = elapsed
        self._lock = threading.Lock()
        self._last, self._read_s = wall(), elapsed()
        self._jumped_s: float | None = None

    def __call__(self) -> datetime:
        """Tell the time."""
        with self._lock:
            wall, at_s = self._wall(), self._elapsed()
            expected = self._last + timedelta(seconds=at_s - self._read_s)
            self._last, self._read_s = self._believed(wall, expected, at_s), at_s
            return self._last

    def _believed(self, wall: datetime, expected: datetime, at_s: float) -> datetime:
        if abs((wall - expected).total_seconds()) <= _JUMP_S:
            self._jumped_s = None
            return wall
        if self._jumped_s is None:
            self._jumped_s = at_s
            said = "the clock was set from %s to %s: evaluation goes on by the former for ten minutes, in case it is set back"
            _log.warning(said, expected.isoformat(timespec="seconds"), wall.isoformat(timespec="seconds"))
        if at_s - self._jumped_s < BELIEVED_AFTER_S:
            return expected
        self._jumped_s = None
        _log.warning("the clock is believed from here on: it is %s", wall.isoformat(timespec="seconds"))
        return wall
