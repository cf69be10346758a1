"""The stream of guard states: one per process, on a thread of its own, reconnected for as long as the process lives."""

import threading
from collections.abc import Callable
from datetime import datetime
from random import SystemRandom
from typing import TYPE_CHECKING, Any, Final

from tocsin._guards.flags import Flags, FlagState, read_flags
from tocsin._process.boundary import MISHAPS, Swallow
from tocsin._process.settings import Address

if TYPE_CHECKING:
    import grpc

_BACKOFF_S: Final = (0.1, 0.2, 0.5, 1.0, 2.0)
_PROVIDER: Final = "tocsin-python"
_CHANCE: Final = SystemRandom()  # the host may have seeded the shared one, and counts on it
_NORMAL: Final = FlagState()
_IN_STREAM: Final = Swallow("guard.stream")


class FlagStream:
    """Keeps the last known flags in memory; reading them costs a dictionary look-up and never waits."""

    def __init__(self, address: Address, headers: tuple[tuple[str, str], ...] = ()) -> None:
        self._address = address
        self._headers = headers
        self._changed = threading.Condition()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None
        self._call: Any = None
        self.flags = Flags()
        self.connected = False  # has heard from the server on the present stream

    def start(self) -> None:
        """Start listening, once."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._listen, name="tocsin-guard", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Stop listening; the last known flags stay."""
        self._closed.set()
        if self._call is not None:
            with _IN_STREAM:
                self._call.cancel()
        with self._changed:
            self._changed.notify_all()

    def redirect(self, address: Address, headers: tuple[tuple[str, str], ...]) -> None:
        """Listen to another server from now on."""
        if (address, headers) == (self._address, self._headers):
            return
        self._address, self._headers = address, headers
        if self._call is not None:
            with _IN_STREAM:
                self._call.cancel()

    def state(self, use_case: str) -> FlagState:
        """Read the guard of a use case: as last heard, else normal."""
        return self.flags.states.get(use_case, _NORMAL)

    def wait_evaluated_through(self, when: datetime, timeout_s: float) -> bool:
        """Wait until the server has evaluated everything up to a moment; false when it has not in time."""
        return self.wait_for(
            lambda flags: flags.evaluated_through is not None and flags.evaluated_through >= when, timeout_s
        )

    def wait_for(self, condition: Callable[[Flags], bool], timeout_s: float) -> bool:
        """Wait until the flags fulfil a condition; woken by each push."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed.is_set() or condition(self.flags), timeout_s)
            return condition(self.flags)

    def after_fork(self) -> None:
        """Listen anew in a child, with what the parent knew."""
        was_listening = self._thread is not None and not self._closed.is_set()
        self._changed = threading.Condition()
        self._closed = threading.Event()
        self._thread = self._call = None
        self.connected = False
        if was_listening:
            self.start()

    def _listen(self) -> None:
        closed = self._closed
        failures = 0
        while not closed.is_set():
            self.connected = False
            try:
                self._follow()
            except Exception as error:
                if type(error).__module__.partition(".")[0] != "grpc":
                    MISHAPS.note("guard.stream", error)
            failures = 0 if self.connected else failures + 1
            backoff_s = _BACKOFF_S[min(failures, len(_BACKOFF_S) - 1)]
            closed.wait(backoff_s * _CHANCE.uniform(0.8, 1.2))  # so that a fleet does not return as one

    def _follow(self) -> None:
        """Read one stream until it breaks."""
        from tocsin._sending.channels import open_channel
        from tocsin_wire import flagd

        channel: grpc.Channel = open_channel(self._address)
        try:
            sync = channel.unary_stream(
                f"/{flagd.SERVICE}/{flagd.SYNC_FLAGS}",
                request_serializer=flagd.SyncFlagsRequest.SerializeToString,
                response_deserializer=flagd.SyncFlagsResponse.FromString,
            )
            self._call = sync(flagd.SyncFlagsRequest(provider_id=_PROVIDER), metadata=self._headers or None)
            for response in self._call:
                flags = read_flags(response.flag_configuration)
                with self._changed:
                    self.flags = flags
                    self.connected = True
                    self._changed.notify_all()
                if self._closed.is_set():
                    return
        finally:
            channel.close()
