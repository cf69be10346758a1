"""OTLP/JSON: what it says becomes the same message, and what it cannot say is refused in a sentence."""

import json
import math
from contextlib import suppress
from typing import Any

import pytest
from google.protobuf import json_format
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tests.collector.sending import trace_request

from tocsin_collector.errors import RequestRejected
from tocsin_collector.receive.otlp_json import encode

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["resourceSpans", "scopeSpans", "spans", "traceId", "kind", "attributes", "value",
                                       "intValue", "key", "kvlistValue", "values", "x"]), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


def span_json(**fields: Any) -> bytes:
    """Write a request of one span."""
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [fields]}]}]}).encode()


def span_of(text: bytes) -> Any:
    """Read that span back."""
    return ExportTraceServiceRequest.FromString(encode("traces", text)).resource_spans[0].scope_spans[0].spans[0]


def value_of(**value: Any) -> Any:
    """Read one attribute's value back."""
    return span_of(span_json(attributes=[{"key": "k", "value": value}])).attributes[0].value


def test_it_says_what_protobufs_own_mapping_says() -> None:
    """Apart from ids, OTLP's JSON is proto3's: its reference implementation must agree with ours."""
    request = trace_request(3, a=True, b=-(1 << 40), c=0.25, d="ä", e="")
    span = request.resource_spans[0].scope_spans[0].spans[0]
    span.events.add(name="e", time_unix_nano=7)
    span.links.add(trace_id=b"\1" * 16, flags=3)
    written = json_format.MessageToDict(request, use_integers_for_enums=True)
    for each in written["resourceSpans"][0]["scopeSpans"][0]["spans"]:
        each["traceId"], each["spanId"] = (json_format.base64.b64decode(each[k]).hex() for k in ("traceId", "spanId"))
        for link in each.get("links", ()):
            link["traceId"] = "01" * 16

    assert encode("traces", json.dumps(written).encode()) == request.SerializeToString()


def test_every_kind_of_value_is_read() -> None:
    """Integers come as strings from careful senders and as numbers from others; bytes come as base64, of either alphabet."""
    assert value_of(intValue="-9223372036854775808").int_value == -(1 << 63)
    assert value_of(intValue=42).int_value == value_of(intValue=42.0).int_value == 42
    assert value_of(doubleValue="0.5").double_value == value_of(doubleValue=0.5).double_value == 0.5
    assert math.isnan(value_of(doubleValue="NaN").double_value)
    assert value_of(doubleValue="-Infinity").double_value == -math.inf
    assert value_of(bytesValue="+/8=").bytes_value == value_of(bytesValue="-_8").bytes_value == b"\xfb\xff"
    assert value_of(boolValue=False).WhichOneof("value") == "bool_value"
    assert value_of(kvlistValue={"values": [{"key": "a", "value": {}}]}).kvlist_value.values[0].key == "a"
    assert value_of(stringValue=None).WhichOneof("value") is None


def test_keys_are_lower_camel_case_and_others_are_ignored() -> None:
    """A field of tomorrow's version must not cost the request; nor may one spelt otherwise be half understood."""
    span = span_of(span_json(name="n", trace_id="00" * 16, someday={"deep": [1]}))

    assert (span.name, span.trace_id) == ("n", b"")


def test_logs_are_read_as_well() -> None:
    """One reader, led by the descriptors, for both."""
    record = {"eventName": "gen_ai.evaluation.result", "traceId": "AB" * 16, "severityNumber": 9}
    text = json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}).encode()

    [read] = ExportLogsServiceRequest.FromString(encode("logs", text)).resource_logs[0].scope_logs[0].log_records

    assert (read.event_name, read.trace_id, read.severity_number) == ("gen_ai.evaluation.result", b"\xab" * 16, 9)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"", "expected JSON"),
        (b"\xff", "expected JSON"),
        (b"[]", "expected an object in the request, got a list"),
        (b"{}x", "expected JSON"),
        (b'{"resourceSpans": NaN}', "got NaN"),
        (b'{"resourceSpans": [], "resourceSpans": []}', '"resourceSpans" twice'),
        (b'{"resourceSpans": ' + b"9" * 5_000 + b"}", "expected JSON"),
        (b'{"x": ' + b"[" * 90_000 + b"]" * 90_000 + b"}", "levels"),
        (b'{"resourceSpans": [' + b"{}," * 500_000 + b"{}]}", "at most 200000 objects"),
        (span_json(traceId="xyz"), "hexadecimal digits in resourceSpans[0].scopeSpans[0].spans[0].traceId"),
        (span_json(kind="SPAN_KIND_CLIENT"), 'a whole number in resourceSpans[0].scopeSpans[0].spans[0].kind, got "SPAN'),
        (span_json(kind=1 << 40), "a number from -2147483648"),
        (span_json(startTimeUnixNano=-1), "a number from 0 to"),
        (span_json(startTimeUnixNano="1e30"), "a whole number"),
        (span_json(startTimeUnixNano=True), "a whole number"),
        (span_json(name=5), "a string in"),
        (span_json(name="\ud800"), "without lone surrogates"),
        (span_json(attributes={}), "a list in"),
        (span_json(attributes=[{"value": {"doubleValue": "1e999"}}]), "a double can hold"),
        (span_json(attributes=[{"value": {"bytesValue": "!"}}]), "base64"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_in_a_sentence(text: bytes, said: str) -> None:
    """The sender's developer reads it in a log, once, without us."""
    with pytest.raises(RequestRejected) as refusal:
        encode("traces", text)

    assert said in str(refusal.value)
    assert len(str(refusal.value)) < 700


@given(_JSON)
@settings(max_examples=150)
def test_any_json_is_taken_or_refused(said: Any) -> None:
    """Never a crash, whatever stands where."""
    with suppress(RequestRejected):
        ExportTraceServiceRequest.FromString(encode("traces", json.dumps(said).encode()))
