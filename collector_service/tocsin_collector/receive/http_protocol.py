"""One HTTP connection, with the patience that uvicorn leaves out: for a request's head, and for how many wait at once."""

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol


class Patience:
    """What every connection of a listener goes by."""

    def __init__(self, *, head_timeout_s: float, max_connections: int) -> None:
        self.head_timeout_s = head_timeout_s
        self.max_connections = max_connections

    def protocol(self) -> type[H11Protocol]:
        """Make the class that uvicorn is given; it makes one object of it a connection."""
        return type("PatientProtocol", (_PatientProtocol,), {"patience": self})


class _PatientProtocol(H11Protocol):
    """Closes a connection whose request does not begin, or whose head does not end, in time."""

    patience: Patience
    idle_since_s: float = 0.0  # of the loop's clock
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        super().connection_made(transport)
        self.idle_since_s = self.loop.time()
        self._wait()
        if len(self.connections) > self.patience.max_connections:
            self._make_room()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.is_busy:
            self._stop_waiting()
        elif self._timer is None and self.timeout_keep_alive_task is None:
            self._wait()  # the first bytes of a further request

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        self.idle_since_s = self.loop.time()
        super().on_response_complete()

    @property
    def is_busy(self) -> bool:
        """Whether a request is being read or answered."""
        return self.cycle is not None and not self.cycle.response_complete

    def _make_room(self) -> None:
        others: Any = (each for each in tuple(self.connections) if each is not self and not _is_busy(each))
        longest = min(others, key=lambda each: each.idle_since_s, default=self)
        longest.transport.abort()

    def _wait(self) -> None:
        self._timer = self.loop.call_later(self.patience.head_timeout_s, self._give_up)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up(self) -> None:
        self._timer = None
        if not self.is_busy:
            self.transport.abort()


def _is_busy(connection: Any) -> bool:
    return isinstance(connection, _PatientProtocol) and connection.is_busy
