"""Our spans' bytes against OpenTelemetry's own encoder."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState

from tocsin._sending.encoding import pieces_of
from tocsin._sending.parcels import join
from tocsin._sending.spans import UNSET, CallSpan

RESOURCE = Resource({"service.name": "tests"})
SCOPE = InstrumentationScope("tocsin", "1")
IDS = st.integers(1, 2**64 - 1)
TEXT = st.text(max_size=200)
VALUES = st.one_of(TEXT, st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False))


def context_of(trace_id: int, span_id: int, *, is_remote: bool = False) -> SpanContext:
    """Make the context of a sampled span."""
    return SpanContext(trace_id, span_id, is_remote, TraceFlags(TraceFlags.SAMPLED))


@st.composite
def call_spans(draw: st.DrawFn) -> CallSpan:
    """Any call that the SDK could make."""
    parent = st.builds(lambda one, remote: context_of(one, one, is_remote=remote), IDS, st.booleans())
    span = CallSpan(
        draw(TEXT),
        context_of(draw(IDS), draw(IDS)),
        draw(st.none() | parent),
        RESOURCE,
        SCOPE,
        draw(IDS),
    )
    span._whole = draw(st.dictionaries(TEXT, VALUES, max_size=12))
    span._status = draw(st.sampled_from([UNSET, Status(StatusCode.ERROR, "ValueError"), Status(StatusCode.OK)]))
    span._end_time = draw(IDS)
    return span


@settings(deadline=None)
@given(st.lists(call_spans(), min_size=1, max_size=5))
def test_a_call_is_encoded_as_opentelemetry_encodes_it(spans: list[CallSpan]) -> None:
    """The short way is only allowed because it says the same."""
    ours = ExportTraceServiceRequest.FromString(join(pieces_of(spans)))

    assert ours == encode_spans(spans)


def span_of(**more: Any) -> ReadableSpan:
    """Make a span as the host's own tracing would."""
    return ReadableSpan("host", context_of(1, 2), resource=RESOURCE, start_time=1, end_time=2, **more)


@pytest.mark.parametrize(
    "span",
    [
        span_of(),
        span_of(kind=SpanKind.SERVER),
        span_of(attributes={"tags": ("a", "b"), "n": 1}),
        span_of(attributes={"none": None, "bytes": b"x", "map": {"a": 1}}),
        span_of(events=(Event("exception", {"exception.type": "E"}, 3),)),
        span_of(links=(Link(context_of(4, 5)),)),
        span_of(instrumentation_scope=SCOPE, status=Status(StatusCode.ERROR)),
        ReadableSpan(
            "traced", SpanContext(1, 2, False, TraceFlags(1), TraceState([("k", "v")])), start_time=1, end_time=2
        ),
    ],
)
def test_whatever_the_host_records_is_encoded_as_opentelemetry_encodes_it(span: ReadableSpan) -> None:
    """One queue carries the host's spans and ours, plain and rich."""
    ours = ExportTraceServiceRequest.FromString(join(pieces_of([span])))

    assert ours == encode_spans([span])


def test_no_span_of_a_mixed_batch_is_lost() -> None:
    """Those that take the short way and those that take the stock one leave in one request."""
    batch = [span_of(), span_of(kind=SpanKind.CLIENT), span_of(attributes={"tags": ("a",)}), span_of()]

    decoded = ExportTraceServiceRequest.FromString(join(pieces_of(batch)))

    counts = [len(scope.spans) for resource in decoded.resource_spans for scope in resource.scope_spans]
    assert sum(counts) == 4
