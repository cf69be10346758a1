"""The stream of guard states: one per process, on a thread of its own, reconnected for as long as the process lives."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from random import SystemRandom
from typing import TYPE_CHECKING, Any, Final

from tocsin._guards.flag_cache import FlagCache
from tocsin._guards.flags import Flags, FlagState, more_careful, read_flags
from tocsin._guards.probes import Probes
from tocsin._process.boundary import MISHAPS, Swallow
from tocsin._process.settings import Address

if TYPE_CHECKING:
    import grpc

_BACKOFF_S: Final = (0.1, 0.2, 0.5, 1.0, 2.0)
_PROVIDER: Final = "tocsin-python"
_CHANCE: Final = SystemRandom()  # the host may have seeded the shared one, and counts on it
_UNKNOWN: Final = FlagState()
_PATIENCE_S: Final = 30.0  # a server that restarts is not yet unreachable
_IN_STREAM: Final = Swallow("guard.stream")


class FlagStream:
    """Keeps the last known flags in memory; reading them costs a dictionary look-up and never waits.

    Args:
        address: The guard's server.
        headers: Sent with the request, such as the ingest key.
        cache: Where the last known flags outlive this process; None: nowhere.
        fail_mode: At least this careful while the server is unreachable; None: as the plan last said.
        clock: Seconds, of which only differences count.
    """

    def __init__(
        self,
        address: Address,
        headers: tuple[tuple[str, str], ...] = (),
        *,
        cache: FlagCache | None = None,
        fail_mode: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._address = address
        self._headers = headers
        self._cache = cache
        self._fail_mode = fail_mode
        self._clock = clock
        self._changed = threading.Condition()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None
        self._call: Any = None
        self._lost_at_s: float | None = None  # None: nobody was ever heard
        self._while_away: dict[tuple[str, str], FlagState] = {}
        self._followers: list[Callable[[Flags], object]] = []
        self.probes = Probes()
        self.flags = Flags()
        self.connected = False  # has heard from the server on the present stream
        if cache is not None and (kept := cache.read()) is not None:
            self.flags = kept
            self._lost_at_s = clock()

    def start(self) -> None:
        """Start listening, once."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._listen, name="tocsin-guard", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Stop listening; the last known flags stay."""
        self._closed.set()
        self.probes.close()
        if self._call is not None:
            with _IN_STREAM:
                self._call.cancel()
        with self._changed:
            self._changed.notify_all()

    def redirect(
        self,
        address: Address,
        headers: tuple[tuple[str, str], ...],
        *,
        cache: FlagCache | None = None,
        fail_mode: str | None = None,
    ) -> None:
        """Listen to another server from now on, under other settings."""
        self._fail_mode = fail_mode
        if cache is not None and self._cache is None:
            self._cache = cache
            if self._lost_at_s is None and not self.connected and (kept := cache.read()) is not None:
                self.flags, self._lost_at_s = kept, self._clock()
        if (address, headers) == (self._address, self._headers):
            return
        self._address, self._headers = address, headers
        if self._call is not None:
            with _IN_STREAM:
                self._call.cancel()

    def state(self, use_case: str, fail_mode: str | None = None) -> FlagState:
        """Read the guard of a use case: as last heard, else normal, and while nobody answers at least the fail mode.

        A process that never heard the server is at its fail mode at once; one that lost it, after half a minute.
        """
        worked_out = self._while_away  # before the flags, so that what is worked out from old ones is kept with them
        known = self.flags.states.get(use_case, _UNKNOWN)
        if self.connected or self._thread is None:  # switched off, or told by a test
            return known
        careful = fail_mode or self._fail_mode or known.terms.fail_mode
        lost_at_s = self._lost_at_s
        if lost_at_s is not None and (careful == "normal" or self._clock() - lost_at_s < _PATIENCE_S):
            careful = "normal"
        away = worked_out.get((use_case, careful))
        if away is None:
            reason = "default" if lost_at_s is None else "stale"
            away = replace(known, state=more_careful(known.state, careful), reason=reason)
            worked_out[use_case, careful] = away
        return away

    def follow(self, follower: Callable[[Flags], object]) -> None:
        """Tell of each push from now on, on the stream's thread."""
        self._followers.append(follower)

    def hear(self, flags: Flags) -> None:
        """Take in what the server says, and wake who waits for it."""
        with self._changed:
            self.flags = flags
            self._while_away = {}
            self.connected = True
            self._changed.notify_all()
        for follower in self._followers:
            with _IN_STREAM:
                follower(flags)

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
        self.probes = Probes()
        self._lose()
        if was_listening:
            self.start()

    def _lose(self) -> None:
        if self.connected:
            self._while_away = {}
            self._lost_at_s = self._clock()
            self.connected = False

    def _listen(self) -> None:
        closed = self._closed
        failures = 0
        while not closed.is_set():
            try:
                self._follow()
            except Exception as error:
                if type(error).__module__.partition(".")[0] != "grpc":
                    MISHAPS.note("guard.stream", error)
            failures = 0 if self.connected else failures + 1
            self._lose()
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
                self.hear(read_flags(response.flag_configuration))
                if self._cache is not None:
                    with _IN_STREAM:
                        self._cache.write(response.flag_configuration)
                if self._closed.is_set():
                    return
        finally:
            channel.close()
