"""Where a request is damaged: the sender's developer must find it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tests.collector.sending import trace_request

from tocsin_collector.errors import RequestRejected
from tocsin_collector.receive.damage import find_damage
from tocsin_collector.receive.requests import look_at

BODY = trace_request(3, tocsin__input__ink=0.5).SerializeToString()


def refusal(body: bytes) -> str | None:
    """Give the sentence with which a request is refused; None when it is taken."""
    try:
        look_at("traces", body, max_items=10)
    except RequestRejected as error:
        return str(error)
    return None


def test_whole_request_has_no_damage() -> None:
    """A false accusation would send people looking for a fault that is not there."""
    assert find_damage(BODY, ExportTraceServiceRequest.DESCRIPTOR) is None


def test_place_is_a_path_and_a_byte() -> None:
    """The parser says "Error parsing message": nobody can act on that."""
    at = BODY.rindex(b"ticket-triage")

    damage = find_damage(BODY[:at] + b"\xfe" + BODY[at + 1 :], ExportTraceServiceRequest.DESCRIPTOR)

    assert damage is not None
    assert damage.path == "resource_spans[0].scope_spans[0].spans[2].attributes[0].value.string_value"
    assert damage.byte == at
    assert damage.got == "0xfe"


@given(st.binary(max_size=300))
def test_any_bytes_are_taken_or_refused_with_a_sentence(body: bytes) -> None:
    """Anything may arrive on a port: each request ends in one of two ways, never in a crash."""
    sentence = refusal(body)

    assert sentence is None or "expected" in sentence


@given(st.integers(0, len(BODY) - 1), st.integers(0, 255))
def test_one_changed_byte_is_taken_or_refused(position: int, byte: int) -> None:
    """Nearly right input is the common kind of wrong input."""
    body = BODY[:position] + bytes([byte]) + BODY[position + 1 :]

    sentence = refusal(body)

    assert sentence is None or "expected" in sentence


def test_flood_of_empty_spans_is_refused_before_it_is_parsed() -> None:
    """A few kilobytes of gzip hold millions of empty spans, each a hundred bytes once parsed."""
    with pytest.raises(RequestRejected, match="empty"):
        look_at("traces", b"\x0a\x00" * 3_000_000, max_items=500_000)
