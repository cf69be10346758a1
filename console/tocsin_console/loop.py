"""A thread that does one thing again and again, and survives what goes wrong in it."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

_LONGEST_BACKOFF_S = 60.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopStats:
    """How a loop fares."""

    turns: int
    failures: int
    consecutive_failures: int
    last_error: str
    is_alive: bool
    since_turn_s: float | None = None  # since the last turn that succeeded, or the start
    period_s: float = 0.0  # it turns at least this often


class Loop:
    """Runs ``turn`` when woken and at least every ``period_s``; a failed turn is tried again with growing patience."""

    def __init__(self, name: str, turn: Callable[[], object], *, period_s: float) -> None:
        self._name = name
        self._turn = turn
        self._period_s = period_s
        self._woken = threading.Event()
        self._stopping = threading.Event()
        self._turns = self._failures = self._in_a_row = 0
        self._last_error = ""
        self._turned_at_s = time.monotonic()
        self._thread = threading.Thread(target=self._run, name=f"tocsin-{name}", daemon=True)

    def start(self) -> None:
        """Begin with a first turn."""
        self._woken.set()
        self._thread.start()

    def wake(self) -> None:
        """Take a turn soon: now, or when the present one ends."""
        self._woken.set()

    def stop(self, *, timeout_s: float) -> bool:
        """Let the present turn finish and end; says whether it did in time."""
        self._stopping.set()
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def stats(self) -> LoopStats:
        """Say how it fares."""
        return LoopStats(
            turns=self._turns,
            failures=self._failures,
            consecutive_failures=self._in_a_row,
            last_error=self._last_error,
            is_alive=self._thread.is_alive(),
            since_turn_s=time.monotonic() - self._turned_at_s,
            period_s=self._period_s,
        )

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wait()
            if self._stopping.is_set():
                return
            self._woken.clear()
            try:
                self._turn()
            except Exception as error:  # noqa: BLE001 - the loop's promise: logged, counted, tried again
                self._failures += 1
                self._in_a_row += 1
                self._last_error = f"{type(error).__name__}: {error}"
                _log.exception("the %s loop failed %d times in a row; trying again", self._name, self._in_a_row)
            else:
                self._in_a_row = 0
                self._turns += 1
                self._turned_at_s = time.monotonic()

    def _wait(self) -> None:
        if self._in_a_row:  # being woken does not shorten a backoff, ending does
            self._stopping.wait(min(_LONGEST_BACKOFF_S, self._period_s * 2 ** (self._in_a_row - 1)))
        else:
            self._woken.wait(self._period_s)
