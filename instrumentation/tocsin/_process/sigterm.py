"""SIGTERM: send what waits, then let the host's own handling happen as if we were not there."""

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any, Final

from tocsin._process.boundary import Swallow

_IN_SIGNAL: Final = Swallow("sigterm")


class Uninterrupted:
    """A stretch of the main thread's code that holds what a flush needs: our handler waits for its end.

    Python runs handlers on the main thread, between any two of its instructions; one that waits there for another thread
    to take a lock that the interrupted code holds would wait in vain.
    """

    def __init__(self) -> None:
        self.start_over()

    def start_over(self) -> None:
        """Be outside: a child has no such code under way, whatever its parent's main thread was at."""
        self.depth = 0
        self.waiting: Callable[[], None] | None = None

    def __enter__(self) -> None:
        if threading.current_thread() is threading.main_thread():
            self.depth += 1

    def __exit__(self, *_: object) -> None:
        if threading.current_thread() is threading.main_thread():
            self.depth -= 1
            if self.waiting is not None and not self.depth:
                handle, self.waiting = self.waiting, None
                handle()


UNINTERRUPTED: Final = Uninterrupted()


def flush_on_sigterm(flush: Callable[[], Any], *, within_s: float) -> None:
    """Flush before the default action of SIGTERM, which would lose everything that waits.

    A handler of the host's own is called at once, with a flush begun beside it: it decides whether and when to exit,
    and an ordinary exit flushes. An ignored SIGTERM stays ignored. Only the main thread may set handlers; elsewhere
    this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    previous = signal.getsignal(signal.SIGTERM)
    if previous is signal.SIG_IGN or previous is None:
        return

    def handle(signum: int, frame: FrameType | None) -> None:
        if UNINTERRUPTED.depth:
            UNINTERRUPTED.waiting = lambda: handle(signum, frame)
            return
        with _IN_SIGNAL:
            flusher = threading.Thread(target=flush, name="tocsin-sigterm", daemon=True)
            flusher.start()
            if not callable(previous):
                flusher.join(within_s)  # it may wait for what the interrupted code holds
        if callable(previous):
            previous(signum, frame)
            return
        signal.signal(signum, signal.SIG_DFL)
        os.kill(os.getpid(), signum)

    signal.signal(signal.SIGTERM, handle)
