"""Our spans' bytes against OpenTelemetry's own encoder."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, Status, StatusCode, TraceFlags
from tocsin._encoding import encode
from tocsin._spans import UNSET, CallSpan

RESOURCE = Resource({"service.name": "tests"})
SCOPE = InstrumentationScope("tocsin", "1")
IDS = st.integers(1, 2**64 - 1)
TEXT = st.text(max_size=200)
VALUES = st.one_of(TEXT, st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False))


def context_of(trace_id: int, span_id: int, *, is_remote: bool = False) -> SpanContext:
    return SpanContext(trace_id, span_id, is_remote, TraceFlags(TraceFlags.SAMPLED))


@st.composite
def call_spans(draw: st.DrawFn) -> CallSpan:
    parent = st.builds(lambda one, remote: context_of(one, one, is_remote=remote), IDS, st.booleans())
    return CallSpan(
        name=draw(TEXT),
        context=context_of(draw(IDS), draw(IDS)),
        parent=draw(st.none() | parent),
        resource=RESOURCE,
        scope=SCOPE,
        attributes=draw(st.dictionaries(TEXT, VALUES, max_size=12)),
        start_ns=draw(IDS),
        end_ns=draw(IDS),
        status=draw(st.sampled_from([UNSET, Status(StatusCode.ERROR, "ValueError"), Status(StatusCode.OK)])),
    )


@given(st.lists(call_spans(), min_size=1, max_size=5))
def test_a_call_is_encoded_as_opentelemetry_encodes_it(spans: list[CallSpan]) -> None:
    """The short way is only allowed because it says the same."""
    ours = ExportTraceServiceRequest.FromString(encode(spans))

    assert ours == encode_spans(spans)


def test_other_spans_in_the_batch_arrive_too() -> None:
    """One queue carries the host's spans and ours."""
    host: Any = ReadableSpan("host", context_of(1, 2), resource=RESOURCE, start_time=1, end_time=2)
    call = CallSpan(
        name="call",
        context=context_of(1, 3),
        parent=context_of(1, 2),
        resource=RESOURCE,
        scope=SCOPE,
        attributes={"tocsin.use_case": "triage"},
        start_ns=1,
        end_ns=2,
    )

    decoded = ExportTraceServiceRequest.FromString(encode([host, call, host]))

    names = [
        span.name
        for resource_spans in decoded.resource_spans
        for scope_spans in resource_spans.scope_spans
        for span in scope_spans.spans
    ]
    assert sorted(names) == ["call", "host", "host"]
