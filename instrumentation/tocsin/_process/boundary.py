"""The one place that swallows: what goes wrong inside tocsin stays inside, is counted, and is logged once."""

import contextlib
import logging
import threading
from types import TracebackType
from typing import Final

_LOGGER: Final = logging.getLogger("tocsin")


class Mishaps:
    """Counts of what was swallowed, by place. One log line per place and kind of error, never one per call."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._counts: dict[str, int] = {}
        self._logged: set[tuple[str, str]] = set()

    def note(self, where: str, error: BaseException) -> None:
        """Count one error; log it when this place has not failed in this way before."""
        kind = type(error).__name__
        with self._lock:
            self._counts[where] = self._counts.get(where, 0) + 1
            new = (where, kind) not in self._logged
            self._logged.add((where, kind))
        if new:
            self._log(where, kind, error)

    def counts(self) -> dict[str, int]:
        """Say how often each place failed."""
        with self._lock:
            return dict(self._counts)

    def forget(self) -> None:
        """Start over, with a lock of our own: after a fork, and between tests."""
        self._lock = threading.RLock()
        self._counts = {}
        self._logged = set()

    @staticmethod
    def _log(where: str, kind: str, error: BaseException) -> None:
        # A host's broken log handler must not reach the host through us.
        with contextlib.suppress(Exception):
            _LOGGER.warning(
                "tocsin swallowed %s in %s; your code is unaffected, tocsin.stats() counts further ones",
                kind,
                where,
                exc_info=(type(error), error, error.__traceback__),
            )


def type_name(error: BaseException) -> str:
    """Name an exception as OpenTelemetry's ``error.type`` does."""
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


MISHAPS: Final = Mishaps()


class Swallow:
    """Let nothing that is an ``Exception`` out of a ``with`` block; reusable, since it holds no state.

    ``KeyboardInterrupt``, ``SystemExit`` and cancellation are the host's own and pass.
    """

    __slots__ = ("_where",)

    def __init__(self, where: str) -> None:
        self._where = where

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        if error is None or not isinstance(error, Exception):
            return False
        MISHAPS.note(self._where, error)
        return True
