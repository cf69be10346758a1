"""A process that has OpenTelemetry of its own: before us, after us, sampled, shut down."""

from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.util._once import Once

import tocsin


@pytest.fixture(autouse=True)
def _open_process() -> Iterator[None]:
    """Nobody has set a provider, as at the start of a process."""
    before = trace._TRACER_PROVIDER, trace._TRACER_PROVIDER_SET_ONCE
    trace._TRACER_PROVIDER, trace._TRACER_PROVIDER_SET_ONCE = None, Once()
    yield
    tocsin.shutdown(timeout_s=1.0)
    trace._TRACER_PROVIDER, trace._TRACER_PROVIDER_SET_ONCE = before


@pytest.fixture
def seen() -> InMemorySpanExporter:
    """What the host's own exporter got."""
    return InMemorySpanExporter()


@pytest.fixture
def host(seen: InMemorySpanExporter) -> Iterator[TracerProvider]:
    """The host's own provider."""
    made = TracerProvider(resource=Resource({"service.name": "shop"}), shutdown_on_exit=False)
    made.add_span_processor(SimpleSpanProcessor(seen))
    yield made
    made.shutdown()


def names(spans: Any) -> list[str]:
    """The names of spans, sorted."""
    return sorted(span.name for span in spans)


def call(use_case: str) -> None:
    """Make one AI call."""
    with tocsin.observe(use_case) as it:
        it.set_output(label="x")


def test_a_provider_set_before_us_is_joined_and_stays(collector: Any, host: TracerProvider, seen: Any) -> None:
    """Both see everything; the host's resource names the service."""
    trace.set_tracer_provider(host)
    tocsin.init(endpoint=collector.endpoint, service_name="ignored")

    with trace.get_tracer("host").start_as_current_span("request"):
        call("triage")

    assert tocsin.flush() is True
    assert trace.get_tracer_provider() is host
    assert names(collector.spans) == names(seen.get_finished_spans()) == ["request", "triage"]
    assert collector.requests[0].resource_spans[0].resource.attributes[0].value.string_value == "shop"


def test_a_provider_set_after_us_takes_over_without_a_warning(
    collector: Any, host: TracerProvider, seen: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """`tocsin run` starts before the first line of the host: its `set_tracer_provider` must be the one that counts."""
    tocsin.init(endpoint=collector.endpoint)
    call("early")

    trace.set_tracer_provider(host)
    call("late")

    assert tocsin.flush() is True
    assert trace.get_tracer_provider() is host
    assert names(seen.get_finished_spans()) == ["late"]
    assert names(collector.spans) == ["early", "late"]
    assert caplog.records == []


def test_a_tracer_taken_before_the_hosts_provider_moves_to_it(collector: Any, host: TracerProvider, seen: Any) -> None:
    """`tracer = trace.get_tracer(__name__)` at the top of a module must not keep our provider for good."""
    tocsin.init(endpoint=collector.endpoint)
    tracer = trace.get_tracer("module")
    tracer.start_span("before").end()

    trace.set_tracer_provider(host)
    with tracer.start_as_current_span("after"):
        pass

    assert tocsin.flush() is True
    assert names(seen.get_finished_spans()) == ["after"]
    assert names(collector.spans) == ["after", "before"]


def test_the_host_can_set_its_provider_only_once_as_ever(
    collector: Any, host: TracerProvider, caplog: pytest.LogCaptureFixture
) -> None:
    """Our standing in must not change what OpenTelemetry promises."""
    tocsin.init(endpoint=collector.endpoint)
    trace.set_tracer_provider(host)

    trace.set_tracer_provider(TracerProvider(shutdown_on_exit=False))

    assert trace.get_tracer_provider() is host
    assert [record.getMessage() for record in caplog.records] == ["Overriding of current TracerProvider is not allowed"]


def test_calls_go_on_after_the_host_shut_its_provider_down(collector: Any, host: TracerProvider, seen: Any) -> None:
    """It flushes for its own reasons; tocsin was not asked to stop."""
    trace.set_tracer_provider(host)
    tocsin.init(endpoint=collector.endpoint)
    call("before")

    host.shutdown()
    arrived = names(collector.spans)
    call("after")

    assert tocsin.flush() is True
    assert arrived == ["before"]
    assert names(collector.spans) == ["after", "before"]
    assert names(seen.get_finished_spans()) == ["before"]


def test_a_provider_that_takes_no_processors_is_left_alone(collector: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Other vendors' providers are the process's all the same; our calls go our own way."""
    theirs = trace.NoOpTracerProvider()
    trace.set_tracer_provider(theirs)
    tocsin.init(endpoint=collector.endpoint)

    call("triage")

    assert tocsin.flush() is True
    assert trace.get_tracer_provider() is theirs
    assert names(collector.spans) == ["triage"]
    assert caplog.records == []


def test_after_shutdown_the_process_is_as_it_was(collector: Any) -> None:
    """A notebook, or a test suite, may set its provider later."""
    tocsin.init(endpoint=collector.endpoint)
    tocsin.shutdown()

    assert isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)


def test_spans_of_others_reach_us_before_the_host_has_a_provider(collector: Any) -> None:
    """Official instrumentors and SDK-native spans ask OpenTelemetry for a tracer, not us."""
    tocsin.init(endpoint=collector.endpoint)

    with trace.get_tracer("opentelemetry.instrumentation.openai").start_as_current_span("chat gpt-5"):
        pass

    assert tocsin.flush() is True
    assert names(collector.spans) == ["chat gpt-5"]


@pytest.mark.parametrize("when", ["before us", "after us"])
def test_a_host_that_already_sends_to_our_collector_is_not_doubled(
    collector: Any, caplog: pytest.LogCaptureFixture, when: str
) -> None:
    """`opentelemetry-distro` exports to the default address, which is ours: every call would be counted twice."""
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

    exporter = OTLPSpanExporter(endpoint=f"http://localhost:{collector.port}", insecure=True)
    host = TracerProvider(shutdown_on_exit=False)
    trace.set_tracer_provider(host)
    if when == "before us":
        host.add_span_processor(SimpleSpanProcessor(exporter))
    tocsin.init(endpoint=collector.endpoint)
    if when == "after us":
        host.add_span_processor(SimpleSpanProcessor(exporter))

    call("triage")
    call("triage")

    assert tocsin.flush() is True
    assert names(collector.spans) == ["triage", "triage"]
    assert ["already sends its spans" in record.getMessage() for record in caplog.records] == [True]
    host.shutdown()


def test_what_the_hosts_sampler_leaves_out_is_still_measured(collector: Any, seen: Any) -> None:
    """A host that keeps one trace in a hundred must not see one hundredth of the cost, nor judge quality by it."""
    from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

    host = TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False)
    host.add_span_processor(SimpleSpanProcessor(seen))
    trace.set_tracer_provider(host)
    tocsin.init(endpoint=collector.endpoint)

    with trace.get_tracer("host").start_as_current_span("request") as request:
        with tocsin.observe("triage") as made:
            made.set_output(label="x")
            inside = trace.get_current_span().get_span_context()
        handle = made.handle

    assert tocsin.flush() is True
    assert [span.name for span in collector.spans] == ["triage"]
    assert names(seen.get_finished_spans()) == []
    assert inside.trace_id == request.get_span_context().trace_id
    assert not inside.trace_flags.sampled
    assert handle.startswith("t1.")
    host.shutdown()


def test_rows_of_a_model_that_the_hosts_sampler_leaves_out_are_still_measured(collector: Any, seen: Any) -> None:
    """One trace in a hundred is enough to look at; a hundredth of the answers is no count of them."""
    from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

    host = TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False)
    host.add_span_processor(SimpleSpanProcessor(seen))
    trace.set_tracer_provider(host)
    tocsin.init(endpoint=collector.endpoint)

    tocsin.wrap(lambda rows: ["a" for _ in rows], "triage")([[1.0], [2.0]])

    assert tocsin.flush()
    assert names(seen.get_finished_spans()) == []
    assert [one["tocsin.output.label"] for one in collector.attributes()] == ["a", "a"]
    assert len(set(tocsin.last_calls())) == 2
    host.shutdown()
