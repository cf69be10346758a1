"""From ended span to acknowledged span."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

import grpc
import pytest
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

import tocsin
from tocsin._models.answers import Answers
from tocsin._models.batch import Batch
from tocsin._models.columns import Table
from tocsin._process import lifecycle
from tocsin._process.runtime import runtime
from tocsin._sending.room import Room
from tocsin._sending.spans import UNSET


def emit(count: int) -> None:
    """End so many spans at once."""
    now = runtime()
    inputs = Table(names=("n",), rows=[(float(at),) for at in range(count)])
    batch = Batch(
        {"tocsin.use_case": "bulk"},
        lambda: inputs,
        Answers,
        recorded=count,
        sample=None,
        count=count,
        started_ns=1,
        use_case="",
        segments=(),
    )
    now.starter.send("bulk", batch, start_ns=1, end_ns=2, status=UNSET)


def test_spans_arrive_with_resource_scope_and_headers(collector: Any) -> None:
    """What the collector sees is OTLP like any other."""
    tocsin.init(
        endpoint=collector.endpoint,
        service_name="triage",
        resource={"deployment.environment.name": "prod"},
        headers={"x-tocsin-key": "secret"},
    )
    with tocsin.observe("ticket-triage") as call:
        call.set_input(words=12)

    assert tocsin.flush() is True
    resource = {
        pair.key: pair.value.string_value for pair in collector.requests[0].resource_spans[0].resource.attributes
    }
    assert (resource["service.name"], resource["deployment.environment.name"]) == ("triage", "prod")
    assert collector.requests[0].resource_spans[0].scope_spans[0].scope.name == "tocsin"
    assert collector.attributes()[0]["tocsin.input.words"] == 12
    assert collector.metadata[0]["x-tocsin-key"] == "secret"


def test_a_burst_of_twenty_thousand_loses_none(collector: Any) -> None:
    """Default queues lose 8.5 % of such a burst."""
    tocsin.init(endpoint=collector.endpoint)

    emit(20_000)

    assert tocsin.flush() is True
    assert len(collector.spans) == 20_000
    assert tocsin.stats()["spans_exported"] == 20_000
    assert tocsin.stats()["dropped"] == 0


def test_flush_says_false_when_the_collector_does_not_answer_in_time(collector: Any) -> None:
    """A flush that lies is worse than none."""
    tocsin.init(endpoint=collector.endpoint)
    collector.gate.clear()

    emit(10)
    in_time = tocsin.flush(timeout_s=0.05)
    collector.gate.set()

    assert in_time is False
    assert tocsin.flush() is True
    assert len(collector.spans) == 10


@pytest.mark.parametrize("code", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED])
def test_a_passing_refusal_costs_nothing(collector: Any, code: grpc.StatusCode) -> None:
    """A restarting or overloaded collector says so, and every span arrives once it is back."""
    tocsin.init(endpoint=collector.endpoint)
    collector.refuse_spans = [code]

    emit(10)

    assert tocsin.flush() is True
    assert len(collector.spans) == 10


def test_an_outage_is_logged_when_it_begins_and_when_it_ends(collector: Any, caplog: pytest.LogCaptureFixture) -> None:
    """A line per attempt would fill the host's log for as long as tocsin is down."""
    tocsin.init(endpoint=collector.endpoint)
    collector.refuse_spans = [grpc.StatusCode.UNAVAILABLE]

    emit(10)

    assert tocsin.flush(20) is True
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 2
    assert "does not take spans (UNAVAILABLE: told to refuse)" in lines[0]
    assert "answers again" in lines[1]


def test_a_lasting_refusal_is_counted_and_not_repeated(collector: Any) -> None:
    """A wrong key today is a wrong key tomorrow: retrying would block everything behind it."""
    tocsin.init(endpoint=collector.endpoint)
    collector.refuse_spans = [grpc.StatusCode.UNAUTHENTICATED]

    emit(10)
    first = tocsin.flush()
    emit(5)

    assert first is False
    assert tocsin.flush() is True
    assert (tocsin.stats()["spans_failed"], tocsin.stats()["spans_exported"]) == (10, 5)
    assert tocsin.stats()["dropped.unauthenticated"] == 10


def test_one_span_that_is_refused_costs_only_itself(collector: Any) -> None:
    """The stock exporter drops the whole batch; here it is cut in halves until the bad ones stand alone."""
    tocsin.init(endpoint=collector.endpoint)
    collector.poison = lambda span: any(
        pair.key == "tocsin.input.n" and pair.value.double_value == 7 for pair in span.attributes
    )

    emit(1_000)

    assert tocsin.flush() is False
    assert len(collector.spans) == 999
    stats = tocsin.stats()
    assert (stats["spans_exported"], stats["dropped"], stats["dropped.invalid_argument"]) == (999, 1, 1)


def test_a_partial_success_is_counted(collector: Any) -> None:
    """The stock exporter ignores it: what the collector refused would count as sent."""
    tocsin.init(endpoint=collector.endpoint)
    collector.reject = 3

    emit(10)

    assert tocsin.flush() is False
    stats = tocsin.stats()
    assert (stats["spans_exported"], stats["spans_failed"], stats["dropped.rejected"]) == (7, 3, 3)
    assert stats["swallowed.spans.rejected"] == 1


def test_a_full_queue_drops_the_newest_and_counts_them(collector: Any) -> None:
    """Memory is bounded, the host is never made to wait, and nothing is lost in silence."""
    tocsin.init(endpoint=collector.endpoint, max_queue_size=100)
    collector.gate.clear()

    emit(5_000)
    stats = tocsin.stats()
    collector.gate.set()

    assert tocsin.flush() is True
    assert stats["spans_ended"] == 5_000
    assert stats["dropped"] > 0
    assert len(collector.spans) == 5_000 - stats["dropped"]


def test_a_queue_is_bounded_by_bytes_too(collector: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """65,536 long answers would be half a gigabyte of the host's memory."""
    monkeypatch.setenv("TOCSIN_QUEUE_BYTES", "5000000")
    tocsin.init(endpoint=collector.endpoint)
    collector.gate.clear()

    for _ in range(5_000):
        with tocsin.observe("triage") as call:
            call.set_output(text="x" * 8_000)
    stats = tocsin.stats()
    collector.gate.set()

    assert tocsin.flush() is True
    assert 2_000 < stats["dropped.queue_full"] < 4_500
    assert len(collector.spans) == 5_000 - stats["dropped"]


def test_a_span_just_taken_from_the_queue_is_not_forgotten_by_an_end(
    collector: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the queue and the request it is in nobody's count but the thread's."""
    taken, may_go_on = threading.Event(), threading.Event()
    take = Room.take

    def slowly(room: Room) -> Any:
        item = take(room)
        taken.set()
        may_go_on.wait(0.3)
        return item

    monkeypatch.setattr(Room, "take", slowly)
    tocsin.init(endpoint=collector.endpoint)
    emit(1)
    assert taken.wait(20)

    tocsin.shutdown()

    assert len(collector.spans) == 1


def test_an_end_waits_for_a_collector_that_is_slow_to_answer(collector: Any) -> None:
    """One whose disk is busy for a moment has taken the connection, and will answer: it is not away."""
    tocsin.init(endpoint=collector.endpoint)
    collector.gate.clear()
    threading.Timer(1.0, collector.gate.set).start()
    emit(10)

    lifecycle._close(20.0, 0.1, may_start_threads=True)

    assert len(collector.spans) == 10
    assert tocsin.stats()["dropped"] == 0


def test_an_end_at_which_the_caller_sends_waits_as_well(collector: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """At an interpreter's end, where threads cannot be started any more."""
    tocsin.init(endpoint=collector.endpoint)
    collector.gate.clear()
    threading.Timer(1.0, collector.gate.set).start()

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        emit(1)

    lifecycle._close(20.0, 0.1, may_start_threads=False)

    assert len(collector.spans) == 1


def test_an_end_that_loses_spans_says_how_many_and_what_keeps_them(
    collector: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """The process that knows the count is the one that is about to be gone."""
    tocsin.init(endpoint=collector.endpoint)
    collector.gate.clear()
    emit(10)

    tocsin.shutdown(timeout_s=0.1)

    line = caplog.records[-1].getMessage()
    assert "10 spans" in line
    assert "TOCSIN_BUFFER_DIR" in line


def test_a_delay_that_the_collector_asks_for_is_kept(collector: Any) -> None:
    """It is read from the reply, whatever our own backoff would be."""
    tocsin.init(endpoint=collector.endpoint)
    collector.refuse_spans = [grpc.StatusCode.RESOURCE_EXHAUSTED]
    collector.delay_s = 3_600.0

    emit(10)

    assert tocsin.flush(0.5) is False
    assert collector.spans == []


def test_a_host_that_asks_for_it_waits_for_room(collector: Any) -> None:
    """Replays would rather be slow than incomplete."""
    tocsin.init(endpoint=collector.endpoint, max_queue_size=100, block_when_full_s=20.0)

    emit(5_000)

    assert tocsin.flush() is True
    assert len(collector.spans) == 5_000


def test_an_existing_provider_is_joined(collector: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host with tracing of its own keeps it: its exporters see our calls, and we add ours."""
    from opentelemetry import trace

    host = TracerProvider(shutdown_on_exit=False)
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: host)
    tocsin.init(endpoint=collector.endpoint)

    with host.get_tracer("host").start_as_current_span("request"), tocsin.observe("triage"):
        pass

    assert tocsin.flush() is True
    assert sorted(span.name for span in collector.spans) == ["request", "triage"]
    assert len({span.trace_id for span in collector.spans}) == 1
    host.shutdown()


def test_init_twice_is_init_once(collector: Any) -> None:
    """Libraries and applications both call it; spans must not leave twice."""
    tocsin.init(endpoint=collector.endpoint)
    tocsin.init(endpoint="http://127.0.0.1:1")

    emit(3)

    assert tocsin.flush() is True
    assert len(collector.spans) == 3


class Raising(SpanExporter):
    """An exporter that fails in the worst ways."""

    def __init__(self) -> None:
        self.tried = threading.Event()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Fail."""
        self.tried.set()
        raise RuntimeError(f"broken at {len(spans)}")

    def shutdown(self) -> None:
        """Fail."""
        raise RuntimeError("broken again")


def test_a_broken_exporter_harms_nobody(eventually: Callable[[Callable[[], bool]], bool]) -> None:
    """Its exceptions are counted; host and flush go on."""
    broken = Raising()
    tocsin.init(span_exporter=broken)

    with tocsin.observe("triage"):
        pass

    assert broken.tried.wait(20)
    assert eventually(lambda: tocsin.stats()["spans_failed"] == 1)
    assert tocsin.stats()["swallowed.exporter"] == 1
    tocsin.shutdown()


def test_after_shutdown_a_new_init_sends_again(collector: Any) -> None:
    """Test suites and notebooks start and stop the SDK many times."""
    tocsin.init(endpoint=collector.endpoint, service_name="first")
    emit(1)
    tocsin.shutdown()
    tocsin.init(endpoint=collector.endpoint, service_name="second")
    emit(2)

    assert tocsin.flush() is True
    assert len(collector.spans) == 3


def test_first_calls_of_two_threads_are_both_sent(collector: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A threaded server's new worker begins with several at once: one still looks at who is to hear of spans, the other ends."""
    from opentelemetry import trace

    looking, may_go_on = threading.Event(), threading.Event()

    class Slow(SpanProcessor):
        @property
        def ignores_calls(self) -> bool:
            if threading.current_thread() is first:
                looking.set()
                may_go_on.wait(20)
            return False

    def call(number: int) -> None:
        with tocsin.observe("triage") as made:
            made.set_output(label=str(number))

    host = TracerProvider(shutdown_on_exit=False)
    host.add_span_processor(Slow())
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: host)
    first = threading.Thread(target=call, args=(1,))
    tocsin.init(endpoint=collector.endpoint)

    first.start()
    assert looking.wait(20)
    call(2)
    may_go_on.set()
    first.join()

    assert tocsin.flush() is True
    assert len(collector.spans) == 2
