"""Asks a model in the background while its fallback is served, so that a tripped feature can be measured.

Bounded: what does not fit is left out and counted. Nothing of it reaches the caller: not the answer, not an error, not the
time it takes. Errors are on the probe's span, like those of any call.
"""

import asyncio
import contextlib
import contextvars
import threading
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Final

from tocsin._process.boundary import Swallow

_MOST_THREADS: Final = 4
_MOST_WAITING: Final = 16
_MOST_TASKS: Final = 16
_IDLE_S: Final = 5.0  # a thread without work ends; the next probe starts another
_IN_PROBE: Final = Swallow("guard.probe")


class Probes:
    """The background of one process. Its threads are daemons: a model that hangs must not keep the host from ending."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: deque[Callable[[], object]] = deque()
        self._threads = self._idle = self._busy = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_closed = False
        self.started = 0
        self.dropped = 0

    def run(self, probe: Callable[[], object]) -> bool:
        """Run a probe on a thread, in the caller's context; false when there is no room for it."""
        with _IN_PROBE:
            context = contextvars.copy_context()
            with self._changed:
                if self._is_closed or len(self._waiting) >= _MOST_WAITING:
                    self.dropped += 1
                    return False
                self.started += 1
                self._waiting.append(lambda: context.run(probe))
                if self._idle < len(self._waiting) and self._threads < _MOST_THREADS:
                    self._threads += 1
                    threading.Thread(target=self._work, name="tocsin-probe", daemon=True).start()
                self._changed.notify()
            return True
        return False

    def run_async(self, probe: Callable[[], Coroutine[Any, Any, object]]) -> bool:
        """Run a probe as a task of the running loop; false when there is no room for it, or no loop of asyncio's."""
        with _IN_PROBE:
            if self._is_closed or len(self._tasks) >= _MOST_TASKS:
                self.dropped += 1
                return False
            task = asyncio.get_running_loop().create_task(_quietly(probe), name="tocsin-probe")
            self.started += 1
            self._tasks.add(task)  # a task that nobody holds may be collected while it runs
            task.add_done_callback(self._tasks.discard)
            return True
        return False

    def wait(self, timeout_s: float) -> bool:
        """Wait until no thread has a probe left; false when one is not done in time. Tasks are the loop's to wait for."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._waiting and not self._busy, timeout_s)

    def close(self) -> None:
        """Take no more; what waits is left out."""
        with self._changed:
            self._is_closed = True
            self.dropped += len(self._waiting)
            self._waiting.clear()
            self._changed.notify_all()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._idle += 1
                self._changed.wait_for(lambda: self._waiting or self._is_closed, _IDLE_S)
                self._idle -= 1
                if not self._waiting:
                    self._threads -= 1
                    return
                probe = self._waiting.popleft()
                self._busy += 1
            with contextlib.suppress(BaseException):  # the model's own, and on its span; nobody is left to catch it
                probe()
            del probe
            with self._changed:
                self._busy -= 1
                self._changed.notify_all()


async def _quietly(probe: Callable[[], Coroutine[Any, Any, object]]) -> None:
    with contextlib.suppress(Exception):  # as above
        await probe()
