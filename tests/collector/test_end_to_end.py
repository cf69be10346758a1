"""From a sender's request to rows, over real gRPC into the embedded engine."""

import itertools
import json

import grpc
from google.rpc import error_details_pb2
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValueList
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Link, SpanKind, Status, StatusCode
from tests.collector.conftest import Run
from tests.collector.sending import START_NS, count, eventually, loaded, pair, trace_request

from tocsin_collector.spool.frames import varint
from tocsin_collector.store.database import Database


def test_stock_exporter_s_spans_become_rows(run: Run, database: Database) -> None:
    """Any OpenTelemetry SDK must work as it comes: names, kinds, status, events, links, resource, compression."""
    collector, _ = run()
    exporter = OTLPSpanExporter(
        endpoint=f"http://127.0.0.1:{collector.grpc_port}", insecure=True, compression=grpc.Compression.Gzip
    )
    provider = TracerProvider(resource=Resource({"service.name": "shop", "process.command_args": ["serve", 'a "b"']}))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer = provider.get_tracer("shop.checkout", "2.1")

    with tracer.start_as_current_span("checkout", kind=SpanKind.SERVER) as parent:
        parent.add_event("retried", {"attempt": 2, "why": "timeout"})
    with tracer.start_as_current_span("audit", links=[Link(parent.get_span_context(), {"of": "checkout"})]) as span:
        span.set_status(Status(StatusCode.ERROR, "refused"))
    provider.shutdown()
    loaded(collector)

    rows = {row["SpanName"]: row for row in database.rows("SELECT * FROM otel_traces")}
    checkout, audit = rows["checkout"], rows["audit"]
    assert checkout["ServiceName"] == "shop"
    assert json.loads(checkout["ResourceAttributes"]["process.command_args"]) == ["serve", 'a "b"']
    assert (checkout["SpanKind"], checkout["ScopeName"], checkout["ScopeVersion"]) == ("Server", "shop.checkout", "2.1")
    assert checkout["Events.Name"] == ["retried"]
    assert checkout["Events.Attributes"] == [{"attempt": "2", "why": "timeout"}]
    assert (audit["StatusCode"], audit["StatusMessage"]) == ("Error", "refused")
    assert audit["Links.TraceId"] == [checkout["TraceId"]]
    assert audit["Links.SpanId"] == [checkout["SpanId"]]
    assert audit["Links.Attributes"] == [{"of": "checkout"}]
    assert count(database, "ai_calls") == 0, "a span that names no AI feature is no AI call"


def test_typed_attributes_keep_their_types(run: Run, database: Database) -> None:
    """Drift is measured on numbers: an input that was a number must stay one, and one that was not must not become one."""
    collector, client = run()
    nested = AnyValue(kvlist_value=KeyValueList(values=[pair("k", 1), pair("s", 'q"')]))
    listed = AnyValue(
        array_value=ArrayValue(values=[AnyValue(string_value="a"), AnyValue(bool_value=False), AnyValue()])
    )

    client.export(
        trace_request(
            tocsin__input__age=41,
            tocsin__input__ink=0.25,
            tocsin__input__broken=float("nan"),
            tocsin__input__zero=0,
            tocsin__input__device="A7",
            tocsin__input__is_new=True,
            tocsin__input__digits="0123",
            tocsin__output__probability__cat=0.75,
            tocsin__output__label="cat",
            tocsin__confidence=0.0,
            tocsin__cost__amount=0.000000001,
            tocsin__null_inputs='["height"]',
            tags=listed,
            options=nested,
            raw=AnyValue(bytes_value=b"\x00\xff"),
            big=2**60 + 1,
        )
    )
    loaded(collector)

    [call] = database.rows("SELECT * FROM ai_calls")
    [span] = database.rows("SELECT * FROM otel_traces")
    assert call["input_numbers"] == {"age": 41.0, "ink": 0.25, "zero": 0.0}
    assert call["input_strings"] == {"device": "A7", "is_new": "true", "digits": "0123"}
    assert sorted(call["input_nulls"]) == ["broken", "height"]
    assert call["output_probabilities"] == {"cat": 0.75}
    assert (call["output_label"], call["confidence"], float(call["cost"])) == ("cat", 0.0, 1e-9)
    assert json.loads(span["SpanAttributes"]["tags"]) == ["a", False, None]
    assert json.loads(span["SpanAttributes"]["options"]) == {"k": 1, "s": 'q"'}
    assert span["SpanAttributes"]["raw"] == "AP8="
    assert span["SpanAttributes"]["big"] == str(2**60 + 1)


def test_impossible_values_are_clamped_and_flagged(run: Run, database: Database) -> None:
    """Hostile or broken senders must not stop the load, move the data clock, or look like good data."""
    collector, client = run()
    request = trace_request(3, tocsin__confidence=1.7, tocsin__weight=-1.0, tocsin__flags="cut:x")
    far, backwards, odd = request.resource_spans[0].scope_spans[0].spans
    far.start_time_unix_nano = far.end_time_unix_nano = 2**64 - 1
    backwards.end_time_unix_nano = backwards.start_time_unix_nano - 1
    odd.trace_id, odd.span_id, odd.kind = b"x" * 18, b"", 77

    client.export(request)
    loaded(collector)

    rows = database.rows("SELECT * FROM ai_calls ORDER BY started_at")
    flags = [set(row["flags"]) for row in rows]
    common = {"confidence_out_of_range", "cut:x"}
    assert {"ended_before_start"} | common in flags
    assert {"timestamp_clamped"} | common in flags
    assert {"id_length"} | common in flags
    assert {row["confidence"] for row in rows} == {None}
    assert {row["weight"] for row in rows} == {1.0}
    assert {row["duration_ns"] for row in rows} == {0, 1_000_000}
    assert count(database, "otel_traces", f"TraceId = '{(b'x' * 18).hex()}' AND SpanKind = 'Unspecified'") == 1
    end = collector.watermark().data_complete_to
    assert end is not None
    assert end.year == 2026


def test_malformed_request_is_refused_with_its_place_and_harms_nobody(run: Run, database: Database) -> None:
    """A sender must learn what to fix; the server and everybody else's spans must not notice."""
    collector, client = run()
    body = trace_request(2).SerializeToString()
    name_at = body.index(b"predict")

    refusal = client.refused(body[:name_at] + b"\xff" + body[name_at + 1 :])
    cut = client.refused(body[:-3])
    garbage = client.refused(b"GET / HTTP/1.1")
    client.export(body)
    loaded(collector)

    assert refusal.code() is cut.code() is garbage.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "UTF-8 text in resource_spans[0].scope_spans[0].spans[0].name at byte" in refusal.details()
    assert "expected" in cut.details()
    assert "got" in cut.details()
    assert count(database, "otel_traces") == 2
    stats = collector.stats()
    assert (stats.received_requests, stats.refused_requests, stats.stored_requests) == (4, 3, 1)


def test_reserved_fields_and_oversize_are_refused_for_good(run: Run) -> None:
    """A client that could write our envelope fields could file its spans under another project."""
    collector, client = run(max_request_bytes=10_000, max_request_spans=30)
    forged = trace_request().SerializeToString() + varint(15001 << 3 | 2) + b"\x05other"

    codes = [client.refused(request) for request in (forged, b"\x0a" * 12_000, trace_request(31))]

    assert [refusal.code() for refusal in codes] == [grpc.StatusCode.INVALID_ARGUMENT] * 3
    assert "15001" in codes[0].details()
    assert "10000 bytes" in codes[1].details()
    assert "30 spans" in codes[2].details()
    assert collector.stats().refused_requests == 3


def test_request_without_spans_succeeds_and_leaves_nothing(run: Run) -> None:
    """Exporters probe with empty requests; OTLP says that they succeed."""
    collector, client = run()

    client.export(b"")
    client.export(ExportTraceServiceRequest())

    assert collector.stats().received_requests == 0
    assert collector.stats().spool_bytes == 0


def test_retry_is_acknowledged_and_stored_once(run: Run, database: Database) -> None:
    """A sender whose reply was lost sends again: it must hear yes, and the spans must not double."""
    collector, client = run()
    request = trace_request(5)

    client.export(request)
    client.export(request)
    loaded(collector)
    client.export(request)

    stats = collector.stats()
    assert count(database, "otel_traces") == 5
    assert (stats.received_spans, stats.stored_spans, stats.duplicate_spans) == (15, 5, 10)


def test_full_spool_asks_to_wait_in_both_places(run: Run) -> None:
    """Never a silent drop: Python's exporter reads one trailer, other languages' the other; both get a delay of ≤ 2 s."""
    collector, client = run(spool_max_bytes=100_000, segment_max_bytes=100_000, retry_after_s=0.25)

    refusal = client.refused(trace_request(150, tocsin__output__text="x" * 1_000))

    trailers = dict(refusal.trailing_metadata())
    assert refusal.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    retry = error_details_pb2.RetryInfo.FromString(trailers["google.rpc.retryinfo-bin"])
    assert retry.retry_delay.nanos == 250_000_000
    assert retry.SerializeToString() in trailers["grpc-status-details-bin"]
    assert collector.stats().refused_spans == 150


def test_bytes_in_flight_are_bounded(run: Run) -> None:
    """Memory is bounded by bytes under way, whatever the number of requests."""
    collector, client = run(max_bytes_in_flight=1_000)

    refusal = client.refused(trace_request(50))
    client.export(trace_request(1))

    assert refusal.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    eventually(lambda: collector.stats().bytes_in_flight == 0)


def test_rollups_sum_what_the_calls_say(run: Run, database: Database) -> None:
    """Evaluators read only rollups: a call counts once in all, and once under each segment that its plan declares."""
    database.insert(
        "plans",
        [{"project": "default", "use_case": "ticket-triage", "segments": ["device", "age", "missing"], "plan": "{}"}],
    )
    collector, client = run()

    client.export(trace_request(4, tocsin__input__device="A7", tocsin__input__age=3, tocsin__confidence=0.9))
    loaded(collector)

    sums = database.rows("SELECT segment_name, segment_value, sum(calls) AS n FROM ai_calls_1h GROUP BY ALL ORDER BY 1")
    cells = database.rows(
        "SELECT kind, field, sum(n) AS n FROM input_histogram_1h WHERE segment_name = '' GROUP BY ALL"
    )
    assert [(row["segment_name"], row["segment_value"], row["n"]) for row in sums] == [
        ("", "", 4), ("age", "3", 4), ("device", "A7", 4),
    ]  # fmt: skip
    assert {(row["kind"], row["field"]): row["n"] for row in cells} == {
        ("number", "age"): 4, ("category", "device"): 4, ("confidence", ""): 4, ("latency", ""): 4,
    }  # fmt: skip


def test_use_case_map_names_calls_that_name_none(run: Run, database: Database) -> None:
    """Spans of other instrumentors must land under the team's name without touching the service's code."""
    entry = {"project": "default", "position": 1, "service": "triage", "model": "gpt-x", "use_case": "mapped"}
    database.insert("use_case_map", [entry])
    collector, client = run()

    for number, attributes in enumerate([{"gen_ai__request__model": "gpt-x"}, {"gen_ai__request__model": "other"}]):
        client.export(trace_request(1, number=number, tocsin__use_case="", **attributes))
    loaded(collector)

    assert {row["use_case"] for row in database.rows("SELECT use_case FROM ai_calls")} == {"mapped", "triage/other"}


def test_data_clock_is_the_latest_end_of_a_loaded_span(run: Run) -> None:
    """Replayed history is evaluated by its own time, and a span that ends a day says that the day is complete."""
    collector, client = run()

    client.export(trace_request(2))
    loaded(collector)

    mark = collector.watermark()
    assert mark.data_complete_to is not None
    assert int(mark.data_complete_to.timestamp() * 1e6) == (START_NS + 2 * 1000 + 1_000_000) // 1000
    assert mark.complete_to > mark.data_complete_to


def test_a_sender_connects_anew_after_a_while_and_loses_nothing(run: Run, database: Database) -> None:
    """A collector that was added gets no spans while every sender stays with the one it found first."""
    collector, client = run(connection_age_s=0.2)
    states: list[grpc.ChannelConnectivity] = []
    client.channel.subscribe(states.append)
    sent = itertools.count(1)

    def renewed() -> bool:
        client.export(trace_request(number=next(sent)))
        return states.count(grpc.ChannelConnectivity.READY) >= 3

    eventually(renewed)
    loaded(collector)

    assert count(database, "otel_traces") == next(sent) - 1
