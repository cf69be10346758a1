"""How much of one request is let in and kept: measured before it is parsed, cut where it is too long, and told."""

import gzip
import zlib
from typing import Any

import grpc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValueList
from opentelemetry.proto.trace.v1.trace_pb2 import ScopeSpans
from tests.collector.conftest import Run
from tests.collector.sending import PATIENCE_S, loaded, pair, trace_request

from tocsin_collector.errors import Overloaded, RequestRejected, RequestTooLarge
from tocsin_collector.load.tally import Tally
from tocsin_collector.receive.extents import is_crowded, largest_part
from tocsin_collector.receive.grpc_server import LOGS_SERVICE, METRICS_SERVICE, TRACE_SERVICE
from tocsin_collector.receive.passage import Passage, is_packed
from tocsin_collector.receive.requests import look_at
from tocsin_collector.receive.trimming import Limits, mark, trim
from tocsin_collector.settings import CollectorSettings

LIMITS = Limits(max_value_bytes=1_024, max_attributes=10)


def passage(**given: Any) -> Passage:
    """Make the passage of one request."""
    return Passage(Tally(), CollectorSettings(**{"data_dir": None, "segment_max_bytes": 1_000, **given}))


@given(
    st.lists(st.integers(0, 300_000), min_size=1, max_size=4),
    st.integers(0, 100_000),
)
@settings(max_examples=40, deadline=None)
def test_largest_part_is_read_off_the_bytes(sizes: list[int], resource: int) -> None:
    """It decides whether anything is looked at in detail: wrong, long values would pass or every request be slow."""
    request = ExportTraceServiceRequest()
    for size in sizes:
        request.resource_spans.add().scope_spans.add().spans.add(name="n" * size, flags=3)
    request.resource_spans[0].resource.attributes.append(pair("r", "r" * resource))

    found = largest_part(request.SerializeToString())

    parts = [each.scope_spans[0].spans[0].ByteSize() for each in request.resource_spans]
    assert found == max(*parts, request.resource_spans[0].resource.ByteSize())


def test_fields_unknown_to_us_do_not_confuse_it() -> None:
    """Tomorrow's fields may stand anywhere, groups and numbers too."""
    request = trace_request(1, text="x" * 500)
    known = request.SerializeToString()
    strange = b"\xa3\x06\x08\x01\xa4\x06" + b"\xa8\x06\x05" + b"\xad\x06abcd" + b"\xa9\x06abcdefgh" + known

    assert largest_part(strange) == largest_part(known)


def test_long_values_are_cut_and_marked_wherever_they_are() -> None:
    """One sender's novel must not make a table slow for everybody; and who reads it must see that it was cut."""
    request = trace_request(1, text="ä" * 1_000, fine="x" * 1_000)
    span = request.resource_spans[0].scope_spans[0].spans[0]
    span.name = "n" * 2_000
    span.events.add(name="e").attributes.append(pair("k" * 3_000, "v"))
    request.resource_spans[0].resource.attributes.append(pair("r", AnyValue(bytes_value=b"\xff" * 2_000)))

    cut = trim(request, LIMITS)

    values = {each.key: each.value.string_value for each in span.attributes}
    assert cut.values == 4
    assert values["fine"] == "x" * 1_000
    assert values["text"].endswith("ä" + mark(1_024))
    assert span.name.endswith(mark(1_024))
    assert span.events[0].attributes[0].key.endswith(mark(1_024))
    assert request.resource_spans[0].resource.attributes[-1].value.bytes_value.endswith(mark(1_024).encode())
    assert max(len(each.encode()) for each in (*values.values(), span.name)) <= 1_024


def test_long_lists_and_maps_lose_members_from_the_end() -> None:
    """An embedding or a conversation is one value: its first members stay, and a mark stands where the rest was."""
    numbers = AnyValue(array_value=ArrayValue(values=[AnyValue(double_value=n) for n in range(1_000)]))
    inner = AnyValue(kvlist_value=KeyValueList(values=[pair(f"key {n}", "x" * 90) for n in range(100)]))
    request = trace_request(1, numbers=numbers, inner=inner)

    cut = trim(request, LIMITS)

    span = request.resource_spans[0].scope_spans[0].spans[0]
    values = {each.key: each.value for each in span.attributes}
    assert cut.values == 2
    assert all(value.ByteSize() <= 1_040 for value in values.values())
    assert values["numbers"].array_value.values[-1].string_value == mark(1_024)
    assert [each.double_value for each in values["numbers"].array_value.values[:3]] == [0, 1, 2]
    assert values["inner"].kvlist_value.values[-1].key == mark(1_024)


def test_attributes_beyond_the_limit_are_dropped_and_counted_where_otlp_counts_them() -> None:
    """The format has a field that says how many are missing; a reader of the span sees it there."""
    request = trace_request(2, **{f"a{n}": n for n in range(30)})
    request.resource_spans[0].scope_spans[0].spans[0].dropped_attributes_count = 5

    cut = trim(request, LIMITS)

    first, second = request.resource_spans[0].scope_spans[0].spans
    assert (len(first.attributes), first.dropped_attributes_count, second.dropped_attributes_count) == (10, 26, 21)
    assert cut.attributes == 42


def test_cutting_again_changes_nothing() -> None:
    """A retry is recognised by its bytes, so the same request must always be cut to the same ones."""
    request = trace_request(2, text="ä" * 5_000, **{f"a{n}": "y" * 400 for n in range(30)})
    body = request.SerializeToString()

    once = look_at("traces", body, max_items=10, limits=LIMITS)
    again = look_at("traces", once.body, max_items=10, limits=LIMITS)

    assert once.cut
    assert not again.cut
    assert again.body == once.body


def test_ordinary_requests_keep_their_bytes() -> None:
    """Rewriting would cost, and would lose what we do not know of."""
    body = trace_request(5, text="x" * 900).SerializeToString() + b"\xa8\x06\x05"

    assert look_at("traces", body, max_items=10, limits=LIMITS).body is body


def test_keeping_long_values_still_drops_attributes() -> None:
    """keep_long_values is about outputs that people want whole, not about a sender that leaks keys."""
    request = trace_request(1, text="x" * 5_000, **{f"a{n}": n for n in range(30)})

    cut = trim(request, Limits(max_value_bytes=None, max_attributes=10))

    assert (cut.values, cut.attributes) == (0, 22)


@pytest.mark.parametrize("flood", [b"\x0a\x00", b"\x12\x02\x30\x01", b"\x4a\x03\x0a\x01a"])
def test_floods_of_tiny_messages_are_seen_without_parsing(flood: bytes) -> None:
    """64 MiB of empty spans would be 5.6 GB of objects; 512 ordinary spans must not look alike."""
    assert is_crowded(flood * 3_000_000)
    assert not is_crowded(trace_request(20_000, a=1, b="x", c=0.5).SerializeToString())


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
@given(body=st.binary(max_size=3_000), times=st.integers(1, 2_000))
@settings(max_examples=20, deadline=None)
def test_unpacked_is_what_was_packed(pack: Any, body: bytes, times: int) -> None:
    """Of any size, across the pieces in which it is unpacked."""
    assert passage().unpack(pack(body * times)) == body * times


@pytest.mark.parametrize(
    ("packed", "refusal", "said"),
    [
        (gzip.compress(bytes(3_000_000), mtime=0), RequestTooLarge, "at most 1000000 bytes"),
        (gzip.compress(b"x" * 1_000, mtime=0)[:-4], RequestRejected, "a whole gzip body"),
        (gzip.compress(b"x", mtime=0) + b"y", RequestRejected, "bytes follow"),
        (gzip.compress(b"x", mtime=0) * 2, RequestRejected, "bytes follow"),
        (b"\x1f\x8b" + bytes(50), RequestRejected, "damaged"),
        (b"", RequestRejected, "a whole gzip body"),
    ],
)
def test_bad_packing_is_refused(packed: bytes, refusal: type[Exception], said: str) -> None:
    """In a sentence, and without unpacking more than is let in."""
    with pytest.raises(refusal, match=said):
        passage(max_request_bytes=1_000_000).unpack(packed)


def test_unpacked_bytes_count_as_in_flight() -> None:
    """Else a thousand small bombs would be within every limit."""
    with pytest.raises(Overloaded):
        passage(max_bytes_in_flight=2_000_000).unpack(gzip.compress(bytes(5_000_000)))


def test_no_otlp_message_looks_packed() -> None:
    """Over gRPC the bytes alone say whether they are gzip."""
    assert is_packed(gzip.compress(b"x"))
    assert is_packed(zlib.compress(b"x"))
    assert not is_packed(trace_request(1).SerializeToString())
    assert not is_packed(b"")


@pytest.mark.parametrize("packing", [grpc.Compression.Gzip, grpc.Compression.Deflate])
def test_grpc_unpacks_and_stops_at_the_limit(run: Run, packing: grpc.Compression) -> None:
    """The library itself would unpack a bomb whole before it looks at its size."""
    collector, client = run(max_request_bytes=100_000)
    export = client.channel.unary_unary(f"/{TRACE_SERVICE}/Export")

    export(trace_request(2).SerializeToString(), compression=packing, timeout=PATIENCE_S)
    with pytest.raises(grpc.RpcError) as refusal:
        export(bytes(50_000_000), compression=packing, timeout=PATIENCE_S)

    assert refusal.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert collector.stats().received_spans == 2
    assert collector.stats().bytes_in_flight == 0


def test_grpc_tells_what_was_cut_and_knows_the_retry(run: Run) -> None:
    """A warning has 0 rejected; the same request again is the same, though what is stored has other bytes than it."""
    collector, client = run(max_value_bytes=1_024)
    request = trace_request(1, text="x" * 2_000)

    warned = ExportTraceServiceResponse.FromString(client.export(request))
    client.export(request)
    loaded(collector)

    assert "1 values of more than 1024 bytes were cut" in warned.partial_success.error_message
    assert warned.partial_success.rejected_spans == 0
    assert (collector.stats().duplicate_spans, collector.stats().values_cut) == (1, 1)


def test_grpc_takes_logs_and_answers_metrics_as_a_collector_without_them(run: Run) -> None:
    """UNIMPLEMENTED is final: an exporter of metrics goes quiet instead of retrying for ever."""
    collector, client = run()
    logs = ExportLogsServiceRequest()
    logs.resource_logs.add().scope_logs.add().log_records.add().body.string_value = "hello"

    answer = client.channel.unary_unary(f"/{LOGS_SERVICE}/Export")(logs.SerializeToString(), timeout=PATIENCE_S)
    with pytest.raises(grpc.RpcError) as refusal:
        client.channel.unary_unary(f"/{METRICS_SERVICE}/Export")(b"", timeout=PATIENCE_S)

    assert answer == b""
    assert collector.stats().received_logs == 1
    assert refusal.value.code() is grpc.StatusCode.UNIMPLEMENTED


@given(st.recursive(
    st.text(max_size=2_000) | st.binary(max_size=2_000) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=30) | st.dictionaries(st.text(max_size=100), inner, max_size=30),
    max_leaves=60,
))  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_any_value_fits_after_cutting_and_stays_as_it_is_then(value: Any) -> None:
    """Nested anyhow: what is kept fits, what fitted is untouched, and a second look finds nothing more."""
    request = trace_request(1, value=any_value(value))
    before = request.resource_spans[0].scope_spans[0].spans[0].attributes[-1].value.ByteSize()

    cut = trim(request, LIMITS)

    after = request.resource_spans[0].scope_spans[0].spans[0].attributes[-1].value.ByteSize()
    assert after <= 1_024 + 16
    assert cut or after == before
    assert not trim(request, LIMITS)


def any_value(value: Any) -> AnyValue:
    """Write a Python value as OTLP's."""
    match value:
        case list():
            return AnyValue(array_value=ArrayValue(values=[any_value(each) for each in value]))
        case dict():
            return AnyValue(
                kvlist_value=KeyValueList(values=[pair(key, any_value(each)) for key, each in value.items()])
            )
        case bytes():
            return AnyValue(bytes_value=value)
        case float():
            return AnyValue(double_value=value)
        case _:
            return AnyValue(string_value=value)


def test_millions_of_empty_scopes_are_refused() -> None:
    """Walking through them would take seconds, in which nobody else is served."""
    body = ExportTraceServiceRequest()
    body.resource_spans.add().scope_spans.extend([ScopeSpans()] * 100_001)

    with pytest.raises(RequestRejected, match="100001"):
        look_at("traces", body.SerializeToString(), max_items=10)
