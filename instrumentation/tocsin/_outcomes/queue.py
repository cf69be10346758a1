"""Outcomes on their way to the collector: queued at once, sent in batches by a thread, kept until acknowledged."""

import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tocsin._process.boundary import MISHAPS, Swallow
from tocsin._process.settings import Address

if TYPE_CHECKING:
    import grpc

    from tocsin_wire.v1.outcomes_pb2 import Outcome

LIMIT: Final = 65_536  # outcomes that wait; above it, new ones are dropped and counted
_BATCH: Final = 500
_GATHER_S: Final = 0.02  # how long a first outcome waits for company
_RPC_TIMEOUT_S: Final = 10.0
_BACKOFF_S: Final = (0.1, 0.2, 0.5, 1.0, 2.0)
_METHOD: Final = "/tocsin_wire.v1.OutcomeService/Record"
_PASSING: Final = frozenset({"UNAVAILABLE", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED", "ABORTED", "CANCELLED"})
_IN_SENDER: Final = Swallow("outcomes.sender")


@dataclass(slots=True)
class OutcomeTally:
    """Outcomes by what became of them; the rest still waits."""

    accepted: int = 0  # into the queue
    sent: int = 0  # acknowledged: durable in the collector
    rejected: int = 0  # the collector will never take them
    dropped: int = 0  # the queue was full, or the process ended first


class OutcomeQueue:
    """Bounded queue and sender. Sending again is harmless: an outcome's id is derived from its content."""

    def __init__(self, address: Address, headers: tuple[tuple[str, str], ...] = ()) -> None:
        self._address = address
        self._headers = headers
        self.tally = OutcomeTally()
        self._thread: threading.Thread | None = None
        self._channel: grpc.Channel | None = None
        self._record: Any = None
        self._start_over()

    def put(self, outcome: "Outcome") -> bool:
        """Queue one outcome; false when there is no room."""
        with self._state:
            if self._closed.is_set() or len(self._waiting) >= LIMIT:
                self.tally.dropped += 1
                return False
            self._waiting.append(outcome)
            self.tally.accepted += 1
            if self._thread is None:
                self._thread = threading.Thread(target=self._send_all, name="tocsin-outcomes", daemon=True)
                self._thread.start()
            self._state.notify_all()
            return True

    def flush(self, timeout_s: float) -> bool:
        """Wait until what is queued so far is settled; true when all of it was acknowledged."""
        with self._state:
            target = self.tally.accepted
            rejected = self.tally.rejected
            self._hurry.set()
            done = self._state.wait_for(lambda: self._settled() >= target, timeout_s)
            return done and self.tally.rejected == rejected

    def redirect(self, address: Address, headers: tuple[tuple[str, str], ...]) -> None:
        """Send to another collector from now on; what is under way is sent again."""
        if (address, headers) == (self._address, self._headers):
            return
        self._address, self._headers = address, headers
        self._record = None
        if self._channel is not None:
            with _IN_SENDER:
                self._channel.close()

    def is_full(self) -> bool:
        """Tell whether there is no room for another one."""
        return len(self._waiting) >= LIMIT

    def waiting(self) -> int:
        """Count the outcomes not yet settled."""
        return self.tally.accepted - self._settled()

    def close(self, timeout_s: float) -> bool:
        """Flush for so long, then give up the rest and stop."""
        flushed = self.flush(timeout_s)
        self._closed.set()
        self._hurry.set()
        with self._state:
            self._state.notify_all()
        if self._channel is not None:
            with _IN_SENDER:
                self._channel.close()
        return flushed

    def after_fork(self) -> None:
        """Start over in a child: what waited belongs to the parent."""
        self._start_over()

    def _start_over(self) -> None:
        self._state = threading.Condition()
        self._closed = threading.Event()
        self._hurry = threading.Event()
        self._waiting: deque[Outcome] = deque()
        self._thread = self._channel = self._record = None
        self.tally = OutcomeTally()

    def _settled(self) -> int:
        return self.tally.sent + self.tally.rejected

    def _send_all(self) -> None:
        state, closed = self._state, self._closed
        while not closed.is_set():
            with state:
                state.wait_for(lambda: self._waiting or closed.is_set())
            self._hurry.wait(_GATHER_S)
            with state:
                batch = [self._waiting.popleft() for _ in range(min(_BATCH, len(self._waiting)))]
                if not self._waiting:
                    self._hurry.clear()
            if not batch:
                continue
            accepted = self._persist(batch)
            with state:
                if accepted is None:  # closed before an answer came
                    self.tally.dropped += len(batch)
                    self.tally.accepted -= len(batch)
                else:
                    self.tally.sent += accepted
                    self.tally.rejected += len(batch) - accepted
                state.notify_all()

    def _persist(self, batch: "list[Outcome]") -> int | None:
        """Send one batch until it is answered: how many were accepted, None when closed first."""
        from tocsin._privacy.outcomes import fit_to_leave

        said, batch = batch, fit_to_leave(batch)
        if len(batch) < len(said):
            MISHAPS.note(
                "outcomes.privacy",
                ValueError(f"of {len(said) - len(batch)} outcomes nothing may leave: their comments say all they said"),
            )
        if not batch:
            return 0
        attempt = 0
        while not self._closed.is_set():
            delay_s: float | None = None
            try:
                return self._send(batch)
            except Exception as error:
                code = getattr(error, "code", None)
                if not callable(code) or code().name not in _PASSING:
                    MISHAPS.note("outcomes.send", error)
                    return 0
                with _IN_SENDER:
                    from tocsin._sending.channels import retry_delay_s

                    delay_s = retry_delay_s(error)
            self._closed.wait(_BACKOFF_S[min(attempt, len(_BACKOFF_S) - 1)] if delay_s is None else delay_s)
            attempt += 1
        return None

    def _send(self, batch: "list[Outcome]") -> int:
        from tocsin._sending.channels import open_channel
        from tocsin_wire.v1.outcomes_pb2 import RecordOutcomesRequest, RecordOutcomesResponse

        if self._record is None:
            self._channel = open_channel(self._address)
            self._record = self._channel.unary_unary(
                _METHOD,
                request_serializer=RecordOutcomesRequest.SerializeToString,
                response_deserializer=RecordOutcomesResponse.FromString,
            )
        response = self._record(
            RecordOutcomesRequest(outcomes=batch), timeout=_RPC_TIMEOUT_S, metadata=self._headers or None
        )
        if response.rejected:
            reason = "; ".join(response.errors[:3])
            MISHAPS.note("outcomes.rejected", ValueError(f"the collector refused {response.rejected}: {reason}"))
        return len(batch) - min(int(response.rejected), len(batch))
