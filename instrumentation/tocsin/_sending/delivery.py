"""From ended span to acknowledged span: bounded, counted, retried while the process lives."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from tocsin._privacy.spans import guarded
from tocsin._process.boundary import MISHAPS, Swallow

BATCH: Final = 2_048
SCHEDULE_DELAY_MS: Final = 100
_BACKOFF_S: Final = (0.2, 0.5, 1.0, 2.0)
_IN_EXPORT: Final = Swallow("exporter")


class CallExporter(Protocol):
    """What delivery needs of an exporter beyond OpenTelemetry's own interface."""

    def export(self, spans: Sequence[ReadableSpan], /) -> SpanExportResult:
        """Send one batch."""
        ...

    def shutdown(self) -> None:
        """Give up what is under way, at once."""
        ...


@dataclass(slots=True)
class Tally:
    """Spans by what became of them. accepted = exported + failed + waiting; ended = accepted + dropped."""

    accepted: int = 0
    handed: int = 0  # given to the exporter so far
    exported: int = 0
    failed: int = 0
    dropped: int = 0


class _Courier(SpanExporter):
    """Hands batches to the real exporter, which it makes on first use, and keeps a batch until it is settled.

    The stock exporter gives a batch up after about ten seconds; here a batch that may still be accepted is tried again
    for as long as the process lives, and the bounded queue behind it says when that is too long.
    """

    def __init__(self, make: Callable[[], SpanExporter], tally: Tally) -> None:
        self._make = make
        self._inner: SpanExporter | None = None
        self._making = threading.Lock()
        self.tally = tally
        self.settled = threading.Condition()
        self.closed = threading.Event()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        with self.settled:
            self.tally.handed += len(spans)
        sent = self._persist(guarded(spans))
        with self.settled:
            rejected = min(int(getattr(self._inner, "rejected", 0)), len(spans)) if sent else len(spans)
            self.tally.exported += len(spans) - rejected
            self.tally.failed += rejected
            self.settled.notify_all()
        return SpanExportResult.SUCCESS if sent else SpanExportResult.FAILURE

    def _persist(self, spans: Sequence[ReadableSpan]) -> bool:
        attempt = 0
        while not self.closed.is_set():
            with _IN_EXPORT:
                if self.prepare().export(spans) is SpanExportResult.SUCCESS:
                    return True
            # Exporters that cannot say "try again" have had their say: theirs is the stock behaviour.
            if not getattr(self._inner, "may_retry", False):
                return False
            self.closed.wait(_BACKOFF_S[min(attempt, len(_BACKOFF_S) - 1)])
            attempt += 1
        return False

    def prepare(self) -> SpanExporter:
        """Return the real exporter; the first time, load and make it."""
        with self._making:
            if self._inner is None:
                self._inner = self._make()
            return self._inner

    def abandon(self) -> None:
        """Stop retrying and interrupt what is under way."""
        if self.closed.is_set():
            return
        self.closed.set()
        if self._inner is not None:
            with _IN_EXPORT:
                self._inner.shutdown()

    def after_fork(self) -> None:
        """Forget the parent's connection without touching it: its sockets are shared."""
        self._inner = None
        self._making = threading.Lock()
        self.settled = threading.Condition()
        self.closed = threading.Event()

    def shutdown(self) -> None:
        self.abandon()


class Delivery(SpanProcessor):
    """A bounded queue in front of OpenTelemetry's batch processor: a span that finds no room is dropped and counted."""

    def __init__(
        self,
        make_exporter: Callable[[], SpanExporter],
        *,
        max_queue_size: int,
        schedule_delay_ms: int = SCHEDULE_DELAY_MS,
        block_when_full_s: float = 0.0,
    ) -> None:
        self._lock = threading.Lock()
        self.tally = Tally()
        self._max_queue_size = max_queue_size
        self._block_when_full_s = block_when_full_s
        self._courier = _Courier(make_exporter, self.tally)
        self._batches = BatchSpanProcessor(
            self._courier,
            # The queue proper is never full: what waits is bounded here, exactly.
            max_queue_size=max_queue_size + BATCH,
            schedule_delay_millis=schedule_delay_ms,
            # The worker is woken by a full batch, so a small queue needs small ones.
            max_export_batch_size=min(BATCH, max_queue_size),
        )
        self._kicking = False

    def on_end(self, span: ReadableSpan) -> None:
        context = span.context
        if context is None or not (context.trace_flags.sampled or getattr(span, "is_ours_alone", False)):
            return
        if self._block_when_full_s and self._is_full():
            self._wait_for_room()
        with self._lock:
            if self._is_full() or self._courier.closed.is_set():
                self.tally.dropped += 1
                return
            self.tally.accepted += 1
            self._batches._batch_processor.emit(span)  # noqa: SLF001 - past its own look at the sampling flag

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self.flush(timeout_millis / 1e3)

    def flush(self, timeout_s: float, *, may_start_threads: bool = True) -> bool:
        """Wait until every span ended so far is settled; true when all of them were acknowledged.

        Without threads (the interpreter is going down and starts none) the batch processor's own schedule does it.
        """
        courier = self._courier
        with self._lock:
            target = self.tally.accepted
        with courier.settled:
            failed = self.tally.failed
            if self._settled() >= target:
                return True
        if may_start_threads:
            self._kick()
        with courier.settled:
            done = courier.settled.wait_for(lambda: self._settled() >= target, timeout_s)
            return done and self.tally.failed == failed

    def shutdown(self) -> None:
        self.close(10.0)

    def prepare_for_exit(self) -> None:
        """Load the exporter while modules can still be loaded, when anything waits or a thread may yet send."""
        others = (one for one in threading.enumerate() if one is not threading.main_thread() and not one.daemon)
        if self.waiting() or any(others):
            with _IN_EXPORT:
                self._courier.prepare()

    def close(self, timeout_s: float, *, may_start_threads: bool = True) -> bool:
        """Flush for so long, then give up the rest and stop. A second call is a no-op."""
        if self._courier.closed.is_set():
            return self.waiting() == 0
        flushed = self.flush(timeout_s, may_start_threads=may_start_threads)
        self._courier.abandon()
        self._batches.shutdown()  # type: ignore[no-untyped-call]
        return flushed

    def waiting(self) -> int:
        """Count the spans accepted and not yet settled."""
        return self.tally.accepted - self._settled()

    def after_fork(self) -> None:
        """Start over in a child: what waited belongs to the parent, who sends it."""
        self._lock = threading.Lock()
        tally = Tally()
        self.tally = self._courier.tally = tally
        self._kicking = False
        self._courier.after_fork()

    def _settled(self) -> int:
        return self.tally.exported + self.tally.failed

    def _is_full(self) -> bool:
        return self.tally.accepted - self.tally.handed >= self._max_queue_size

    def _wait_for_room(self) -> None:
        courier = self._courier
        with courier.settled:
            courier.settled.wait_for(lambda: not self._is_full() or courier.closed.is_set(), self._block_when_full_s)

    def _kick(self) -> None:
        """Have the queue emptied now, on a thread of its own: emptying it here could take longer than the caller has."""
        if self._kicking:
            return
        self._kicking = True
        threading.Thread(target=self._empty, name="tocsin-flush", daemon=True).start()

    def _empty(self) -> None:
        try:
            self._batches.force_flush()
        except Exception as error:
            MISHAPS.note("flush", error)
        finally:
            self._kicking = False
