"""The loader: sealed segments go into the store, each once, and a bad one never blocks those behind it."""

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable

from tocsin_collector.errors import StoreRejected, StoreUnavailable, StoreUnfit
from tocsin_collector.load.canary import Canary
from tocsin_collector.load.decoder import Kind
from tocsin_collector.load.ledger import Ledger
from tocsin_collector.load.rescue import Shelf, SpanStore, rescue
from tocsin_collector.load.tally import Tally
from tocsin_collector.spool.segments import Segment

_log = logging.getLogger(__name__)
_FIRST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 10.0
_TRIES = 6  # of a segment that one table refuses and another holds: about 13 s


class Loader:
    """Takes sealed segments in order of arrival; what the store cannot take now waits its turn again."""

    def __init__(
        self,
        store: SpanStore,
        ledger: Ledger,
        tally: Tally,
        *,
        prove: Callable[[Segment], Segment | None],
        shelf: Shelf,
        gone: Callable[[Segment, int], None],
        at_once: int = 1,
    ) -> None:
        """Prepare; `at_once` is how many segments go into the store beside each other."""
        self._store = store
        self._canary = Canary(store)
        self._ledger = ledger
        self._tally = tally
        self._prove = prove  # None when nothing is left of a damaged one
        self._shelf = shelf
        self._gone = gone  # called when a segment has left the spool, with the latest end among its stored spans
        self._order = itertools.count()
        self._queue: list[tuple[float, int, int, Segment]] = []  # not before, order, attempts, segment
        self._changed = threading.Condition()
        self._busy = 0  # segments under way
        self._stopping = False
        # Tables that refuse everything: until when they are not asked, how often they were, and why.
        self._unfit: dict[Kind, tuple[float, int, str]] = {}
        self._books = threading.Lock()  # only inserts go on beside each other; what is written of them, one by one
        self._threads = [
            threading.Thread(target=self._run, name=f"tocsin-loader-{number}", daemon=True) for number in range(at_once)
        ]

    def start(self) -> None:
        """Start loading."""
        for thread in self._threads:
            thread.start()

    def put(self, segment: Segment) -> None:
        """Queue a sealed segment."""
        self._put(segment, not_before=0.0, attempts=0)

    def is_idle(self) -> bool:
        """Whether nothing is being loaded or waits to be."""
        with self._changed:
            return not self._busy and not self._queue

    def is_behind(self) -> bool:
        """Whether a segment waits that could be loaded now; one that waits for its next try does not count."""
        with self._changed:
            return bool(self._queue) and self._queue[0][0] <= time.monotonic()

    def stop(self, drain_s: float) -> bool:
        """Load what is queued for at most this long, then end; say whether the queue is empty."""
        deadline = time.monotonic() + drain_s
        with self._changed:
            self._changed.wait_for(lambda: not self._busy and not self._queue, timeout=drain_s)
            self._stopping = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(timeout=max(1.0, deadline - time.monotonic()))
        return not self._queue

    def _put(self, segment: Segment, *, not_before: float, attempts: int) -> None:
        with self._changed:
            heapq.heappush(self._queue, (not_before, next(self._order), attempts, segment))
            self._changed.notify_all()

    def _run(self) -> None:
        while (taken := self._take()) is not None:
            segment, attempts = taken
            try:
                self._load(segment, attempts)
            except StoreUnfit as error:
                self._put(segment, not_before=self._hold(segment.kind, str(error)), attempts=attempts)
            except StoreUnavailable as error:
                self._tally.failed(error)
                self._put(segment, not_before=time.monotonic() + _pause_s(attempts), attempts=min(attempts + 1, 16))
            except Exception as error:  # noqa: BLE001 - the thread must outlive whatever a segment holds
                _log.exception("a segment could not be loaded and will be tried again")
                self._tally.failed(error)
                self._put(segment, not_before=time.monotonic() + _LONGEST_PAUSE_S, attempts=16)
            finally:
                with self._changed:
                    self._busy -= 1
                    self._changed.notify_all()

    def _take(self) -> tuple[Segment, int] | None:
        with self._changed:
            while not self._stopping:
                now = time.monotonic()
                if self._queue and self._queue[0][0] <= now:
                    _, _, attempts, segment = heapq.heappop(self._queue)
                    self._busy += 1
                    return segment, attempts
                self._changed.wait(self._queue[0][0] - now if self._queue else None)
        return None

    def _hold(self, kind: Kind, why: str) -> float:
        """Have a kind's segments wait, all but one that asks again every now and then; say until when."""
        with self._books:
            now = time.monotonic()
            until, times, _ = self._unfit.get(kind, (0.0, 0, ""))
            if until <= now:  # it was asked
                until = now + _pause_s(times)
                self._unfit[kind] = until, min(times + 1, 16), why
                self._tally.unfit(kind, why)
            return until

    def _require_fit(self, kind: Kind) -> None:
        until, _, why = self._unfit.get(kind, (0.0, 0, ""))
        if time.monotonic() < until:
            raise StoreUnfit(why)

    def _load(self, found: Segment, attempts: int) -> None:
        with self._books:
            self._require_fit(found.kind)
            self._ledger.require_free()
            segment = self._prove(found)
            if segment is None:
                self._gone(found, 0)
                return
            self._ledger.write(segment, "begun")
        try:
            self._store.insert(segment)
        except StoreRejected as error:
            self._tally.failed(error)
            with self._books:
                self._rescue(segment, error, attempts)
            return
        with self._books:
            self._ledger.write(segment, "loaded")
            self._shelf.leave(segment)
            self._tally.count(segment.kind, "stored", requests=segment.requests, items=segment.items)
            self._tally.spooled(-segment.size_bytes)
            self._tally.loaded()
            self._be_fit(segment.kind)
            self._gone(segment, segment.last_end_ns)

    def _be_fit(self, kind: Kind) -> None:
        if self._unfit.pop(kind, None):
            self._tally.unfit(kind, "")

    def _rescue(self, segment: Segment, error: StoreRejected, attempts: int) -> None:
        is_last_try = attempts >= _TRIES
        saved = rescue(
            segment, error, self._store, self._ledger, self._shelf, canary=self._canary, is_last_try=is_last_try
        )
        self._be_fit(segment.kind)
        self._tally.count(segment.kind, "dead_lettered", requests=saved.requests_lost, items=saved.items_lost)
        self._tally.spooled(sum(one.size_bytes for one in saved.segments) - segment.size_bytes)
        for one in saved.segments:
            self._put(one, not_before=0.0, attempts=0)
        if not saved.segments:
            self._gone(segment, 0)


def _pause_s(attempts: int) -> float:
    return min(_FIRST_PAUSE_S * 2.0**attempts, _LONGEST_PAUSE_S)
