"""Finished spans on their way: what the policy lets out, encoded, sent and counted; spans of the host's as well as ours."""

import threading
from collections.abc import Callable, Sequence
from typing import Final

from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace.export import SpanExporter
from opentelemetry.trace import SpanContext

from tocsin._privacy.spans import guarded
from tocsin._process.boundary import Swallow
from tocsin._process.settings import Settings
from tocsin._sending.answers import Client
from tocsin._sending.courier import Courier
from tocsin._sending.journal import Journal
from tocsin._sending.lane import Lane
from tocsin._sending.parcels import Piece
from tocsin._sending.weights import weight_of

_IN_EXPORT: Final = Swallow("exporter")


class Delivery(SpanProcessor):
    """OpenTelemetry's span processor in front of a `Lane`."""

    def __init__(
        self, settings: Settings, *, exporter: SpanExporter | None = None, journal: Journal | None = None
    ) -> None:
        """Make a delivery; nothing starts before the first span ends.

        Args:
            settings: Where to and how much may wait.
            exporter: Another's exporter, in place of OTLP.
            journal: Where spans are written as they end.
        """
        courier = Courier(
            _foreign(exporter) if exporter is not None else _otlp(settings),
            name="spans",
            receiver=settings.spans.target if exporter is None else type(exporter).__name__,
            patient=journal is not None,
        )
        self._courier = courier
        self._lane = Lane(
            courier,
            _encoded if exporter is None else _as_they_are,
            name="tocsin-spans",
            most_items=settings.max_queue_size,
            most_bytes=settings.max_queue_bytes,
            weigh=weight_of,
            delay_s=settings.schedule_delay_ms / 1e3,
            block_s=settings.block_when_full_s,
            journal=journal,
        )
        self._writes = journal is not None
        self.flush = self._lane.flush
        self.close = self._lane.close
        self.before_fork = self._lane.before_fork
        self.after_fork_in_parent = self._lane.after_fork_in_parent
        # In a child: start over, since what waited belongs to the parent, who sends it.
        self.after_fork = self._lane.after_fork

    def start(self) -> None:
        """Where spans are written by the calls that end: load what that needs, and begin with what others left."""
        if self._writes:
            with _IN_EXPORT:  # not in a call, during which a fork may copy a half-loaded module
                said = {"gen_ai.operation.name": "chat", "gen_ai.prompt": "hello"}
                _encoded([ReadableSpan("call", SpanContext(1, 1, is_remote=False), attributes=said)])
            self._lane.start()

    def on_end(self, span: ReadableSpan) -> None:
        context = span.context
        if context is None or not (context.trace_flags.sampled or getattr(span, "is_ours_alone", False)):
            return
        self._lane.put(span)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self.flush(timeout_millis / 1e3)

    def shutdown(self) -> None:
        self.close(10.0)

    def prepare_for_exit(self) -> None:
        """Load the exporter while modules can still be loaded, when anything waits or a thread may yet send."""
        others = (one for one in threading.enumerate() if one is not threading.main_thread() and not one.daemon)
        if self.waiting() or any(others):
            with _IN_EXPORT:
                self._lane.prepare()

    def waiting(self) -> int:
        """Count the spans ended and not yet settled."""
        return self._lane.waiting()

    def counts(self) -> dict[str, int]:
        """Say what became of the spans of this process, and of those that others left."""
        books, waiting = self._lane.books, self._lane.waiting()
        reasons = books.dropped + books.lost
        failed = books.lost.total()
        return {
            "spans_ended": books.taken + failed + waiting + books.dropped.total(),
            "spans_exported": books.taken,
            "spans_failed": failed,
            "spans_waiting": waiting,
            "spans_recovered": books.recovered,
            "dropped": reasons.total(),
            **{f"dropped.{reason}": count for reason, count in sorted(reasons.items())},
        }


def _encoded(spans: Sequence[ReadableSpan]) -> list[Piece]:
    from tocsin._sending.encoding import pieces_of

    return pieces_of(guarded(spans))


def _as_they_are(spans: Sequence[ReadableSpan]) -> list[Piece]:
    return [Piece(None, span) for span in guarded(spans)]


def _otlp(settings: Settings) -> Callable[[], Client]:
    def make() -> Client:
        from tocsin._sending.client import TRACES, GrpcClient, read_traces
        from tocsin._sending.encoding import pieces_of

        pieces_of(())  # it is loaded now, when modules still can be
        return GrpcClient(
            settings.spans,
            TRACES,
            read_traces,
            headers=settings.span_headers,
            timeout_s=settings.timeout_s,
            compression=settings.compression,
            through_proxy=True,
        )

    return make


def _foreign(exporter: SpanExporter) -> Callable[[], Client]:
    def make() -> Client:
        from tocsin._sending.foreign import ForeignClient

        return ForeignClient(exporter)

    return make
