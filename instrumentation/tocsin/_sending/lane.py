"""From ended to acknowledged: a bounded queue or a journal, a thread, and the books of everything that was put in."""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final

from opentelemetry import context

from tocsin._process.boundary import MISHAPS
from tocsin._sending.books import Books, sound
from tocsin._sending.courier import Courier, Patience
from tocsin._sending.journal import Journal
from tocsin._sending.parcels import MOST_PIECES, Piece, parcels
from tocsin._sending.resending import Resending
from tocsin._sending.room import Marker, Room

try:
    from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY as _SUPPRESS
except ImportError:  # another OpenTelemetry than we know
    _SUPPRESS = "suppress_instrumentation"

_PARKED_S: Final = 5.0  # between two looks at what others left


class Lane:
    """What is put in is encoded, sent and counted, by a thread that starts with the first item."""

    def __init__(
        self,
        courier: Courier,
        encode: Callable[[Sequence[Any]], list[Piece]],
        *,
        name: str,
        most_items: int,
        most_bytes: int,
        weigh: Callable[[Any], int],
        delay_s: float,
        block_s: float = 0.0,
        journal: Journal | None = None,
    ) -> None:
        """Make a lane.

        Args:
            courier: Who sends.
            encode: Makes pieces of items, at most one each; what it leaves out cannot be encoded.
            name: Of the thread.
            most_items: That may wait; above it new ones are dropped and counted.
            most_bytes: That they may hold, as `weigh` says.
            weigh: About how many bytes an item keeps in memory.
            delay_s: How long a first item waits for company.
            block_s: How long one may wait for room.
            journal: Where items are written before `put` returns.
        """
        self._courier = courier
        self._encode = encode
        self._name = name
        self._room_of = {"most_items": most_items, "most_bytes": most_bytes}
        self._block_s = block_s
        self._weigh = weigh
        self._full_batch = min(MOST_PIECES, most_items)
        self._delay_s = delay_s
        self._journal = journal
        self._start_over()

    # The side of those who put in.

    def put(self, item: Any) -> bool:
        """Take an item; false when it was dropped, which is counted."""
        if self._courier.closed.is_set():
            return self._drop("closed")
        if self._journal is not None and self._write(self._journal, item):
            if self._parked or self._worker is None:
                self._wake_up()
            return True
        room = self._room
        if not room.put(item, self._wake_up):
            return self._drop("queue_full")
        if self._parked or len(room.waits) >= self._full_batch or self._worker is None:
            self._wake_up()
        return True

    def flush(self, timeout_s: float, *, stalled_s: float | None = None, may_start_threads: bool = True) -> bool:
        """Wait until everything put in so far is settled; true when all of it was acknowledged.

        Args:
            timeout_s: At most so long.
            stalled_s: No longer than this while nothing is settled, of a receiver that is away: one that has only not answered yet
                is given the time of a request.
            may_start_threads: Whether the interpreter starts any: where it is going down, the caller's does the work.
        """
        if self._worker is None and self._journal is None and not self._room.waits:
            return True
        lost = self.books.lost.total()
        marker = Marker()
        self._room.waits.append(marker)
        self._hurried = True
        self._wake_up(may_start=may_start_threads)
        stalled_s = timeout_s if stalled_s is None else stalled_s
        if self._worker is None or not self._worker.is_alive():
            self._drain_here(Patience(timeout_s, stalled_s))
        else:
            self._wait_for(marker.reached, timeout_s, stalled_s)
        return marker.reached.is_set() and self.books.lost.total() == lost

    def close(self, timeout_s: float, *, stalled_s: float | None = None, may_start_threads: bool = True) -> bool:
        """Flush, then give up the rest and stop. A second call is a no-op."""
        courier = self._courier
        if courier.closed.is_set():
            return self.waiting() == 0
        # What is on disk waits for the next process; only what is not is worth the host's time in an outage.
        safe = self._journal is not None and courier.is_out and not self._in_memory()
        flushed = self.waiting() == 0 and (self._journal is None or self._worker is None)
        if not flushed:
            within_s = 0.0 if safe else timeout_s
            flushed = self.flush(within_s, stalled_s=stalled_s, may_start_threads=may_start_threads)
        is_no_surprise = courier.is_told_out()  # one line is enough of a collector that is away
        courier.close()
        self._release()
        worker = self._worker
        if worker is not None and worker is not threading.current_thread():
            worker.join(1.0)  # it has been interrupted
        if self._journal is not None:
            self._journal.close()
        if left := self._in_memory():
            self._room.waits.clear()
            self._in_hand = 0
            self.books.dropped["closed"] += left
            if not is_no_surprise:
                courier.tell_loss(left, may_be_kept=self._journal is None)
        return flushed

    def waiting(self) -> int:
        """Count the items not yet settled."""
        return self._in_memory() + (self._journal.waiting if self._journal is not None else 0)

    def is_full(self) -> bool:
        """Tell whether the queue has no room for another one."""
        return self._room.is_full()

    def prepare(self) -> None:
        """Load what sending needs."""
        self._courier.prepare()

    def start(self) -> None:
        """Begin with what an earlier process left, if one did."""
        if self._journal is not None and self._journal.has_leftovers():
            self._wake_up()

    def redirect(self, journal: Journal | None) -> None:
        """Send by a client that is made anew, and write what comes from now on elsewhere."""
        self._journal = journal
        self._courier.renew()

    def before_fork(self) -> None:
        """Be at rest while the process is copied."""
        self._courier.before_fork()

    def after_fork_in_parent(self) -> None:
        """Go on."""
        self._courier.after_fork_in_parent()

    def after_fork(self) -> None:
        """Start over in a child: what waited belongs to the parent, who sends it."""
        self._courier.after_fork()
        if self._journal is not None:
            self._journal.after_fork()
        self._start_over()

    def _start_over(self) -> None:
        self.books = Books()
        self._resending = Resending(self._courier, self.books)
        self._room = Room(weigh=self._weigh, block_s=self._block_s, **self._room_of)
        self._starting = threading.RLock()  # never taken by the thread; by a finalizer, perhaps, while it is held
        self._waking = threading.Lock()  # locked: asleep, or nothing to wake for
        self._waking.acquire()
        self._worker: threading.Thread | None = None
        self._parked = self._hurried = False
        self._in_hand = 0

    def _drop(self, reason: str) -> bool:
        with self._starting:
            self.books.dropped[reason] += 1
        return False

    def _write(self, journal: Journal, item: Any) -> bool:
        """Write an item down; false when it has to wait in memory."""
        try:
            pieces = sound(self._encode([item]), 1, self.books.dropped)
            return not pieces or journal.append(pieces)
        except Exception as error:
            MISHAPS.note("buffer", error)
            return False

    def _wait_for(self, reached: threading.Event, timeout_s: float, stalled_s: float) -> None:
        until = time.monotonic() + timeout_s
        while (left_s := until - time.monotonic()) > 0:
            settled = self.books.settled
            if reached.wait(min(left_s, stalled_s)) or (self._courier.is_out and self.books.settled == settled):
                return

    def _wake_up(self, *, may_start: bool = True) -> None:
        if self._worker is None and may_start:
            with self._starting:
                if self._worker is None:
                    self._worker = threading.Thread(target=self._run, name=self._name, daemon=True)
                    try:
                        self._worker.start()
                    except RuntimeError:  # the interpreter is going down: `close` does it
                        self._worker = None
                        return
        self._parked = False
        self._release()

    def _release(self) -> None:
        if self._waking.locked():
            with suppress(RuntimeError):  # another was faster
                self._waking.release()

    def _in_memory(self) -> int:
        return self._room.count() + self._in_hand

    # The thread's side.

    def _run(self) -> None:
        context.attach(context.set_value(_SUPPRESS, True))
        while not self._courier.closed.is_set():
            self._sleep()
            self._work()

    def _sleep(self) -> None:
        if self._is_idle():
            self._parked = True
            if self._is_idle() and not self._hurried:  # what came before it could know that we sleep
                self._waking.acquire(timeout=_PARKED_S)
            self._parked = False
        if not self._hurried:
            self._waking.acquire(timeout=self._delay_s)

    def _is_idle(self) -> bool:
        return not self._room.waits and not (self._journal is not None and self._journal.waiting)

    def _work(self) -> None:
        try:
            self._hurried = False
            self._drain()
        except Exception as error:
            MISHAPS.note(f"{self._name}.thread", error)

    def _drain_here(self, patience: Patience) -> None:
        token = context.attach(context.set_value(_SUPPRESS, True))
        self._courier.patience = patience
        try:
            self._work()
        finally:
            self._courier.patience = None
            context.detach(token)

    def _drain(self) -> None:
        """Settle what waits; returns early once we are closed."""
        while True:
            marker = self._deliver()
            journal = self._journal
            if journal is not None:
                sent = self._resending.send_own(journal)
                if not (sent and self._resending.send_leftovers(journal, at_once=marker is not None)):
                    return
            if marker is not None:
                marker.reached.set()
            elif not self._room.waits or self._courier.closed.is_set():
                return

    def _deliver(self) -> Marker | None:
        """Take a batch out of the queue and settle it; returns the marker behind it, when that is what ends it."""
        room = self._room
        batch: list[Any] = []
        marker = None
        while room.waits and len(batch) < MOST_PIECES:
            self._in_hand += 1  # before it is taken: who asks in between what waits must not be told that nothing does
            item = room.take()
            if type(item) is Marker:
                self._in_hand -= 1
                marker = item
                break
            batch.append(item)
        if batch:
            with self._courier.at_work:
                pieces = sound(self._encode(batch), len(batch), self.books.lost)
            self._in_hand = len(pieces)
            for parcel in parcels(pieces):
                fate = self._courier.settle(parcel)
                if fate is None:
                    return None
                self.books.count(fate)
                self._in_hand -= len(parcel)
        return marker
